"""How well signs are read, which the figures of the generator tiny-signs rest on; and hosted services that fail.

    python -m benchmarks.generators reader      the reader of signs itself, on rendered signs of held-out real digits
    python -m benchmarks.generators overhead    loupe.generate beside the bare call of its pipeline
    python -m benchmarks.generators conditioning    generate from pictures: outside of a mask, strength, tiles, time
    python -m benchmarks.generators controlled  drawing with a ControlNet beside diffusers' own call
    python -m benchmarks.generators devices     one process beside two: speed, and whether the bits are the same
    python -m benchmarks.generators repair      signs that tiny-signs drew wrong, repaired: with the gate and without
    python -m benchmarks.generators rebalance   cells of signs brought to a number that passes, judged by a reader
    python -m benchmarks.generators preparation  the check text on signs that are prepared for its reader
    python -m benchmarks.generators hosted      requests to services with faults, and a process that is killed

How often generated signs are right: ``python -m training.tiny_signs.evaluate``.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

from benchmarks.commands import Family
from benchmarks.generators.controlled import print_controlled
from benchmarks.generators.devices import print_devices
from benchmarks.generators.hosted import print_hosted
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
    made.command("controlled", lambda _: print_controlled(), "drawing with a ControlNet beside diffusers' own call")
    made.command("overhead", lambda _: print_overhead(), "generate beside the bare call of its pipeline")
    pictures = made.command("conditioning", _conditioning, "generate from pictures: masks, strength, tiles, time")
    pictures.add_argument("--parts", nargs="+", default=["outside", "strength", "tiles", "time"], help="which of these")
    devices = made.command(
        "devices", lambda given: print_devices(given.count, given.rounds), "one process beside two: images per second"
    )
    devices.add_argument("--count", type=int, default=32, help="images a round")
    devices.add_argument("--rounds", type=int, default=4, help="of each")
    repair = made.command("repair", _repair, "wrong signs, repaired: with the gate and without")
    repair.add_argument("--cache", type=Path, help="folder that keeps the trained reader")
    repair.add_argument("--pools", nargs="+", default=["hasty", "changed", "usual"], help="hasty, changed, usual")
    repair.add_argument("--counts", nargs="+", type=int, default=[40, 40, 30], help="signs a scenario of each pool")
    repair.add_argument(
        "--seeds",
        nargs="+",
        type=int,
        default=[4010, 4011, 4012],
        help="of the signs: 1 to 2000 were tuned on",
    )
    repair.add_argument("--results", type=Path, help="where each result is kept as it comes: the same again goes on")
    repair.add_argument("--attempts", type=int, default=4, help="at each sign")
    repair.add_argument(
        "--methods", nargs="+", default=["mixed", "inpaint", "redraw"], help="mixed, inpaint, image_to_image, redraw"
    )
    repair.add_argument("--gates", nargs="+", default=["sign_digits"], help="checks: sign_digits, text")
    rebalance = made.command("rebalance", _rebalance, "cells of signs brought to a number that passes its checks")
    rebalance.add_argument("--cache", type=Path, help="folder that keeps the trained reader")
    cells = ["clear-4", "rain-4", "fog-2", "fog-3"]
    rebalance.add_argument("--cells", nargs="+", default=cells, help="by night, weather and number of digits")
    rebalance.add_argument("--more", type=int, default=20, help="signs that pass, beside those that a cell has")
    rebalance.add_argument("--limit", type=int, default=150, help="draws of a cell at most")
    rebalance.add_argument("--per-cell", type=int, default=20, help="signs of each cell that are drawn before")
    rebalance.add_argument("--seed", type=int, default=12, help="of the numbers and the draws")
    preparation = made.command("preparation", _preparation, "the check text on signs that are prepared for its reader")
    preparation.add_argument("--cache", type=Path, help="folder that keeps the trained readers")
    preparation.add_argument("--count", type=int, default=8, help="signs a scenario")
    preparation.add_argument("--seed", type=int, default=4500, help="of the signs")
    hosted = made.command(
        "hosted",
        lambda given: print_hosted(given.count, given.kills, given.budget, given.only),
        "hosted generators against services with faults: what is lost, and what is paid twice",
    )
    hosted.add_argument("--count", type=int, default=10_000, help="images of all four services together")
    hosted.add_argument("--only", default="", help="the services with this in their name: keys, OpenAI (, ids, FLUX")
    hosted.add_argument("--kills", type=int, default=3, help="how often the process is killed for each service")
    hosted.add_argument("--budget", type=float, help="dollars; half of what all cost by default")
    return made


def _conditioning(given: Namespace) -> None:
    from benchmarks.generators.conditioning import print_conditioning

    print_conditioning(given.parts)


def _repair(given: Namespace) -> None:
    from benchmarks.generators.repair import Wanted, print_repair

    asked = Wanted(given.pools, given.counts, given.seeds, given.attempts, given.methods, given.gates, given.results)
    print_repair(given.cache, asked)


def _preparation(given: Namespace) -> None:
    from benchmarks.generators.preparation import print_preparation

    print_preparation(given.cache, given.count, given.seed)


def _rebalance(given: Namespace) -> None:
    from benchmarks.generators.rebalance import print_rebalance

    print_rebalance(given.cache, given.more, given.limit, given.per_cell, given.seed, given.cells)


if __name__ == "__main__":
    sys.exit(family().main())
