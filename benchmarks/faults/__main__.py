"""What goes wrong in use, tried on purpose: what became of each fault, and whether anything was lost or stalled.

python -m benchmarks.faults campaign --sample 20    # all kinds: kill, writers, database, disk, network, clock …
python -m benchmarks.faults writers         # two processes on one dataset at once, and killed ones
python -m benchmarks.faults workers         # several real workers on one queue, jobs canceled in mid-batch
python -m benchmarks.faults hostile         # files that break decoders, stall readers or cost too much
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.commands import Family
from benchmarks.faults.campaign import DEFAULT, KINDS, print_campaign
from benchmarks.faults.fleet import print_fleet
from benchmarks.faults.hostile import print_hostile
from benchmarks.faults.writers import print_writers


def family() -> Family:
    """Returns the commands."""
    made = Family("faults", __doc__)
    campaign = made.command(
        "campaign",
        lambda given: print_campaign(
            given.kinds, given.sample, given.seed, given.minutes, given.results, given.fresh, given.points
        ),
        "cases of every kind, resumable: what is lost, doubled, half or dead",
    )
    campaign.add_argument("--sample", type=int, default=10, metavar="N", help="cases of each kind")
    campaign.add_argument("--points", type=int, metavar="N", help="cases of all kinds together, instead of --sample")
    campaign.add_argument("--minutes", type=float, metavar="M", help="begin no further case after that")
    campaign.add_argument("--seed", type=int, default=0, help="the first seed")
    campaign.add_argument("--kinds", nargs="+", choices=KINDS, default=[], help="only these kinds")
    campaign.add_argument("--results", type=Path, default=DEFAULT, help="where each result is kept as it comes")
    campaign.add_argument("--fresh", action="store_true", help="forget earlier results instead of going on")
    made.command("hostile", lambda _: print_hostile(), "files that break decoders, stall readers or cost too much")
    writers = made.command("writers", lambda given: print_writers(given.n), "two processes on one dataset at once")
    writers.add_argument("-n", type=int, default=20, help="tries of each situation")
    fleet = made.command(
        "workers",
        lambda given: print_fleet(given.workers, given.jobs, given.needs, given.tries, given.samples, given.verbs),
        "several workers on one queue",
    )
    fleet.add_argument("--workers", type=int, default=4, help="how many take jobs at once")
    fleet.add_argument("--jobs", type=int, default=40, help="how many short jobs they share; 0: none")
    fleet.add_argument("--needs", type=int, default=60, help="jobs with needs, for workers with GPUs and without")
    fleet.add_argument("--tries", type=int, default=5, help="jobs of each verb that are canceled; 0: none")
    fleet.add_argument("--samples", type=int, default=6000, help="that long calculations are of")
    fleet.add_argument("--verbs", nargs="+", default=[], metavar="VERB", help="cancel only these")
    return made


if __name__ == "__main__":
    sys.exit(family().main())
