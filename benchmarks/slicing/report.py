"""How long a report takes, and how large it is, by how many samples there are."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.commands import Family
from benchmarks.figures import header, row, title
from benchmarks.speed.end_to_end import own_database
from benchmarks.speed.synthetic import fill_many


def add_report(family: Family) -> None:
    """Adds the command."""
    about = "loupe.report: seconds and bytes; the samples have no pictures"
    command = family.command("report", lambda given: print_report(given.samples), about)
    command.add_argument("--samples", type=int, nargs="+", default=[10_000, 100_000], help="how many samples")


def print_report(sizes: list[int]) -> None:
    """Prints a row for each number of samples; their thumbnails are of files that cannot be read."""
    with own_database(), tempfile.TemporaryDirectory() as folder:
        import fiftyone as fo

        import loupe

        title("loupe.report: four factors, ten failure modes")
        header("samples", "seconds", "of CPU (without the database's)", "HTML, kB", "JSON, kB")
        for n in sizes:
            dataset = fo.Dataset()
            fill_many(dataset, n)
            started, cpu = time.perf_counter(), time.process_time()
            page = loupe.report(dataset, Path(folder) / "report.html")
            seconds, own = time.perf_counter() - started, time.process_time() - cpu
            facts = loupe.report(dataset, Path(folder) / "report.json")
            sizes_of = [f"{path.stat().st_size / 1000:.0f}" for path in (page, facts)]
            row(f"{n:,}", f"{seconds:.1f}", f"{own:.1f}", *sizes_of)
            dataset.delete()
