"""What each check costs a picture of 1024 x 1024 pixels, on one thread of this machine, and on its GPU if it has one.

    python -m benchmarks.cost             # every check
    python -m benchmarks.cost text hands  # some
    python -m benchmarks.cost -n 20       # the mean of 20 pictures

The pictures are photos where those are at hand, else drawn. A check whose model files are missing is skipped, and the
line says so. The first picture is not counted: it loads what is loaded once.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from collections.abc import Sequence

import cv2
import numpy as np
import torch

from benchmarks.figures import machine
from benchmarks.speed import pictures
from loupe.brain.core import registry
from loupe.brain.core.errors import LoupeError
from loupe.brain.core.specs import Check
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.perception import weights

SIDE = 1024
PROMPT = 'a photo of two dogs to the left of a red car, with a sign that says "OPEN"'


def batches(n: int) -> list[ImageBatch]:
    """Returns n batches of one picture each, as large as a generator makes them."""
    made = []
    for index, picture in enumerate(pictures(n)):
        pixels = cv2.resize(np.asarray(picture), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        planes = torch.from_numpy(pixels.transpose(2, 0, 1)[None].copy())
        made.append(ImageBatch((str(index),), planes, ((SIDE, SIDE),), {"prompt": (PROMPT,)}))
    return made


def seconds(check: Check, device: str, found: Sequence[ImageBatch]) -> list[float]:
    """Returns the seconds of each picture but the first, scaled as the reader would scale it."""
    judge = check.load(device)
    spent = []
    for batch in found:
        # scaled down by the check itself or by the reader: neither counts as the check's own work twice
        started = time.perf_counter()
        judge(ImageBatch(batch.ids, batch.pixels.to(device), batch.sizes, batch.fields))
        if device != "cpu":
            torch.cuda.synchronize()
        spent.append(time.perf_counter() - started)
    return spent[1:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checks", nargs="*", help="all by default")
    parser.add_argument("-n", type=int, default=10, help="pictures")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    known = registry.checks()
    found = batches(chosen.n + 1)
    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    print(f"{'check':18} {'device':6} {'grade':8} {'ms a picture':>12}  {'median':>8}  {'worst':>8}")
    for name in chosen.checks or known:
        spec = registry.pick("check", known, name)
        for device in devices:
            check = spec.resolved(device)
            if "threads" in check.params():
                check = dataclasses.replace(check, threads=1)
            grade = check.params().get("grade", "–")
            lacking = weights.lacking(check.weights())
            try:
                spent = [] if lacking else seconds(check, device, found)
            except LoupeError as error:
                lacking = str(error)
            if lacking:
                print(f"{name:18} {device:6} {grade:8} SKIPPED: {lacking}")
                continue
            mean, median, worst = (1000 * figure for figure in (np.mean(spent), np.median(spent), max(spent)))
            print(f"{name:18} {device:6} {grade:8} {mean:12.1f}  {median:8.1f}  {worst:8.1f}", flush=True)
    print(f"\n{machine()}")


if __name__ == "__main__":
    main()
