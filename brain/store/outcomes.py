"""Puts the rule of an outcome to the database: what is read for it, and the query that a state is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fiftyone.core.collections import SampleCollection

from loupe.brain.core import registry
from loupe.brain.core.errors import UnknownName
from loupe.brain.core.records import Output
from loupe.brain.slicing import families
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
        names: of the failure modes, or of several together: ``"any"``, or a family of the taxonomy (``"text"``); None
            for each that something registered can flag

    Raises:
        UnknownName: no such failure mode; the nearest name is suggested
    """
    known = registry.failures()
    return [
        _of_mode(name, known) if name in known else _of_several(name, known)
        for name in (known if names is None else names)
    ]


def _of_mode(name: str, known: Mapping[str, tuple[str, Output]]) -> Outcome:
    check, output = known[name]
    facts = {
        "scored": Fact(f"{QUALITY}.{output.name}", "number"),
        "asked": Fact(ASKED, "any", (name,)),
        "labelled": Fact(_LABELS, "any", (name,)),
        "flagged": Fact(_CLASSIFICATIONS, "set"),
        "checked": Fact(CHECKED, "key", (check,)),
    }
    return Outcome(name, facts, UNLESS_ASKED)


def _of_several(name: str, known: Mapping[str, tuple[str, Output]]) -> Outcome:
    members = families.members(known)
    of = members.get(families.family_of(name) or name)
    if of is None:
        raise UnknownName("failure mode", name, [*known, *members])
    return Outcome.any_of([_of_mode(mode, known) for mode in of], name=name)


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
    leaves = outcome.leaves()
    lines = [line for leaf in leaves for line in _lines(leaf, state)]
    # no line leads there: no sample is in that state
    own: dict[str, Any] = {"$or": lines} if lines else {"$nor": [{}]}
    if len(leaves) == 1:
        return own
    # of several outcomes the highest state counts
    higher = [line for leaf in leaves for other in State if other > state for line in _lines(leaf, other)]
    return {"$and": [own, {"$nor": higher}]} if higher else own


def _lines(outcome: Outcome, state: State) -> list[dict[str, Any]]:
    return [
        {"$and": [_condition(outcome.facts[name], wanted) for name, wanted in needed.items()]}
        for leads_to, needed in outcome.rule
        if leads_to == state
    ]


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
