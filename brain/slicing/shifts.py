"""What is compared of two sides, as counts that permuting adds up: numbers in fine bins, and classes.

A quantity becomes a sparse table of counts by sample. Its product with the permuted sides gives every permutation's
counts at once, and the statistics follow from those.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from loupe.brain.core.drift import MEAN, SHARE, VARIATION, Change, Kind
from loupe.brain.slicing.columns import Column, shown
from loupe.brain.stats.mean_differences import difference_of_means

#: bins that numbers are counted in: a test by them sees all but what is finer than a thirtieth of the samples
_BINS = 32
#: classes beyond the most frequent ones are counted together
_MAX_CLASSES = 50
#: resamples behind the interval of a mix
_RESAMPLES = 400
_CHUNK = 250
_MAX_CHANGES = 5


@dataclass(frozen=True, eq=False)
class Effect:
    """A quantity's effect: its size, interval, and what permutations make of it.

    Attributes:
        name: as ``Shift.effect``
        reference, new, value, low, high: as in ``Shift``
        permuted: (P,) the effect in each permutation
        changes: as in ``Shift``
    """

    name: str
    reference: float
    new: float
    value: float
    low: float
    high: float
    permuted: np.ndarray
    changes: tuple[Change, ...] = ()


class Quantity(ABC):
    """Something of N samples that may differ between two sides; a sample may lack it."""

    name: str
    kind: Kind

    @abstractmethod
    def take(self, rows: np.ndarray) -> Quantity:
        """Returns the quantity of some of the samples, in that order."""

    @abstractmethod
    def known(self) -> np.ndarray:
        """Returns which samples have it: (N,) bool."""

    @abstractmethod
    def statistics(self, sides: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Returns by name of the test the (1 + P,) statistics of the sides, larger is farther, and the effects.

        Args:
            sides: (N, 1 + P) bool
        """

    @abstractmethod
    def effect(self, new: np.ndarray, groups: np.ndarray, permuted: np.ndarray, rng: np.random.Generator) -> Effect:
        """Returns the effect with its interval.

        Args:
            new: (N,) bool
            groups: (N,) int
            permuted: (P,) effects, as ``statistics`` gave them
            rng: decides what is drawn for the interval
        """


