"""Numbers that somebody gives, and the bounds that they have to keep."""

from __future__ import annotations

import math
from typing import Any

from loupe.brain.core.errors import InputError


def require_numbers(**given: tuple[Any, float, float]) -> None:
    """Raises an error unless each is a number within its bounds, which are within as well: (value, low, high).

    Raises:
        InputError: a text, a truth value, NaN, or a number out of its bounds

    >>> require_numbers(fdr=(0.05, 0, 0.5))
    """
    for name, (value, low, high) in given.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise InputError(f"expected {name} to be a number from {low:g} to {high:g}, got {value!r}")


def require_whole(**given: tuple[Any, int] | tuple[Any, int, int]) -> None:
    """Raises an error unless each is a whole number within its bounds: (value, low) or (value, low, high).

    Raises:
        InputError: another kind of value, or a number out of its bounds

    >>> require_whole(seed=(0, 0), per_prompt=(4, 1, 1_000_000))
    """
    for name, (value, low, *upper) in given.items():
        high = upper[0] if upper else math.inf
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            bounds = f"from {low} to {high:,}" if upper else f"of at least {low}"
            raise InputError(f"expected {name} to be a whole number {bounds}, got {value!r}")
