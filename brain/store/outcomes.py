"""Puts the rule of an outcome to the database: what is read for it, and the query that a state is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fiftyone.core.collections import SampleCollection

from loupe.brain.core import registry
from loupe.brain.core.errors import UnknownName
from loupe.brain.slicing.outcomes import UNLESS_ASKED, Fact, Outcome, State
from loupe.brain.store.fields import ASKED
from loupe.brain.store.rows import CHECKED
from loupe.brain.store.scores import FAILURES, QUALITY

_CLASSIFICATIONS = f"{FAILURES}.classifications"
_LABELS = f"{_CLASSIFICATIONS}.label"
#: whether the labels are there is told by their names: whole documents take far longer to read
_READ_AS = {_CLASSIFICATIONS: _LABELS}


def of_failures(names: Iterable[str] | None = None) -> list[Outcome]:
    """Returns the outcomes of failure modes.

    Args:
        names: of the failure modes; None for all that something registered can flag

    Raises:
        UnknownName: no such failure mode; the nearest name is suggested
    """
    known = registry.failures()
    outcomes = []
    for name in known if names is None else names:
        if name not in known:
            raise UnknownName("failure mode", name, known)
        check, output = known[name]
        facts = {
            "scored": Fact(f"{QUALITY}.{output.name}", "number"),
            "asked": Fact(ASKED, "any", (name,)),
            "labelled": Fact(_LABELS, "any", (name,)),
            "flagged": Fact(_CLASSIFICATIONS, "set"),
            "checked": Fact(CHECKED, "key", (check,)),
        }
        outcomes.append(Outcome(name, facts, UNLESS_ASKED))
    return outcomes


def reads(outcomes: Iterable[Outcome], samples: SampleCollection) -> dict[str, str]:
    """Returns for the path of each fact the path that is read for it; fields that the samples lack are left out."""
    paths = sorted({fact.path for outcome in outcomes for fact in outcome.facts.values()})
    return {path: _READ_AS.get(path, path) for path in paths if samples.has_field(_READ_AS.get(path, path))}


def expression(fact: Fact) -> dict[str, Any] | None:
    """Returns the database's expression of the answer to a fact of failure modes; None of one that any field may hold.

    It is true, or something else than true: what a list of labels or a dict holds need not be read to know it.
    """
    match fact.test:
        case "key":
            return {"$or": [{"$gt": [f"${fact.path}.{key}", None]} for key in fact.values]}
        case "any" if fact.path in (_LABELS, ASKED):
            return {"$or": [{"$in": [value, {"$ifNull": [f"${fact.path}", []]}]} for value in fact.values]}
        case "set" if fact.path == _CLASSIFICATIONS:
            return {"$gt": [f"${fact.path}", None]}
    return None


def query(outcome: Outcome, state: State) -> dict[str, Any]:
    """Returns the database's query for the samples in a state; plain JSON, since a view travels to the App."""
    lines = [
        {"$and": [_condition(outcome.facts[name], wanted) for name, wanted in needed.items()]}
        for leads_to, needed in outcome.rule
        if leads_to == state
    ]
    # no line leads there: no sample is in that state
    return {"$or": lines} if lines else {"$nor": [{}]}


def is_number(path: str) -> list[dict[str, Any]]:
    """Returns the queries of which one holds where a field holds a number; NaN is none."""
    return [{path: {"$gte": 0}}, {path: {"$lt": 0}}]


def _condition(fact: Fact, wanted: bool) -> dict[str, Any]:
    # null and missing are alike to a query for None
    match fact.test:
        case "set":
            return {fact.path: {"$ne": None} if wanted else None}
        case "number":
            return {"$or" if wanted else "$nor": is_number(fact.path)}
        case "any":
            return {fact.path: {"$in" if wanted else "$nin": list(fact.values)}}
        case "key":
            keys = [{f"{fact.path}.{key}": {"$ne": None}} for key in fact.values]
            return {"$or" if wanted else "$nor": keys}
