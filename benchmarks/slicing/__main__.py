"""Failures by scenario: how often what is said of slices is right, and how fast it is said.

python -m benchmarks.slicing comparison                  # models side by side: coverage, false "better", power
python -m benchmarks.slicing comparison --part coverage  # one part: coverage, clusters, null, power, …
python -m benchmarks.slicing comparison --runs 100       # fewer runs a cell
python -m benchmarks.slicing coverage                   # rates: how often an interval holds; false findings
python -m benchmarks.slicing coverage --part groups     # one part: alone, groups, null
python -m benchmarks.slicing coverage --runs 50         # fewer runs a cell
python -m benchmarks.slicing evaluation                 # COCO's numbers against pycocotools, coverage, time
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from benchmarks.commands import Family
from benchmarks.slicing.comparison import add_comparison
from benchmarks.slicing.coverage import add_coverage
from benchmarks.slicing.evaluation import add_evaluation

#: each command of the family: what adds it
COMMANDS: dict[str, Callable[[Family], None]] = {
    "comparison": add_comparison,
    "coverage": add_coverage,
    "evaluation": add_evaluation,
}


def family() -> Family:
    """Returns the commands."""
    made = Family("slicing", __doc__)
    for add in COMMANDS.values():
        add(made)
    return made


if __name__ == "__main__":
    sys.exit(family().main())
