"""How fast checks, neighbors, writing and panels are, against a named peer in the same run where there is one.

    python -m benchmarks.speed check [N]        # loupe.check end to end, database and all, on N (1,000) JPEGs that each
                                                # have a shape of their own, against cleanvision
    python -m benchmarks.speed verbs [-n N]     # slice and flag at 100,000 samples
    python -m benchmarks.speed checks [N]       # N (2,000) JPEGs and a fifth as many PNGs of 0.5 MP in four shapes, and
                                                # half as many JPEGs in as many: against a bare decode, and cleanvision
    python -m benchmarks.speed cost             # what each check costs a picture of 1024 x 1024, on one thread
    python -m benchmarks.speed cost text hands  # of some checks
    python -m benchmarks.speed cost -n 20       # the mean of 20 pictures
    python -m benchmarks.speed each --ragged    # of pictures that each have a shape of their own
    python -m benchmarks.speed each             # processor time a picture of each pixel check, and of what they share
    python -m benchmarks.speed each text --against CHECKOUT  # and by turns with another checkout's
    python -m benchmarks.speed takeover [-n N]  # threads alone, and processes that take over from them, on N (1,500)
                                                # JPEGs of 0.5 MP
    python -m benchmarks.speed neighbors        # 20k x 512 against FiftyOne brain; memory at 100k x 512
    python -m benchmarks.speed writing          # 100,000 samples' scores into FiftyOne's database
    python -m benchmarks.speed memory           # peak memory at 500 and at 2,000 pictures
    python -m benchmarks.speed panel            # panels, a click, the slider, a form: medians of seven runs
    python -m benchmarks.speed panel --samples 1000000  # of a million documents that nobody made pictures for

The pictures are crops of real photos where those are at hand, else drawn; all files are read once before anything is
timed. cleanvision (pip install cleanvision) runs its own processes on all cores, for the issues that are no duplicates.
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.commands import Family
from benchmarks.speed.checks import print_checks
from benchmarks.speed.cost import print_cost
from benchmarks.speed.each import print_each
from benchmarks.speed.end_to_end import print_end_to_end, print_verbs
from benchmarks.speed.memory import print_memory
from benchmarks.speed.neighbors import print_neighbors
from benchmarks.speed.panel import print_panel
from benchmarks.speed.takeover import print_takeover
from benchmarks.speed.writing import print_writing


def family() -> Family:
    """Returns the commands."""
    made = Family("speed", __doc__)
    check = made.command("check", lambda given: print_end_to_end(given.n), "loupe.check end to end against cleanvision")
    check.add_argument("n", nargs="?", type=int, default=1000, help="how many JPEGs")
    verbs = made.command("verbs", lambda given: print_verbs(given.n), "slice and flag on a large dataset")
    verbs.add_argument("-n", "--samples", dest="n", type=int, default=100_000, help="how many samples")
    checks = made.command("checks", lambda given: print_checks(given.n), "the pixel checks against cleanvision")
    checks.add_argument("n", nargs="?", type=int, default=2000, help="how many JPEGs")
    cost = made.command("cost", lambda given: print_cost(given.checks, given.n), "what each check costs a picture")
    cost.add_argument("checks", nargs="*", help="all by default")
    cost.add_argument("-n", type=int, default=10, help="pictures")
    each = made.command(
        "each",
        lambda given: print_each(given.checks, given.n, given.rounds, given.against, ragged=given.ragged),
        "the time of each check",
    )
    each.add_argument("checks", nargs="*", help="all that look at the pixels alone by default")
    each.add_argument("-n", type=int, default=64, help="pictures")
    each.add_argument("--rounds", type=int, default=6, help="of each checkout")
    each.add_argument("--ragged", action="store_true", help="each picture of a shape of its own")
    each.add_argument("--against", type=Path, help="the root of another checkout")
    takeover = made.command(
        "takeover", lambda given: print_takeover(given.n, given.rounds), "threads against processes that take over"
    )
    takeover.add_argument("-n", type=int, default=1500, help="JPEGs")
    takeover.add_argument("--rounds", type=int, default=4, help="of each")
    made.command("neighbors", lambda _: print_neighbors(), "pairs of near vectors against FiftyOne brain")
    made.command("writing", lambda _: print_writing(), "scores into FiftyOne's database")
    made.command("memory", lambda _: print_memory(), "the peak memory of the default checks")
    panel = made.command("panel", lambda given: print_panel(given.n), "the panels, and the form of check")
    panel.add_argument("-n", "--samples", dest="n", type=int, default=10_000, help="how many samples")
    return made


if __name__ == "__main__":
    sys.exit(family().main())
