"""Synthetic sets against real ones: are they named right, do the measures agree with others', how long does it take?

python -m benchmarks.realism verdicts [--draws N] [--size N ...]   # altered sets of CIFAR-10; 20 minutes of vectors
"""

from __future__ import annotations

import sys

from benchmarks.commands import Family
from benchmarks.realism.verdicts import print_verdicts


def family() -> Family:
    """Returns the commands."""
    made = Family("realism", __doc__)
    verdicts = made.command("verdicts", lambda given: print_verdicts(given.draws, tuple(given.size)), "altered sets")
    verdicts.add_argument("--draws", type=int, default=20, help="of each altered set; twice as many of real ones")
    verdicts.add_argument("--size", type=int, nargs="+", default=[500, 2000], help="pictures of a set")
    return made


if __name__ == "__main__":
    sys.exit(family().main())