@dataclass(frozen=True, eq=False)
class Numbers(Quantity):
    """A number of each sample.

    Attributes:
        name: the quantity's
        kind: the quantity's
        values: (N,) float64; NaN and infinity: the sample has none
    """

    name: str
    kind: Kind
    values: np.ndarray

    def take(self, rows: np.ndarray) -> Numbers:
        return Numbers(self.name, self.kind, self.values[rows])

    def known(self) -> np.ndarray:
        return np.asarray(np.isfinite(self.values))

    def statistics(self, sides: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
        known = self.known()
        values = self.values[known]
        edges = np.unique(np.quantile(values, np.linspace(0, 1, _BINS + 1)[1:-1]))
        # a value on an edge lies below it, so that the values of a discrete number have bins of their own
        codes = np.searchsorted(edges, values, side="left")
        inside = sides[known]
        counts = _added(codes, np.arange(len(values)), len(edges) + 1, inside)
        spread = float(values.std()) or 1.0
        sums = _summed((values - values.mean()) / spread, inside)
        total = np.bincount(codes, minlength=len(edges) + 1).astype(np.float64)
        n_new = np.maximum(counts.sum(axis=0), 1)
        n_reference = np.maximum(len(values) - counts.sum(axis=0), 1)
        share_new, share_reference = counts / n_new, (total[:, None] - counts) / n_reference
        ks = np.abs(np.cumsum(share_new - share_reference, axis=0)).max(axis=0)
        ranks = (np.cumsum(total) - total / 2) / len(values)
        shift = np.abs(ranks @ (share_new - share_reference))
        means = sums * spread / n_new + sums * spread / n_reference  # the sums of both sides add up to 0
        return {"KS": ks, "rank sum": shift}, means

    def effect(self, new: np.ndarray, groups: np.ndarray, permuted: np.ndarray, rng: np.random.Generator) -> Effect:
        known = self.known()
        made = difference_of_means(self.values[known], new[known], groups[known])
        name = SHARE if self.kind == "unknown" else MEAN
        return Effect(name, made.reference, made.new, made.value, made.low, made.high, permuted)


@dataclass(frozen=True, eq=False)
class Classes(Quantity):
    """A class of each sample, or several: labels, or a factor's values. A missing value is a class of its own.

    Attributes:
        name: the quantity's
        kind: the quantity's
        column: which classes each sample has
    """

    name: str
    kind: Kind
    column: Column

    def take(self, rows: np.ndarray) -> Classes:
        return Classes(self.name, self.kind, taken(self.column, rows))

    def known(self) -> np.ndarray:
        return np.ones(self.column.n, dtype=bool)

    def statistics(self, sides: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
        codes, names = self._folded()
        counts = _added(codes, self.column.samples, len(names), sides)
        total = np.bincount(codes, minlength=len(names)).astype(np.float64)[:, None]
        rest = total - counts
        n_new, n_reference = np.maximum(counts.sum(axis=0), 1), np.maximum(rest.sum(axis=0), 1)
        expected = total * n_new / (n_new + n_reference)
        squared = (counts - expected) ** 2
        chi2 = (squared / np.maximum(expected, 1e-9) + squared / np.maximum(total - expected, 1e-9)).sum(axis=0)
        return {"chi-square": chi2}, 0.5 * np.abs(counts / n_new - rest / n_reference).sum(axis=0)

    def effect(self, new: np.ndarray, groups: np.ndarray, permuted: np.ndarray, rng: np.random.Generator) -> Effect:
        codes, names = self._folded()
        shares, drawn = _drawn_shares(codes, self.column.samples, len(names), new, groups, rng)
        differences = shares[1] - shares[0]
        spread = (drawn[1] - drawn[0]).std(axis=0)
        value = 0.5 * float(np.abs(differences).sum())
        low, high = _variation_interval(value, differences, drawn[1] - drawn[0])
        order = np.argsort(-np.abs(differences), kind="stable")[:_MAX_CHANGES]
        changes = tuple(
            Change(
                names[at],
                float(shares[0][at]),
                float(shares[1][at]),
                float(differences[at] - 1.96 * spread[at]),
                float(differences[at] + 1.96 * spread[at]),
            )
            for at in order.tolist()
        )
        return Effect(VARIATION, np.nan, np.nan, value, low, high, permuted, changes)

    def _folded(self) -> tuple[np.ndarray, list[str]]:
        """Returns the class of each entry, the rare ones as one, and their names."""
        counts = self.column.counts()
        names = [shown(value) for value in self.column.values]
        if len(names) <= _MAX_CLASSES:
            return self.column.codes, names
        kept = np.sort(np.argsort(-counts, kind="stable")[: _MAX_CLASSES - 1])
        place = np.full(len(names), len(kept))
        place[kept] = np.arange(len(kept))
        rest = f"{len(names) - len(kept):,} others"
        return place[self.column.codes], [*(names[at] for at in kept.tolist()), rest]


def _variation_interval(value: float, differences: np.ndarray, drawn: np.ndarray) -> tuple[float, float]:
    """Returns the 95 % interval of a total variation.

    A distance is never below 0, and by chance above it: of small ones the usual intervals miss. By the triangle
    inequality it is no less than what was measured minus the distance that chance alone makes, of which 95 of 100
    resamples stay below the low end's; the high end has what resampling adds on average taken off.

    Args:
        value: half the sum of the differences' sizes
        differences: (V,) of the shares
        drawn: (R, V) of resamples
    """
    varied = 0.5 * np.abs(drawn).sum(axis=1)
    chance = 0.5 * np.abs(drawn - differences).sum(axis=1)
    error = max(float((0.5 * drawn @ np.sign(differences)).std()), float(varied.std()))
    low = value - float(np.quantile(chance, 0.95))
    high = max(value - (float(varied.mean()) - value), 0.0) + 1.96 * error
    return float(np.clip(low, 0, value)), float(np.clip(high, value, 1))


def taken(column: Column, rows: np.ndarray) -> Column:
    """Returns the column of some of the samples, in that order; its values stay the same."""
    first = np.searchsorted(column.samples, np.arange(column.n + 1))
    times = np.diff(first)[rows]
    samples = np.repeat(np.arange(len(rows)), times)
    offset = np.arange(len(samples)) - np.repeat(np.cumsum(times) - times, times)
    return Column(column.values, samples, column.codes[first[rows][samples] + offset], len(rows))


def indicator(name: str, kind: Kind, asked: np.ndarray, holds: np.ndarray) -> Numbers:
    """Returns the share of samples of which something holds, of those of which it is asked.

    Args:
        name: of the quantity
        kind: of the quantity
        asked, holds: (N,) bool
    """
    return Numbers(name, kind, np.where(asked, holds.astype(np.float64), np.nan))


def _added(codes: np.ndarray, samples: np.ndarray, width: int, sides: np.ndarray) -> np.ndarray:
    """Returns how many entries of each code are on the new side: (width, 1 + P) float64."""
    from scipy.sparse import csr_matrix

    ones = np.ones(len(codes), dtype=np.float32)
    table = csr_matrix((ones, (codes, samples)), shape=(width, len(sides)))
    parts = [table @ sides[:, at : at + _CHUNK].astype(np.float32) for at in range(0, sides.shape[1], _CHUNK)]
    return np.concatenate(parts, axis=1).astype(np.float64)


def _summed(values: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """Returns the sum of the values on the new side: (1 + P,) float64."""
    parts = [values @ sides[:, at : at + _CHUNK].astype(np.float64) for at in range(0, sides.shape[1], _CHUNK)]
    return np.concatenate(parts)


def _drawn_shares(
    codes: np.ndarray, samples: np.ndarray, width: int, new: np.ndarray, groups: np.ndarray, rng: np.random.Generator
) -> tuple[Sequence[np.ndarray], Sequence[np.ndarray]]:
    """Returns the (width,) shares on the reference's and the new side, and (R, width) of them with groups redrawn."""
    from scipy.sparse import csr_matrix

    _, of = np.unique(groups, return_inverse=True)
    count = int(of.max()) + 1
    # each group is drawn so many times as chance has it, once on average (the Poisson bootstrap)
    weights = rng.poisson(1.0, (_RESAMPLES, count)).astype(np.float32)
    shares, drawn = [], []
    for side in (False, True):
        own = new[samples] == side
        rows = (np.ones(int(own.sum()), dtype=np.float32), (of[samples[own]], codes[own]))
        table: Any = csr_matrix(rows, shape=(count, width))
        total = np.asarray(table.sum(axis=0)).ravel()
        shares.append(total / max(total.sum(), 1))
        again = np.asarray((table.T @ weights.T).T)
        drawn.append(again / np.maximum(again.sum(axis=1, keepdims=True), 1))
    return shares, drawn
