"""Segmentation: each pixel has a class and is given one. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from loupe.brain.core.errors import InputError
from loupe.brain.evaluation.average_precision import mean_known
from loupe.brain.evaluation.confusion import Pairs
from loupe.brain.evaluation.evaluated import Ratios, Resampled

#: classes are numbers of one byte, as masks hold them
MAX_CLASSES = 256


@dataclass(frozen=True, eq=False)
class Segmented:
    """The pixels of N images, by what they are and what they were taken for.

    Attributes:
        n: how many images
        classes: how many classes
        of: (N,) int64: the cluster of each image, from 0 on
        image: (P,) int64: the image of each pair of classes that occurs in it
        truth, predicted: (P,) int64: the classes
        pixels: (P,) int64: how many pixels
    """

    n: int
    classes: int
    of: np.ndarray
    image: np.ndarray
    truth: np.ndarray
    predicted: np.ndarray
    pixels: np.ndarray

    @classmethod
    def of_masks(
        cls,
        masks: Iterable[tuple[np.ndarray, np.ndarray]],
        cluster: np.ndarray,
        classes: int,
        ignore: int | None = None,
    ) -> Segmented:
        """Returns what N pairs of masks say.

        Args:
            masks: truth and prediction of each image, (H, W) of integers in [0, classes). A prediction of another size
                is scaled to the truth's, each pixel taking the nearest
            cluster: (N,) int64: the cluster of each image
            classes: how many classes there are, at most 256
            ignore: the class of pixels that nobody labeled: what is predicted there does not count

        Raises:
            InputError: a mask of another shape, or with other numbers
        """
        rows = []
        for image, (truth, predicted) in enumerate(masks):
            truth, predicted = _plain(truth, classes), scaled(_plain(predicted, classes), np.shape(truth)[:2])
            counts = np.bincount(truth.ravel() * classes + predicted.ravel(), minlength=classes * classes)
            pairs = np.flatnonzero(counts)
            pairs = pairs[pairs // classes != ignore] if ignore is not None else pairs
            rows.append(np.stack([np.full(len(pairs), image), pairs // classes, pairs % classes, counts[pairs]]))
        image, truth, predicted, pixels = np.concatenate([np.zeros((4, 0), np.int64), *rows], axis=1)
        return cls(len(cluster), classes, cluster, image, truth, predicted, pixels)

    @cached_property
    def clusters(self) -> int:
        """How many clusters there are."""
        return int(self.of.max()) + 1 if len(self.of) else 0

    def take(self, images: np.ndarray) -> Self:
        """Returns the same of the images that a mask or some indexes choose."""
        chosen = np.zeros(self.n, dtype=bool)
        chosen[images] = True
        own, place = chosen[self.image], np.cumsum(chosen) - 1
        return replace(
            self,
            n=int(chosen.sum()),
            of=np.unique(self.of[chosen], return_inverse=True)[1],
            image=place[self.image[own]],
            truth=self.truth[own],
            predicted=self.predicted[own],
            pixels=self.pixels[own],
        )

    def sizes(self) -> tuple[int, int, int]:
        """Returns how many images there are, and how many masks of either kind."""
        return self.n, self.n, self.n

    def ratios(self, confidence: float | None) -> Ratios:
        """Returns the accuracy of pixels; masks have no confidence."""
        right = self.truth == self.predicted
        of = self.of[self.image]
        every = np.bincount(of, self.pixels, self.clusters)
        return {"accuracy": (np.bincount(of[right], self.pixels[right], self.clusters), every)}

    def resampled(self, confidence: float | None) -> Resampled:
        """Returns the intersection over the union and Dice, as means over the classes that occur."""

        def means(weights: np.ndarray) -> np.ndarray:
            iou, dice = overlaps(self.confusion(weights))
            return np.array([mean_known(iou), mean_known(dice)])

        return Resampled(("miou", "dice"), ("logit", "logit"), means)

    def confusion(self, weights: np.ndarray | None = None) -> np.ndarray:
        """Returns the pixels by truth (rows) and prediction: (K, K) float64.

        Args:
            weights: (C,) float64: how often each cluster is taken; once each by default
        """
        own = self.pixels if weights is None else self.pixels * weights[self.of[self.image]]
        flat = np.bincount(self.truth * self.classes + self.predicted, own, self.classes**2)
        return flat.reshape(self.classes, self.classes)

    def pairs(self, confidence: float | None) -> Pairs:
        """Returns which classes were taken for which in each image, the one with more pixels first."""
        order = np.argsort(-self.pixels, kind="stable")
        return Pairs(self.image[order], self.truth[order], self.predicted[order], np.full(len(order), np.nan))


def overlaps(confusion: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the intersection over the union and Dice of each class: (K,) float64; NaN of one that does not occur.

    Args:
        confusion: (K, K) pixels by truth (rows) and prediction

    >>> iou, dice = overlaps(np.array([[3, 1], [0, 4]]))
    >>> iou.tolist(), dice.round(3).tolist()
    ([0.75, 0.8], [0.857, 0.889])
    """
    both, truth, predicted = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    with np.errstate(invalid="ignore"):
        return both / (truth + predicted - both), 2 * both / (truth + predicted)


def scaled(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Returns a mask at another size, each pixel the one that its middle lies in."""
    if mask.shape == shape:
        return mask
    rows, columns = (
        ((np.arange(to) + 0.5) * own / to).astype(np.int64) for own, to in zip(mask.shape, shape, strict=True)
    )
    return np.asarray(mask[rows[:, None], columns[None]])


def _plain(mask: np.ndarray, classes: int) -> np.ndarray:
    mask = np.asarray(mask)
    if mask.ndim != 2 or mask.dtype.kind not in "bui" or not mask.size:
        raise InputError(
            f"expected masks of (height, width) whole numbers, got {mask.dtype} of shape {mask.shape}: masks of colors "
            "become numbers by fiftyone.utils.labels.transform_segmentations"
        )
    whole = mask.astype(np.int64)
    if whole.min() < 0 or whole.max() >= classes:
        raise InputError(f"expected the classes of masks to be 0 to {classes - 1}, got {whole.min()} to {whole.max()}")
    return whole
