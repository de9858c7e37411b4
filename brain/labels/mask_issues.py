"""Masks that are probably wrong, by a model's: of each picture the class that disagrees most. Pure arithmetic.

A mask is compared class by class: what both call a class, over what either does. How much a disagreement says depends
on how well the model usually does on that class, and on regions of that size: both are learned from all pictures, most
of which are labeled right. Where the model says how sure it is of each pixel, ``softmin`` scores as cleanlab does (Lad &
Mueller 2023, arXiv:2307.05080).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loupe.brain.labels.box_issues import scaled, shares

#: evidence that scores one half: `python -m benchmarks.labels masks` chose it
EVEN = 0.5
#: from this overlap on, both mean the same region
_SAME = 0.5
#: pictures of a class whose overlap counts as much as that of all classes
_PRIOR = 10
#: of a softmin: the lower, the nearer to the minimum; as in cleanlab
_TEMPERATURE = 0.1


@dataclass(frozen=True, eq=False)
class Judged:
    """What a model's masks say of the masks of N pictures.

    Attributes:
        score: (N,) float64 in [0, 1], higher is worse: NaN of a picture without a pixel that counts
        given, suggested: (N,) int64: the given class that disagrees most, and what the model has there; -1 for none
        share: (N,) float64: the share of the picture's pixels that is so
        iou: (N,) float64: the overlap of the class that disagrees most
        usual: (N,) float64: by how much that class usually overlaps
    """

    score: np.ndarray
    given: np.ndarray
    suggested: np.ndarray
    share: np.ndarray
    iou: np.ndarray
    usual: np.ndarray


def judge(
    image: np.ndarray, truth: np.ndarray, predicted: np.ndarray, pixels: np.ndarray, n: int, *, even: float = EVEN
) -> Judged:
    """Returns which masks are probably wrong.

    Args:
        image: (P,) int64: the picture of each pair of classes that occurs in it
        truth, predicted: (P,) int64: the given class, and the model's
        pixels: (P,) int64: how many pixels
        n: how many pictures there are
        even: the evidence that becomes a score of one half, in (0, 1); a higher one flags fewer masks

    >>> def of(*pairs): return [np.array(column) for column in zip(*pairs)]
    >>> right = [(at, code, code, 500) for at in range(30) for code in (0, 1)]
    >>> made = judge(*of(*right, (30, 0, 0, 500), (30, 0, 1, 500)), 31)
    >>> int(made.score.argmax()), int(made.given[30]), int(made.suggested[30])
    (30, 0, 1)
    """
    n_classes = int(max(truth.max(initial=-1), predicted.max(initial=-1))) + 1
    given_at, given_area = _areas(image, truth, pixels, n_classes)
    seen_at, seen_area = _areas(image, predicted, pixels, n_classes)
    cells = np.union1d(given_at, seen_at)
    given = _looked_up(cells, given_at, given_area)
    seen = _looked_up(cells, seen_at, seen_area)
    same = truth == predicted
    both = _looked_up(cells, *_areas(image[same], truth[same], pixels[same], n_classes))
    picture, code = cells // max(n_classes, 1), cells % max(n_classes, 1)
    whole = np.bincount(image, pixels, n)
    union = given + seen - both
    iou = both / union
    agrees = iou >= _SAME
    trust = shares(np.log(union / whole[picture]), agrees, np.ones(len(cells), dtype=bool))
    counts = np.bincount(code, minlength=n_classes)
    every = agrees.mean() if len(agrees) else 1.0
    of_class = (np.bincount(code, agrees, n_classes) + _PRIOR * every) / (counts + _PRIOR)
    trust = trust * np.minimum(of_class[code] / max(every, 1e-9), 1)
    usual = _usual(iou, code, agrees, n_classes)[code]
    evidence = trust * np.clip(1 - iou / usual, 0, 1)
    worst = np.full(n, -1, dtype=np.int64)
    order = np.argsort(evidence, kind="stable")
    worst[picture[order]] = order
    score = np.full(n, np.nan)
    known = worst >= 0
    score[known] = scaled(evidence[worst[known]], even)
    own, other, share = _taken_for(image, truth, predicted, pixels, n, np.where(known, code[worst], -1), whole)
    return Judged(
        score=score,
        given=own,
        suggested=other,
        share=share,
        iou=np.where(known, iou[worst], np.nan),
        usual=np.where(known, usual[worst], np.nan),
    )


def softmin(likely: np.ndarray) -> float:
    """Returns how well a mask is labeled, in [0, 1], higher is better, as cleanlab's score of the same name.

    Args:
        likely: of each pixel the probability of the given class, at least one

    >>> round(softmin(np.array([0.9, 0.9, 0.1])), 3)
    0.101
    """
    weights = np.exp((likely.min() - likely) / _TEMPERATURE)
    return float((likely * weights).sum() / weights.sum())


def _areas(image: np.ndarray, code: np.ndarray, pixels: np.ndarray, n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the cells (picture and class in a number) that have pixels, ascending, and how many."""
    cells, place = np.unique(image * n_classes + code, return_inverse=True)
    return cells, np.bincount(place.ravel(), pixels, len(cells))


def _looked_up(cells: np.ndarray, at: np.ndarray, area: np.ndarray) -> np.ndarray:
    made = np.zeros(len(cells))
    made[np.searchsorted(cells, at)] = area
    return made


def _usual(iou: np.ndarray, code: np.ndarray, agrees: np.ndarray, n_classes: int) -> np.ndarray:
    """Returns by how much each class overlaps where it does: the median, drawn to that of all classes where few."""
    every = float(np.median(iou[agrees])) if agrees.any() else 1.0
    made = np.full(n_classes, every)
    order = np.lexsort((iou[agrees], code[agrees]))
    values, codes = iou[agrees][order], code[agrees][order]
    starts = np.searchsorted(codes, np.arange(n_classes + 1))
    sizes = np.diff(starts)
    some = sizes > 0
    middle = values[(starts[:-1] + (sizes - 1) // 2)[some]]
    made[some] = (sizes[some] * middle + _PRIOR * every) / (sizes[some] + _PRIOR)
    return made


def _taken_for(
    image: np.ndarray,
    truth: np.ndarray,
    predicted: np.ndarray,
    pixels: np.ndarray,
    n: int,
    worst: np.ndarray,
    whole: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the largest disagreement that the worst class of each picture has a part in, and its share of pixels."""
    own = worst[image]
    part = (truth != predicted) & ((truth == own) | (predicted == own))
    at = np.flatnonzero(part)
    at = at[np.argsort(pixels[at], kind="stable")]
    largest = np.full(n, -1, dtype=np.int64)
    largest[image[at]] = at
    known = largest >= 0
    made = [np.where(known, column[largest], -1) if len(column) else np.full(n, -1) for column in (truth, predicted)]
    share = np.where(known, (pixels[largest] if len(pixels) else 0) / np.maximum(whole, 1), 0.0)
    return made[0], made[1], share
