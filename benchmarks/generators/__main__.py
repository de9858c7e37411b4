"""How well signs are read: by the model that the figures of the generator tiny-signs rest on.

    python -m benchmarks.generators reader      the reader of signs itself, on rendered signs of held-out real digits
    python -m benchmarks.generators repair      signs that tiny-signs drew wrong, repaired: with the gate and without

How often generated signs are right: ``python -m training.tiny_signs.evaluate``.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

from benchmarks.commands import Family
from benchmarks.generators.sign_reader import print_accuracy


def family() -> Family:
    """Returns the commands."""
    made = Family("generators", __doc__)
    reader = made.command(
        "reader", lambda given: print_accuracy(given.cache, given.count), "signs of held-out real digits"
    )
    reader.add_argument("--cache", type=Path, help="folder that keeps the trained reader")
    reader.add_argument("--count", type=int, default=400, help="signs per scenario")
    repair = made.command("repair", _repair, "wrong signs, repaired: with the gate and without")
    repair.add_argument("--cache", type=Path, help="folder that keeps the trained reader")
    repair.add_argument("--count", type=int, default=40, help="signs per scenario")
    repair.add_argument("--seed", type=int, default=3000, help="of the signs: 1 to 2000 were tuned on")
    repair.add_argument("--attempts", type=int, default=4, help="at each sign")
    repair.add_argument("--methods", nargs="+", default=["redraw"], help="inpaint, image_to_image, redraw")
    repair.add_argument("--gates", nargs="+", default=["sign_digits"], help="checks: sign_digits, text")
    return made


def _repair(given: Namespace) -> None:
    from benchmarks.generators.repair import print_repair

    print_repair(given.cache, given.count, given.seed, given.attempts, given.methods, given.gates)


if __name__ == "__main__":
    sys.exit(family().main())
