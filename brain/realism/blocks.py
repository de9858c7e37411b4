"""Labeled sets, cut into blocks of which every training set of a transfer test is a union."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loupe.brain.realism.learners import Block
from loupe.brain.stats.two_sample import folds_of

#: blocks a set is cut into: the learning curve begins at an eighth
BLOCKS = 8


@dataclass(frozen=True, eq=False)
class Labeled:
    """A set with classes.

    Attributes:
        vectors: (N, D) float32
        classes: (N,) int64 of 0 to K - 1
        groups: (N,) int64: of one prompt or scene; each sample its own by default
    """

    vectors: np.ndarray
    classes: np.ndarray
    groups: np.ndarray | None = None

    def take(self, index: np.ndarray) -> Labeled:
        """Returns some of the samples."""
        groups = None if self.groups is None else self.groups[index]
        return Labeled(self.vectors[index], self.classes[index], groups)

    def clusters(self) -> np.ndarray:
        """Returns the (N,) groups as whole numbers from 0 on."""
        if self.groups is None:
            return np.arange(len(self.classes))
        return np.asarray(np.unique(self.groups, return_inverse=True)[1]).ravel()


def matched(a: Labeled, b: Labeled, n_classes: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Returns the sorted indices of samples of both sets, equally many of each class: of the smaller set all."""
    n = np.minimum(np.bincount(a.classes, minlength=n_classes), np.bincount(b.classes, minlength=n_classes))
    chosen = []
    for each in (a, b):
        order = rng.permutation(len(each.classes))
        order = order[np.argsort(each.classes[order], kind="stable")]
        own = each.classes[order]
        rank = np.arange(len(own)) - np.searchsorted(own, own)
        chosen.append(np.sort(order[rank < n[own]]))
    return chosen[0], chosen[1]


def cut(labeled: Labeled, n_classes: int, rng: np.random.Generator, n_blocks: int = BLOCKS) -> list[Block]:
    """Returns the set as blocks of about the same size: groups stay whole, else each has as many of each class."""
    if labeled.groups is not None:
        of = folds_of(labeled.groups, n_blocks, rng)
    else:
        order = rng.permutation(len(labeled.classes))
        order = order[np.argsort(labeled.classes[order], kind="stable")]
        of = np.empty(len(order), np.int64)
        of[order] = np.arange(len(order)) % n_blocks
    made = []
    for block in range(n_blocks):
        index = np.flatnonzero(of == block)
        made.append(Block(labeled.vectors[index], labeled.classes[index], index, n_classes))
    return made


def halves(n_blocks: int, draws: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Returns sorted block numbers of halves; every other one is the half that the one before left out."""
    made: list[np.ndarray] = []
    while len(made) < draws:
        order = rng.permutation(n_blocks)
        made += [np.sort(order[: n_blocks // 2]), np.sort(order[n_blocks // 2 :])]
    return made[:draws]
