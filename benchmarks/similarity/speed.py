"""How long the search for pairs takes."""

from __future__ import annotations

import time

import cv2
import numpy as np

from loupe.brain.similarity import matching, thumbnail_similarity
from loupe.brain.similarity.verification import verified


def speed() -> None:
    """Prints the seconds for 2,000 pictures, and for a close look at a pair of 512 x 512 pixels."""
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
    seen = [cv2.resize(grid, (512, 512), interpolation=cv2.INTER_CUBIC) for grid in luma[:40]]
    looked = [np.repeat(picture[..., None], 3, 2) for picture in seen]
    copies = thumbnail_similarity.Thumbnails(np.repeat(luma[:40], 2, 0), np.zeros((80, 2, 16, 16), np.int8))
    twins = matching.Candidates(np.arange(0, 80, 2), np.arange(1, 80, 2), *np.zeros((2, 40), np.int64))
    close = time.perf_counter()
    verified(copies, twins, np.ones(40, np.float32), lambda place: looked[place // 2])
    per_look = (time.perf_counter() - close) / 40
    print(f"\na close look at a pair: {1e3 * per_look:.0f} ms, without reading the two files")
    print(f"{n} pictures: candidates {middle - started:.1f} s, {len(pairs)} pairs compared in {ended - middle:.1f} s")
