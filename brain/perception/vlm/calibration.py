"""What a VLM's answers are worth on given labels: a calibrated P(yes), and the cuts between which it abstains."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Record
from loupe.brain.core.shares import whole
from loupe.brain.perception.vlm.answers import Answer, Cuts, decide
from loupe.brain.stats.intervals import Proportion

#: with fewer labels, or fewer of one kind, nothing can be said
MIN_LABELS = 20
MIN_OF_EACH = 5

_FOLDS = 5
_EDGE = 1e-6  # a probability of exactly 0 or 1 has no log-odds


@dataclass(frozen=True)
class VlmCalibration(Record):
    """How the answers to one question of one VLM are to be read.

    Attributes:
        slope, intercept: calibrated P(yes) = sigmoid(slope * logit(P(yes)) + intercept)
        cuts: on the calibrated P(yes); None where no cut has the wanted precision
        wanted: the precision that the cuts were chosen for
        labels: how many labels there were
        positives: how many of them are "yes"
        unknown: for how many the VLM gave neither yes nor no
        coverage: how many of all labels got a verdict; higher is better
        precision: how many of the verdicts were right; higher is better
        reason: why a cut is missing; else empty

    Coverage and precision are measured on labels that the calibration has not seen: five times, it is made on four
    fifths of the labels and judges the rest.
    """

    slope: float
    intercept: float
    cuts: Cuts
    wanted: float
    labels: int
    positives: int
    unknown: int
    coverage: Proportion
    precision: Proportion
    reason: str = ""

    def apply(self, answer: Answer) -> Answer:
        """Returns the answer with the calibrated P(yes), and the verdict that the cuts give it."""
        if math.isnan(answer.yes):
            return answer
        yes = float(_calibrated(np.array([answer.yes]), self.slope, self.intercept)[0])
        return decide(yes, answer.mass, self.cuts)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Returns the record that ``to_dict`` made the values of.

        Raises:
            InputError: they are not such values
        """
        try:
            nested = {
                "cuts": Cuts(**values["cuts"]),
                "coverage": Proportion.from_dict(values["coverage"]),
                "precision": Proportion.from_dict(values["precision"]),
            }
            made = cls(**{**values, **nested})
            finite = math.isfinite(made.slope) and math.isfinite(made.intercept)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"expected the values of a VLM's calibration, got others: {error}") from error
        if not finite:
            raise InputError("expected a finite slope and intercept of a VLM's calibration")
        return made


def calibrate(
    answers: Sequence[Answer], labels: Sequence[bool], *, precision: float = 0.9, mass: float = 0.5, seed: int = 0
) -> VlmCalibration:
    """Returns how to read a VLM's answers, from answers to one question whose right answers are known.

    P(yes) is mapped by a logistic curve with smoothed targets. The cuts are those that leave the fewest answers
    undecided while each side's precision, by Laplace's rule (right + 1) / (n + 2), is as wanted; "yes" never lies
    below a calibrated 0.5, "no" never above. J. Platt, Advances in Large Margin Classifiers (1999); H.-T. Lin, C.-J.
    Lin & R. Weng, Machine Learning 68 (2007).

    Args:
        answers: as the VLM gave them
        labels: for each whether "yes" is right
        precision: wanted of both "yes" and "no", in [0.5, 1)
        mass: an answer whose mass is below that counts as unknown
        seed: deals the labels out to the five parts

    Raises:
        InputError: fewer than 20 labels with an answer, fewer than 5 of one kind, more or fewer labels than
            answers, or a precision out of range

    >>> answers = [Answer(yes, 1.0, "unknown") for yes in np.linspace(0, 1, 60)]
    >>> found = calibrate(answers, [answer.yes > 0.5 for answer in answers])
    >>> found.apply(Answer(0.95, 1.0, "unknown")).verdict, str(found.coverage)
    ('yes', '95.0 % [86.3 %, 98.3 %] (57 of 60)')
    """
    if len(answers) != len(labels):
        raise InputError(f"expected as many labels as answers, got {len(labels)} and {len(answers)}")
    if not 0.5 <= precision < 1:
        raise InputError(f"expected a precision from 0.5 to below 1, got {precision!r}")
    right = np.array([bool(label) for label in labels], dtype=bool)
    raw = np.array([answer.yes for answer in answers], dtype=np.float64)
    known = ~np.isnan(raw) & np.array([answer.mass >= mass for answer in answers], dtype=bool)
    yes, truth = raw[known], right[known]
    positives = int(truth.sum())
    if len(yes) < MIN_LABELS or min(positives, len(yes) - positives) < MIN_OF_EACH:
        raise InputError(
            f"expected at least {MIN_LABELS} labels that the VLM answered with yes or no, {MIN_OF_EACH} of each "
            f"kind, got {len(yes)} with {positives} of them yes ({int((~known).sum())} more without an answer). "
            "Label more pictures"
        )
    slope, intercept, low, high = _fit(yes, truth, precision)
    answered, correct = _held_out(yes, truth, precision, seed)
    return VlmCalibration(
        slope=slope,
        intercept=intercept,
        cuts=Cuts(low, high, mass),
        wanted=precision,
        labels=len(labels),
        positives=int(right.sum()),
        unknown=int((~known).sum()),
        coverage=Proportion.of(answered, len(labels)),
        precision=Proportion.of(correct, answered),
        reason=_reason(slope, low, high, precision),
    )


