"""How long the search for pairs takes."""

from __future__ import annotations

import time

import cv2
import numpy as np

from loupe.brain.similarity import matching, thumbnail_similarity


def speed() -> None:
    """Prints the seconds for 2,000 pictures."""
    rng = np.random.default_rng(0)
    n = 2000
    coarse = rng.integers(0, 256, (n, 12, 12), dtype=np.uint8)
    luma = np.stack([cv2.resize(grid, (64, 64), interpolation=cv2.INTER_CUBIC) for grid in coarse])
    made = thumbnail_similarity.Thumbnails(luma, np.zeros((n, 2, 16, 16), np.int8))
    started = time.perf_counter()
    pairs = matching.candidates(made.luma)
    middle = time.perf_counter()
    matching.similarities(made, pairs)
    ended = time.perf_counter()
    print(f"\n{n} pictures: candidates {middle - started:.1f} s, {len(pairs)} pairs compared in {ended - middle:.1f} s")
