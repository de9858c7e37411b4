"""Synthetic sets against real ones: are they named right, do the measures agree with others', how long does it take?

python -m benchmarks.realism verdicts [--draws N] [--size N ...]   # altered sets of CIFAR-10; 20 minutes of vectors
python -m benchmarks.realism agreement [--size N]                  # against the definitions and other packages
python -m benchmarks.realism speed [--numbers N] [--size N ...]    # CPU and memory
python -m benchmarks.realism holes [--runs N]                      # clusters that are missing; 10 minutes of vectors
python -m benchmarks.realism ties [--runs N]                       # generators side by side, simulated
python -m benchmarks.realism transfer [--runs N] [--pairs N]       # intervals by simulation, the learners' orders
python -m benchmarks.realism alignment [--draws N] [--size N]      # do labels fit, against the real ones'
python -m benchmarks.realism network [--size N]                    # a low-passed set, by vectors and by a network
python -m benchmarks.realism experiment [--per-class N] [--page F]  # tiny-signs by guidance and prompt style; 5 minutes
python -m benchmarks.realism ranks [--runs N]                      # are equal arms called different?
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.commands import Family
from benchmarks.realism.agreement import print_agreement
from benchmarks.realism.alignment import print_alignment
from benchmarks.realism.holes import print_holes
from benchmarks.realism.network import print_network
from benchmarks.realism.ranked_arms import print_ranked
from benchmarks.realism.signs import print_experiment
from benchmarks.realism.speed import print_speed
from benchmarks.realism.ties import print_ties
from benchmarks.realism.transfers import print_transfers
from benchmarks.realism.verdicts import print_verdicts


def family() -> Family:
    """Returns the commands."""
    made = Family("realism", __doc__)
    verdicts = made.command("verdicts", lambda given: print_verdicts(given.draws, tuple(given.size)), "altered sets")
    verdicts.add_argument("--draws", type=int, default=20, help="of each altered set; twice as many of real ones")
    verdicts.add_argument("--size", type=int, nargs="+", default=[500, 2000], help="pictures of a set")
    agreement = made.command("agreement", lambda given: print_agreement(given.size), "the measures against others'")
    agreement.add_argument("--size", type=int, default=1500, help="vectors of a set")
    speed = made.command("speed", lambda given: print_speed(tuple(given.size), given.numbers), "CPU and memory")
    speed.add_argument("--size", type=int, nargs="+", default=[2000, 10_000], help="vectors of a side")
    speed.add_argument("--numbers", type=int, default=768, help="of a vector")
    transfer = made.command("transfer", lambda given: print_transfers(given.runs, given.pairs), "intervals, learners")
    transfer.add_argument("--runs", type=int, default=200, help="of each setting")
    transfer.add_argument("--pairs", type=int, default=200, help="of a real and a synthetic set")
    alignment = made.command("alignment", lambda given: print_alignment(given.draws, given.size), "labels")
    alignment.add_argument("--draws", type=int, default=20, help="of each set")
    alignment.add_argument("--size", type=int, default=500, help="pictures of a set")
    network = made.command("network", lambda given: print_network(given.size), "a network from scratch")
    network.add_argument("--size", type=int, default=1000, help="pictures of a side, 2,000 at most")
    holes = made.command("holes", lambda given: print_holes(given.runs), "clusters of the real set that are missing")
    holes.add_argument("--runs", type=int, default=100, help="of each line")
    ties = made.command("ties", lambda given: print_ties(given.runs), "generators of one distribution, and others")
    ties.add_argument("--runs", type=int, default=200, help="drawn pairs of each line")
    experiment = made.command(
        "experiment",
        lambda given: print_experiment(given.per_class, given.train, given.test, given.embedder, given.page),
        "tiny-signs by guidance and prompt style, against real digits drawn as signs",
    )
    experiment.add_argument("--per-class", type=int, default=20, help="images of each digit and arm")
    experiment.add_argument("--train", type=int, default=400, help="real signs to train on")
    experiment.add_argument("--test", type=int, default=400, help="real signs to test on")
    experiment.add_argument("--embedder", default="efficientnet_lite", help="what turns a sign into a vector")
    experiment.add_argument("--page", type=Path, help="write the report there, .html or .md")
    ranks = made.command("ranks", lambda given: print_ranked(given.runs), "ranks of arms by use, simulated")
    ranks.add_argument("--runs", type=int, default=200, help="draws of everything")
    return made


if __name__ == "__main__":
    sys.exit(family().main())
