"""What the server knows of a panel that is open: which of its events is the last, and the column it shows.

The App sends the next event before it has the answer to the one before. A slider that is moved by the arrow keys sends
an event a step, each of them twice, and the answers come in any order. What the App sends along is the panel's state
before all of them, so that only the server knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any

#: of so many panels something is known; of one more, the panel that was used last long ago is forgotten
_MAX = 8


class Overtaken(Exception):
    """A later event draws something else: this one draws nothing."""


@dataclass
class _Panel:
    failure: str = ""
    moves: int = 0
    column: tuple[str, Any] = ("", None)


_panels: dict[str, _Panel] = {}
_lock = Lock()


def choose(panel: str, failure: str) -> None:
    """Notes which failure mode a panel shows, or is about to."""
    with _lock:
        _of(panel).failure = failure


def chosen(panel: str) -> str:
    """Returns which failure mode a panel shows, or is about to; empty where that is not known."""
    with _lock:
        return _of(panel).failure


def keep(panel: str, key: str, column: Any) -> None:
    """Keeps the column that a panel shows, in place of the one before: to move a line is not to read it again."""
    with _lock:
        _of(panel).column = (key, column)


def kept(panel: str, key: str) -> Any:
    """Returns the column that was kept by that key, or None."""
    with _lock:
        its, column = _of(panel).column
    return column if its == key else None


@contextmanager
def moving(panel: str, failure: str) -> Iterator[None]:
    """Moves the line of a failure mode in the block.

    Raises:
        Overtaken: before it or after it, where another failure mode was chosen or the line was moved again
    """
    with _lock:
        its = _of(panel)
        if its.failure not in ("", failure):
            raise Overtaken
        its.moves += 1
        turn = its.moves
    yield
    with _lock:
        if (its.failure or failure) != failure or its.moves != turn:
            raise Overtaken


def _of(panel: str) -> _Panel:
    its = _panels.pop(panel, None) or _Panel()
    _panels[panel] = its
    while len(_panels) > _MAX:
        del _panels[next(iter(_panels))]
    return its
