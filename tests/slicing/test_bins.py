"""Bins: every number lies in just one, and its name says so."""

from __future__ import annotations

import math
import re
from decimal import Decimal

import numpy as np
import pytest

from loupe.brain.core.errors import InputError
from loupe.brain.slicing import bins


def holds(name: str, number: Decimal) -> bool:
    """Whether a bin holds a number, read from the bin's name alone."""
    if name.startswith("< "):
        return number < Decimal(name[2:])
    if name.startswith(">= "):
        return number >= Decimal(name[3:])
    if match := re.fullmatch(r"\[(.+), (.+)\)", name):
        return Decimal(match[1]) <= number < Decimal(match[2])
    low, _, high = name.partition(" to ")
    return Decimal(low) <= number <= Decimal(high or low)


def edges_of(values: list[float], n: int) -> tuple[float, ...]:
    edges = bins.quantile_edges(values, n)
    assert list(edges) == sorted(set(edges))
    assert len(edges) < n
    return edges


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("n", [2, 3, 7])
def test_each_number_lies_in_the_bin_whose_name_holds_it(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    scale = 10.0 ** rng.integers(-9, 9)
    values = [rng.normal(0, scale, 60), rng.random(60) * scale, rng.integers(-9, 9, 60) / 10][seed % 3].tolist()
    values += [math.inf, -math.inf] if seed % 2 else []
    edges = edges_of(values, n)
    names = bins.names(edges)
    # the edges themselves, and their nearest neighbors
    near = [float(np.nextafter(edge, side)) for edge in edges for side in (-np.inf, np.inf)]
    for value in [*values, *edges, *near]:
        # a name shows an edge exactly: its decimals are those of the float's own repr
        own = names[bins.index(edges, value)]
        assert [name for name in names if holds(name, Decimal(repr(value)))] == [own]


@pytest.mark.parametrize("n", [2, 4, 10])
def test_quantiles_are_of_about_the_same_size(n: int) -> None:
    values = np.random.default_rng(0).permutation(np.arange(1000) ** 2 / 7).tolist()
    counts = np.bincount([bins.index(edges_of(values, n), value) for value in values])
    assert len(counts) == n
    assert counts.min() >= 1000 // n - 1
    assert counts.max() <= 1000 // n + 1


def test_equal_values_stay_together_and_there_may_be_fewer_bins() -> None:
    assert bins.quantile_edges([0.0] * 90 + [1.0] * 5 + [2.0] * 5, 4) == (1.0,)
    assert bins.quantile_edges([5, 5, 5], 4) == ()
    assert bins.quantile_edges([], 4) == ()
    values = [1] * 10 + [2] * 10 + [3] * 10
    assert bins.quantile_edges(values, 3) == (2, 3)


def test_edges_have_the_fewest_digits_that_part_the_values() -> None:
    assert bins.quantile_edges([0.1234, 0.9876], 2) == (0.9,)
    assert bins.quantile_edges([-3.25, 4.5], 2) == (0.0,)
    assert bins.quantile_edges([-4.5, -3.25], 2) == (-4.0,)
    assert bins.quantile_edges([1.0, math.nextafter(1.0, 2)], 2) == (math.nextafter(1.0, 2),)
    assert bins.quantile_edges([1.0, math.inf], 2) == (1e308,)
    assert bins.names(bins.quantile_edges([-1.0, -0.0], 2)) == ("< 0", ">= 0")
    assert bins.quantile_edges([2**53, 2**53 + 1], 2) == (2**53 + 1,)
    assert bins.quantile_edges([187, 1234], 2) == (1000,)
    assert all(type(edge) is int for edge in bins.quantile_edges([3, 8, 8, 11, 40], 3))


def test_whole_numbers_are_called_by_what_is_in_the_bin() -> None:
    assert bins.names((1, 2, 5)) == ("< 1", "1", "2 to 4", ">= 5")
    assert bins.names((1.0, 2.0, 5.5)) == ("< 1", "[1, 2)", "[2, 5.5)", ">= 5.5")
    assert bins.whole((0.5, 0.7, 3, 4.0)) == (1, 3, 4)
    for value in range(-3, 9):
        for edges in ((0.5, 0.7, 3), (-1.5, 2.0)):
            assert (value >= edges[0]) == (value >= bins.whole(edges)[0])
            own = bins.names(bins.whole(edges))
            assert [name for name in own if holds(name, Decimal(value))] == [own[bins.index(bins.whole(edges), value)]]


def test_limits_are_those_of_the_names() -> None:
    edges = (0.25, 0.5)
    assert [bins.limits(edges, at) for at in range(3)] == [(None, 0.25), (0.25, 0.5), (0.5, None)]


@pytest.mark.parametrize(
    "given",
    [0, 1, -3, 101, True, 4.0, "4", None, [], [1, 1], [2, 1], [math.nan], [0, math.inf], ["a"], [True], range(100)],
)
def test_what_are_no_bins(given: object) -> None:
    with pytest.raises(InputError, match=r"expected .*(bins|edges)"):
        bins.checked(given)  # type: ignore[arg-type]


def test_bins_are_a_number_or_edges() -> None:
    assert bins.checked(2) == 2
    assert bins.checked(100) == 100
    assert bins.checked(iter([0, 0.5])) == (0, 0.5)
    assert bins.checked(np.array([0.5, 1.5]).tolist()) == (0.5, 1.5)
    assert len(bins.checked(range(99))) == 99  # type: ignore[arg-type]
