"""Generators side by side: how often are two of one distribution told apart, and how often is a narrower one?"""

from __future__ import annotations

import numpy as np

from benchmarks.figures import header, row, share, title
from loupe.brain.core.realism import Realism
from loupe.brain.realism import manifold, results
from loupe.brain.realism.compare import Metric

CLUSTERS, NUMBERS = 10, 32


def print_ties(runs: int) -> None:
    """Prints how often two generators are told apart by each measure.

    Args:
        runs: drawn pairs of generators of each line
    """
    title(f"Two generators of 10 clusters of {NUMBERS} numbers, {runs} drawn pairs each: told apart")
    header("real", "of each generator", "the second lacks", *manifold.NAMES)
    for n, m in ((400, 100), (400, 400), (1000, 200)):
        for lacking in (0, 2):
            every = [_apart(n, m, lacking, seed) for seed in range(runs)]
            counts = [share(sum(each[name] for each in every), runs) for name in manifold.NAMES]
            row(n, m, f"{lacking} of {CLUSTERS}" if lacking else "nothing", *counts)


def _apart(n: int, m: int, lacking: int, seed: int) -> dict[str, bool]:
    """Returns by measure whether two generators are told apart, as ``compare_to_real`` does."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(CLUSTERS, NUMBERS))
    real = _drawn(rng, centers, n)[: 2 * m]
    by = {}
    for name, own in (("a", centers), ("b", centers[lacking:])):
        made = manifold.measure(real, _drawn(rng, own, m), seed=0)
        metrics = (Metric(each, made.values[each], made.matched[each], made.null[each]) for each in manifold.NAMES)
        by[name] = tuple(results.metric(each) for each in metrics)
    together = Realism(n, 2 * m, 0, {}, (), by=by, alone=True)
    return {name: not together.ties(name)["a"] for name in manifold.NAMES}


def _drawn(rng: np.random.Generator, centers: np.ndarray, n: int) -> np.ndarray:
    own = centers[rng.integers(0, len(centers), n)]
    return np.asarray(own + 0.7 * rng.normal(size=(n, NUMBERS)), dtype=np.float32)
