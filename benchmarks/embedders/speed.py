"""Milliseconds a picture: decoding aside, of what the engine gives an embedder."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch

from benchmarks import data
from benchmarks.embedders.meaning import batch_of
from benchmarks.figures import header, row, title
from loupe.brain.core.specs import Embedder
from loupe.brain.embedders import efficientnet_lite
from loupe.brain.embedders.efficientnet_lite import EfficientNetLite
from loupe.brain.embedders.hog import Hog
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.perception import weights

_ROUNDS = 15


def print_speed() -> None:
    """Prints the milliseconds a picture, alone and among 16, on one thread: of the processor and of the clock."""
    weights.get(efficientnet_lite.WEIGHTS)
    photos = data.photos()
    torch.set_num_threads(1)
    title("Milliseconds a picture on one thread, decoding not counted: the least and the median of 15 rounds")
    print("Other work on the machine slows the clock's time; the processor's is what it costs.\n")
    header("embedder", "pictures at a time", "processor, ms", "clock, ms", "ready after, s")
    specs: tuple[Embedder, ...] = (EfficientNetLite(), Hog())
    for spec in specs:
        picture = data.pixels(photos[:1], spec.long_side)[0]
        started = time.perf_counter()
        embed = spec.load("cpu")
        ready = time.perf_counter() - started
        for count in (1, 16):
            batch = batch_of([picture] * count)
            embed(batch)
            rounds = np.array([_round(embed, batch) for _ in range(_ROUNDS)]) / count * 1000
            row(
                spec.name,
                count,
                *(f"{min(column):.1f}; {np.median(column):.1f}" for column in rounds.T),
                f"{ready:.2f}",
            )


def _round(embed: Callable[[ImageBatch], torch.Tensor], batch: ImageBatch) -> tuple[float, float]:
    """Returns the seconds of the processor and of the clock that a batch takes."""
    started = time.process_time(), time.perf_counter()
    embed(batch)
    return time.process_time() - started[0], time.perf_counter() - started[1]
