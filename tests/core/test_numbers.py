"""Numbers that somebody gives keep their bounds, which are within."""

from __future__ import annotations

from typing import Any

import pytest

from loupe.brain.core.errors import InputError
from loupe.brain.core.numbers import require_numbers, require_whole


@pytest.mark.parametrize("value", [1, 2, 20])
def test_bounds_of_whole_numbers_are_within(value: int) -> None:
    require_whole(k=(value, 1, 20))
    require_whole(k=(value, 1))


@pytest.mark.parametrize("value", [0, 21, -1, 1.0, float("nan"), True, "2", None])
def test_others_are_refused_with_the_bounds(value: Any) -> None:
    with pytest.raises(InputError, match=r"expected k to be a whole number from 1 to 20, got "):
        require_whole(k=(value, 1, 20))


def test_a_number_without_an_upper_bound() -> None:
    require_whole(seed=(2**80, 0))
    with pytest.raises(InputError, match=r"expected seed to be a whole number of at least 0, got -1"):
        require_whole(seed=(-1, 0))


def test_bounds_of_numbers_are_within() -> None:
    require_numbers(low=(0, 0, 0.5), high=(0.5, 0, 0.5))
    for value in (-0.1, 0.51, float("nan"), True, "0.1"):
        with pytest.raises(InputError, match=r"expected fdr to be a number from 0 to 0\.5, got "):
            require_numbers(fdr=(value, 0, 0.5))
