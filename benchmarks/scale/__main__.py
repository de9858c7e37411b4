"""How far one machine goes.

python -m benchmarks.scale million                  # verbs and panels at 100,000 and 1,000,000 samples, each in a
                                                    # process of its own: seconds, CPU, peak memory
python -m benchmarks.scale million -n 20000 --only flag slice
"""

from __future__ import annotations

import sys

from benchmarks.commands import Family
from benchmarks.scale import million


def family() -> Family:
    """Returns the commands."""
    made = Family("scale", __doc__)
    million.add_to(made)
    return made


if __name__ == "__main__":
    sys.exit(family().main())
