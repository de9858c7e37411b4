"""Failures by scenario: how often what is said of slices is right, and how fast it is said.

python -m benchmarks.slicing review                 # reviews: precision, recall, thresholds, and the panel's speed
python -m benchmarks.slicing review --part panel -n 1000000
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from benchmarks.commands import Family
from benchmarks.slicing.review import add_review

#: each command of the family: what adds it
COMMANDS: dict[str, Callable[[Family], None]] = {
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
