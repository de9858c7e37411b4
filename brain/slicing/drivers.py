"""Which slice a shift comes from: where the samples themselves changed, and where only the mix of slices did."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist

import numpy as np

from loupe.brain.core.drift import Driver
from loupe.brain.core.results import Slice
from loupe.brain.slicing.columns import Column, shown
from loupe.brain.slicing.shifts import Numbers
from loupe.brain.stats.mean_differences import contrast

#: samples that each side needs in a slice
MIN_SAMPLES = 10
_MAX_VALUES = 50
_MAX_EACH = 3
#: a change of mix is named where it is at least so much of the shift
_MIN_MIX = 0.25


def of_shifts(
    quantities: Sequence[Numbers], factors: Mapping[str, Column], new: np.ndarray, groups: np.ndarray
) -> tuple[Driver, ...]:
    """Returns the slices that the shifts of some numbers come from; none where a shift is about the same everywhere.

    A slice is named where its samples shifted the same way and surely more than all others, with Bonferroni's
    correction for all slices that were looked at. The parts of a shift are those of Kitagawa, JASA 50 (1955): the
    changed shares of the slices by their mean, and the changed means by their mean share.

    Args:
        quantities: of N samples, those that drifted
        factors: by name
        new: (N,) bool
        groups: (N,) int
    """
    return tuple(driver for quantity in quantities for driver in _of_shift(quantity, factors, new, groups))


def _of_shift(quantity: Numbers, factors: Mapping[str, Column], new: np.ndarray, groups: np.ndarray) -> list[Driver]:
    known = quantity.known()
    values = np.where(known, quantity.values, 0.0)
    whole = float(values[known & new].mean() - values[known & ~new].mean())
    if whole == 0:
        return []
    slices = [
        (name, column, code)
        for name, column in factors.items()
        if len(column.values) > 1
        for code in np.argsort(-column.counts(), kind="stable")[:_MAX_VALUES].tolist()
    ]
    reach = NormalDist().inv_cdf(1 - 0.025 / max(len(slices), 1))
    within = []
    for name, column, code in slices:
        inside = np.zeros(len(new), dtype=bool)
        inside[column.samples[column.codes == code]] = True
        driver = _within(
            quantity.name, Slice({name: shown(column.values[code])}), values, known, new, inside, groups, reach
        )
        if driver is not None and (driver.low > 0 if whole > 0 else driver.high < 0):
            within.append(_shared(driver, whole, known, new, inside))
    within.sort(key=lambda driver: -driver.share)
    mixes = [_mix(quantity.name, name, column, values, known, new, whole) for name, column in factors.items()]
    named = [mix for mix in mixes if mix is not None and mix.share >= _MIN_MIX]
    return [*within[:_MAX_EACH], *sorted(named, key=lambda driver: -driver.share)[:1]]


def _within(
    name: str,
    where: Slice,
    values: np.ndarray,
    known: np.ndarray,
    new: np.ndarray,
    inside: np.ndarray,
    groups: np.ndarray,
    reach: float,
) -> Driver | None:
    own, own_reference = int((inside & known & new).sum()), int((inside & known & ~new).sum())
    if min(own, own_reference) < MIN_SAMPLES:
        return None
    more, error = contrast(values[known], new[known], inside[known], groups[known])
    if math.isnan(more) or math.isnan(error):
        return None
    shift = float(values[inside & known & new].mean() - values[inside & known & ~new].mean())
    return Driver(
        name, where, "within", math.nan, shift, more - reach * error, more + reach * error, own_reference, own
    )


def _shared(driver: Driver, whole: float, known: np.ndarray, new: np.ndarray, inside: np.ndarray) -> Driver:
    from dataclasses import replace

    share = (inside[known & new].mean() + inside[known & ~new].mean()) / 2
    return replace(driver, share=float(share * driver.shift / whole))


def _mix(
    name: str, factor: str, column: Column, values: np.ndarray, known: np.ndarray, new: np.ndarray, whole: float
) -> Driver | None:
    """Returns how much of a shift is the changed mix of a factor; None of one that has several values of a sample."""
    if len(column.samples) != column.n or len(column.values) < 2:
        return None
    width = len(column.values)
    parts = []
    for side in (known & ~new, known & new):
        codes = column.codes[side]
        counts = np.bincount(codes, minlength=width)
        sums = np.bincount(codes, weights=values[side], minlength=width)
        parts.append((counts / max(counts.sum(), 1), sums / np.maximum(counts, 1), counts))
    (share_reference, mean_reference, n_reference), (share_new, mean_new, n_new) = parts
    # where one side has no sample of a slice, the other side's mean is the best there is
    mean_reference = np.where(n_reference > 0, mean_reference, mean_new)
    mean_new = np.where(n_new > 0, mean_new, mean_reference)
    mixed = (share_new - share_reference) * (mean_reference + mean_new) / 2
    largest = int(np.argmax(np.abs(share_new - share_reference)))
    where = Slice({factor: shown(column.values[largest])})
    share = float(mixed.sum() / whole)
    return Driver(name, where, "mix", share, n_reference=int(n_reference[largest]), n=int(n_new[largest]))
