"""Whether what is said of slices is right: false alarms, power and coverage by simulation.

python -m benchmarks.slicing drift          # false alarms over 500 null batches, power against KS, coverage
python -m benchmarks.slicing drift -n 100   # of fewer runs
"""

from __future__ import annotations

import sys

from benchmarks.commands import Family
from benchmarks.slicing.drift import print_drift

#: each command: what it does with its number of runs, how many there are by default, and one line on it
COMMANDS = {
    "drift": (print_drift, 500, "false alarms, power and coverage of find_drift"),
}


def family() -> Family:
    """Returns the commands."""
    made = Family("slicing", __doc__)
    for name, (run, runs, description) in COMMANDS.items():
        command = made.command(name, lambda given, run=run: run(given.n), description)
        command.add_argument("-n", type=int, default=runs, help=f"runs ({runs})")
    return made


if __name__ == "__main__":
    sys.exit(family().main())
