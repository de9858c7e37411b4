"""How well signs are read: by the model that the figures of the generator tiny-signs rest on.

    python -m benchmarks.generators reader      the reader of signs itself, on rendered signs of held-out real digits
    python -m benchmarks.generators overhead    loupe.generate beside the bare call of its pipeline

How often generated signs are right: ``python -m training.tiny_signs.evaluate``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.commands import Family
from benchmarks.generators.overhead import print_overhead
from benchmarks.generators.sign_reader import print_accuracy


def family() -> Family:
    """Returns the commands."""
    made = Family("generators", __doc__)
    reader = made.command(
        "reader", lambda given: print_accuracy(given.cache, given.count), "signs of held-out real digits"
    )
    reader.add_argument("--cache", type=Path, help="folder that keeps the trained reader")
    reader.add_argument("--count", type=int, default=400, help="signs per scenario")
    made.command("overhead", lambda _: print_overhead(), "generate beside the bare call of its pipeline")
    return made


if __name__ == "__main__":
    sys.exit(family().main())
