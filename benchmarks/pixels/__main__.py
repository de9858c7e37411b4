"""How well the pixel checks find defects of known severity, and how often they cry wolf.

    python -m benchmarks.pixels defects                    # the table, with 200 photos
    python -m benchmarks.pixels defects blur seam -n 600   # of these failure modes, with all the photos
    python -m benchmarks.pixels defects watermark overlay  # those with a model run when they are named only
    python -m benchmarks.pixels defects --markdown         # the table for the docs
    python -m benchmarks.pixels thresholds                 # the quantiles that the default thresholds were taken from
    python -m benchmarks.pixels modes                      # whether a picture is judged alike in every mode and format

The defects are those of ``brain/defects``, put into real photos (ImageNet and COCO); ``cases`` has further ones, hard
negatives, and real sets. Default thresholds were set on the clean ImageNet photos at even places of the sorted list;
all that ``defects`` prints is measured on the others and on COCO, which no threshold has seen. "At 1 %" is the recall
at the threshold that flags 1 % of the clean photos of this very table. Intervals are Wilson's, at 95 %.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

import cv2
import torch

from benchmarks.commands import Family, Run
from benchmarks.pixels.defects import print_defects
from benchmarks.pixels.failures import default_names
from benchmarks.pixels.modes import print_modes
from benchmarks.pixels.thresholds import print_thresholds


def family() -> Family:
    """Returns the commands."""
    made = Family("pixels", __doc__)
    defects = made.command(
        "defects", _on_one_thread(lambda given, names: print_defects(names, given.n, given.markdown)), "the table"
    )
    defects.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    thresholds = made.command(
        "thresholds",
        _on_one_thread(lambda given, names: print_thresholds(names, given.n)),
        "the quantiles behind the default thresholds",
    )
    modes = made.command(
        "modes",
        _on_one_thread(lambda given, names: print_modes(names, given.n)),
        "verdicts on a picture over modes and formats",
    )
    for parser in (defects, thresholds, modes):
        parser.add_argument("failures", nargs="*", help="the failure modes; by default all but those with a model")
        parser.add_argument("-n", type=int, default=200, help="the most photos; 0 for all")
    return made


def _on_one_thread(run: Callable[[argparse.Namespace, list[str]], None]) -> Run:
    """Pictures go one by one: threads would only wait for each other."""

    def on_one_thread(given: argparse.Namespace) -> None:
        torch.set_num_threads(1)
        cv2.setNumThreads(1)
        run(given, given.failures or default_names())

    return on_one_thread


if __name__ == "__main__":
    sys.exit(family().main())
