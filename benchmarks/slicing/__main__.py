"""Whether what is said of slices is right: false alarms, power and coverage by simulation.

python -m benchmarks.slicing drift                      # find_drift: false alarms over 500 null batches, ten batches at
                                                        # once, power against plain KS, coverage of the intervals
python -m benchmarks.slicing drift --part power -n 100  # one part, of fewer runs
"""

from __future__ import annotations

import sys

from benchmarks.commands import Family
from benchmarks.slicing import drift

#: each command's name and what adds it
COMMANDS = {
    "drift": drift.add,
}


def family() -> Family:
    """Returns the commands."""
    made = Family("slicing", __doc__)
    for name, add in COMMANDS.items():
        add(made, name)
    return made


if __name__ == "__main__":
    sys.exit(family().main())
