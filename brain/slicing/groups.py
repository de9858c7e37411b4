"""Samples that belong together: one prompt's pictures, near duplicates. They are never parted, nor counted as many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np


def together(n: int, keys: Iterable[Sequence[Any]]) -> np.ndarray:
    """Returns the group of each of n samples: (n,) int64 from 0.

    Samples that share a value of any key are in one group, and so are those that are linked through others. None and
    an empty text link nothing.

    Args:
        n: how many samples there are
        keys: for each kind of group n values

    >>> together(5, [["a", "a", None, "b", None], [None, "x", "x", None, None]]).tolist()
    [0, 0, 0, 1, 2]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rows: list[int] = []
    nodes: list[int] = []
    place: dict[tuple[int, Any], int] = {}
    for kind, values in enumerate(keys):
        for row, value in enumerate(values):
            for item in value if isinstance(value, (list, tuple)) else (value,):
                if item is not None and item != "" and item == item:
                    rows.append(row)
                    nodes.append(place.setdefault((kind, item), n + len(place)))
    size = n + len(place)
    graph = coo_array((np.ones(len(rows), dtype=np.int8), (rows, nodes)), shape=(size, size))
    _, labels = connected_components(graph, directed=False)
    # numbered by the first sample of each
    _, of = np.unique(labels[:n], return_inverse=True)
    return of.astype(np.int64)


def halves(groups: np.ndarray, seed: int = 0) -> np.ndarray:
    """Returns which samples are in the first of two halves: (N,) bool. No group is parted.

    Args:
        groups: (N,) int64 from 0: the group of each sample
        seed: decides which half each is in

    >>> first = halves(np.array([0, 0, 1, 2, 3, 3]))
    >>> int(first.sum()), bool(first[0] == first[1]), bool(first[4] == first[5])
    (3, True, True)
    """
    rng = np.random.default_rng(seed)
    if not len(groups):
        return np.zeros(0, dtype=bool)
    sizes = np.bincount(groups)
    order = rng.permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    first = np.zeros(len(sizes), dtype=bool)
    several = int((sizes[order] > 1).sum())
    lead = 0
    for group in order[:several]:
        # the larger ones first, each to the half that has fewer samples
        first[group] = lead < 0 or (lead == 0 and rng.random() < 0.5)
        lead += sizes[group] if first[group] else -sizes[group]
    single = order[several:]
    wanted = int(np.clip((len(single) - lead + (rng.random() < 0.5)) // 2, 0, len(single)))
    first[single[:wanted]] = True
    return np.asarray(first[groups])
