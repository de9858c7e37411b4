"""Which process is sent what comes next, here or on a cluster, so that whoever ends a process can be told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar

P = TypeVar("P")
H = TypeVar("H", bound="Holder")


class Dealer(Protocol[P]):
    """Who hands out what is to be done."""

    def take(self, max_open: int) -> P | None:
        """Returns what is to be done next; None where there is nothing, or so much is not finished."""

    def again(self, piece: P) -> None:
        """A piece was not done, by no fault of its own."""

    def is_suspect(self, piece: P) -> bool:
        """Returns whether a piece may have ended a process: it is then all that its process has been sent."""


class Holder(Protocol):
    """A process, as far as it is known what it was sent."""

    @property
    def pieces(self) -> Sequence[object]:
        """What it was sent and has not answered."""


def dealt(dealer: Dealer[P], ready: Sequence[H], sent: int, max_open: int) -> Iterator[tuple[H, P]]:
    """Yields what is to be sent to whom; each is sent before the next is asked for.

    An answer may be lost on its way as the next piece ends the process, and its piece would be blamed. What is
    suspected of that has a process for itself.

    Args:
        dealer: who hands out
        ready: the processes that can answer; those that have the fewest pieces come first
        sent: pieces that each has at a time, at most
        max_open: as for ``Dealer.take``
    """
    for held in range(sent):
        for process in ready:
            if len(process.pieces) != held or any(map(dealer.is_suspect, process.pieces)):  # type: ignore[arg-type]
                continue
            if (piece := dealer.take(max_open)) is None:
                return
            if held and dealer.is_suspect(piece):
                dealer.again(piece)
                return
            yield process, piece
