"""How fast the panel "Failures by scenario" answers on a large dataset.

    .venv/bin/python -m benchmarks.panel_speed [-n 10000]

Makes a dataset without image files in a database of its own and prints the seconds for opening the panel, choosing
another factor, and a click on a cell up to the count of its samples in the grid. Each is the median of seven runs.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))


def median_seconds(run: Callable[[], object], times: int = 7) -> float:
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        run()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def measure(n: int) -> dict[str, float]:
    """Returns the seconds that each thing takes on a dataset of n samples."""
    import fiftyone as fo
    from filled import fill
    from panel_session import PanelSession

    from loupe.panels.failures_by_scenario import FailuresByScenario

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", type=int, default=10_000, help="how many samples")
    n = parser.parse_args().n
    import os

    from conftest import start_mongod

    from benchmarks.figures import machine

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        process, uri = start_mongod(Path(folder) / "db")
        os.environ.update(FIFTYONE_DATABASE_URI=uri, FIFTYONE_DATABASE_VALIDATION="false")
        try:
            for what, seconds in measure(n).items():
                print(f"{n:,} samples | {what} | {seconds:.2f} s")
            print(machine())
        finally:
            process.terminate()
            process.wait(30)


if __name__ == "__main__":
    main()
