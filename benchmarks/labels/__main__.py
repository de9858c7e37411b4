"""Label issues on real and injected mistakes; splits against the libraries that do a part of it.

    python -m benchmarks.labels issues               # CIFAR-10N (the vectors take minutes), digits, time and memory
python -m benchmarks.labels splits [--rows N]    # 1,000,000 rows; the peers get as many as they can take
python -m benchmarks.labels selection [--rows N] # digits, against plain algorithms, and 100,000 vectors
"""

from __future__ import annotations

import sys

from benchmarks.commands import Family
from benchmarks.labels.issues import print_issues
from benchmarks.labels.selection import print_selection
from benchmarks.labels.splits import print_splits


def family() -> Family:
    """Returns the commands."""
    made = Family("labels", __doc__)
    made.command("issues", lambda _: print_issues(), "labels that are probably wrong")
    splits = made.command("splits", lambda given: print_splits(given.rows), "splits against other libraries")
    splits.add_argument("--rows", type=int, default=1_000_000, help="of the large sets")
    selection = made.command("selection", lambda given: print_selection(given.rows), "what is chosen against chance")
    selection.add_argument("--rows", type=int, default=100_000, help="of the large sets")
    return made


if __name__ == "__main__":
    sys.exit(family().main())
