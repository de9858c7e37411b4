"""Failures by scenario: how often what is said of slices is right, and how fast it is said.

python -m benchmarks.slicing comparison                 # models side by side: coverage, false "better", power
python -m benchmarks.slicing comparison --part coverage # one part: coverage, clusters, null, power, …
python -m benchmarks.slicing comparison --runs 100      # fewer runs a cell
python -m benchmarks.slicing coverage                   # rates: how often an interval holds; false findings
python -m benchmarks.slicing coverage --part groups     # one part: alone, groups, null
python -m benchmarks.slicing coverage --runs 50         # fewer runs a cell
python -m benchmarks.slicing discovery                  # worst slices: power, null data, cards, speed, sliceline
python -m benchmarks.slicing discovery --part null      # one part: power, grid, null, near, speed, panel
python -m benchmarks.slicing discovery --runs 40        # fewer runs a cell
python -m benchmarks.slicing evaluation                 # COCO's numbers against pycocotools, coverage, time
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from benchmarks.commands import Family
from benchmarks.slicing.comparison import add_comparison
from benchmarks.slicing.coverage import add_coverage
from benchmarks.slicing.discovery import add_discovery
from benchmarks.slicing.evaluation import add_evaluation

#: each command of the family: what adds it
COMMANDS: dict[str, Callable[[Family], None]] = {
    "comparison": add_comparison,
    "coverage": add_coverage,
    "discovery": add_discovery,
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
