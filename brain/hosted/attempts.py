"""One image, from the ledger or from the service: as many tries as it takes, and never paid twice knowingly."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loupe.brain.core.records import Request
from loupe.brain.core.remote import Drawn
from loupe.brain.hosted.ledger import Entry, Ledger
from loupe.brain.hosted.pictures import decoded
from loupe.brain.hosted.replies import (
    Accepted,
    Again,
    Answer,
    Broken,
    Failed,
    Fatal,
    Lost,
    Pending,
    Refused,
    Reply,
    Service,
)
from loupe.brain.hosted.retry import USUAL, Pace, Policy

_KILLED = "an earlier run ended while it waited for the answer"


@dataclass(frozen=True)
class Terms:
    """How a job is done.

    Attributes:
        price: dollars for an image; None: unknown
        budget: dollars for the images of the job; None: no limit
        concurrency: requests at a time
        per_minute: requests a minute; None: as fast as the service lets us
        policy: when to try again
        repeat_unclear: whether what an earlier call left unclear is requested, and maybe paid, again
    """

    price: float | None = None
    budget: float | None = None
    concurrency: int = 4
    per_minute: float | None = None
    policy: Policy = USUAL
    repeat_unclear: bool = False


@dataclass(frozen=True)
class Came:
    """What came of one image, and why nothing more can be drawn, where that is so."""

    drawn: Drawn
    fatal: str = ""


class Attempts:
    """Draws single images; several threads may.

    Args:
        service: who draws
        ledger: of the folder
        terms: how
        ends: set where nothing more is to be sent
    """

    def __init__(self, service: Service, ledger: Ledger, terms: Terms, ends: threading.Event) -> None:
        self._service, self._ledger, self._terms, self._ends = service, ledger, terms, ends
        self._pace = Pace(terms.per_minute)

    def must_be_paid(self, key: str) -> bool:
        """Returns whether an image needs a request that costs."""
        entry = self._ledger.entry(key)
        if entry.state == "answered":
            return self._ledger.content(key) is None
        if entry.state == "unclear" or (entry.state == "sent" and not self._service.idempotent):
            return self._terms.repeat_unclear
        return entry.state in ("free", "kept")

    def draw(self, key: str, request: Request) -> Came:
        """Returns what came of an image; what the ledger knows of it is not requested again."""
        entry = self._ledger.entry(key)
        if entry.state == "sent" and not self._service.idempotent:
            self._ledger.unclear(key, _KILLED, entry.price)
            entry = self._ledger.entry(key)
        if entry.state == "refused":
            return Came(Drawn(key, "refused", reason=entry.reason, cost=entry.paid))
        if entry.state == "unclear" and not self._terms.repeat_unclear:
            return Came(Drawn(key, "unclear", reason=entry.reason, cost=entry.paid))
        content = self._ledger.content(key) if entry.state == "answered" else None
        if content is not None:
            return Came(self._picture(key, content, entry))
        return self._requested(key, request, entry.ticket if entry.state == "accepted" else "")

    def _requested(self, key: str, request: Request, ticket: str) -> Came:
        policy = self._terms.policy
        failures, last = 0, "nothing was sent"
        until = time.monotonic() + policy.patience
        while failures < policy.tries:
            if self._ends.is_set() and not ticket:
                return Came(Drawn(key, "failed", reason=last))
            reply = self._collect(ticket) if ticket else self._submit(key, request)
            came = self._final(key, reply, ticket)
            if came is not None:
                return came
            if isinstance(reply, Accepted):
                ticket, failures = reply.ticket, 0
                until = time.monotonic() + policy.patience
                continue
            if isinstance(reply, Pending):
                if time.monotonic() > until or self._ends.wait(policy.poll):
                    # its ticket stands in the ledger: the next call asks for it again
                    return Came(Drawn(key, "failed", reason="it was not ready yet, and is asked for again next time"))
                continue
            failures += 1
            last = reply.reason if isinstance(reply, Again | Broken) else "no picture came"
            if isinstance(reply, Again) and reply.void:
                ticket = ""
            self._wait(reply, failures)
        return Came(Drawn(key, "failed", reason=f"{failures} tries: {last}"))

    def _wait(self, reply: Reply, failures: int) -> None:
        after = reply.after if isinstance(reply, Again) else None
        if after is not None:
            self._pace.pause(after)
        if failures < self._terms.policy.tries:
            self._ends.wait(max(self._terms.policy.wait(failures), after or 0.0))

    def _submit(self, key: str, request: Request) -> Reply:
        if self._ends.wait(self._pace.turn()):
            return Again("it ended before this was sent")
        if self._ledger.entry(key).state != "sent":
            self._ledger.sent(key, self._terms.price, request.prompt)
        try:
            reply = self._service.submit(key, request)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            reply = Broken(f"an answer that is not understood ({type(error).__name__})")
        if isinstance(reply, Accepted):
            price = self._terms.price if reply.cost is None else reply.cost
            self._ledger.accepted(key, reply.ticket, price, reply.facts)
        elif isinstance(reply, Again | Failed | Fatal) and not (isinstance(reply, Again) and reply.unclear):
            self._ledger.free(key, reply.reason)
        return reply

    def _collect(self, ticket: str) -> Reply:
        try:
            return self._service.collect(ticket)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            return Again(f"an answer that is not understood ({type(error).__name__})")

    def _final(self, key: str, reply: Reply, ticket: str) -> Came | None:
        """Returns what came of an image, None where it is to be asked for again; notes it before."""
        if isinstance(reply, Answer):
            answered = self._answered(key, reply)
            if isinstance(answered, Came):
                return answered
            return self._unusable(key, answered, ticket)
        if isinstance(reply, Refused):
            cost = self._price(key) if reply.cost is None else reply.cost
            self._ledger.refused(key, reply.reason, cost, reply.cost is None)
            return Came(Drawn(key, "refused", reason=reply.reason, cost=cost))
        if isinstance(reply, Failed):
            return Came(Drawn(key, "failed", reason=reply.reason))
        if isinstance(reply, Fatal):
            return Came(Drawn(key, "failed", reason=reply.reason), fatal=reply.reason)
        if isinstance(reply, Accepted | Pending):
            return None
        if isinstance(reply, Again) and reply.void:
            self._ledger.free(key, reply.reason)
            return None
        return self._unusable(key, reply, ticket)

    def _unusable(self, key: str, reply: Again | Broken | Lost, ticket: str) -> Came | None:
        """Returns that it may be paid for nothing, where asking again could not help or would be paid again."""
        unknown = reply.unclear if isinstance(reply, Again) else True
        if not isinstance(reply, Lost) and (not unknown or ticket or self._service.idempotent):
            return None
        known = reply.cost if isinstance(reply, Broken) else None
        cost = self._price(key) if known is None else known
        self._ledger.unclear(key, reply.reason, cost)
        return Came(Drawn(key, "unclear", reason=reply.reason, cost=cost))

    def _answered(self, key: str, reply: Answer) -> Came | Broken:
        try:
            image = decoded(reply.content)
        except ValueError as error:
            return Broken(str(error), reply.cost)
        entry = self._ledger.entry(key)
        cost = self._price(key) if reply.cost is None else reply.cost
        facts = {**entry.facts, **reply.facts, "cost": cost}
        self._ledger.answered(key, reply.content, cost, reply.cost is None and cost is not None, facts)
        image.info = _plain(facts)
        return Came(Drawn(key, "drawn", image, cost=cost))

    def _picture(self, key: str, content: bytes, entry: Entry) -> Drawn:
        image = decoded(content)
        image.info = _plain(entry.facts)
        return Drawn(key, "drawn", image, cost=entry.facts.get("cost"))

    def _price(self, key: str) -> float | None:
        price = self._ledger.entry(key).price
        return self._terms.price if price is None else price


def _plain(facts: Mapping[str, Any]) -> dict[Any, Any]:
    # what is not known is said, too: the seed of a service that takes none must not stand there as ours
    return {"seed": None, **facts}
