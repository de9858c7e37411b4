"""How far one machine goes.

python -m benchmarks.scale remote                   # reading pictures from a web server that answers after 20 ms,
                                                    # against the same files here: first pass, second pass
python -m benchmarks.scale remote -n 2000 --delay 100
"""

from __future__ import annotations

import sys

from benchmarks.commands import Family
from benchmarks.scale import remote


def family() -> Family:
    """Returns the commands."""
    made = Family("scale", __doc__)
    remote.add_to(made)
    return made


if __name__ == "__main__":
    sys.exit(family().main())
