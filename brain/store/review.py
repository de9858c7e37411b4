"""What people decided of failures, ``review.<failure>`` of each sample: written whole, read by aggregation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from bson import ObjectId
from pymongo import UpdateOne

from loupe.brain.core import registry
from loupe.brain.core.errors import UnknownName
from loupe.brain.core.review import STATUSES, Decision
from loupe.brain.slicing.outcomes import State
from loupe.brain.stats.review import Side
from loupe.brain.store import fields, outcomes, updates
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples, sample_documents
from loupe.brain.store.fields import QUALITY, REVIEW

#: a sample's random number, which FiftyOne gives each as it is added
RANK = "_rand"
_CLS = "DynamicEmbeddedDocument"


def require_failure(failure: Any) -> None:
    """Raises an error unless a check flags that failure mode.

    Raises:
        UnknownName: none does; the nearest name is suggested
    """
    known = registry.failures()
    if failure not in known:
        raise UnknownName("failure mode", str(failure), known)


def write(
    samples: Samples,
    failure: str,
    decisions: Mapping[str, Decision | None],
    standing: Mapping[str, Decision | None] | None = None,
) -> int:
    """Writes decisions by sample id; None takes one away. Each sample is one update of one path.

    Args:
        samples: a dataset or view
        failure: the failure mode; its fields are declared first
        decisions: by sample id
        standing: what is known to stand on the samples: one on which something else stands by now is left alone

    Returns:
        how many samples were written

    Raises:
        InputError: ``review`` is a field of the user's own
    """
    fields.declare(samples, fields.of_review(failure))
    path = f"{REVIEW}.{failure}"
    operations = []
    for sample_id, decision in decisions.items():
        query: dict[str, Any] = {"_id": ObjectId(sample_id)}
        if standing is not None:
            query |= _stands(path, standing.get(sample_id))
        if decision is None:
            steps: list[dict[str, Any]] = [{"$unset": [path]}]
        else:
            steps = [{"$set": {f"{REVIEW}._cls": _CLS, path: {"$literal": _document(decision)}}}]
        operations.append(UpdateOne(query, steps))
    with database_errors():
        return updates.write(samples, operations, list(decisions))


def _document(decision: Decision) -> dict[str, Any]:
    return {
        "_cls": _CLS,
        "status": decision.status,
        "by": decision.by,
        "at": datetime.fromisoformat(decision.at).astimezone(UTC).replace(tzinfo=None) if decision.at else None,
        "note": decision.note,
    }


def _stands(path: str, decision: Decision | None) -> dict[str, Any]:
    if decision is None:
        return {f"{path}.status": None}
    return {f"{path}.{name}": value for name, value in _document(decision).items() if name in ("status", "by", "at")}


def decision_of(document: Any) -> Decision | None:
    """Returns the decision that a document holds; None where it holds none."""
    if not isinstance(document, Mapping) or document.get("status") not in STATUSES:
        return None
    at = document.get("at")
    return Decision(
        document["status"],
        by=str(document.get("by") or ""),
        at=at.replace(tzinfo=UTC).isoformat(timespec="milliseconds") if isinstance(at, datetime) else "",
        note=str(document.get("note") or ""),
    )


def standing(samples: Samples, failure: str, ids: Iterable[str]) -> dict[str, Decision | None]:
    """Returns what stands on samples now; one that is no more is left out."""
    wanted = {"_id": {"$in": [ObjectId(each) for each in ids]}}
    with database_errors():
        documents = list(sample_documents(samples).find(wanted, [f"{REVIEW}.{failure}"]))
    return {str(each["_id"]): decision_of(_inside(each, failure)) for each in documents}


def _inside(document: Mapping[str, Any], failure: str) -> Any:
    review = document.get(REVIEW)
    return review.get(failure) if isinstance(review, Mapping) else None


def failures(samples: Samples) -> list[str]:
    """Returns the failure modes that something was decided of, in the order of the registry."""
    return [failure for failure in registry.failures() if samples.has_field(f"{REVIEW}.{failure}.status")]


@dataclass(frozen=True)
class Known:
    """What is known of a failure mode: the samples that are flagged, those that passed, and who decided how many."""

    flagged: Side
    passed: Side
    by: dict[str, int]


def read(samples: Samples, failure: str) -> Known:
    """Returns what was decided of a failure mode; nothing is read of samples that nobody decided, but their number.

    Args:
        samples: a dataset or view, each sample once and with all of its fields
        failure: the failure mode

    Raises:
        UnknownName: no such failure mode
    """
    who: dict[str, int] = {}
    sides = [_side(samples, failure, state, who) for state in (State.FAILED, State.PASSED)]
    return Known(*sides, by=dict(sorted(who.items(), key=lambda item: (-item[1], item[0]))))


def of_state(failure: str, state: State) -> dict[str, Any]:
    """Returns the database's query for the samples in a state."""
    (outcome,) = outcomes.of_failures([failure])
    return outcomes.query(outcome, state)


def is_open(failure: str) -> dict[str, Any]:
    """Returns the database's query for the samples that nobody has decided."""
    return {f"{REVIEW}.{failure}.status": {"$nin": list(STATUSES)}}


def _side(samples: Samples, failure: str, state: State, who: dict[str, int]) -> Side:
    path = f"{REVIEW}.{failure}"
    _, output = registry.failures()[failure]
    in_state = {"$match": of_state(failure, state)}
    decided = {"$match": {f"{path}.status": {"$in": list(STATUSES)}}}
    facts = {"rank": f"${RANK}", "score": f"${QUALITY}.{output.name}", "status": f"${path}.status", "by": f"${path}.by"}
    with database_errors():
        rest = list(
            samples._aggregate(
                pipeline=[
                    in_state,
                    {"$match": is_open(failure)},
                    {"$group": {"_id": None, "n": {"$sum": 1}, "first": {"$min": f"${RANK}"}}},
                ]
            )
        )
        rows = list(samples._aggregate(pipeline=[in_state, decided, {"$project": {"_id": False, **facts}}]))
    for row in rows:
        name = str(row.get("by") or "")
        who[name] = who.get(name, 0) + 1
    undecided = rest[0]["n"] if rest else 0
    first = rest[0]["first"] if rest else np.inf
    return Side(
        n=undecided + len(rows),
        # samples without a number, which FiftyOne did not add, are no draw: nothing is known to come before them
        first_open=-np.inf if first is None else float(first),
        ranks=_numbers(rows, "rank").astype(np.float64),
        scores=_numbers(rows, "score").astype(np.float32),
        statuses=np.array([row["status"] for row in rows], dtype=object),
    )


def _numbers(rows: Sequence[Mapping[str, Any]], name: str) -> np.ndarray:
    values = [row.get(name) for row in rows]
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
