"""Which rows are still to be done, by whom they are being done, and what of them comes next: pure bookkeeping."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from loupe.brain.core.errors import InputError
from loupe.brain.engine.map import Mapped
from loupe.brain.engine.reader import Row

#: processes that a whole portion may end before its halves are tried apart, and a single row before it is an error
MAX_DEATHS, MAX_DEATHS_OF_ROW = 3, 2

Entry = tuple[Mapping[str, Any], Mapping[str, str], str | None, bool]
Chunks = Sequence[Sequence[Entry]]


def entry(mapped: Mapped[Any]) -> Entry:
    """Returns what became of a row, without the row, which whoever sent it has."""
    return mapped.values, mapped.errors, mapped.unreadable, mapped.not_now


def mapped(rows: Sequence[Row], chunks: Chunks) -> Iterator[list[Mapped[Any]]]:
    """Yields what became of the rows, chunk by chunk."""
    left = iter(rows)
    for chunk in chunks:
        yield [Mapped(next(left), *each) for each in chunk]


@dataclass(frozen=True)
class Piece:
    """A portion of the rows, or a part of one that has ended processes.

    Attributes:
        place: the number of the portion
        start: where in the portion the piece begins
        rows: its rows
        is_whole: whether it is a whole portion
        deaths: how many processes ended while they worked at it
        failures: how many times a node could not read files of it
    """

    place: int
    start: int
    rows: tuple[Row, ...]
    is_whole: bool = True
    deaths: int = 0
    failures: int = 0


@dataclass
class _Open:
    """A portion that is not finished: its rows, how many are not answered, and the answers by where they begin."""

    rows: tuple[Row, ...]
    left: int
    answers: dict[int, Chunks] = field(default_factory=dict)


class Portions:
    """Hands pieces out, takes their answers in any order, and gives finished portions back in order.

    Args:
        source: the rows of each portion, asked for as they are needed
        tasks: what a row may wait for
    """

    def __init__(self, source: Iterator[tuple[Row, ...]], tasks: set[str]) -> None:
        self._source, self._tasks = source, tasks
        self._waiting: deque[Piece] = deque()
        self._ahead: deque[tuple[Row, ...]] = deque()
        self._open: dict[int, _Open] = {}
        self._next = self._taken = 0
        self._exhausted = False

    @property
    def done(self) -> bool:
        """Whether all is finished and given back."""
        return self._exhausted and not self._open and not self._ahead

    def take(self, max_open: int) -> Piece | None:
        """Returns what is to be done next: what is to be done again, else the next rows.

        Args:
            max_open: portions that may be open at a time

        Returns:
            a piece, or None where there is nothing, or too much is open

        Raises:
            InputError: a row waits for a task that is not there
        """
        if self._waiting:
            return self._waiting.popleft()
        if len(self._open) >= max_open or not (self._ahead or self._read()):
            return None
        rows = self._ahead.popleft()
        strangers = frozenset[str]().union(*(row.pending for row in rows)) - self._tasks
        if strangers:
            raise InputError(
                f"expected rows that wait for {', '.join(self._tasks)} only, got {', '.join(sorted(strangers))}"
            )
        piece = Piece(self._taken, 0, rows)
        self._open[self._taken] = _Open(rows, len(rows))
        self._taken += 1
        return piece

    def _read(self) -> bool:
        """Asks for the rows of one more portion; returns whether there are any."""
        rows = None if self._exhausted else next(self._source, None)
        if rows is None:
            self._exhausted = True
            return False
        self._ahead.append(rows)
        return True

    def has(self, count: int) -> bool:
        """Returns whether so many pieces can still be handed out; reads no more rows than they need."""
        while len(self._waiting) + len(self._ahead) < count and self._read():
            pass
        return len(self._waiting) + len(self._ahead) >= count

    def worth(self, maximum: int) -> int:
        """Returns how many processes what is left can use, up to ``maximum``; reads no more rows than they need."""
        busy = sum(portion.left > 0 for portion in self._open.values())
        while busy + len(self._ahead) < maximum and self._read():
            pass
        return min(maximum, busy + len(self._ahead))

    def sent(self, piece: Piece) -> tuple[Row, ...]:
        """Returns what a process is sent of a piece."""
        return piece.rows

    def is_suspect(self, piece: Piece) -> bool:
        """Returns whether a process has ended at a piece, or at what it is a part of."""
        return piece.deaths > 0 or not piece.is_whole

    def put(self, piece: Piece, chunks: Chunks) -> None:
        """Takes the answer to a piece."""
        portion = self._open[piece.place]
        portion.answers[piece.start] = chunks
        portion.left -= len(piece.rows)

    def again(self, piece: Piece) -> None:
        """A piece was not done, by no fault of its own."""
        self._waiting.appendleft(piece)

    def lost(self, piece: Piece, why: str) -> None:
        """A process ended while it worked at a piece: it is tried again, then in halves; a row alone is an error."""
        deaths = piece.deaths + 1
        if len(piece.rows) == 1 and deaths >= (MAX_DEATHS if piece.is_whole else MAX_DEATHS_OF_ROW):
            row = piece.rows[0]
            times = deaths if piece.is_whole else deaths + MAX_DEATHS
            text = f"ProcessLost: {times} processes ended while they worked on this picture; of the last one: {why}"
            self.put(piece, [[({}, dict.fromkeys(sorted(row.pending), text), None, False)]])
        elif len(piece.rows) == 1 or (piece.is_whole and deaths < MAX_DEATHS):
            self._waiting.appendleft(replace(piece, deaths=deaths))
        else:
            middle = len(piece.rows) // 2
            first = Piece(piece.place, piece.start, piece.rows[:middle], False)
            second = Piece(piece.place, piece.start + middle, piece.rows[middle:], False)
            self._waiting.extendleft((second, first))

    def finished(self) -> Iterator[tuple[tuple[Row, ...], Chunks]]:
        """Yields the rows and the chunks of the portions that come next and are finished."""
        while self._next in self._open and not self._open[self._next].left:
            portion = self._open.pop(self._next)
            self._next += 1
            yield portion.rows, [chunk for start in sorted(portion.answers) for chunk in portion.answers[start]]
