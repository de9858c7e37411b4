"""How long the search for pairs takes."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from benchmarks.figures import columns
from benchmarks.similarity import templates
from benchmarks.similarity.methods import thumbs
from loupe.brain.similarity import matching, previews, thumbnail_similarity
from loupe.brain.similarity.verification import LOOKED_AT, verified

#: pairs whose close look is timed, of each number of forms
_TIMED = 300
_WIDTHS = (7, 12, 12, 10, 14, 12)


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


def growth(numbers: tuple[int, ...] = (1000, 2000, 4000)) -> None:
    """Prints how the CPU time goes with the number of filled-in copies of one form: the hardest set there is.

    Each form is alike each other one on its thumbnail; a close look at a pair reads the two files again. Of the looks
    some are taken, spread over all of them, and the time of all follows from theirs.
    """
    cv2.setNumThreads(1)
    print("\ncopies of one form, filled in: CPU seconds on one core")
    columns(("forms", "candidates", "comparing", "looks", "ms a look", "all looks"), _WIDTHS)
    for n in numbers:
        draw, own, shared = templates.KINDS["filled-in form"], np.random.default_rng([5, 1]), 5
        with tempfile.TemporaryDirectory() as folder:
            paths, parts = [], []
            for index in range(n):
                picture = draw(np.random.default_rng(shared), own)
                parts.append(thumbs([picture]))
                paths.append(Path(folder) / f"{index}.jpg")
                Image.fromarray(picture).save(paths[-1], quality=92)
            made = thumbnail_similarity.Thumbnails.join(parts)
            started = time.process_time()
            pairs = matching.candidates(made.luma)
            compared = time.process_time()
            similar = matching.similarities(made, pairs, workers=1)
            ended = time.process_time()
            alike = np.flatnonzero(similar > LOOKED_AT)
            some = alike[:: max(1, len(alike) // _TIMED)][:_TIMED]
            chosen = matching.Candidates(pairs.a[some], pairs.b[some], pairs.turn[some], pairs.window[some])
            cache = previews.Previews(lambda place: previews.of_file(str(paths[place])))  # noqa: B023
            looked = time.process_time()
            verified(made, chosen, similar[some], cache.__getitem__, workers=1)
            per_look = (time.process_time() - looked) / len(some)
        seconds = (compared - started, ended - compared)
        text = [f"{each:.0f} s" for each in (*seconds, per_look * len(alike))]
        columns((f"{n:,}", text[0], text[1], f"{len(alike):,}", f"{1e3 * per_look:.0f}", text[2]), _WIDTHS)
