"""Numbers in bins: where one bin ends and the next begins, and what they are called."""

from __future__ import annotations

import itertools
import math
import sys
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from decimal import ROUND_FLOOR, Decimal

import numpy as np

from loupe.brain.core.errors import InputError
from loupe.brain.core.numbers import is_real, is_whole

#: how many bins there may be
MAX_BINS = 100


def checked(bins: int | Iterable[float]) -> int | tuple[float, ...]:
    """Returns bins as a factor keeps them: their number, or the edges between them.

    Raises:
        InputError: fewer than 2 or more than 100 bins, or edges that are no rising finite numbers

    >>> checked([0, 0.5])
    (0, 0.5)
    """
    if is_whole(bins):
        if not 2 <= bins <= MAX_BINS:
            raise InputError(f"expected 2 to {MAX_BINS} bins, got {bins}")
        return int(bins)
    if isinstance(bins, (bool, str)) or not isinstance(bins, Iterable):
        raise InputError(f"expected a number of bins, or the edges between them, got {bins!r}")
    edges = tuple(bins)
    if not edges or not all(map(is_real, edges)) or not all(map(math.isfinite, edges)):
        raise InputError(f"expected finite numbers as the edges between bins, got {edges!r}")
    if len(edges) >= MAX_BINS or any(low >= high for low, high in itertools.pairwise(edges)):
        raise InputError(f"expected 1 to {MAX_BINS - 1} edges between bins, each above the one before, got {edges!r}")
    return edges


def quantile_edges(values: Sequence[float], bins: int) -> tuple[float, ...]:
    """Returns the edges between bins with about as many values each.

    Equal values stay together, so there may be fewer bins. Of the numbers that part two neighboring values the one
    with the fewest digits is taken, so that the edge is exactly what is shown.

    Args:
        values: numbers, none of them NaN, of one type: ints or floats
        bins: how many bins are wanted, at least 2

    >>> quantile_edges([0.1234, 0.2113, 0.2877, 0.9], 2)
    (0.28,)
    """
    distinct, counts = np.unique(np.asarray(values), return_counts=True)
    below = np.cumsum(counts)[:-1]  # how many values lie below each place where an edge may be
    if not len(below):
        return ()
    wanted = [len(values) * part / bins for part in range(1, bins)]
    places = sorted({int(np.argmin(np.abs(below - want))) for want in wanted})
    numbers = distinct.tolist()
    return tuple(_shortest(numbers[place], numbers[place + 1]) for place in places)


def width_edges(values: Sequence[float], width: float) -> tuple[float, ...]:
    """Returns the edges of bins that reach from a multiple of a width to the next, around all of the values.

    Args:
        values: numbers, none of them NaN; infinite ones lie below or above
        width: above 0

    Raises:
        InputError: there would be more than 100 bins

    >>> width_edges([0.05, 0.31, 0.12], 0.1)
    (0.0, 0.1, 0.2, 0.3, 0.4)
    """
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return ()
    step, ends = Decimal(repr(width)), (min(finite), max(finite))
    first, last = (int((Decimal(repr(end)) / step).to_integral_value(ROUND_FLOOR)) for end in ends)
    if last - first >= MAX_BINS - 2:
        raise InputError(
            f"expected a width that makes at most {MAX_BINS - 2} bins, got {width!r}, which makes {last - first + 1:,} "
            f"from {ends[0]!r} to {ends[1]!r}"
        )
    return tuple(type(width)(step * place) for place in range(first, last + 2))


def whole(edges: Iterable[float]) -> tuple[int, ...]:
    """Returns edges that part whole numbers as the given ones do.

    >>> whole([0.5, 0.7, 3])
    (1, 3)
    """
    return tuple(dict.fromkeys(math.ceil(edge) for edge in edges))


def index(edges: Sequence[float], value: float) -> int:
    """Returns in which bin a number lies: one on an edge lies above it."""
    return bisect_right(edges, value)


def limits(edges: Sequence[float], bin_index: int) -> tuple[float | None, float | None]:
    """Returns from where to below where a bin reaches; None: it has no end there."""
    return (edges[bin_index - 1] if bin_index else None), (edges[bin_index] if bin_index < len(edges) else None)


def names(edges: Sequence[float]) -> tuple[str, ...]:
    """Returns how the bins are called, the lowest first; each says on which side of an edge the edge itself lies.

    >>> names((0.25, 0.5))
    ('< 0.25', '[0.25, 0.5)', '>= 0.5')
    >>> names((1, 2, 5))  # whole numbers
    ('< 1', '1', '2 to 4', '>= 5')
    """
    return tuple(_name(*limits(edges, bin_index)) for bin_index in range(len(edges) + 1))


def _name(low: float | None, high: float | None) -> str:
    if low is None:
        assert high is not None  # there is an edge
        return f"< {_number(high)}"
    if high is None:
        return f">= {_number(low)}"
    if isinstance(low, int) and isinstance(high, int):
        return f"{low}" if high == low + 1 else f"{low} to {high - 1}"
    return f"[{_number(low)}, {_number(high)})"


def _number(value: float) -> str:
    return repr(value).removesuffix(".0")


def _shortest(low: float, high: float) -> float:
    """Returns the number above ``low`` and up to ``high`` with the fewest digits."""
    if low < 0 <= high:
        return type(high)(0)
    top = Decimal(repr(min(high, sys.float_info.max) if isinstance(high, float) else high))
    exponent = top.adjusted()
    for digits in range(len(top.as_tuple().digits)):
        number = type(high)(top.quantize(Decimal((0, (1,), exponent - digits)), rounding=ROUND_FLOOR))
        if low < number <= high:
            return number
    return high
