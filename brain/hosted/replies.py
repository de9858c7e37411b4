"""What a service may answer, in words that know no service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from loupe.brain.core.records import Request


@dataclass(frozen=True)
class Answer:
    """The picture.

    Attributes:
        content: the file, as it came
        cost: in dollars, where the answer tells it
        facts: what is to be known of this image: its seed where it is known
    """

    content: bytes
    cost: float | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Accepted:
    """It will be drawn; ``ticket`` is what to ask for it by, as often as needed, without paying again."""

    ticket: str
    cost: float | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Pending:
    """It is not ready yet."""


@dataclass(frozen=True)
class Refused:
    """The moderation does not let it be drawn; ``cost`` is what that costs, None: the price of an image."""

    reason: str
    cost: float | None = 0.0


@dataclass(frozen=True)
class Again:
    """It did not work now.

    Attributes:
        reason: what happened
        after: seconds that the service asks to wait, for all requests
        unclear: whether the request may have been accepted, and paid, all the same
        void: whether the ticket is worth nothing any more, and nothing was paid
    """

    reason: str
    after: float | None = None
    unclear: bool = False
    void: bool = False


@dataclass(frozen=True)
class Broken:
    """It was paid, and what came is no picture; ``cost`` as in ``Answer``."""

    reason: str
    cost: float | None = None


@dataclass(frozen=True)
class Lost:
    """The ticket is not known any more, or the service failed on it; whether it was paid nobody says."""

    reason: str


@dataclass(frozen=True)
class Failed:
    """This one request cannot be drawn, and was not paid."""

    reason: str


@dataclass(frozen=True)
class Fatal:
    """No request can: the key is wrong, the credit spent, the model unknown. Nothing was paid for this one."""

    reason: str


Reply = Answer | Accepted | Pending | Refused | Again | Broken | Lost | Failed | Fatal


class Service(Protocol):
    """A service that draws.

    Attributes:
        title: its name, as it is shown
        idempotent: whether a request with the same key again gives the same image, paid once
    """

    @property
    def title(self) -> str: ...

    @property
    def idempotent(self) -> bool: ...

    def submit(self, key: str, request: Request) -> Reply:
        """Asks for an image. ``key`` is its idempotency key."""

    def collect(self, ticket: str) -> Reply:
        """Asks what became of an accepted one."""

    def close(self) -> None:
        """Ends its connections."""
