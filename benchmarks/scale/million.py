"""The verbs and panels at a hundred thousand and a million samples: seconds, CPU, memory."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from benchmarks.commands import Family
from benchmarks.figures import header, row, title
from benchmarks.scale.processes import apart, memory_of
from benchmarks.scale.things import THINGS, TITLES

SIZES = (100_000, 1_000_000)


def add_to(family: Family) -> None:
    """Adds the command."""
    made = family.command("million", run, "verbs and panels at 100,000 and 1,000,000 samples")
    made.add_argument("-n", "--samples", dest="n", type=int, nargs="*", default=list(SIZES), help="how many samples")
    made.add_argument("--only", nargs="*", choices=THINGS, help="some of the things; all by default")
    made.add_argument("--cache", type=float, default=4.0, help="GiB that MongoDB may hold of its files")
    made.add_argument("--dataset", help="a dataset that is there, in the database that FIFTYONE_DATABASE_URI names")


def run(given: argparse.Namespace) -> None:
    """Prints the table."""
    only = given.only or list(THINGS)
    if given.dataset:
        print_costs(given.dataset, only, None)
        return
    from benchmarks.scale.database import filled

    for n in given.n:
        with filled(n, given.cache) as (name, pid):
            title(f"{n:,} samples, {os.cpu_count()} cores")
            print_costs(name, only, pid)
            print(f"\nMongoDB: {memory_of(pid):.1f} GiB at most, of which {given.cache:g} GiB may be its cache")


def print_costs(dataset: str, only: Sequence[str], database: int | None) -> None:
    """Prints a line for each thing."""
    header("what", "seconds", "CPU here", "CPU of MongoDB", "GiB before", "GiB at most")
    for name in only:
        try:
            cost = apart("benchmarks.scale.things", name, dataset, database=database)
        except RuntimeError as error:
            row(TITLES[name], "failed", str(error)[-300:].replace("\n", " "))
            continue
        numbers = (f"{cost.wall:.1f}", f"{cost.cpu:.1f}", f"{cost.database:.1f}")
        row(TITLES[name], *numbers, f"{cost.before:.2f}", f"{cost.peak:.2f}")
