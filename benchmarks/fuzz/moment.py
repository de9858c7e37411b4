"""The moment at which a case has made its input: from then on what it takes counts."""

from __future__ import annotations

from collections.abc import Callable

#: called then; the process that is watched puts its own in
_heard: list[Callable[[], None]] = []


def hear(call: Callable[[], None]) -> None:
    """Calls a function whenever an input is made."""
    _heard[:] = [call]


def begins() -> None:
    """Says that the input is made, and is tried now."""
    for call in _heard:
        call()
