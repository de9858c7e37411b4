"""How right what is said of slices is: intervals, discovery, drift, comparison, evaluation.

python -m benchmarks.slicing evaluation     # COCO's numbers against pycocotools, coverage of intervals, time
"""

from __future__ import annotations

import sys

from benchmarks.commands import Family
from benchmarks.slicing.evaluation import print_evaluation


def family() -> Family:
    """Returns the commands."""
    made = Family("slicing", __doc__)
    evaluation = made.command(
        "evaluation", lambda given: print_evaluation(given.runs, given.n), "loupe.evaluate: its numbers and intervals"
    )
    evaluation.add_argument("--runs", type=int, default=300, help="samples a cell")
    evaluation.add_argument("-n", type=int, nargs="+", default=[20, 100, 400], help="pictures a sample")
    return made


if __name__ == "__main__":
    sys.exit(family().main())
