"""Does a picture show the class that it was asked for? By a classifier of reference pictures, picture by picture.

What ``alignment`` tells of a whole set, for single new pictures: what is said of one does not depend on the others that
come with it, so that a run that goes on says the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loupe.brain.core.proportions import Proportion
from loupe.brain.realism.alignment import MIN_PER_CLASS
from loupe.brain.realism.blocks import Labeled, cut
from loupe.brain.realism.transfer import temperature
from loupe.brain.stats.discriminant import ClassSums, Discriminant, fit, log_softmax


@dataclass(frozen=True, eq=False)
class Agreeing:
    """A classifier of reference pictures.

    Attributes:
        right: how often it is right on reference pictures that it was not made of
        usable: (K,) bool: the classes that it can tell: enough samples, surely named more often than where another is
    """

    right: Proportion
    usable: np.ndarray
    _model: Discriminant
    _center: np.ndarray
    _heat: float

    def probabilities(self, vectors: np.ndarray) -> np.ndarray:
        """Returns how probable each class is to (N, D) vectors: (N, K) float64 in [0, 1], that add up to 1."""
        scores = self._model.scores(np.asarray(vectors - self._center, np.float32)) * self._heat
        return np.asarray(np.exp(log_softmax(scores)), dtype=np.float64)


def agreeing(reference: Labeled, n_classes: int, seed: int = 0) -> Agreeing:
    """Returns the classifier: a discriminant of the reference's vectors, with what it is worth on left-out blocks.

    Args:
        reference: pictures with the classes that they have
        n_classes: K
        seed: of the blocks
    """
    center = reference.vectors.mean(axis=0)
    own = Labeled(np.asarray(reference.vectors - center, np.float32), reference.classes, reference.groups)
    blocks = [each for each in cut(own, n_classes, np.random.default_rng(seed)) if len(each.index)]
    parts = [ClassSums.of(each.vectors, each.classes, n_classes) for each in blocks]
    total = sum(parts[1:], parts[0])
    scores = np.zeros((len(own.classes), n_classes), np.float32)
    for block, part in zip(blocks, parts, strict=True):
        scores[block.index] = fit(total - part).scores(block.vectors)
    guessed = scores.argmax(axis=1)
    right = guessed == own.classes
    usable = np.array([_tells(guessed == each, own.classes, each) for each in range(n_classes)])
    heat = temperature(scores, own.classes)
    return Agreeing(Proportion.of(int(right.sum()), len(right)), usable, fit(total), center, heat)


def _tells(guessed: np.ndarray, given: np.ndarray, each: int) -> bool:
    """Returns whether a class is surely named more often where it is given than where any other one is."""
    counts, hits = np.bincount(given), np.bincount(given, weights=guessed)
    if counts[each : each + 1].sum() < MIN_PER_CLASS:
        return False
    own = Proportion.of(int(hits[each]), int(counts[each]))
    rest = [at for at in range(len(counts)) if at != each and counts[at] >= MIN_PER_CLASS]
    return bool(rest) and all(own.low > Proportion.of(int(hits[at]), int(counts[at])).high for at in rest)
