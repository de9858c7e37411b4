"""What goes wrong in use, tried on purpose: what became of each fault, and whether anything was lost or stalled.

python -m benchmarks.faults writers         # two processes on one dataset at once, and killed ones
python -m benchmarks.faults hostile         # files that break decoders, stall readers or cost too much
"""

from __future__ import annotations

import sys

from benchmarks.commands import Family
from benchmarks.faults.hostile import print_hostile
from benchmarks.faults.writers import print_writers


def family() -> Family:
    """Returns the commands."""
    made = Family("faults", __doc__)
    made.command("hostile", lambda _: print_hostile(), "files that break decoders, stall readers or cost too much")
    writers = made.command("writers", lambda given: print_writers(given.n), "two processes on one dataset at once")
    writers.add_argument("-n", type=int, default=20, help="tries of each situation")
    return made


if __name__ == "__main__":
    sys.exit(family().main())
