"""Numbers that somebody gives keep their bounds, which are within."""

from __future__ import annotations

import inspect
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from loupe.brain.core.arguments import with_plain_arguments
from loupe.brain.core.errors import InputError
from loupe.brain.core.numbers import require_numbers, require_whole


@pytest.mark.parametrize("value", [1, 2, 20, np.int64(20), np.uint8(1)])
def test_bounds_of_whole_numbers_are_within(value: int) -> None:
    require_whole(k=(value, 1, 20))
    require_whole(k=(value, 1))


@pytest.mark.parametrize("value", [0, 21, -1, 1.0, float("nan"), True, "2", None, np.True_, np.float64(2)])
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


def _echo(
    whole: int, maybe: int | None = None, number: float = 0.5, perhaps: float | None = None, *, text: str = ""
) -> list[Any]:
    """Says what it is given."""
    return [whole, maybe, number, perhaps, text]


def test_numbers_become_plain_ones() -> None:
    function = with_plain_arguments(_echo)
    assert (function.__doc__, inspect.signature(function)) == (_echo.__doc__, inspect.signature(_echo))
    made = function(np.int64(3), np.uint8(4), np.float32(0.5), perhaps=np.int16(2), text="x")
    assert made == [3, 4, 0.5, 2, "x"]
    assert [type(each) for each in made[:4]] == [int, int, float, int]
    assert function(2**63 - 1, None, Fraction(1, 4), np.inf) == [2**63 - 1, None, 0.25, np.inf, ""]
    assert with_plain_arguments(test_seeds_are_not_negative) is test_seeds_are_not_negative
    with pytest.raises(TypeError, match=r"_echo\(\) missing 1 required positional argument: 'whole'"):
        function()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="unexpected keyword argument 'odd'"):
        function(1, odd=2)  # type: ignore[call-arg]


NONE_OF_THEM = [True, np.True_, "3", float("nan"), np.float32("nan"), [3], np.array([3]), 1j]


@pytest.mark.parametrize("value", NONE_OF_THEM, ids=repr)
@pytest.mark.parametrize("name", ["whole", "maybe", "number", "perhaps"])
def test_what_is_no_number_is_refused_by_its_name(name: str, value: Any) -> None:
    kind = "a whole number" if name in ("whole", "maybe") else "a number"
    with pytest.raises(InputError, match=rf"^expected {name} to be {kind}, got "):
        with_plain_arguments(_echo)(**{"whole": 1, name: value})


def test_seeds_are_not_negative() -> None:
    def seeded(seed: int = 0, other: int = 0) -> int:
        return seed

    seeded.__annotations__ |= {"seed": "int", "other": "int"}
    with pytest.raises(InputError, match="expected seed to be a whole number of at least 0, got -1"):
        with_plain_arguments(seeded)(-1)
    assert with_plain_arguments(seeded)(1, -1) == 1


def test_other_refusals() -> None:
    function = with_plain_arguments(_echo)
    for given in ({"whole": None}, {"whole": 1.5}, {"whole": 3.0}, {"whole": 1, "number": None}):
        with pytest.raises(InputError, match=r"expected (whole|number) to be a"):
            function(**given)
    for large in (2**63, -(10**400)):
        with pytest.raises(InputError, match=r"expected whole to be a number below 2\*\*63, got"):
            function(large)
