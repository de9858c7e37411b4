"""How fast the panels and the form of ``check`` answer on a large dataset."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.speed.end_to_end import own_database
from benchmarks.speed.pictures import timed
from benchmarks.speed.synthetic import fill_many

TESTS = Path(__file__).resolve().parents[2] / "tests"


#: of so many samples things are timed fewer times
LARGE = 500_000


def median_seconds(work: Callable[[], object], times: int = 7) -> tuple[float, float]:
    """Returns the medians of the wall and of the CPU seconds of this process, of several runs."""
    walls, cpus = [], []
    for _ in range(times):
        before = time.process_time()
        walls.append(timed(work))
        cpus.append(time.process_time() - before)
    return statistics.median(walls), statistics.median(cpus)


def measure(n: int) -> dict[str, tuple[float, float]]:
    """Returns the wall and CPU seconds that each thing takes on a dataset of n samples."""
    import fiftyone as fo
    from operator_calls import form
    from panel_session import PanelSession

    from loupe.panels.overview.panel import Overview
    from loupe.panels.thresholds.panel import Thresholds

    times = 3 if n >= LARGE else 7
    dataset = fo.Dataset()
    try:
        fill_many(dataset, n)
        overview, thresholds = (PanelSession(panel(), dataset) for panel in (Overview, Thresholds))
        thresholds.call("on_failure", value="blur")
        values = itertools.cycle([0.5, 0.55, 0.61, 0.7])

        def move() -> None:
            value = next(values)
            thresholds.call("on_move", value=value, path=f"slider.blur__{thresholds.state['turn']}")
            assert thresholds.content.preview.threshold.value == value

        works: dict[str, Callable[[], object]] = {
            "Overview: open": lambda: overview.call("on_load"),
            "Thresholds: open": lambda: thresholds.call("on_load"),
            "Thresholds: move the slider": move,
            "the form of check, all": lambda: form("check", dataset, {"checks__preset": "all"}),
            **failures_by_scenario(dataset, n),
        }
        return {what: median_seconds(work, times) for what, work in works.items()}
    finally:
        dataset.delete()


def failures_by_scenario(dataset: object, n: int) -> dict[str, Callable[[], object]]:
    """Returns what is timed of the panel "Failures by scenario"."""
    from panel_session import PanelSession

    from loupe.panels.failures_by_scenario.panel import FailuresByScenario

    session = PanelSession(FailuresByScenario(), dataset)

    def click() -> None:
        session.view = []
        session.call("on_click", x=1, y=2)
        assert 0 < session.samples().count() < n

    def within() -> None:
        click()
        session.call("on_within", value="scenario.weather")
        session.call("on_back", depth=0)

    layouts = itertools.cycle(["table", "bars", "map"])
    return {
        "open the panel": lambda: session.call("on_load"),
        "choose another factor": lambda: session.call("on_factor", value="scenario.weather"),
        "draw it another way": lambda: session.call("on_layout", value=next(layouts)),
        "two groups side by side": lambda: (
            session.call("on_layout", value="map"),
            session.call("on_layout", value="sides"),
            session.call("on_layout", value="map"),
        ),
        "click on a cell, to the count of its samples": click,
        "go into a value by another factor, and back": within,
    }


def print_panel(n: int) -> None:
    """Prints the seconds on a dataset of n samples without image files, in a database of its own."""
    with own_database():
        for what, (wall, cpu) in measure(n).items():
            print(f"{n:,} samples | {what} | {wall:.2f} s, of which {cpu:.2f} s of CPU here")
