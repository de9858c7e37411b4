"""What a reviewer looks at: the samples of a failure in an order, and those that were decided in one way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias, get_args
from urllib.parse import quote

from loupe.brain.core import registry
from loupe.brain.core.records import Record, Threshold
from loupe.brain.core.review import STATUSES
from loupe.brain.media import fetching
from loupe.brain.media.addresses import address_of
from loupe.brain.slicing.outcomes import State
from loupe.brain.stats.review_tally import Ranked
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples, root
from loupe.brain.store.narrowing import Narrowing
from loupe.brain.store.review import decisions as review
from loupe.brain.store.runs import load_thresholds

#: which samples come, and in which order
Order: TypeAlias = Literal["random", "worst", "threshold", "passed", "unsure"]
ORDERS: tuple[Order, ...] = get_args(Order)
#: so many samples are read at once
LENGTH = 200


@dataclass(frozen=True)
class Queued(Record):
    """A sample of a queue.

    Attributes:
        id: its id
        source: where the App's server serves its picture
        flagged: whether the check flags it, or passes it
        ranked: its random number and its score
    """

    id: str
    source: str
    flagged: bool
    ranked: Ranked


def queue(samples: Samples, failure: str, order: Order, threshold: Threshold, length: int = LENGTH) -> list[Queued]:
    """Returns the first samples of an order that nobody has decided; of ``"unsure"`` those that somebody was unsure of.

    Args:
        samples: a dataset or view, each sample once and with all of its fields
        failure: the failure mode
        order: ``"random"``: the flagged ones by their random numbers; ``"worst"``: the flagged ones, the worst score
            first; ``"threshold"``: flagged and passed ones, the nearest to the threshold first; ``"passed"``: the
            passed ones by their random numbers; ``"unsure"``
        threshold: the one in use
        length: how many at most
    """
    flagged, passed = (review.of_state(failure, state) for state in (State.FAILED, State.PASSED))
    which = {"threshold": {"$or": [flagged, passed]}, "passed": passed, "unsure": {"$or": [flagged, passed]}}
    undecided = review.is_open(failure)
    if order == "unsure":
        undecided = {review.status_path(failure): "unsure"}
    score = review.score_path(failure)
    steps: list[dict[str, Any]] = [{"$match": {"$and": [which.get(order, flagged), undecided]}}]
    if order == "threshold":
        distance = {"$abs": {"$subtract": [f"${score}", threshold.value]}}
        steps += [{"$addFields": {"_distance": distance}}, {"$sort": {"_distance": 1, review.RANK: 1}}]
    elif order == "worst":
        steps.append({"$sort": {score: 1 if threshold.op == "<" else -1, review.RANK: 1}})
    else:
        steps.append({"$sort": {review.RANK: 1, "_id": 1}})
    labels = {"$ifNull": ["$failures.classifications.label", []]}
    project = {**review.facts(failure), "path": "$filepath", "flagged": {"$in": [failure, labels]}}
    steps += [{"$limit": length}, {"$project": project}]
    with database_errors():
        rows = list(samples._aggregate(pipeline=steps))
    return [
        Queued(str(row["_id"]), source_of(row.get("path")), bool(row["flagged"]), review.ranked(row)) for row in rows
    ]


def source_of(path: Any) -> str:
    """Returns where the App's server serves a picture; one that lies elsewhere, where it is kept here."""
    text = str(path or "")
    address = address_of(text)
    if address is not None and address.startswith(("http://", "https://")):
        return address
    return f"/media?filepath={quote(fetching.here(text) or text, safe='')}"


def in_use(samples: Samples, failure: str) -> Threshold:
    """Returns the threshold of a failure mode that is in use."""
    default = registry.failures()[failure][1].default_threshold
    assert default is not None
    return load_thresholds(root(samples)).get(failure, default)


#: which samples a review's buttons show
Which: TypeAlias = Literal["open", "real", "false_alarm", "unsure"]
WHICH: tuple[Which, ...] = get_args(Which)


@dataclass(frozen=True)
class Pile(Narrowing):
    """The samples of a failure mode that were decided in one way, or those that are flagged and still open.

    Attributes:
        failure: the failure mode
        which: ``"open"``, or what was decided
    """

    failure: str
    which: Which

    tag: ClassVar[str] = "review"

    def query(self) -> dict[str, Any]:
        """Returns the database's query for them.

        Raises:
            UnknownName: no such failure mode
        """
        flagged = review.of_state(self.failure, State.FAILED)
        if self.which == "open":
            return {"$and": [flagged, review.is_open(self.failure)]}
        if self.which not in STATUSES:
            raise ValueError(f"expected one of {', '.join(WHICH)}, got {self.which!r}")
        return {review.status_path(self.failure): self.which}

    def facts(self) -> list[str]:
        """Returns the failure mode, and which of its samples."""
        return [self.failure, self.which]

    @classmethod
    def from_facts(cls, facts: Any) -> Pile:
        """Returns the pile that ``facts`` was called on."""
        failure, which = facts
        return cls(failure, which)
