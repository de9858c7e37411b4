"""Failures by scenario: how often what is said of slices is right, and how fast it is said.

python -m benchmarks.slicing discovery              # worst slices: power, null data, cards, speed, sliceline
python -m benchmarks.slicing discovery --part null  # one part: power, grid, null, near, speed, panel
python -m benchmarks.slicing discovery --runs 40    # fewer runs a cell
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from benchmarks.commands import Family
from benchmarks.slicing.discovery import add_discovery

#: each command of the family: what adds it
COMMANDS: dict[str, Callable[[Family], None]] = {
    "discovery": add_discovery,
}


def family() -> Family:
    """Returns the commands."""
    made = Family("slicing", __doc__)
    for add in COMMANDS.values():
        add(made)
    return made


if __name__ == "__main__":
    sys.exit(family().main())
