"""What learns a class from vectors, in transfer tests."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import add
from typing import ClassVar, final

import numpy as np

from loupe.brain.core.errors import UnknownName
from loupe.brain.stats.discriminant import ClassSums, fit


@dataclass(frozen=True, eq=False)
class Block:
    """A part of a set: (N, D) vectors, (N,) int64 classes of 0 to K - 1, and which samples they are."""

    vectors: np.ndarray
    classes: np.ndarray
    index: np.ndarray
    n_classes: int

    @cached_property
    def sums(self) -> ClassSums:
        """Made once, however many arms and folds the block stands in."""
        return ClassSums.of(self.vectors, self.classes, self.n_classes)


@dataclass(frozen=True)
class Plan:
    """How often a learner is asked to learn: one that is slow less often, so that its intervals are wider.

    Attributes:
        folds: that held-out samples are judged in, 2 or as many as there are blocks
        halves: of the training sets, an even number: what says how much another draw of them would change
        steps: eighths of the real set that the learning curve is measured at
        draws: of each of those, at most
        mixed: halves of the real set that all synthetic samples are added to
    """

    folds: int
    halves: int
    steps: tuple[int, ...]
    draws: int
    mixed: int


class Learner(ABC):
    """Learns from blocks, and says how probable each class of other vectors is.

    Attributes:
        name: of the class
        side: of the pictures that it learns from, as uint8; 0: of vectors, which are centered, and shortened where long
        plan: how often it learns
    """

    name: ClassVar[str]
    plan: ClassVar[Plan] = Plan(folds=8, halves=8, steps=(1, 2, 3, 4, 6, 8), draws=4, mixed=8)
    side: int = 0

    @abstractmethod
    def scores(self, blocks: Sequence[Block], vectors: np.ndarray, priors: np.ndarray) -> np.ndarray:
        """Returns (N, K) log-probabilities, up to a constant for each vector and a common factor.

        Args:
            blocks: to learn from
            vectors: (N, D) to be judged
            priors: (K,) how frequent the classes are where it is judged
        """


@final
class Discriminant(Learner):
    """Linear discriminant analysis with a shrunk covariance: an arm costs a sum of blocks."""

    name = "discriminant"

    def scores(self, blocks: Sequence[Block], vectors: np.ndarray, priors: np.ndarray) -> np.ndarray:
        """See ``Learner.scores``."""
        return fit(reduce(add, (block.sums for block in blocks)), priors=priors).scores(vectors)


@final
class Logistic(Learner):
    """Logistic regression: the reference, slower by far."""

    name = "logistic"

    def scores(self, blocks: Sequence[Block], vectors: np.ndarray, priors: np.ndarray) -> np.ndarray:
        """See ``Learner.scores``."""
        from sklearn.linear_model import LogisticRegression

        known = np.concatenate([block.vectors for block in blocks])
        classes = np.concatenate([block.classes for block in blocks])
        scores = np.full((len(vectors), len(priors)), -50.0, np.float32)
        present = np.unique(classes)
        if len(present) < 2:
            scores[:, present] = 0
            return scores
        scale = float(known.std()) or 1.0
        model = LogisticRegression(C=0.1, max_iter=300).fit(known / scale, classes)
        scores[:, present] = model.predict_log_proba(vectors / scale)
        seen = np.bincount(classes, minlength=len(priors))[present] / len(classes)
        scores[:, present] += np.log(np.maximum(priors[present], 1e-12)) - np.log(seen)
        return scores


LEARNERS: dict[str, Learner] = {each.name: each for each in (Discriminant(), Logistic())}


def learner(name: str) -> Learner:
    """Returns a learner by its name.

    Raises:
        UnknownName: there is none of that name
    """
    if name not in LEARNERS:
        raise UnknownName("learner", name, [*LEARNERS, "cnn"])
    return LEARNERS[name]
