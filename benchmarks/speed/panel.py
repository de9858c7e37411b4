"""How fast the panel "Failures by scenario" answers on a large dataset."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.speed.pictures import timed

TESTS = Path(__file__).resolve().parents[2] / "tests"


def median_seconds(work: Callable[[], object], times: int = 7) -> float:
    """Returns the median of the seconds of several runs."""
    return statistics.median(timed(work) for _ in range(times))


def measure(n: int) -> dict[str, float]:
    """Returns the seconds that each thing takes on a dataset of n samples."""
    import fiftyone as fo
    from filled import fill
    from panel_session import PanelSession

    from loupe.panels.failures_by_scenario.panel import FailuresByScenario

    dataset = fo.Dataset()
    try:
        fill(dataset, n)
        session = PanelSession(FailuresByScenario(), dataset)
        row, column = 2, 1

        def click() -> None:
            session.view = []
            session.call("on_click", x=column, y=row)
            assert 0 < session.samples().count() < n

        return {
            "open the panel": median_seconds(lambda: session.call("on_load")),
            "choose another factor": median_seconds(lambda: session.call("on_factor", value="scenario.weather")),
            "click on a cell, to the count of its samples": median_seconds(click),
        }
    finally:
        dataset.delete()


def print_panel(n: int) -> None:
    """Prints the seconds on a dataset of n samples without image files, in a database of its own."""
    sys.path[:0] = [str(TESTS), str(TESTS / "support")]
    from conftest import start_mongod

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        process, uri = start_mongod(Path(folder) / "db")
        os.environ.update(FIFTYONE_DATABASE_URI=uri, FIFTYONE_DATABASE_VALIDATION="false")
        try:
            for what, seconds in measure(n).items():
                print(f"{n:,} samples | {what} | {seconds:.2f} s")
        finally:
            process.terminate()
            process.wait(30)
