"""How many duplicates are found, and how many pairs are wrongly called duplicates; plain pHash beside it.

    python -m benchmarks.similarity copies        changed copies of photos, each kind of change
    python -m benchmarks.similarity splits        the same across two splits: leaks
    python -m benchmarks.similarity cifair        pairs of CIFAR-10 that people judged
    python -m benchmarks.similarity imagededup    imagededup's own test pictures
    python -m benchmarks.similarity negatives     drawn pictures that are alike and not the same; needs no data
    python -m benchmarks.similarity templates     the same of forms, pages, scenes and nights, tuned with and held out
    python -m benchmarks.similarity speed         the search for pairs; needs no data
    python -m benchmarks.similarity growth        how the time goes with the number of copies of one form; needs no data
    python -m benchmarks.similarity all

Of the photos every second one is taken. The method was built with all of these pictures in sight, so the figures on
them are not blind; the drawn hard negatives are new draws.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import torch

from benchmarks.commands import Family, Run, each
from benchmarks.similarity.copies import across_splits, changed_copies
from benchmarks.similarity.labeled import cifair, imagededup
from benchmarks.similarity.methods import THRESHOLD
from benchmarks.similarity.negatives import hard_negatives, shared_templates
from benchmarks.similarity.speed import growth, speed

COMMANDS: dict[str, tuple[Callable[[], None], str]] = {
    "copies": (changed_copies, "changed copies of photos"),
    "splits": (across_splits, "changed copies across two splits"),
    "cifair": (cifair, "pairs of CIFAR-10 that people judged"),
    "imagededup": (imagededup, "imagededup's own test pictures"),
    "negatives": (hard_negatives, "pictures that are alike and not the same"),
    "templates": (shared_templates, "pictures that share a form, a page or a scene"),
    "speed": (speed, "the search for pairs"),
    "growth": (growth, "how the time goes with the number of copies of one form"),
}


def family() -> Family:
    """Returns the commands."""
    made = Family("similarity", __doc__)
    for name, (part, description) in COMMANDS.items():
        made.command(name, _measured(part), description)
    made.command("all", _measured(lambda: each(*(part for part, _ in COMMANDS.values()))), "all of them")
    return made


def _measured(part: Callable[[], None]) -> Run:
    def measure(_: object) -> None:
        torch.set_num_threads(2)
        print(f"near duplicates: similarity > {THRESHOLD.value}; share, 95 % interval (Wilson)")
        part()

    return measure


if __name__ == "__main__":
    sys.exit(family().main())
