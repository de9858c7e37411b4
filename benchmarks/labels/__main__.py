"""Label issues on real and injected mistakes; splits against the libraries that do a part of it.

    python -m benchmarks.labels issues               # CIFAR-10N (the vectors take minutes), digits, time and memory
python -m benchmarks.labels splits [--rows N]    # 1,000,000 rows; the peers get as many as they can take
python -m benchmarks.labels duplicates           # the panel and loupe.deduplicate at 100,000 samples, 10,000 groups
"""

from __future__ import annotations

import sys

from benchmarks.commands import Family
from benchmarks.labels.duplicates import print_duplicates
from benchmarks.labels.issues import print_issues
from benchmarks.labels.splits import print_splits


def family() -> Family:
    """Returns the commands."""
    made = Family("labels", __doc__)
    made.command("issues", lambda _: print_issues(), "labels that are probably wrong")
    splits = made.command("splits", lambda given: print_splits(given.rows), "splits against other libraries")
    splits.add_argument("--rows", type=int, default=1_000_000, help="of the large sets")
    decided = made.command("duplicates", lambda given: print_duplicates(given.n, given.groups), "deciding duplicates")
    decided.add_argument("-n", type=int, default=100_000, help="samples")
    decided.add_argument("--groups", type=int, default=10_000, help="groups of duplicates")
    return made


if __name__ == "__main__":
    sys.exit(family().main())
