"""Label issues on real and injected mistakes; splits against the libraries that do a part of it.

python -m benchmarks.labels bias                 # groups of samples: coverage, beside fairlearn's bootstrap
python -m benchmarks.labels shortcuts            # properties that give labels away: planted ones, noise, groups
python -m benchmarks.labels boxes                # boxes with injected mistakes, beside cleanlab's ObjectLab
python -m benchmarks.labels masks                # masks with injected mistakes, beside cleanlab's softmin
python -m benchmarks.labels noise [--part several]  # digits and vectors with injected mistakes, beside cleanlab; scale
python -m benchmarks.labels objects [--part plain]  # blur in the boxes of some objects, cut ones, objects a second
python -m benchmarks.labels objects [--part duplicates]  # planted copies of objects, by the size of their crops
python -m benchmarks.labels coverage [--part cells]  # planted imbalances and holes, 200 drawn sets each
python -m benchmarks.labels given                # few wrong labels by a model's probabilities, beside cleanlab
python -m benchmarks.labels issues               # CIFAR-10N (the vectors take minutes), digits, time and memory
python -m benchmarks.labels relabel [--part simulated]  # what remains, and the panel's speed
python -m benchmarks.labels splits [--rows N]    # 1,000,000 rows; the peers get as many as they can take
python -m benchmarks.labels duplicates           # the panel and loupe.deduplicate at 100,000 samples, 10,000 groups
python -m benchmarks.labels selection [--rows N] # digits, against plain algorithms, and 100,000 vectors
"""

from __future__ import annotations

import sys

from benchmarks.commands import Family
from benchmarks.labels.bias import PARTS as BIAS_PARTS
from benchmarks.labels.bias import print_bias
from benchmarks.labels.boxes import print_boxes
from benchmarks.labels.coverage import print_coverage
from benchmarks.labels.duplicates import print_duplicates
from benchmarks.labels.given import print_given
from benchmarks.labels.issues import print_issues
from benchmarks.labels.masks import print_masks
from benchmarks.labels.noise import PARTS as NOISE_PARTS
from benchmarks.labels.noise import print_noise
from benchmarks.labels.objects import PARTS as OBJECT_PARTS
from benchmarks.labels.objects import print_objects
from benchmarks.labels.relabel import add_relabel
from benchmarks.labels.selection import print_selection
from benchmarks.labels.shortcuts import PARTS as SHORTCUT_PARTS
from benchmarks.labels.shortcuts import print_shortcuts
from benchmarks.labels.splits import print_splits


def family() -> Family:
    """Returns the commands."""
    made = Family("labels", __doc__)
    bias = made.command("bias", lambda given: print_bias(given.part), "how groups of samples differ")
    bias.add_argument("--part", choices=BIAS_PARTS, help="one table; all by default")
    made.command("given", lambda _: print_given(), "labels judged by a model's probabilities")
    made.command("issues", lambda _: print_issues(), "labels that are probably wrong")
    text = "properties of pictures that give labels away"
    shortcuts = made.command("shortcuts", lambda given: print_shortcuts(given.part), text)
    shortcuts.add_argument("--part", choices=SHORTCUT_PARTS, help="one table; all by default")
    made.command("boxes", lambda _: print_boxes(), "boxes that are overlooked, badly located or swapped")
    made.command("masks", lambda _: print_masks(), "masks with regions that are dropped, swapped or shifted")
    noise = made.command("noise", lambda given: print_noise(given.part), "injected label noise, beside cleanlab")
    noise.add_argument("--part", choices=NOISE_PARTS, help="one class a sample, several, or the time; all by default")
    boxed = made.command("objects", lambda given: print_objects(given.part), "the objects of a field of boxes")
    boxed.add_argument("--part", choices=OBJECT_PARTS, help="one table; all by default")
    add_relabel(made)
    splits = made.command("splits", lambda given: print_splits(given.rows), "splits against other libraries")
    splits.add_argument("--rows", type=int, default=1_000_000, help="of the large sets")
    coverage = made.command(
        "coverage", lambda given: print_coverage(given.runs, given.part), "planted imbalances and holes"
    )
    coverage.add_argument("--runs", type=int, default=200, help="drawn sets for each line")
    coverage.add_argument("--part", choices=["all", "cells", "holes", "speed"], default="all", help="only that table")
    decided = made.command("duplicates", lambda given: print_duplicates(given.n, given.groups), "deciding duplicates")
    decided.add_argument("-n", type=int, default=100_000, help="samples")
    decided.add_argument("--groups", type=int, default=10_000, help="groups of duplicates")
    selection = made.command("selection", lambda given: print_selection(given.rows), "what is chosen against chance")
    selection.add_argument("--rows", type=int, default=100_000, help="of the large sets")
    return made


if __name__ == "__main__":
    sys.exit(family().main())
