"""How long the search for pairs takes."""

from __future__ import annotations

import tempfile
import time
from unittest.mock import patch

import cv2
import numpy as np
import torch
from PIL import Image
from torch.nn.functional import adaptive_avg_pool2d

from benchmarks.figures import columns
from benchmarks.similarity import templates
from benchmarks.similarity.methods import thumbs
from benchmarks.speed.each import ratio
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
    pairs, _ = matching.searched(made.luma)
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
    for shape in ((612, 816), (3000, 4000)):
        _print_thumbnail(shape)


def _print_thumbnail(shape: tuple[int, int], rounds: int = 30) -> None:
    """Prints how long a picture's thumbnail takes, by turns with one of floats that torch averages."""
    levels = np.random.default_rng(0).integers(0, 256, (1, *shape, 3), np.uint8)
    pixels, seconds = torch.from_numpy(levels).permute(0, 3, 1, 2), np.zeros((2, rounds))
    torch.set_num_threads(1)  # as in the engine's pool
    thumbnail_similarity.thumbnails(pixels)  # loads what is loaded once
    for number in range(rounds):
        started = time.process_time()
        mine = thumbnail_similarity.thumbnails(pixels)
        between = time.process_time()
        with patch.object(thumbnail_similarity, "area_means", _by_torch):
            torchs = thumbnail_similarity.thumbnails(pixels)
        seconds[:, number] = between - started, time.process_time() - between
    times, low, high = ratio(seconds[1], seconds[0])
    same = np.array_equal(mine.luma, torchs.luma) and np.array_equal(mine.chroma, torchs.chroma)
    own, other = 1e3 * seconds.mean(1)
    print(f"the thumbnail of {shape[1]} x {shape[0]} pixels: {own:.1f} ms of processor time, by torch {other:.1f}, "
          f"{times:.2f} [{low:.2f}, {high:.2f}] times; {'the same bits' if same else 'OTHER BITS'}")  # fmt: skip


def _by_torch(pixels: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    return adaptive_avg_pool2d(pixels.float(), shape)


def growth(numbers: tuple[int, ...] = (1000, 2000, 4000)) -> None:
    """Prints how the CPU time goes with the number of filled-in copies of one form: the hardest set there is.

    Each form is alike each other one on its thumbnail; a close look at a pair reads the two files again. Of the looks
    some are taken, spread over all of them, and the time of all follows from theirs.
    """
    cv2.setNumThreads(1)
    print("\ncopies of one form, filled in: CPU seconds on one core")
    columns(("forms", "candidates", "comparing", "looks", "ms a look", "all looks"), _WIDTHS)
    for n in numbers:
        made = thumbnail_similarity.Thumbnails.join([thumbs([_form(index)]) for index in range(n)])
        started = time.process_time()
        pairs, _ = matching.searched(made.luma)
        compared = time.process_time()
        similar = matching.similarities(made, pairs, workers=1)
        ended = time.process_time()
        alike = np.flatnonzero(similar > LOOKED_AT)
        per_look = _per_look(made, pairs, similar, alike[:: max(1, len(alike) // _TIMED)][:_TIMED])
        text = [f"{each:.0f} s" for each in (compared - started, ended - compared, per_look * len(alike))]
        columns((f"{n:,}", text[0], text[1], f"{len(alike):,}", f"{1e3 * per_look:.0f}", text[2]), _WIDTHS)


def _form(index: int) -> np.ndarray:
    return templates.KINDS["filled-in form"](np.random.default_rng(5), np.random.default_rng([5, index]))


def _per_look(
    made: thumbnail_similarity.Thumbnails, pairs: matching.Candidates, similar: np.ndarray, some: np.ndarray
) -> float:
    """Returns the CPU seconds of a close look at some of the pairs, reading the files included."""
    chosen = matching.Candidates(pairs.a[some], pairs.b[some], pairs.turn[some], pairs.window[some])
    with tempfile.TemporaryDirectory() as folder:
        paths = {int(place): f"{folder}/{place}.jpg" for place in {*chosen.a.tolist(), *chosen.b.tolist()}}
        for place, path in paths.items():
            Image.fromarray(_form(place)).save(path, quality=92)
        cache = previews.Previews(lambda place: previews.of_file(paths[place]))
        started = time.process_time()
        verified(made, chosen, similar[some], cache.__getitem__, workers=1)
        return (time.process_time() - started) / len(some)
