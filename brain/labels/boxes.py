"""Boxes of many images as arrays, and which of them overlap. Pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loupe.brain.imaging.boxes import areas, ious

#: so many pairs of boxes are looked at at once
_PAIRS = 2_000_000


@dataclass(frozen=True, eq=False)
class Boxes:
    """The boxes of some images, by image.

    Attributes:
        image: (B,) int64, ascending: the image of each
        label: (B,) int64: its class
        corners: (B, 4) float64: left, top, right, bottom, in any unit
        score: (B,) float64: a prediction's confidence; NaN where there is none, and of given boxes
        crowd: (B,) bool: a region of many objects; of predictions all False
    """

    image: np.ndarray
    label: np.ndarray
    corners: np.ndarray
    score: np.ndarray
    crowd: np.ndarray

    def __len__(self) -> int:
        return len(self.image)

    def take(self, kept: np.ndarray) -> Boxes:
        """Returns those that a mask or some indexes choose."""
        return Boxes(self.image[kept], self.label[kept], self.corners[kept], self.score[kept], self.crowd[kept])


@dataclass(frozen=True, eq=False)
class Pairs:
    """Given and predicted boxes of one image that overlap.

    Attributes:
        given: (P,) int64: which given box
        predicted: (P,) int64: which prediction
        iou: (P,) float32: by how much, in (0, 1]; of a crowd the share of the prediction that lies in it
    """

    given: np.ndarray
    predicted: np.ndarray
    iou: np.ndarray

    @classmethod
    def of(cls, given: Boxes, predicted: Boxes) -> Pairs:
        """Returns all pairs that overlap; so many at a time are looked at that they fit into memory."""
        n = int(max(given.image[-1] if len(given) else -1, predicted.image[-1] if len(predicted) else -1)) + 1
        per_image = np.bincount(predicted.image, minlength=n)
        starts = np.cumsum(per_image) - per_image
        partners = per_image[given.image]
        ends = np.cumsum(partners)
        parts = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))]
        at = 0
        while at < len(given):
            before = int(ends[at] - partners[at])
            until = max(int(np.searchsorted(ends, before + _PAIRS, side="right")), at + 1)
            own = np.repeat(np.arange(at, until), partners[at:until])
            place = np.arange(len(own)) - np.repeat(ends[at:until] - partners[at:until] - before, partners[at:until])
            other = starts[given.image[own]] + place
            overlaps = _overlaps(given, predicted, own, other)
            kept = overlaps > 0
            parts.append((own[kept], other[kept], overlaps[kept]))
            at = until
        return cls(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _overlaps(given: Boxes, predicted: Boxes, own: np.ndarray, other: np.ndarray) -> np.ndarray:
    a, b = given.corners[own], predicted.corners[other]
    made = ious(a, b).astype(np.float32)
    crowd = given.crowd[own]
    if crowd.any():
        low, high = np.maximum(a[crowd, :2], b[crowd, :2]), np.minimum(a[crowd, 2:], b[crowd, 2:])
        shared, whole = areas(np.concatenate([low, high], axis=1)), areas(b[crowd])
        made[crowd] = np.divide(shared, whole, out=np.zeros_like(shared), where=whole > 0)
    return made
