"""How often the optional checks of safety are wrong.

    python -m benchmarks.safety nsfw           # pictures that are not explicit, by kind
    python -m benchmarks.safety personal       # drawn cards with numbers that are somebody's, and with other numbers

No explicit picture is at hand: what ``nsfw`` misses is not measured.
"""

from __future__ import annotations

import sys

from benchmarks.commands import Family
from benchmarks.safety.nsfw import print_nsfw
from benchmarks.safety.personal import print_personal


def family() -> Family:
    """Returns the commands."""
    made = Family("safety", __doc__)
    made.command("nsfw", lambda _: print_nsfw(), "pictures that are not explicit, by kind")
    personal = made.command("personal", lambda given: print_personal(given.n), "drawn cards, and pictures without any")
    personal.add_argument("-n", type=int, default=40, help="cards of each kind")
    return made


if __name__ == "__main__":
    sys.exit(family().main())
