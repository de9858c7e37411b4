"""What a generator that draws elsewhere hands back: an image, or why there is none, and what it cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from loupe.brain.core.records import Request

if TYPE_CHECKING:
    from PIL.Image import Image

Outcome = Literal["drawn", "refused", "unclear", "failed", "unaffordable"]


@dataclass(frozen=True)
class Drawn:
    """What came of one request.

    Attributes:
        key: of the image (``generation.key``)
        outcome: ``"drawn"``; ``"refused"`` by the moderation of the service; ``"unclear"``: sent, maybe paid, and
            nothing was got; ``"failed"``: nothing was paid, the next call tries again; ``"unaffordable"``: not sent,
            the budget is spent
        image: the picture, where it was drawn
        reason: why there is none
        cost: in dollars; None where nothing tells
    """

    key: str
    outcome: Outcome
    image: Image | None = None
    reason: str = ""
    cost: float | None = None


class RemoteJob(Protocol):
    """Requests to a service under way, with a ledger of them on disk."""

    @property
    def spent(self) -> float | None:
        """Dollars that the images of this job have cost so far, in earlier calls, too; None where nothing tells."""

    def run(self, items: Sequence[tuple[str, Request]], also: Sequence[str] = ()) -> Iterator[Drawn | None]:
        """Yields what came of each request as it comes; None about twice a second where nothing came.

        Args:
            items: key and request of each image
            also: the keys of images that are there already: what they cost counts against the budget

        Raises:
            ServiceError: the service cannot be used; what was under way was yielded before
        """

    def kept(self, keys: Sequence[str]) -> None:
        """Notes that those images are stored."""

    def stop(self) -> None:
        """Sends nothing more; what is under way is still yielded."""

    def account(self) -> Mapping[str, object]:
        """Returns what the job cost: for the run's parameters."""
