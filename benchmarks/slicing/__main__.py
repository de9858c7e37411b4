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
python -m benchmarks.slicing drift                      # find_drift: false alarms, power, coverage
python -m benchmarks.slicing drift --part power -n 100  # one part, of fewer runs
python -m benchmarks.slicing evaluation                 # COCO's numbers against pycocotools, coverage, time
python -m benchmarks.slicing report --samples 1000000   # how long a report takes, and how large it is
python -m benchmarks.slicing review                     # reviews: precision, recall, thresholds, and the panel
python -m benchmarks.slicing review --part panel -n 1000000
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from benchmarks.commands import Family
from benchmarks.slicing.comparison import add_comparison
from benchmarks.slicing.coverage import add_coverage
from benchmarks.slicing.discovery import add_discovery
from benchmarks.slicing.drift import add_drift
from benchmarks.slicing.evaluation import add_evaluation
from benchmarks.slicing.report import add_report
from benchmarks.slicing.review import add_review

#: each command of the family: what adds it
COMMANDS: dict[str, Callable[[Family], None]] = {
    "comparison": add_comparison,
    "coverage": add_coverage,
    "discovery": add_discovery,
    "drift": add_drift,
    "evaluation": add_evaluation,
    "report": add_report,
    "review": add_review,
}


def family() -> Family:
    """Returns the commands."""
    made = Family("slicing", __doc__)
    for add in COMMANDS.values():
        add(made)
    return made


if __name__ == "__main__":
    sys.exit(family().main())
