"""How fast the panels and the form of ``check`` answer on a large dataset."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable
from pathlib import Path

from benchmarks.speed.end_to_end import own_database
from benchmarks.speed.pictures import timed

TESTS = Path(__file__).resolve().parents[2] / "tests"


def median_seconds(work: Callable[[], object], times: int = 7) -> float:
    """Returns the median of the seconds of several runs."""
    return statistics.median(timed(work) for _ in range(times))


def measure(n: int) -> dict[str, float]:
    """Returns the seconds that each thing takes on a dataset of n samples."""
    import fiftyone as fo
    from filled import fill
    from operator_calls import form
    from panel_session import PanelSession

    from loupe.panels.failures_by_scenario.panel import FailuresByScenario
    from loupe.panels.overview.panel import Overview
    from loupe.panels.thresholds.panel import Thresholds

    dataset = fo.Dataset()
    try:
        fill(dataset, n)
        session = PanelSession(FailuresByScenario(), dataset)
        row, column = 2, 1

        def click() -> None:
            session.view = []
            session.call("on_click", x=column, y=row)
            assert 0 < session.samples().count() < n

        overview, thresholds = (PanelSession(panel(), dataset) for panel in (Overview, Thresholds))
        thresholds.call("on_failure", value="blur")
        values = itertools.cycle([0.5, 0.55, 0.61, 0.7])

        def move() -> None:
            value = next(values)
            thresholds.call("on_move", value=value, path=f"slider.blur__{thresholds.state['turn']}")
            assert thresholds.content.preview.threshold.value == value

        return {
            "Overview: open": median_seconds(lambda: overview.call("on_load")),
            "Thresholds: open": median_seconds(lambda: thresholds.call("on_load")),
            "Thresholds: move the slider": median_seconds(move),
            "the form of check, all": median_seconds(lambda: form("check", dataset, {"checks__preset": "all"})),
            "open the panel": median_seconds(lambda: session.call("on_load")),
            "choose another factor": median_seconds(lambda: session.call("on_factor", value="scenario.weather")),
            "click on a cell, to the count of its samples": median_seconds(click),
        }
    finally:
        dataset.delete()


def print_panel(n: int) -> None:
    """Prints the seconds on a dataset of n samples without image files, in a database of its own."""
    with own_database():
        for what, seconds in measure(n).items():
            print(f"{n:,} samples | {what} | {seconds:.2f} s")
