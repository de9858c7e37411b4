"""Numbers that somebody gives, and the bounds that they have to keep."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any, TypeGuard

from loupe.brain.core.errors import InputError

#: what a number of that name is at least, whatever it is a seed of
_LOWEST = {"seed": 0}
#: what a database and a file hold
_LARGEST = 2**63


def is_whole(value: object) -> TypeGuard[int]:
    """Returns whether it is a whole number of any kind; True and False are none, though Python counts with them.

    >>> import numpy as np
    >>> is_whole(np.int64(3)), is_whole(3.0), is_whole(True)
    (True, False, False)
    """
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_real(value: object) -> TypeGuard[float]:
    """Returns whether it is a number of any kind, NaN among them; True and False are none."""
    return isinstance(value, Real) and not isinstance(value, bool)


def require_numbers(**given: tuple[Any, float, float]) -> None:
    """Raises an error unless each is a number within its bounds, which are within as well: (value, low, high).

    Raises:
        InputError: a text, a truth value, NaN, or a number out of its bounds

    >>> require_numbers(fdr=(0.05, 0, 0.5))
    """
    for name, (value, low, high) in given.items():
        if not is_real(value) or not low <= value <= high:
            raise InputError(f"expected {name} to be a number from {low:g} to {high:g}, got {value!r}")


def require_whole(**given: tuple[Any, int] | tuple[Any, int, int]) -> None:
    """Raises an error unless each is a whole number within its bounds: (value, low) or (value, low, high).

    Raises:
        InputError: another kind of value, or a number out of its bounds

    >>> require_whole(seed=(0, 0), per_prompt=(4, 1, 1_000_000))
    """
    for name, (value, low, *upper) in given.items():
        high = upper[0] if upper else math.inf
        if not is_whole(value) or not low <= value <= high:
            bounds = f"from {low} to {high:,}" if upper else f"of at least {low}"
            raise InputError(f"expected {name} to be a whole number {bounds}, got {value!r}")


def plain(name: str, value: Any, *, whole: bool) -> int | float:
    """Returns a number as Python's own kind.

    Raises:
        InputError: a text, a truth value, NaN, a fraction for a whole number, one that is too large to be kept, or a
            seed below 0

    >>> plain("k", 4.0, whole=False)
    4.0
    """
    integral = is_whole(value)
    if not integral and (whole or not is_real(value) or math.isnan(value)):
        raise InputError(f"expected {name} to be a {'whole ' if whole else ''}number, got {value!r}"[:300])
    if not integral:
        return float(value)
    if name in _LOWEST:
        require_whole(**{name: (value, _LOWEST[name])})
    if abs(int(value)) >= _LARGEST:
        raise InputError(f"expected {name} to be a number below 2**63, got {value}"[:300])
    return int(value)
