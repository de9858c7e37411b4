"""Boxes that are probably wrong, by a model's predictions: overlooked, badly located, swapped. Pure arithmetic.

The three kinds are those of ObjectLab (Tkachenko, Thyagarajan & Mueller 2023, arXiv:2309.00832). ObjectLab listens to
predictions above a fixed confidence only. Here a prediction counts for as much as predictions of its confidence agree
with the given boxes, set against the surest ones, which would all agree were all boxes right: confidences of two models
are of no common scale, and this is, and it holds where a fifth of the boxes is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from loupe.brain.labels.boxes import Boxes, Pairs

Kind: TypeAlias = Literal["overlooked", "badly_located", "swapped"]
#: the kinds, and of each the evidence that is as good as a toss-up: `python -m benchmarks.labels boxes` chose them
EVEN: dict[Kind, float] = {"overlooked": 0.6, "badly_located": 0.25, "swapped": 0.84}
KINDS: tuple[Kind, ...] = tuple(EVEN)
#: from this overlap on, two boxes may be of the same object, one of them badly located
_TOUCHING = 0.1
#: predictions of about the same confidence, of which the share that agrees is taken: how many such, and of how many
_BINS, _PER_BIN = 50, 20
#: the surest predictions: one of so many, and at least so many; and how many right ones are added to them
_SUREST, _MIN_SUREST, _ADDED = 20, 100, 10
#: how steeply the score rises around one half: of the surest overlooked objects fewer are real than of other issues
_SLOPES: dict[Kind, float] = {"overlooked": 0.3, "badly_located": 1.0, "swapped": 0.7}
#: no evidence is a proof
_MAX_EVIDENCE = 0.98
#: no more of the labels than this is taken for wrong
_MAX_WRONG = 0.5
#: how much of a share decides between predictions of the same share: the surer one comes first
_TIE = 1e-3


@dataclass(frozen=True, eq=False)
class Assessed:
    """What the predictions say of G given boxes, and of what was not given. All scores: in [0, 1], higher is worse.

    Attributes:
        swapped: (G,) float64: that the box has another class
        swapped_by: (G,) int64: the prediction that says so, -1 for none
        badly_located: (G,) float64: that the box lies elsewhere
        located_by: (G,) int64: the prediction of its class that overlaps it, -1 for none
        located_iou: (G,) float64: by how much; 0 for none
        overlooked: (D,) float64: of each prediction: that it shows an object that nobody gave a box
        overlap: (D,) float64: of each prediction the largest overlap with a given box
        agreement: (D,) float64: of predictions of that confidence the share that agrees with a given box
        usual_iou: by how much predictions usually overlap the box of their class; NaN where none does
        seen: (G,) bool: which given boxes some prediction speaks of
    """

    swapped: np.ndarray
    swapped_by: np.ndarray
    badly_located: np.ndarray
    located_by: np.ndarray
    located_iou: np.ndarray
    overlooked: np.ndarray
    overlap: np.ndarray
    agreement: np.ndarray
    usual_iou: float
    seen: np.ndarray


def assess(given: Boxes, predicted: Boxes, *, overlap: float = 0.5, even: Mapping[Kind, float] = EVEN) -> Assessed:
    """Returns which boxes are probably wrong.

    Args:
        given: G boxes; a crowd is not judged, and what lies in it is not overlooked
        predicted: D boxes of a model that was not trained on the given ones, without doubles (non-maximum suppression)
        overlap: the intersection over the union from which two boxes are of the same object, in (0, 1)
        even: by kind the evidence that becomes a score of one half, in (0, 1); a higher one flags fewer boxes

    >>> at = np.array([[0, 0, 10, 10.0], [50, 0, 60, 10]])
    >>> some, no = np.zeros(2, dtype=np.int64), np.zeros(2, dtype=bool)
    >>> truth = Boxes(some, np.array([0, 0]), at, np.full(2, np.nan), no)
    >>> made = assess(truth.take(np.array([0])), Boxes(some, np.array([0, 0]), at, np.array([0.9, 0.9]), no))
    >>> bool(made.overlooked[0] == 0 < made.overlooked[1])
    True
    """
    n_given, n_predicted = len(given), len(predicted)
    pairs = Pairs.of(given, predicted)
    own, other, iou = pairs.given, pairs.predicted, pairs.iou
    crowd = given.crowd[own]
    same = given.label[own] == predicted.label[other]
    on_it = (iou >= overlap) & ~crowd
    agreeing = _any(other[on_it & same], n_predicted)
    located = _any(other[on_it], n_predicted)
    # what lies in a crowd of its class says neither that it is right nor that it is wrong
    crowded = _any(other[crowd & same & (iou >= overlap)], n_predicted)
    agreement = shares(predicted.score, agreeing, of=~crowded | agreeing)
    trust = _trusted(agreement, predicted.score, agreeing, of=~crowded | agreeing)
    right_class = shares(predicted.score, agreeing, of=located)
    right_class = _trusted(right_class, predicted.score, agreeing, of=located)

    kept = _best(right_class[other[on_it & same]], own[on_it & same], n_given)
    # a prediction that agrees with one box says nothing of another
    against = on_it & ~same & ~agreeing[other]
    swapped = np.zeros(len(own))
    swapped[against] = right_class[other[against]] * (1 - kept[own[against]])
    swapped_by, of_swapped = _surest(swapped, own, other, n_given, against)

    near = same & ~crowd & (iou >= _TOUCHING)
    # a prediction speaks of the box that it overlaps most
    near &= iou >= _best(iou, other, n_predicted, where=near)[other]
    located_by, _ = _surest(trust[other] * iou, own, other, n_given, near)
    lies = located_by >= 0
    located_iou = _of_pairs(own, other, iou, located_by)
    usual = float(np.median(located_iou[located_iou >= overlap])) if (located_iou >= overlap).any() else float("nan")
    elsewhere = np.clip(1 - located_iou / usual, 0, 1) if usual == usual else 1 - located_iou
    badly_located = np.zeros(n_given)
    badly_located[lies] = trust[located_by[lies]] * elsewhere[lies]

    overlaps = _best(iou, other, n_predicted)
    explained = agreeing | crowded | _any(located_by[lies], n_predicted)
    disputed = against & ~_any(own[on_it & same], n_given)[own]
    explained |= _any(other[disputed], n_predicted)
    overlooked = np.where(explained, 0.0, trust * (1 - overlaps))
    overlooked[_doubles(predicted, overlooked, overlap)] = 0.0
    return Assessed(
        swapped=scaled(of_swapped, even["swapped"], _SLOPES["swapped"]),
        swapped_by=swapped_by,
        badly_located=scaled(badly_located, even["badly_located"], _SLOPES["badly_located"]),
        located_by=located_by,
        located_iou=located_iou,
        overlooked=scaled(overlooked, even["overlooked"], _SLOPES["overlooked"]),
        overlap=overlaps,
        agreement=agreement,
        usual_iou=usual,
        seen=_any(own[near | on_it], n_given) | given.crowd,
    )


def shares(score: np.ndarray, agrees: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Returns for each of D predictions the share of those of about its confidence that agree, in [0, 1].

    It never falls as the confidence rises (isotonic regression over bins). Predictions without a confidence have the
    share of those without one.

    Args:
        score: (D,) confidences of any scale, NaN for none
        agrees: (D,) bool
        of: (D,) bool: those that shares are taken of

    >>> of = np.ones(200, dtype=bool)
    >>> made = shares(np.repeat([0.2, 0.9], 100), np.arange(200) >= 100, of)
    >>> bool(made[0] < 0.02), bool(made[-1] > 0.97)
    (True, True)
    """
    from scipy.optimize import isotonic_regression

    made = np.zeros(len(score))
    prior = (agrees[of].sum() + 1) / (of.sum() + 2)
    without = ~np.isfinite(score)
    made[without] = (agrees[of & without].sum() + prior) / ((of & without).sum() + 1)
    known = np.flatnonzero(of & ~without)
    if not len(known):
        made[~without] = prior
        return made
    order = known[np.argsort(score[known], kind="stable")]
    starts = np.linspace(0, len(order), max(1, min(_BINS, len(order) // _PER_BIN)) + 1)[:-1].astype(np.int64)
    # those of one confidence belong together
    starts = np.unique(np.searchsorted(score[order], score[order][starts]))
    sizes = np.diff(np.append(starts, len(order)))
    confidence = np.add.reduceat(score[order], starts) / sizes
    share = (np.add.reduceat(agrees[order].astype(np.float64), starts) + prior) / (sizes + 1)
    rising = isotonic_regression(share, weights=sizes).x
    made[~without] = np.interp(score[~without], confidence, rising)
    rank = np.searchsorted(score[order], score[~without]) / len(order)
    made[~without] = (1 - _TIE) * made[~without] + _TIE * rank
    return made


def _trusted(share: np.ndarray, score: np.ndarray, agrees: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Returns shares that agree, over that of the surest predictions: what they lack is the labels' fault.

    Without confidences nothing says which are the surest, and shares stay as they are.
    """
    known = np.flatnonzero(of & np.isfinite(score))
    if not len(known):
        return share
    count = min(max(len(known) // _SUREST, _MIN_SUREST), len(known))
    surest = known[np.argsort(-score[known], kind="stable")[:count]]
    top = max((agrees[surest].sum() + _ADDED) / (count + _ADDED), share[known].max(), 1 - _MAX_WRONG)
    return np.where(np.isfinite(score), np.minimum(share / top, 1), share)


def scaled(evidence: np.ndarray, even: float, slope: float = 1.0) -> np.ndarray:
    """Returns scores in [0, 1] of evidence in [0, 1], so that ``even`` becomes one half.

    The odds of the evidence over those of ``even``, to the power of ``slope``, are the odds of the score.

    >>> scaled(np.array([0.0, 0.5, 1.0]), 0.5).round(2).tolist()
    [0.0, 0.5, 0.98]
    """
    sure = _MAX_EVIDENCE * np.clip(evidence, 0, 1)
    at = _MAX_EVIDENCE * even
    odds = (sure * (1 - at) / ((1 - sure) * at)) ** slope
    return np.asarray(odds / (1 + odds))


def _any(places: np.ndarray, n: int) -> np.ndarray:
    made = np.zeros(n, dtype=bool)
    made[places] = True
    return made


def _best(values: np.ndarray, places: np.ndarray, n: int, where: np.ndarray | None = None) -> np.ndarray:
    """Returns the largest value at each of N places, 0 where there is none."""
    made = np.zeros(n, dtype=values.dtype)
    np.maximum.at(made, places if where is None else places[where], values if where is None else values[where])
    return made


def _surest(
    values: np.ndarray, own: np.ndarray, other: np.ndarray, n: int, where: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns for each of N given boxes the prediction of the largest value, -1 for none, and that value."""
    by, value = np.full(n, -1, dtype=np.int64), np.zeros(n)
    at = np.flatnonzero(where)
    at = at[np.argsort(values[at], kind="stable")]
    by[own[at]] = other[at]
    value[own[at]] = values[at]
    return by, value


def _of_pairs(own: np.ndarray, other: np.ndarray, iou: np.ndarray, by: np.ndarray) -> np.ndarray:
    """Returns the overlap of each given box with the prediction that it goes with, 0 where there is none."""
    made = np.zeros(len(by))
    mine = by[own] == other
    made[own[mine]] = iou[mine]
    return made


def _doubles(predicted: Boxes, values: np.ndarray, overlap: float) -> np.ndarray:
    """Returns which predictions show the same object as one of a larger value: places, among those above 0."""
    some = np.flatnonzero(values > 0)
    boxes = predicted.take(some)
    pairs = Pairs.of(boxes, boxes)
    close = (pairs.iou >= overlap) & (pairs.given != pairs.predicted)
    a, b = some[pairs.given[close]], some[pairs.predicted[close]]
    ahead = (values[a] > values[b]) | ((values[a] == values[b]) & (a < b))
    a, b = a[ahead], b[ahead]
    gone = np.zeros(len(predicted), dtype=bool)
    # the best first: what is gone itself takes nothing away
    for at in np.argsort(-values[a], kind="stable").tolist():
        if not gone[a[at]]:
            gone[b[at]] = True
    return np.flatnonzero(gone)
