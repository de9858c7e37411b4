"""Where a new model fails more often than an old one: slices, chosen on one half and confirmed on the other.

Only numpy: what is compared are sums over the samples of a slice, of pairs as well as of samples that have no partner.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from loupe.brain.core.comparison import Regression
from loupe.brain.core.interrupts import leavable
from loupe.brain.core.results import Slice
from loupe.brain.slicing.columns import Column, combine, shown
from loupe.brain.slicing.comparison import Counts, difference_of, paired_counts
from loupe.brain.stats import differences as stats
from loupe.brain.stats.effective_n import effective_n_of_values

#: so many slices are chosen, to be confirmed
MAX_CHOSEN = 10
#: a slice is chosen where the new one fails more by that much, in standard errors
_CHOSEN_Z = 1.645
#: a slice is none of its own unless it is worse than what lies around it by so many standard errors; it is the worst of
#: many, so that two would say little
_APART_Z = 3.0
#: a slice inside of the surest one takes its place where it stands out by so many: there are hundreds of them
_SHARP_Z = 3.5


@dataclass(frozen=True, eq=False)
class Units:
    """What two contenders are compared by: U pairs, or U pictures without a partner.

    Attributes:
        new, old: their names
        failed_new, failed_old: (U,) floats: 1 failed, 0 passed, or a share; NaN: that one has no picture here
        clusters: (U,) int, or None
        factors: by name the values of each unit
        paired: whether each unit has both
    """

    new: str
    old: str
    failed_new: np.ndarray
    failed_old: np.ndarray
    clusters: np.ndarray | None
    factors: Mapping[str, Column]
    paired: bool

    def __len__(self) -> int:
        return len(self.failed_new)

    def weights(self) -> np.ndarray:
        """Returns (U, 4) what is summed over a slice: of pairs where only the new one failed, where only the old one
        did, and twice their number; else failures and pictures of the new one, then of the old one."""
        if self.paired:
            new, old = self.failed_new, self.failed_old
            return np.stack([new * (1 - old), old * (1 - new), np.ones_like(new), np.ones_like(new)], axis=1)
        parts = [part for failed in (self.failed_new, self.failed_old) for part in (failed, np.ones_like(failed))]
        table = np.stack(parts, axis=1)
        table[np.isnan(self.failed_new), :2] = 0
        table[np.isnan(self.failed_old), 2:] = 0
        return table


@dataclass(frozen=True)
class _Candidate:
    values: tuple[tuple[str, object], ...]
    rows: np.ndarray
    z: float


@leavable
def find(
    units: Units,
    *,
    min_samples: int = 20,
    max_factors: int = 2,
    rate: float = 0.05,
    confidence: float = 0.95,
    seed: int = 0,
) -> list[Regression]:
    """Returns the slices in which the new one fails more often, the surest first.

    The units are split in two halves, clusters as a whole. On the first half slices of one factor and of two, and all
    units as one slice, are chosen, the surest first: each is the simplest that explains it, and the next is looked for
    among what it leaves. On the second half each is tested once; Benjamini's and Hochberg's correction is over those.

    Args:
        units: pairs or pictures
        min_samples: of a slice, pairs or pictures of each, on both halves together
        max_factors: how many factors a slice may have: 1 or 2
        rate: which share of the confirmed ones may be false
        confidence: of the intervals
        seed: decides the halves

    Returns:
        the slices that were chosen, also those that were not confirmed
    """
    first = _first_half(units, seed)
    chosen = _chosen(units, first, min_samples, max_factors)
    if not chosen:
        return []
    made = [
        Regression(
            slice=Slice({name: shown(value) for name, value in candidate.values}),
            difference=difference_of(units.new, units.old, counts_of(units, candidate.rows, confidence), confidence),
            p=p,
            q=p,
            confirmed=False,
        )
        for candidate, p in zip(chosen, _tested(units, ~first, chosen), strict=True)
    ]
    return corrected(made, rate)


def corrected(listed: Sequence[Regression], rate: float = 0.05) -> list[Regression]:
    """Returns the slices of one model, or of several, corrected over all of them: the confirmed first, then the surest.

    Args:
        listed: the slices; what they hold as ``q`` and ``confirmed`` does not matter
        rate: which share of the confirmed ones may be false
    """
    if not listed:
        return []
    from scipy.stats import false_discovery_control

    q = false_discovery_control([each.p for each in listed])
    made = [replace(each, q=float(own), confirmed=bool(own <= rate)) for each, own in zip(listed, q, strict=True)]
    return sorted(made, key=lambda each: (not each.confirmed, each.q, -each.difference.difference))


def _tested(units: Units, second: np.ndarray, chosen: Sequence[_Candidate]) -> list[float]:
    """Returns the p-value of each slice on the second half: as a whole, and without those before it, the higher."""
    p_values, left = [], second.copy()
    for candidate in chosen:
        parts = [candidate.rows[kept[candidate.rows]] for kept in (second, left)]
        p_values.append(max(_one_sided(units, rows) for rows in parts))
        left[candidate.rows] = False
    return p_values


def counts_of(units: Units, rows: np.ndarray, confidence: float = 0.95) -> Counts:
    """Returns what a difference of some units is made of; the new one is ``a``.

    Args:
        units: pairs or pictures
        rows: (K,) int64: which of them
        confidence: of the interval that is made of it
    """
    clusters = None if units.clusters is None else units.clusters[rows]
    new, old = units.failed_new[rows], units.failed_old[rows]
    if units.paired:
        return paired_counts(new, old, clusters, confidence)
    sides = []
    for failed in (new, old):
        own = ~np.isnan(failed)
        worth = effective_n_of_values(failed[own], None if clusters is None else clusters[own], confidence)
        sides.append((float(failed[own].sum()), int(own.sum()), worth))
    (k_a, n_a, worth_a), (k_b, n_b, worth_b) = sides
    return Counts(False, k_a, n_a, k_b, n_b, float("nan"), float("nan"), worth_a, worth_b)


def _one_sided(units: Units, rows: np.ndarray) -> float:
    """Returns the p-value of "the new one fails at most as often as the old one" in some units."""
    counts = counts_of(units, rows)
    if not (counts.n_a and counts.n_b):
        return 1.0
    if counts.paired:
        share = counts.worth_a / counts.n_a
        return float(stats.more_often_p(counts.only_a * share, counts.only_b * share))
    rate_a, rate_b = counts.k_a / counts.n_a, counts.k_b / counts.n_b
    p = float(stats.unpaired_p(counts.worth_a * rate_a, counts.worth_a, counts.worth_b * rate_b, counts.worth_b))
    return p / 2 if rate_a > rate_b else 1 - p / 2


def _first_half(units: Units, seed: int) -> np.ndarray:
    """Returns (U,) bool: which units slices are chosen on; the units of a cluster stay together."""
    rng = np.random.default_rng(seed)
    if units.clusters is None:
        return rng.permutation(len(units)) < len(units) / 2
    _, own = np.unique(units.clusters, return_inverse=True)
    number = int(own.max(initial=-1)) + 1
    return (rng.permutation(number) < number / 2)[own]


def _chosen(units: Units, first: np.ndarray, min_samples: int, max_factors: int) -> list[_Candidate]:
    weights = units.weights()
    # what clusters make of a variance, of all units alike: a slice may be too small to tell its own
    spread = 1.0
    if units.clusters is not None and len(units):
        value = np.nan_to_num(units.failed_new) - np.nan_to_num(units.failed_old)
        spread = np.sqrt(len(units) / effective_n_of_values(value, units.clusters))
    chosen: list[_Candidate] = []
    left = np.ones(len(units), dtype=bool)
    while len(chosen) < MAX_CHOSEN:
        best = _best(units, weights, first & left, left, min_samples, max_factors, spread)
        if best is None:
            break
        chosen.append(best)
        left[best.rows] = False
        if not best.values:
            break
    return chosen


def _best(
    units: Units,
    weights: np.ndarray,
    first: np.ndarray,
    left: np.ndarray,
    min_samples: int,
    max_factors: int,
    spread: float,
) -> _Candidate | None:
    """Returns the slice that is worst on the first half, without what was chosen before; None: none is bad enough."""
    best: _Candidate | None = None
    tables: list[_Table] = []
    for names, columns in _subsets(units, max_factors):
        slices = combine(columns, len(units)) if len(names) > 1 else None
        if slices is None:
            samples, codes, values = _single(columns, len(units))
        else:
            samples, codes, values = slices.samples, slices.codes, [tuple(each.items()) for each in slices.values]
        sums = _sums(weights, samples, codes, first, len(values))
        sizes = _sums(weights, samples, codes, left, len(values))
        z = _z(units, sums) / spread
        z[np.minimum(sizes[:, 2 if units.paired else 1], sizes[:, 3]) < min_samples] = -np.inf
        tables.append(_Table(values, sums, z))
        at = int(np.argmax(z)) if len(z) else -1
        if at >= 0 and z[at] > (best.z if best else _CHOSEN_Z):
            best = _Candidate(values[at], samples[codes == at], float(z[at]))
    if best is None:
        return None
    simplest = _simplest(units, weights, first, best, spread)
    return _sharpest(units, weights[first & _inside(units, simplest)].sum(axis=0), simplest, tables, spread)


@dataclass(frozen=True, eq=False)
class _Table:
    """The slices of some factors: (S, 4) sums of the weights of each, and (S,) by how much each is worse."""

    values: list[tuple[tuple[str, object], ...]]
    sums: np.ndarray
    z: np.ndarray


def _sharpest(
    units: Units, sums: np.ndarray, chosen: _Candidate, tables: Sequence[_Table], spread: float
) -> _Candidate:
    """Returns the slice, or the one inside of it that stands out most from the rest of it, where one surely does.

    Of several slices that got worse all of them together may be the surest, with what did not change.
    """
    sharpest, most_apart = chosen.values, _SHARP_Z
    for table in tables:
        inner = [set(chosen.values) < set(values) for values in table.values]
        apart = np.where(inner & (table.z > _CHOSEN_Z), _apart(units, table.sums, sums - table.sums) / spread, -np.inf)
        at = int(np.argmax(apart)) if len(apart) else -1
        if at >= 0 and apart[at] > most_apart:
            sharpest, most_apart = table.values[at], float(apart[at])
    return chosen if sharpest == chosen.values else _Candidate(sharpest, _rows(units, sharpest), chosen.z)


def _inside(units: Units, candidate: _Candidate) -> np.ndarray:
    inside = np.zeros(len(units), dtype=bool)
    inside[candidate.rows] = True
    return inside


def _subsets(units: Units, max_factors: int) -> Iterator[tuple[tuple[str, ...], dict[str, Column]]]:
    """Yields no factor, each factor, and each two."""
    for size in range(max_factors + 1):
        for names in itertools.combinations(units.factors, size):
            yield names, {name: units.factors[name] for name in names}


def _single(
    columns: Mapping[str, Column], n: int
) -> tuple[np.ndarray, np.ndarray, list[tuple[tuple[str, object], ...]]]:
    if not columns:
        return np.arange(n), np.zeros(n, dtype=np.int64), [()]
    ((name, column),) = columns.items()
    return column.samples, column.codes, [((name, value),) for value in column.values]


def _sums(weights: np.ndarray, samples: np.ndarray, codes: np.ndarray, kept: np.ndarray, n: int) -> np.ndarray:
    """Returns (S, 4) the sums of the weights of the units that are kept, slice by slice."""
    use = kept[samples]
    samples, codes = samples[use], codes[use]
    return np.stack(
        [np.bincount(codes, weights=weights[samples, part], minlength=n) for part in range(weights.shape[1])], axis=1
    )


def _z(units: Units, sums: np.ndarray) -> np.ndarray:
    """Returns (S,) by how many standard errors the new one fails more, as if pictures were independent."""
    one_way, other_way, third, fourth = sums.T
    with np.errstate(divide="ignore", invalid="ignore"):
        if units.paired:
            # half a pair less: a few pairs are no sign of anything
            excess = np.maximum(np.abs(one_way - other_way) - 0.5, 0) * np.sign(one_way - other_way)
            z = excess / np.sqrt(one_way + other_way)
        else:
            total = other_way + fourth
            pooled = (one_way + third) / total
            z = (one_way / other_way - third / fourth) / np.sqrt(
                pooled * (1 - pooled) * (1 / other_way + 1 / fourth) * total / (total - 1)
            )
    return np.where(np.isfinite(z), z, -np.inf)


def _simplest(units: Units, weights: np.ndarray, first: np.ndarray, best: _Candidate, spread: float) -> _Candidate:
    """Returns the slice, or one of fewer values in which the new one fails more outside of that slice, too."""
    inside = _inside(units, best)
    own = weights[inside & first].sum(axis=0)
    for size in range(len(best.values)):
        for values in itertools.combinations(best.values, size):
            rows = _rows(units, values)
            rest = weights[rows[~inside[rows] & first[rows]]].sum(axis=0)
            z = float(_z(units, rest[None])[0]) / spread
            if z > _CHOSEN_Z and _apart(units, own, rest) / spread < _APART_Z:
                return _Candidate(values, rows, z)
    return best


def _apart(units: Units, inside: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Returns (...) by how many standard errors the difference is larger in (..., 4) slices than around them."""
    with np.errstate(divide="ignore", invalid="ignore"):
        (own, own_variance), (other, other_variance) = _moments(units, inside), _moments(units, rest)
        z = (own - other) / np.sqrt(own_variance + other_variance)
    return np.where(np.isfinite(z), z, -np.inf)


def _moments(units: Units, sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the differences of two rates, and their variances."""
    only_new, only_old, n, n_old = np.moveaxis(sums, -1, 0)
    if units.paired:
        difference = (only_new - only_old) / n
        return difference, (only_new + only_old) / n**2 - difference**2 / n
    rate_new, rate_old = only_new / only_old, n / n_old
    return rate_new - rate_old, rate_new * (1 - rate_new) / only_old + rate_old * (1 - rate_old) / n_old


def _rows(units: Units, values: tuple[tuple[str, object], ...]) -> np.ndarray:
    rows = np.arange(len(units))
    for name, value in values:
        rows = np.intersect1d(rows, units.factors[name].rows(value))
    return rows
