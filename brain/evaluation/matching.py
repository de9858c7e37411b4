"""Which predicted box is which ground truth: matched greedily, the surest first, as COCO does. Pure arithmetic.

A prediction's match depends on surer predictions only. So what is matched once holds at every confidence threshold: a
threshold leaves predictions out from the end.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loupe.brain.core.errors import InputError

#: the overlaps that COCO averages over
COCO_IOUS = tuple(np.linspace(0.5, 0.95, 10).tolist())
#: of an image and class, the surest predictions that count
MAX_DETECTIONS = 100
#: so many pairs of boxes are held at once
_PAIRS = 4_000_000


@dataclass(frozen=True, eq=False)
class Boxes:
    """Boxes of N images; only the first four have to be of one length B each.

    Attributes:
        image: (B,) int64, ascending
        label: (B,) int64: the class
        box: (B, 4) float64: left, top, width, height in pixels
        score: (B,) float64: confidences; NaN where there is none. Of ground truths all NaN
        crowd: (B,) bool: a region of many objects, of which none is counted; of predictions all False
    """

    image: np.ndarray
    label: np.ndarray
    box: np.ndarray
    score: np.ndarray
    crowd: np.ndarray

    @property
    def area(self) -> np.ndarray:
        """(B,) float64, in square pixels."""
        return self.box[:, 2] * self.box[:, 3]

    def __len__(self) -> int:
        return len(self.image)

    def take(self, kept: np.ndarray) -> Boxes:
        """Returns those that a mask or some indexes choose."""
        return Boxes(self.image[kept], self.label[kept], self.box[kept], self.score[kept], self.crowd[kept])


@dataclass(frozen=True, eq=False)
class Matches:
    """What was matched at T overlaps.

    Attributes:
        ious: the overlaps
        match: (T, D) int64: which ground truth each prediction is, -1 for none
        ignored: (T, D) bool: neither right nor wrong: matched to what is ignored, out of the slice, or beyond the
            number of detections that count
        true_ignored: (G,) bool: ground truths that are not counted
        true_score: (T, G) float64: the confidence of the prediction that each ground truth was matched with; NaN
            where it was missed
    """

    ious: tuple[float, ...]
    match: np.ndarray
    ignored: np.ndarray
    true_ignored: np.ndarray
    true_score: np.ndarray


def match(
    truths: Boxes,
    predictions: Boxes,
    ious: Sequence[float] = COCO_IOUS,
    *,
    true_ignored: np.ndarray | None = None,
    outside: np.ndarray | None = None,
    max_detections: int = MAX_DETECTIONS,
) -> Matches:
    """Returns which predictions are which ground truths, class by class and image by image.

    The surest prediction takes the ground truth that it overlaps most, if by the threshold, and prefers one that
    counts. A crowd takes any number of predictions, by the share of the prediction that lies in it; it is ignored, and
    they are, too. Of equal overlaps the last is taken, as by pycocotools.

    Args:
        truths: G boxes
        predictions: D boxes; what has no score comes last
        ious: T overlaps in (0, 1]
        true_ignored: (G,) bool: ground truths out of the slice, e.g. of another size; what matches them is ignored
        outside: (D,) bool: predictions out of the slice by what they are themselves: ignored where nothing matches them
        max_detections: how many of an image and class count, at least 1

    Raises:
        InputError: no overlap, or one outside (0, 1]

    >>> box = lambda *corners: np.array([corners], dtype=float)
    >>> zero, no = np.zeros(1, dtype=int), np.zeros(1, dtype=bool)
    >>> truth = Boxes(zero, zero, box(0, 0, 10, 10), np.array([np.nan]), no)
    >>> match(truth, Boxes(zero, zero, box(0, 0, 10, 6), np.array([0.9]), no), [0.5, 0.75]).match.tolist()
    [[0], [-1]]
    """
    if not len(ious) or not all(0 < iou <= 1 for iou in ious):
        raise InputError(f"expected overlaps in (0, 1], got {list(ious)!r}")
    n = len(predictions)
    ignored_truth = truths.crowd if true_ignored is None else truths.crowd | true_ignored
    order = np.lexsort((-_known(predictions.score), predictions.label, predictions.image))
    rank = np.empty(n, dtype=np.int64)
    rank[order] = _ranks(predictions.image[order], predictions.label[order])
    counts = rank < max_detections

    result = np.full((len(ious), n), -1, dtype=np.int64)
    taken = np.zeros((len(ious), len(truths)), dtype=bool)
    for pair_prediction, pair_truth, overlap in _pairs(truths, predictions, counts, min(ious)):
        _greedy(result, taken, (pair_prediction, pair_truth, overlap), ious, rank, ignored_truth, truths.crowd)

    hit = result >= 0
    ignored = hit & ignored_truth[np.where(hit, result, 0)] if len(truths) else np.zeros_like(hit)
    if outside is not None:
        ignored |= ~hit & outside
    ignored |= ~counts
    true_score = np.full(taken.shape, np.nan)
    for level in range(len(ious)):
        matched = np.flatnonzero(hit[level])
        true_score[level, result[level, matched]] = _known(predictions.score[matched])
    return Matches(tuple(ious), result, ignored, ignored_truth, true_score)


def overlaps(truth: np.ndarray, prediction: np.ndarray, crowd: np.ndarray) -> np.ndarray:
    """Returns the intersection over the union of pairs of boxes, over the prediction's area where the truth is a crowd.

    Args:
        truth, prediction: (P, 4) left, top, width, height
        crowd: (P,) bool

    Returns:
        (P,) float64 in [0, 1]; 0 for boxes of no area
    """
    low = np.maximum(truth[:, :2], prediction[:, :2])
    high = np.minimum(truth[:, :2] + truth[:, 2:], prediction[:, :2] + prediction[:, 2:])
    common = np.maximum(high - low, 0).prod(axis=1)
    own = prediction[:, 2] * prediction[:, 3]
    union = np.where(crowd, own, own + truth[:, 2] * truth[:, 3] - common)
    return np.divide(common, union, out=np.zeros(len(common)), where=union > 0)


def _known(score: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(score), -np.inf, score)


def _ranks(image: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Returns the place of each in its run of one image and label."""
    if not len(image):
        return np.zeros(0, dtype=np.int64)
    new = np.r_[True, (image[1:] != image[:-1]) | (label[1:] != label[:-1])]
    starts = np.flatnonzero(new)
    return np.arange(len(image)) - starts[np.cumsum(new) - 1]


