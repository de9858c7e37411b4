"""What each check costs a picture of 1024 x 1024 pixels."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence

import cv2
import numpy as np
import torch

from benchmarks.batches import batch_of
from benchmarks.figures import columns
from benchmarks.speed.pictures import pictures
from loupe.brain.core import registry
from loupe.brain.core.errors import LoupeError
from loupe.brain.core.specs import Check
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.perception import weights

SIDE = 1024
PROMPT = 'a photo of two dogs to the left of a red car, with a sign that says "OPEN"'
_WIDTHS = (18, 6, 10)


def batches(n: int) -> list[ImageBatch]:
    """Returns n batches of one picture each, as large as a generator makes them."""
    resized = (cv2.resize(np.asarray(p), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) for p in pictures(n))
    return [batch_of(picture, prompt=[PROMPT]) for picture in resized]


def seconds(check: Check, device: str, given: Sequence[ImageBatch]) -> list[float]:
    """Returns the seconds of each picture but the first, scaled as the reader would scale it."""
    scorer = check.load(device)
    spent = []
    for batch in given:
        # scaled down by the check itself or by the reader: neither counts as the check's own work twice
        started = time.perf_counter()
        scorer(dataclasses.replace(batch, pixels=batch.pixels.to(device)))
        if device != "cpu":
            torch.cuda.synchronize()
        spent.append(time.perf_counter() - started)
    return spent[1:]


def print_cost(names: Sequence[str], n: int) -> None:
    """Prints the milliseconds of each check (all by default) over n pictures, on one thread, and on the GPU if any.

    The first picture is not counted: it loads what is loaded once. A check whose model files are missing is skipped.
    """
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    known = registry.checks()
    given = batches(n + 1)
    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    columns(("check", "device", "backend", f"{'ms a picture':>12}  {'median':>8}  {'worst':>8}"), _WIDTHS)
    for name in names or known:
        spec = registry.pick("check", known, name)
        for device in devices:
            check = spec.resolved(device)
            if "threads" in check.params():
                check = dataclasses.replace(check, threads=1)
            missing = check.absent() or weights.lacking(check.weights())
            try:
                spent = [] if missing else seconds(check, device, given)
            except LoupeError as error:
                missing = str(error)
            if missing:
                text = f"SKIPPED: {missing}"
            else:
                mean, median, worst = (1000 * figure for figure in (np.mean(spent), np.median(spent), max(spent)))
                text = f"{mean:12.1f}  {median:8.1f}  {worst:8.1f}"
            columns((name, device, check.params().get("backend", "–"), text), _WIDTHS)
