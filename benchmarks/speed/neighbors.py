"""Pairs of near vectors, against FiftyOne brain in the same run, and the memory that they need."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np

from benchmarks.speed.pictures import timed
from loupe.brain.similarity import neighbors

_LARGE = """
import numpy as np, resource, time
from loupe.brain.similarity import neighbors
unit = np.random.default_rng(0).normal(size=(100_000, 512)).astype(np.float32)
unit /= np.linalg.norm(unit, axis=1, keepdims=True)
started = time.perf_counter()
neighbors.pairs_above(unit, 0.9)
print(time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)
"""


def print_neighbors() -> None:
    """Prints seconds and recall over 20,000 x 512 vectors, and seconds and memory over 100,000 x 512."""
    import fiftyone as fo
    import fiftyone.brain as fob

    rng = np.random.default_rng(0)
    n, minimum = 20_000, 0.9
    centers = rng.normal(size=(200, 512)).astype(np.float32)
    vectors = centers[rng.integers(0, 200, n)] + rng.normal(size=(n, 512)).astype(np.float32)
    vectors[-n // 20 :] = vectors[: n // 20] + 0.1 * rng.normal(size=(n // 20, 512))
    vectors = vectors.astype(np.float32)
    right = {(index, n - n // 20 + index) for index in range(n // 20)}
    unit = neighbors.usable(list(vectors)).unit
    ours = timed(lambda: neighbors.pairs_above(unit, minimum), 2)
    a, b, _ = neighbors.pairs_above(unit, minimum)
    pairs = set(zip(a.tolist(), b.tolist(), strict=True))
    dataset = fo.Dataset()
    dataset.add_samples([fo.Sample(filepath=f"/nowhere/{index}.png") for index in range(n)], progress=False)
    index = fob.compute_similarity(
        dataset, embeddings=vectors.copy(), backend="sklearn", metric="cosine", brain_key="s"
    )
    started = time.perf_counter()
    index.find_duplicates(thresh=1 - minimum)
    theirs = time.perf_counter() - started
    places = {sample_id: place for place, sample_id in enumerate(dataset.values("id"))}
    pairs_of_theirs = {
        (min(places[sample_id], places[other]), max(places[sample_id], places[other]))
        for sample_id, others in index.neighbors_map.items()
        for other, _ in others
    }
    dataset.delete()
    print(f"\n{n} x 512, pairs of cosine above {minimum}; {len(right)} copies were put in")
    recall = len(right & pairs) / len(right)
    print(f"Loupe          {ours:6.2f} s  recall {recall:.3f}  {theirs / ours:.1f} x FiftyOne brain")
    print(f"FiftyOne brain {theirs:6.2f} s  recall {len(right & pairs_of_theirs) / len(right):.3f}")
    print(f"10 nearest of each: {timed(lambda: neighbors.nearest(unit, 10)):.2f} s")
    seconds, peak = subprocess.check_output([sys.executable, "-c", _LARGE], text=True).split()
    print(f"100,000 x 512: {float(seconds):.0f} s, peak memory of the process {float(peak):.2f} GiB")
