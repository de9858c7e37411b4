"""One batch against a reference: quantities tested with the same permutations and corrected together. No FiftyOne."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import NormalDist

import numpy as np

from loupe.brain.core.drift import AREA, DRIFTED, NO_EVIDENCE, TOO_FEW, VARIATION, Confidence, DriftBatch, Shift
from loupe.brain.core.interrupts import leavable
from loupe.brain.slicing import drivers
from loupe.brain.slicing.columns import Column
from loupe.brain.slicing.shifts import Effect, Numbers, Quantity, taken
from loupe.brain.stats import two_sample
from loupe.brain.stats.mean_differences import mean_interval
from loupe.brain.stats.permutation import Corrected, Permutations, correct, permute, surprise

#: of more samples on a side so many are drawn at random: of quantities, and of vectors
MAX_SAMPLES, MAX_VECTORS = 10_000, 2_000
#: groups on a side, below which permuting says nothing
MIN_UNITS = 5
_FOLDS = 5
_EXAMPLES = 8
_POWER = 0.8
#: of the chance of a false alarm, what goes to the quantities that are permuted by samples and groups, and what to
#: those that groups decide themselves: they seldom alarm by chance where both sides have the same groups
_SHARES = (0.8, 0.2)


@dataclass(frozen=True, eq=False)
class Samples:
    """What is known of N samples, those of the reference and of all batches.

    Attributes:
        ids: N sample ids
        groups: (N,) int: what is kept together
        quantities: what is compared beside the vectors
        factors: what a shift is looked for in, by name
        vectors: (M, D) float32, none of them with NaN or infinity; None: there are none
        vector_of: (N,) int: the row of each sample's vector, -1 where it has none
        confidence, right: (N,) of each prediction its confidence and whether it was right (1 or 0); NaN where unknown
        vectors_name: what the vectors are called
    """

    ids: Sequence[str]
    groups: np.ndarray
    quantities: Sequence[Quantity] = ()
    factors: Mapping[str, Column] = field(default_factory=dict)
    vectors: np.ndarray | None = None
    vector_of: np.ndarray | None = None
    confidence: np.ndarray | None = None
    right: np.ndarray | None = None
    vectors_name: str = "embeddings"


@dataclass(frozen=True)
class Settings:
    """How batches are compared.

    Attributes:
        alpha: the chance that anything is called drifted where nothing is, over all batches
        permutations: how many
        min_samples: fewer on a side are too few
        batches: over so many batches it is corrected
        seed: decides everything
    """

    alpha: float = 0.05
    permutations: int = 999
    min_samples: int = 20
    batches: int = 1
    seed: int = 0


@leavable
def compare(
    samples: Samples, reference: np.ndarray, batch: np.ndarray, name: str, settings: Settings = Settings()
) -> DriftBatch:
    """Returns what of a batch differs from the reference.

    Args:
        samples: of both, and of others
        reference, batch: the places of their samples, none in both
        name: of the batch
        settings: how

    >>> rng = np.random.default_rng(0)
    >>> score = Numbers("sharpness", "score", np.r_[rng.normal(0, 1, 200), rng.normal(1, 1, 100)])
    >>> made = compare(Samples([str(n) for n in range(300)], np.arange(300), [score]), np.arange(200),
    ...                np.arange(200, 300), "today")
    >>> made.verdict, made.shifts[0].n_reference, made.shifts[0].p
    ('drifted', 200, 0.001)
    """
    rng = np.random.default_rng([settings.seed, len(reference), len(batch)])
    few = min(len(reference), len(batch))
    if few < settings.min_samples:
        side = "it" if few == len(batch) else "the reference"
        return _too_few(name, len(batch), f"{side} has {few:,} samples, at least {settings.min_samples} are needed")
    rows = [drawn(part, samples.groups, MAX_SAMPLES, rng) for part in (reference, batch)]
    used = (len(rows[0]), len(rows[1]))
    every = np.concatenate(rows)
    new = np.arange(len(every)) >= used[0]
    groups = samples.groups[every]
    made = permute(new, groups, settings.permutations, rng)
    reason = _doubt(made, settings)
    if reason:
        return replace(_too_few(name, len(batch), reason), used=used, units=made.units)

    tested, few_shifts = _tested(samples, every, new, groups, made, settings, rng)
    shifts, p = _in_order(tested, settings)
    drifted = [shift.quantity for shift in shifts if shift.verdict == DRIFTED]
    verdict = DRIFTED if drifted else NO_EVIDENCE if shifts else TOO_FEW
    numbers = {each.quantity.name: each.quantity for each in tested if isinstance(each.quantity, Numbers)}
    factors = {factor: taken(column, every) for factor, column in samples.factors.items()} if drifted else {}
    ids = [samples.ids[at] for at in every.tolist()]
    newest, oldest = _typical(next((numbers[each] for each in drifted if each in numbers), None), new)
    return DriftBatch(
        name=name,
        n=len(batch),
        used=used,
        units=made.units,
        verdict=verdict,
        reason="" if shifts else "there is nothing that both sides have enough of",
        p=p,
        shifts=(*shifts, *few_shifts),
        drivers=drivers.of_shifts([numbers[each] for each in drifted if each in numbers], factors, new, groups),
        newest=tuple(ids[at] for at in newest),
        oldest=tuple(ids[at] for at in oldest),
        calibration=calibration(samples, batch),
    )


def drawn(rows: np.ndarray, groups: np.ndarray, limit: int, rng: np.random.Generator) -> np.ndarray:
    """Returns some of the rows where there are more than ``limit``, ascending: whole groups, drawn at random.

    Of a group that is larger than the limit, as many of its rows as may be are taken.
    """
    if len(rows) <= limit:
        return rows
    _, of = np.unique(groups[rows], return_inverse=True)
    order = np.lexsort((rng.random(len(rows)), rng.permutation(int(of.max()) + 1)[of]))
    return np.sort(rows[order[:limit]])


@leavable
def calibration(samples: Samples, rows: np.ndarray) -> Confidence | None:
    """Returns confidence against outcome of some samples; None where no prediction has both.

    The bins of the expected calibration error hold about as many predictions each (Nguyen & O'Connor, EMNLP 2015).
    """
    if samples.confidence is None or samples.right is None:
        return None
    known = rows[np.isfinite(samples.confidence[rows]) & np.isfinite(samples.right[rows])]
    if not len(known):
        return None
    confidence, right = samples.confidence[known], samples.right[known]
    gap, low, high = mean_interval(confidence - right, samples.groups[known])
    order = np.argsort(confidence, kind="stable")
    bins = [part for part in np.array_split(order, 10) if len(part)]
    ece = sum(len(part) * abs(float((confidence[part] - right[part]).mean())) for part in bins) / len(known)
    return Confidence(len(known), float(confidence.mean()), float(right.mean()), gap, low, high, ece)


@dataclass(frozen=True, eq=False)
class _Tested:
    """A quantity with what permutations make of it; ``family``: those that were permuted alike."""

    quantity: Quantity
    n: tuple[int, int]
    statistics: Mapping[str, np.ndarray]
    effect: Effect
    family: int


def _tested(
    samples: Samples,
    every: np.ndarray,
    new: np.ndarray,
    groups: np.ndarray,
    made: Permutations,
    settings: Settings,
    rng: np.random.Generator,
) -> tuple[list[_Tested], list[Shift]]:
    """Returns what can be tested, and what both sides have too few of."""
    tested, few = _vectors(samples, every, new, groups, made, settings, rng)
    apart: Permutations | None = None
    for whole in samples.quantities:
        quantity = whole.take(every)
        known = quantity.known()
        n = (int((known & ~new).sum()), int((known & new).sum()))
        if not sum(n):  # neither side knows of it
            continue
        if min(n) < settings.min_samples:
            few.append(Shift(quantity.name, quantity.kind, *n, TOO_FEW))
            continue
        family, sides = 0, made.sides
        if made.exchanged and _decided_by_group(quantity, sides):
            # what a group decides, such as what its prompt asks for, is told by which groups there are
            apart = apart or permute(
                new, 2 * np.unique(groups, return_inverse=True)[1] + new, settings.permutations, rng
            )
            family, sides = 1, apart.sides
        statistics, effects = quantity.statistics(sides)
        effect = quantity.effect(new, groups, effects[1:], rng)
        tested.append(_Tested(quantity, n, statistics, effect, family))
    return tested, few


def _decided_by_group(quantity: Quantity, sides: np.ndarray) -> bool:
    """Returns whether permuting moves nothing of a quantity, though it may differ."""
    statistics, _ = quantity.statistics(sides[:, :20])
    first = next(iter(statistics.values()))
    return bool(first[0] > 0 and np.ptp(first) <= 1e-9 * first[0])


def _vectors(
    samples: Samples,
    every: np.ndarray,
    new: np.ndarray,
    groups: np.ndarray,
    made: Permutations,
    settings: Settings,
    rng: np.random.Generator,
) -> tuple[list[_Tested], list[Shift]]:
    if samples.vectors is None or samples.vector_of is None:
        return [], []
    name, of = samples.vectors_name, samples.vector_of[every]
    parts = [np.flatnonzero((of >= 0) & (new == side)) for side in (False, True)]
    n = (len(parts[0]), len(parts[1]))
    if not sum(n):
        return [], []
    if min(n) < settings.min_samples:
        return [], [Shift(name, "embeddings", *n, TOO_FEW)]
    rows = np.concatenate([drawn(part, groups, MAX_VECTORS, rng) for part in parts])
    vectors, sides = samples.vectors[of[rows]], made.sides[rows]
    classifier = two_sample.Classifier.of(vectors, groups[rows], _FOLDS, rng)
    areas = classifier.auc(sides)
    statistics = {
        # what is left of vectors that are all alike is the rounding of sums
        "MMD": np.round(two_sample.mmd2(two_sample.rbf(two_sample.squared_distances(vectors)), sides), 8),
        "classifier": np.where(np.isnan(areas), 0.5, areas),
    }
    predictions = classifier.predictions(sides[:, 0])
    fold_of = np.zeros(len(rows), dtype=np.int64)
    for fold, (out, _) in enumerate(classifier.folds):
        fold_of[out] = fold
    area, moved = two_sample.auc_influence(predictions, sides[:, 0], fold_of)
    permuted = statistics["classifier"][1:]
    sums = np.bincount(np.unique(groups[rows], return_inverse=True)[1], weights=moved)
    # DeLong's error holds for given classifiers; how much they vary themselves is seen in the permutations
    reach = 1.96 * max(math.sqrt(float((sums**2).sum())), float(permuted.std()))
    low, high = max(0.0, area - reach), min(1.0, area + reach)
    scores = np.full(len(every), np.nan)
    scores[rows] = predictions
    used = (int((~sides[:, 0]).sum()), int(sides[:, 0].sum()))
    effect = Effect(AREA, math.nan, math.nan, area, low, high, permuted)
    return [_Tested(Numbers(name, "embeddings", scores), used, statistics, effect, 0)], []


def _in_order(tested: Sequence[_Tested], settings: Settings) -> tuple[list[Shift], float]:
    """Returns the quantities with their p, the surest first, and the p of all of them."""
    families = sorted({each.family for each in tested})
    shifts: list[Shift] = []
    for family in families:
        times = settings.batches / (_SHARES[family] if len(families) > 1 else 1)
        own = [each for each in tested if each.family == family]
        single = [surprise(np.stack(list(each.statistics.values()))) for each in own]
        # a quantity is as far out as the farther of its tests; with more tests that is farther by chance, so that it is
        # set against its own permutations once more
        joint = surprise(np.stack([far.max(axis=0) for far in single]))
        corrected = correct(joint, settings.alpha / times)
        for at, each in enumerate(own):
            alone = correct(single[at], settings.alpha)
            tests = dict(zip(each.statistics, map(float, alone.p), strict=True))
            shifts.append(_shift(each, corrected, at, times, settings.alpha, tests))
    shifts.sort(key=lambda shift: (shift.p_adjusted, shift.p, -abs(_outside(shift))))
    return shifts, min((shift.p_adjusted for shift in shifts), default=math.nan)


def _shift(
    each: _Tested, corrected: Corrected, at: int, times: float, alpha: float, tests: Mapping[str, float]
) -> Shift:
    effect, p = each.effect, float(corrected.p[at])
    adjusted = min(1.0, float(corrected.adjusted[at]) * times)
    permuted = effect.permuted
    sided = 2 if effect.name not in (AREA, VARIATION) else 1
    reach = NormalDist().inv_cdf(1 - corrected.tail / sided) + NormalDist().inv_cdf(_POWER)
    middle = 0.0 if sided == 2 else float(permuted.mean())
    null_low, null_high = np.quantile(permuted, [0.025, 0.975]).tolist()
    return Shift(
        quantity=each.quantity.name,
        kind=each.quantity.kind,
        n_reference=each.n[0],
        n=each.n[1],
        verdict=DRIFTED if adjusted <= alpha else NO_EVIDENCE,
        effect=effect.name,
        reference=effect.reference,
        new=effect.new,
        value=effect.value,
        low=effect.low,
        high=effect.high,
        null_low=float(null_low),
        null_high=float(null_high),
        detectable=middle + reach * float(permuted.std()),
        p=p,
        p_adjusted=adjusted,
        tests=tests,
        changes=effect.changes,
    )


def _outside(shift: Shift) -> float:
    return 0.0 if math.isnan(shift.outside) else shift.outside


def _typical(scores: Numbers | None, new: np.ndarray) -> tuple[list[int], list[int]]:
    """Returns which samples are the most typical of the new side, and of the reference's."""
    if scores is None:
        return [], []
    values, known = scores.values, scores.known()
    up = values[known & new].mean() >= values[known & ~new].mean()
    order = np.argsort(np.where(known, values if up else -values, np.nan), kind="stable")
    order = order[known[order]]
    newest = order[::-1][new[order[::-1]]][:_EXAMPLES]
    oldest = order[~new[order]][:_EXAMPLES]
    return newest.tolist(), oldest.tolist()


def _doubt(made: Permutations, settings: Settings) -> str:
    """Returns why permuting says too little; empty where it does not."""
    reference, new = made.units
    if min(made.units) < MIN_UNITS:
        side, count = ("it", new) if new <= reference else ("the reference", reference)
        return f"{side} has only {count:,} groups of samples, at least {MIN_UNITS} are needed"
    if made.distinct < 2 * settings.batches / settings.alpha:
        return f"there are only {made.distinct:.0f} ways to permute its groups"
    return ""


def _too_few(name: str, n: int, reason: str) -> DriftBatch:
    return DriftBatch(name, n, (0, 0), (0, 0), TOO_FEW, reason)
