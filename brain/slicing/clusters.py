"""Clusters of vectors, and what tells one from the others in words. Pure arithmetic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np

from loupe.brain.core.errors import InputError
from loupe.brain.core.interrupts import leavable

#: beyond so many vectors k-means sees them in batches
_MANY = 20_000
#: a word names a cluster where its share in it exceeds that of the rest by so much, and is so many times as large
_EXCESS, _TIMES = 0.2, 2.0
_WORDS = 3


@leavable
def k_means(unit: np.ndarray, n: int, seed: int = 0) -> np.ndarray:
    """Returns the cluster of each vector: (N,) int64 in [0, n), the largest cluster first; the same for the same seed.

    k-means of scikit-learn (Lloyd 1982), from four starts of k-means++; beyond 20,000 vectors in batches (Sculley
    2010).

    Args:
        unit: (N, D) float32 of unit length
        n: how many clusters
        seed: of the starts

    Raises:
        InputError: fewer different vectors than clusters

    >>> k_means(np.eye(4, dtype=np.float32)[[0, 0, 2, 0]], 2).tolist()
    [0, 0, 1, 0]
    """
    from sklearn.cluster import KMeans, MiniBatchKMeans

    different = len(np.unique(unit, axis=0)) if len(unit) <= _MANY else len(unit)
    if different < n:
        raise InputError(f"expected at least {n} different vectors to make {n} clusters of, got {different}")
    kind = MiniBatchKMeans if len(unit) > _MANY else KMeans
    labels = kind(n_clusters=n, n_init=4, random_state=seed).fit_predict(unit)
    order = sorted(range(n), key=lambda label: (-int((labels == label).sum()), int(np.argmax(labels == label))))
    place = np.empty(n, dtype=np.int64)
    place[order] = np.arange(n)
    return np.asarray(place[labels])


def cluster_names(labels: np.ndarray, words: Sequence[Collection[str]]) -> list[str]:
    """Returns a name for each cluster: its number, and the up to three words that tell it from the others.

    Args:
        labels: (N,) int64: the cluster of each sample
        words: what is known of each sample: words of its prompt, values of its factors

    >>> cluster_names(np.array([0, 0, 1]), [{"night", "cup"}, {"night", "cup"}, {"day", "cup"}])
    ['1: night', '2: day']
    """
    every = Counter(word for own in words for word in set(own))
    names = []
    for cluster in range(int(labels.max()) + 1 if len(labels) else 0):
        rows = np.flatnonzero(labels == cluster)
        inside = Counter(word for row in rows.tolist() for word in set(words[row]))
        rest = max(1, len(labels) - len(rows))
        excess = {}
        for word, count in inside.items():
            share, other = count / len(rows), (every[word] - count) / rest
            if share - other >= _EXCESS and share >= _TIMES * other:
                excess[word] = share - other
        telling = sorted(excess, key=lambda word: (-excess[word], word))[:_WORDS]
        names.append(f"{cluster + 1}: {', '.join(telling)}" if telling else str(cluster + 1))
    return names