def _pairs(
    truths: Boxes, predictions: Boxes, counts: np.ndarray, min_iou: float
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Returns the pairs of one image and class that overlap enough, in parts; an image stands in one part."""
    if not len(truths) or not len(predictions):
        return []
    labels = int(max(truths.label.max(), predictions.label.max())) + 1
    key = truths.image * labels + truths.label
    by_key = np.argsort(key, kind="stable")
    own = predictions.image * labels + predictions.label
    candidates = np.flatnonzero(counts)
    candidates = candidates[np.argsort(own[candidates], kind="stable")]
    first = np.searchsorted(key[by_key], own[candidates], "left")
    times = np.searchsorted(key[by_key], own[candidates], "right") - first
    parts = []
    bounds = [0]
    until = np.cumsum(times)
    while bounds[-1] < len(candidates):
        done = until[bounds[-1] - 1] if bounds[-1] else 0
        end = max(bounds[-1] + 1, int(np.searchsorted(until, done + _PAIRS, "right")))
        while end < len(candidates) and own[candidates[end]] == own[candidates[end - 1]]:
            end += 1
        bounds.append(end)
    for start, end in itertools.pairwise(bounds):
        own_times = times[start:end]
        prediction = np.repeat(candidates[start:end], own_times)
        offset = np.arange(len(prediction)) - np.repeat(np.cumsum(own_times) - own_times, own_times)
        truth = by_key[np.repeat(first[start:end], own_times) + offset]
        overlap = overlaps(truths.box[truth], predictions.box[prediction], truths.crowd[truth])
        near = overlap >= min(min_iou, 1 - 1e-10)
        parts.append((prediction[near], truth[near], overlap[near]))
    return parts


def _greedy(
    result: np.ndarray,
    taken: np.ndarray,
    pairs: tuple[np.ndarray, np.ndarray, np.ndarray],
    ious: Sequence[float],
    rank: np.ndarray,
    ignored: np.ndarray,
    crowd: np.ndarray,
) -> None:
    """Matches pairs: in each step one prediction of each image and class, the surest that is left."""
    prediction, truth, overlap = pairs
    if not len(prediction):
        return
    # what counts is preferred to what is ignored, then the larger overlap, then the later
    order = np.lexsort((truth, overlap, ~ignored[truth], prediction, rank[prediction]))
    prediction, truth, overlap = prediction[order], truth[order], overlap[order]
    steps = np.flatnonzero(np.r_[True, rank[prediction][1:] != rank[prediction][:-1], True])
    levels = np.minimum(np.asarray(ious), 1 - 1e-10)[:, None]
    for start, end in itertools.pairwise(steps.tolist()):
        of, to = prediction[start:end], truth[start:end]
        free = (overlap[start:end] >= levels) & (~taken[:, to] | crowd[to])
        place = np.where(free, np.arange(end - start), -1)
        firsts = np.flatnonzero(np.r_[True, of[1:] != of[:-1]])
        best = np.maximum.reduceat(place, firsts, axis=1)
        level, which = np.nonzero(best >= 0)
        chosen = to[best[level, which]]
        result[level, of[firsts[which]]] = chosen
        taken[level, chosen] = True
