"""What people decided of failures: ``review.<failure>`` of each sample, written whole, read by aggregation.

It is a classification, whose label is the status, with ``by``, ``at`` and ``note``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from bson import ObjectId
from pymongo import UpdateOne

from loupe.brain.core import registry
from loupe.brain.core.errors import UnknownName
from loupe.brain.core.review import STATUSES, Decision
from loupe.brain.slicing.outcomes import State
from loupe.brain.stats.review_tally import Known, Ranked, Tally
from loupe.brain.store import fields, outcomes, updates
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples, sample_documents
from loupe.brain.store.fields import QUALITY, REVIEW

#: a sample's random number, which FiftyOne gives each as it is added
RANK = "_rand"
#: of a stored decision: the part that is its status
STATUS = "label"
#: of a decision on a label: the class that it is
CORRECTION = "correction"
_KEYS = (STATUS, "by", "at")
_CLS = "DynamicEmbeddedDocument"


def status_path(failure: str) -> str:
    """Returns the path of what was decided of a failure mode."""
    return f"{REVIEW}.{failure}.{STATUS}"


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
            query |= stands(path, standing.get(sample_id))
        if decision is None:
            steps: list[dict[str, Any]] = [{"$unset": [path]}]
        else:
            steps = [{"$set": {f"{REVIEW}._cls": _CLS, path: {"$literal": document_of(decision)}}}]
        operations.append(UpdateOne(query, steps))
    with database_errors():
        return updates.write(samples, operations, list(decisions))


def document_of(decision: Decision) -> dict[str, Any]:
    """Returns a decision as it is stored."""
    at = datetime.fromisoformat(decision.at).astimezone(UTC).replace(tzinfo=None) if decision.at else None
    more = {} if decision.correction is None else {CORRECTION: decision.correction}
    return updates.label(decision.status, by=decision.by, at=at, note=decision.note, **more)


def stands(path: str, decision: Decision | None) -> dict[str, Any]:
    """Returns the database's query for the samples on which just that decision stands."""
    if decision is None:
        return {f"{path}.{STATUS}": None}
    document = document_of(decision)
    # what the App's own annotation wrote has neither: an empty name is no name
    return {
        f"{path}.{name}": {"$in": [document[name], None]} if not document[name] else document[name] for name in _KEYS
    }


def decision_of(document: Any) -> Decision | None:
    """Returns the decision that a document holds; None where it holds none."""
    if not isinstance(document, Mapping) or document.get(STATUS) not in STATUSES:
        return None
    at, correction = document.get("at"), document.get(CORRECTION)
    return Decision(
        document[STATUS],
        by=str(document.get("by") or ""),
        at=at.replace(tzinfo=UTC).isoformat(timespec="milliseconds") if isinstance(at, datetime) else "",
        note=str(document.get("note") or ""),
        correction=correction if isinstance(correction, str) and document[STATUS] == "real" else None,
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
    return [failure for failure in registry.failures() if samples.has_field(f"{REVIEW}.{failure}.by")]


def read(samples: Samples, failure: str, lowest: int = 1) -> Known:
    """Returns what was decided of a failure mode; of samples that nobody decided only their number and a few are read.

    Args:
        samples: a dataset or view, each sample once and with all of its fields
        failure: the failure mode
        lowest: how many of the undecided ones are read, those with the lowest ranks

    Raises:
        UnknownName: no such failure mode
    """
    by: dict[str, int] = {}
    flagged, passed = (_tally(samples, failure, state, lowest, by) for state in (State.FAILED, State.PASSED))
    return Known(flagged, passed, by)


def of_state(failure: str, state: State) -> dict[str, Any]:
    """Returns the database's query for the samples in a state."""
    (outcome,) = outcomes.of_failures([failure])
    return outcomes.query(outcome, state)


def is_open(failure: str) -> dict[str, Any]:
    """Returns the database's query for the samples that nobody has decided."""
    return {status_path(failure): {"$nin": list(STATUSES)}}


def score_path(failure: str) -> str:
    """Returns the path of a failure mode's score."""
    return f"{QUALITY}.{registry.failures()[failure][1].name}"


def ranked(row: Mapping[str, Any]) -> Ranked:
    """Returns the rank and the score of a row that was read with ``facts``."""
    rank, score = row.get("rank"), row.get("score")
    return Ranked(float(rank) if isinstance(rank, (int, float)) else None, float(score) if score is not None else None)


def facts(failure: str) -> dict[str, Any]:
    """Returns what is read of a sample: its rank and score, and what was decided of it."""
    return {"rank": f"${RANK}", "score": f"${score_path(failure)}", "decision": f"${REVIEW}.{failure}"}


def _tally(samples: Samples, failure: str, state: State, lowest: int, by: dict[str, int]) -> Tally:
    in_state, undecided = {"$match": of_state(failure, state)}, is_open(failure)
    decided = {status_path(failure): {"$in": list(STATUSES)}}
    project = {"$project": facts(failure)}
    # the rank alone decides: of equal ones, which do not happen, all or none would have to count
    first = [{"$match": undecided}, {"$sort": {RANK: 1}}, {"$limit": lowest}, project]
    with database_errors():
        # the decided ones are few as a rule, and told by one field: they are looked for first
        rows = list(samples._aggregate(pipeline=[{"$match": decided}, in_state, project]))
        # the others in one pass; of what is read at once there are few
        (rest,) = samples._aggregate(pipeline=[in_state, {"$facet": {"all": [{"$count": "n"}], "others": first}}])
    counted, others = rest["all"], rest["others"]
    for row in rows:
        name = str(row["decision"].get("by") or "")
        by[name] = by.get(name, 0) + 1
    n = counted[0]["n"] if counted else 0
    return Tally(
        n=n,
        decided={str(row["_id"]): (ranked(row), row["decision"][STATUS]) for row in rows},
        open={str(row["_id"]): ranked(row) for row in others},
        whole=n <= len(rows) + len(others),
    )
