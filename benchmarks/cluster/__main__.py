"""Many machines: what the cluster engine costs beside the local one, what a sample takes in the database, and a plan.

    python -m benchmarks.cluster engines [-n 768]   # the default checks by this process, by Ray's actors, by Ray Data
    python -m benchmarks.cluster whole [-n 192]     # a whole map, its start included, by Ray's actors and by Ray Data
    python -m benchmarks.cluster database [-n N]    # bytes and seconds of N (20,000) samples in MongoDB
    python -m benchmarks.cluster plan               # core-hours, bytes and hours of writing of 1M to 1B images

``plan`` measures the bytes in the same run; the rates are those that docs/figures.md has of quiet cores.
"""

from __future__ import annotations

import sys

from benchmarks.cluster.database import print_database
from benchmarks.cluster.engines import print_engines, print_whole
from benchmarks.cluster.plan import print_plan
from benchmarks.commands import Family


def family() -> Family:
    """Returns the commands."""
    made = Family("cluster", __doc__)
    engines = made.command("engines", lambda given: print_engines(given.n, given.rounds), "the engines side by side")
    engines.add_argument("-n", type=int, default=768, help="pictures of a round")
    engines.add_argument("--rounds", type=int, default=5)
    whole = made.command("whole", lambda given: print_whole(given.n, given.rounds), "tasks beside Ray Data")
    whole.add_argument("-n", type=int, default=192, help="pictures; the longer map has four times as many")
    whole.add_argument("--rounds", type=int, default=3)
    stored = made.command("database", lambda given: print_database(given.n), "bytes and seconds in MongoDB")
    stored.add_argument("-n", type=int, default=20_000, help="samples")
    plan = made.command(
        "plan", lambda given: print_plan(given.rate, given.writing, given.driver, given.n), "1M to 1B images"
    )
    plan.add_argument("--rate", type=float, default=241.0, help="images a second of one core, end to end")
    plan.add_argument("--writing", type=float, default=10_750.0, help="samples with scores written a second")
    plan.add_argument("--driver", type=float, default=0.2, help="ms of the driver's CPU an image, see engines")
    plan.add_argument("-n", type=int, default=20_000, help="samples that are measured")
    return made


if __name__ == "__main__":
    sys.exit(family().main())
