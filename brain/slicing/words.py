"""Which word fits a picture best, by vectors of both. Pure arithmetic."""

from __future__ import annotations

import numpy as np

from loupe.brain.core.interrupts import leavable


@leavable
def best_words(pictures: np.ndarray, words: np.ndarray, margin: float = 0.0) -> np.ndarray:
    """Returns the word with the highest cosine for each picture: (N,) int64; -1 where the second is as near.

    Args:
        pictures: (N, D) float32 of unit length
        words: (W, D) float32 of unit length, at least two
        margin: by how much the best has to exceed the second, or it is -1; at 0 only equals are

    >>> best_words(np.array([[1, 0], [0.6, 0.8], [0.7, 0.71]]), np.eye(2), margin=0.05).tolist()
    [0, 1, -1]
    """
    if not len(pictures):
        return np.zeros(0, dtype=np.int64)
    cosines = pictures @ words.T
    first, second = np.sort(cosines, axis=1)[:, :-3:-1].T
    return np.where((first - second >= margin) & (first > second), cosines.argmax(axis=1), -1)