def _fit(yes: np.ndarray, truth: np.ndarray, precision: float) -> tuple[float, float, float | None, float | None]:
    slope, intercept = _platt(yes, truth)
    if slope <= 0:
        return slope, intercept, None, None
    calibrated = _calibrated(yes, slope, intercept)
    high = _cut(calibrated, truth, precision)
    low = _cut(1 - calibrated, ~truth, precision)
    return slope, intercept, None if low is None else 1 - low, high


def _platt(yes: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    from scipy.optimize import minimize

    positives = truth.sum()
    # smoothed targets keep the slope finite where the labels are told apart without an error
    target = np.where(truth, (positives + 1) / (positives + 2), 1 / (len(truth) - positives + 2))
    odds = _logit(yes)

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        z = parameters[0] * odds + parameters[1]
        residual = _sigmoid(z) - target
        value = float(np.sum(np.logaddexp(0, z) - target * z))
        return value, np.array([np.sum(residual * odds), np.sum(residual)])

    slope, intercept = minimize(loss, np.array([1.0, 0.0]), jac=True, method="BFGS").x
    return float(slope), float(intercept)


def _cut(calibrated: np.ndarray, truth: np.ndarray, precision: float) -> float | None:
    """Returns the lowest cut, not below 0.5, with the wanted precision above it; None where there is none."""
    order = np.argsort(-calibrated, kind="stable")
    ordered, hits = calibrated[order], np.cumsum(truth[order])
    count = np.arange(1, len(ordered) + 1)
    # equal values fall on one side of a cut together
    last = np.append(ordered[1:] < ordered[:-1], True)
    fits = last & (ordered >= 0.5) & ((hits + 1) / (count + 2) >= precision - 1e-12)
    if not fits.any():
        return None
    at = int(np.flatnonzero(fits)[-1])
    # on the last value, for nothing is known of those between it and the next; a little lower, so that the last bits
    # of a probability decide nothing
    return float(max(ordered[at] - _EDGE, 0.5))


def _held_out(yes: np.ndarray, truth: np.ndarray, precision: float, seed: int) -> tuple[int, int]:
    """Returns how many labels get a verdict from a calibration made without them, and how many of these are right."""
    rng = np.random.default_rng(seed)
    fold = np.empty(len(yes), dtype=np.int64)
    for kind in (truth, ~truth):
        members = rng.permutation(np.flatnonzero(kind))
        fold[members] = np.arange(len(members)) % _FOLDS
    answered = correct = 0
    for held in range(_FOLDS):
        rest, here = fold != held, fold == held
        slope, intercept, low, high = _fit(yes[rest], truth[rest], precision)
        calibrated = _calibrated(yes[here], slope, intercept)
        says_yes = calibrated >= (math.inf if high is None else high)
        says_no = ~says_yes & (calibrated <= (-math.inf if low is None else low))
        answered += int(says_yes.sum() + says_no.sum())
        correct += int((says_yes & truth[here]).sum() + (says_no & ~truth[here]).sum())
    return answered, correct


def _reason(slope: float, low: float | None, high: float | None, precision: float) -> str:
    if slope <= 0:
        return "the VLM's answers do not go with the labels: the more it says yes, the less often that is right"
    missing = " nor ".join(word for word, cut in (("yes", high), ("no", low)) if cut is None)
    return f"no cut for {missing} has a precision of {whole(precision)} on these labels" if missing else ""


def _calibrated(yes: np.ndarray, slope: float, intercept: float) -> np.ndarray:
    return _sigmoid(slope * _logit(yes) + intercept)


def _logit(yes: np.ndarray) -> np.ndarray:
    inside = np.clip(yes, _EDGE, 1 - _EDGE)
    return np.asarray(np.log(inside) - np.log1p(-inside))


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return np.asarray(0.5 * (1 + np.tanh(z / 2)))
