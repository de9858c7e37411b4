"""A job: requests to a service, several at a time, each in the ledger, within a budget."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from loupe.brain.core.errors import InputError, LoupeError, OutputError, ServiceError
from loupe.brain.core.records import Request
from loupe.brain.core.remote import Drawn
from loupe.brain.hosted.attempts import Attempts, Came, Terms
from loupe.brain.hosted.budget import Budget
from loupe.brain.hosted.ledger import NAME, Ledger
from loupe.brain.hosted.replies import Service

# seconds after which the caller hears from us again, so that it can stop
_BEAT = 0.5
# so many requests in a row that come to nothing are no chance: the service is down, or refuses what we send
_DOWN = 12
_DOWN_AT_ONCE = 4

Item = tuple[str, Request]


@dataclass(frozen=True)
class _Open:
    """An image under way: its key, what it had cost before, and whether it costs now."""

    key: str
    before: float
    costs: bool


class Job:
    """Implements ``loupe.brain.core.remote.RemoteJob``.

    Args:
        service: who draws
        folder: where the ledger lies; the caller keeps other writers out
        terms: how
        unfit: why a call that has such a request cannot be meant; None where it can
    """

    def __init__(
        self, service: Service, folder: Path, terms: Terms, unfit: Callable[[Request], str | None] = lambda _: None
    ) -> None:
        self._service, self._folder, self._terms, self._unfit = service, folder, terms, unfit
        self._ledger = Ledger(folder)
        self._ends = threading.Event()
        self._attempts = Attempts(service, self._ledger, terms, self._ends)
        self._pool = ThreadPoolExecutor(terms.concurrency, thread_name_prefix="loupe-hosted")
        self._budget = Budget(terms.budget, terms.price or 0.0)
        self._keys: set[str] = set()
        self._error: LoupeError | None = None
        self._has_drawn, self._in_a_row = False, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.set()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._service.close()
        self._ledger.close()

    @property
    def spent(self) -> float | None:
        """Dollars that the images of this job have cost, in earlier calls, too; None where nothing tells."""
        return self._budget.spent if self._terms.price is not None or self._budget.spent > 0 else None

    def account(self) -> Mapping[str, object]:
        """Returns what the images of this job have cost, and whether some of it is a price and not a bill."""
        total, estimated = self._ledger.spent(self._keys)
        # images that were paid in another folder: nothing here knows of them
        unknown = self.spent is None or not self._ledger.knows(self._keys)
        return {"cost": None if unknown else round(total, 6), "cost_estimated": estimated}

    def stop(self) -> None:
        """Sends nothing more; what is under way is still yielded."""
        self._ends.set()

    def kept(self, keys: Sequence[str]) -> None:
        """Notes that those images are stored; what came for them is not needed any more."""
        try:
            self._ledger.kept(keys)
        except OSError as error:
            raise self._unwritable(error) from error

    def run(self, items: Sequence[Item], also: Sequence[str] = ()) -> Iterator[Drawn | None]:
        """Yields what came of each, see ``RemoteJob``; what the ledger has comes first.

        Raises:
            InputError: a request asks for what the model does not know; nothing was sent
        """
        reason = next((why for _, request in items if (why := self._unfit(request)) is not None), None)
        if reason is not None:
            raise InputError(reason)
        self._keys |= {*also, *(key for key, _ in items)}
        self._budget.spent, _ = self._ledger.spent(self._keys)
        paying = {key for key, _ in items if self._attempts.must_be_paid(key)}
        waiting = deque(sorted(items, key=lambda item: item[0] in paying))
        under_way: dict[Future[Came], _Open] = {}
        while True:
            self._fill(waiting, under_way, paying)
            if not under_way:
                break
            done, _ = wait(under_way, timeout=_BEAT, return_when=FIRST_COMPLETED)
            if not done:
                yield None
            for future in done:
                yield self._settled(future.result(), under_way.pop(future))
        if self._error is not None:
            raise self._error
        if not self._ends.is_set():
            for key, _ in waiting:
                yield Drawn(key, "unaffordable", reason=f"the budget of ${self._terms.budget:g} is spent")

    def _fill(self, waiting: deque[Item], under_way: dict[Future[Came], _Open], paying: set[str]) -> None:
        """Sends as many requests as may be under way."""
        while waiting and len(under_way) < self._terms.concurrency and not self._ends.is_set():
            key, request = waiting[0]
            costs = key in paying
            if costs and not self._budget.allows(sum(other.costs for other in under_way.values())):
                return
            waiting.popleft()
            before = self._ledger.entry(key).total
            under_way[self._pool.submit(self._draw, key, request)] = _Open(key, before, costs)

    def _draw(self, key: str, request: Request) -> Came:
        """Draws an image, in a thread of the pool."""
        try:
            return self._attempts.draw(key, request)
        except OSError as error:
            self._error = self._error or self._unwritable(error)
            self._ends.set()
            return Came(Drawn(key, "failed", reason=str(self._error)))

    def _settled(self, came: Came, was: _Open) -> Drawn:
        """Counts what came of an image."""
        self._budget.paid(self._ledger.entry(was.key).total - was.before)
        drawn = came.drawn
        if came.fatal:
            self._end(came.fatal)
        if drawn.outcome == "drawn":
            self._has_drawn, self._in_a_row = True, 0
        elif drawn.outcome in ("failed", "unclear") and was.costs:
            self._in_a_row += 1
            if self._in_a_row >= (_DOWN if self._has_drawn else _DOWN_AT_ONCE):
                self._end(f"{self._in_a_row} requests in a row came to nothing, the last: {drawn.reason}")
        return drawn

    def _end(self, reason: str) -> None:
        self._ends.set()
        if self._error is None:
            self._error = ServiceError(
                f"expected pictures from {self._service.title}, got none any more: {reason}. What was drawn is kept, "
                "and the same call goes on from there"
            )

    def _unwritable(self, error: OSError) -> OutputError:
        return OutputError(
            f"expected {self._folder / NAME} to be writable, got: {error.strerror or error}. Nothing more is "
            "requested: free some space or give it write access, and repeat the same call, which goes on from there"
        )
