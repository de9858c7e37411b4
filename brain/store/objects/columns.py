"""Reads what rates of objects are made of: a column and a state for each object of a field of boxes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from fiftyone.core.collections import SampleCollection
from fiftyone.core.expressions import ViewExpression

from loupe.brain.core import registry
from loupe.brain.core.errors import InputError, LoupeError, UnknownName
from loupe.brain.core.records import Output
from loupe.brain.slicing import families
from loupe.brain.slicing.columns import Column
from loupe.brain.slicing.factors import Factor, factors_of
from loupe.brain.slicing.outcomes import UNLESS_ASKED, Fact, Outcome, states_of
from loupe.brain.store import asked, bulk, columns, plain
from loupe.brain.store.factors import place
from loupe.brain.store.fields import SOURCE
from loupe.brain.store.objects import mirror as objects
from loupe.brain.store.objects import scores as object_scores
from loupe.brain.store.raw import Irregular

#: what the grouping is called among the factors; no other one is
_GROUPS = "\0groups"
#: the sources of factors that say something of each label of a field
_OF_LABELS = ("label", "attribute", "box")


@dataclass(frozen=True)
class ObjectColumns:
    """What is known of M objects.

    Attributes:
        factors: the column of each factor by its name, over the objects
        states: for each failure mode a (M,) int8 array of ``State``
        groups: which of the objects are alike: those of a picture, or of what it shares with others
    """

    factors: Mapping[str, Column]
    states: Mapping[str, np.ndarray]
    groups: Column


def read(
    view: SampleCollection,
    path: str,
    by: str | Factor | Iterable[str | Factor],
    failure: str | None = None,
    groups: str | None = None,
) -> ObjectColumns:
    """Returns the columns of the objects of a field that are in the view.

    Args:
        view: a dataset or view; labels that it filters out are not there
        path: the user's field of boxes
        by: what to slice by: of the field itself (its name is that of its classes), of Loupe's field of the objects,
            or of the pictures that the objects are in
        failure: a failure mode, ``"any"`` or a family; None for each that an object may have
        groups: a field of the pictures: those of one value are alike, too

    Raises:
        UnknownName: no such field or failure mode
        InputError: the objects were not checked, or a field that cannot be sliced by
    """
    objects.require(view, path)
    known = registry.object_failures()
    outcomes = _outcomes(failure, known)
    modes = list(dict.fromkeys(leaf.name for outcome in outcomes for leaf in outcome.leaves()))
    outputs = [known[mode][1].name for mode in modes]
    checks = list(dict.fromkeys(known[mode][0] for mode in modes))
    stored = object_scores.read(view, path, outputs, checks)
    parts = [(factor, _own(factor, path)) for factor in factors_of(by)]
    of_labels = {factor.name: own for factor, own in parts if own is not None}
    ids, values = _of_labels(view, path, of_labels)
    owners = np.repeat(np.arange(len(ids)), [len(each) for each in ids])
    place_of = _matched(stored, ids)

    grouping = [] if groups is None else [Factor.field(groups, name=_GROUPS)]
    rest = [factor for factor, own in parts if own is None]
    table = columns.read(view, [*rest, *grouping], failures=[])
    for column in table.factors.values():
        if column.n != len(stored.ids) or len(ids) != len(stored.ids):
            raise LoupeError("samples were added or taken away while they were read: call again")
    made = {name: _spread(column, owners) for name, column in table.factors.items()}
    made |= {name: _column(own, values[name]) for name, own in of_labels.items()}
    known_facts = _facts(view, stored, place_of, owners, modes, known, checks)
    return ObjectColumns(
        {factor.name: made[factor.name] for factor, _ in parts},
        states_of(outcomes, {}, len(owners), known_facts),
        _grouped(table.factors.get(_GROUPS), owners, groups, table.by),
    )


def _outcomes(failure: str | None, known: Mapping[str, tuple[str, Output]]) -> list[Outcome]:
    names = list(known) if failure is None else [failure]
    several = families.members(known)
    outcomes = []
    for name in names:
        of = [name] if name in known else several.get(families.family_of(name) or name)
        if of is None:
            raise UnknownName("failure mode of objects", name, [*known, *several])
        outcomes.append(_outcome(name) if name in known else Outcome.any_of([_outcome(mode) for mode in of], name=name))
    return outcomes


def _outcome(mode: str) -> Outcome:
    """Returns the outcome of one failure mode: its facts are answered here, and no database is asked for them."""
    names = ("scored", "asked", "labelled", "flagged", "checked")
    return Outcome(mode, {name: Fact(f"{mode} {name}", "set") for name in names}, UNLESS_ASKED)


def _facts(
    view: SampleCollection,
    stored: object_scores.Objects,
    place_of: np.ndarray,
    owners: np.ndarray,
    modes: Sequence[str],
    known: Mapping[str, tuple[str, Output]],
    checks: Sequence[str],
) -> dict[Fact, np.ndarray]:
    """Returns the answers to the facts of each failure mode, for each object; one that is not mirrored has none."""
    mirrored = place_of >= 0
    # one more row, of what is known of an object of which nothing is
    scored = (
        np.concatenate([~np.isnan(stored.scores), np.zeros((1, len(modes)), dtype=bool)])[place_of] & mirrored[:, None]
    )
    flagged = np.array([*(text is not None for text in stored.failures), False], dtype=bool)[place_of] & mirrored
    labels = [frozenset(object_scores.parted(text)) for text in stored.failures] + [frozenset()]
    as_asked = asked.of_objects(view, owners, modes)
    facts: dict[Fact, np.ndarray] = {}
    for at, mode in enumerate(modes):
        own = _outcome(mode).facts
        facts[own["scored"]] = scored[:, at]
        facts[own["asked"]] = as_asked[:, at]
        facts[own["labelled"]] = np.array([mode in each for each in labels], dtype=bool)[place_of] & mirrored
        facts[own["flagged"]] = flagged
        facts[own["checked"]] = stored.checked[owners, checks.index(known[mode][0])] & mirrored
    return facts


def _own(factor: Factor, path: str) -> Factor | None:
    """Returns a factor of each label of the field, or of its mirror, as what it says of one; None of any other."""
    for field in (path, objects.mirror_of(path)):
        inside = f"{field}.detections."
        if factor.source == "field" and factor.path == field:
            return Factor.label(field, name=factor.name)
        if factor.source == "field" and factor.path.startswith(inside):
            part = factor.path.removeprefix(inside)
            if part == "label":
                return Factor.label(field, name=factor.name)
            return replace(factor, source="attribute", path=field, part=part)
        if factor.source in _OF_LABELS and factor.path == field:
            return factor
    return None


def _of_labels(
    view: SampleCollection, path: str, factors: Mapping[str, Factor]
) -> tuple[list[list[str]], dict[str, list[Any]]]:
    """Returns for each sample the ids of its labels, and for each factor the value of each label, in their order."""
    mirror = objects.mirror_of(path)
    expressions: dict[str, Any] = {}
    for name, factor in factors.items():
        inside = f"{factor.path}.detections"
        if factor.source == "label":
            expressions[name] = object_scores.each(inside, "$$this.label")
        else:
            # of all labels, so that their values stand beside their ids
            own = place(view, replace(factor, of=())).read
            expressions[name] = own.to_mongo() if isinstance(own, ViewExpression) else own
        if factor.of:
            expressions[f"{name}\0of"] = object_scores.each(inside, "$$this.label")
    wanted = [
        object_scores.each(f"{path}.detections", {"$toString": "$$this._id"}),
        object_scores.each(f"{mirror}.detections", f"$$this.{SOURCE}"),
        *expressions.values(),
    ]
    try:
        ids, sources, *listed = bulk.read(view, {}, wanted).values
    except Irregular:
        (ids, sources, *listed), _ = plain.read(view, wanted)
    read = dict(zip(expressions, listed, strict=True))
    values = {}
    for name, factor in factors.items():
        column = read[name]
        if factor.of:
            classes = read[f"{name}\0of"]
            column = [
                [value if label in factor.of else None for value, label in zip(own or (), of or (), strict=True)]
                for own, of in zip(column, classes, strict=True)
            ]
        if factor.path == mirror:
            column = [
                _by_id(own or (), source or (), value or ())
                for own, source, value in zip(ids, sources, column, strict=True)
            ]
        values[name] = [value for own in column for value in own or ()]
    return [list(own or ()) for own in ids], values


def _by_id(ids: Sequence[str], sources: Sequence[str], values: Sequence[Any]) -> list[Any]:
    of = dict(zip(sources, values, strict=True))
    return [of.get(each) for each in ids]


def _matched(stored: object_scores.Objects, ids: Sequence[Sequence[str]]) -> np.ndarray:
    """Returns for each label the place of the object that stands for it: (M,) int64, -1 for none."""
    place_of = {
        (owner, source): at
        for at, (owner, source) in enumerate(zip(stored.owners.tolist(), stored.sources, strict=True))
    }
    flat = [place_of.get((owner, each), -1) for owner, own in enumerate(ids) for each in own]
    return np.array(flat, dtype=np.int64)


def _column(factor: Factor, values: Sequence[Any]) -> Column:
    """Returns the column of a factor of each label."""
    kinds = {bool: "bool", str: "text", int: "int", float: "float"}
    occurring = {kinds.get(type(value)) for value in values if value is not None}
    kind: Any = "text" if factor.source == "label" or factor.part == "position" else None
    if kind is None:
        kind = "float" if "float" in occurring else next(iter(sorted(each for each in occurring if each)), "text")
    fitted = factor.of_kind(kind).fitted(values)
    return fitted.column(values)


def _spread(column: Column, owners: np.ndarray) -> Column:
    """Returns the column of the samples as that of their objects."""
    first = np.searchsorted(column.samples, np.arange(column.n + 1))
    times = np.diff(first)[owners]
    whose = np.repeat(np.arange(len(owners)), times)
    offset = np.arange(len(whose)) - np.repeat(np.cumsum(times) - times, times)
    return Column(column.values, whose, column.codes[first[owners[whose]] + offset], len(owners))


def _grouped(column: Column | None, owners: np.ndarray, path: str | None, by: Sequence[Factor]) -> Column:
    """Returns the groups of objects: the pictures that they are in, or what those share."""
    codes = owners
    if column is not None:
        if by[-1].kind == "float":
            raise InputError(
                f"expected a field of strings, bools or ints to group by, but {path!r} holds numbers in between"
            )
        if len(column.samples) != column.n:
            raise InputError(f"expected groups that each picture is in one of, but {path!r} holds several on some")
        alone = np.array([value is None for value in column.values], dtype=bool)[column.codes]
        codes = np.where(alone, len(column.values) + np.arange(column.n), column.codes)[owners]
    occurring, own = np.unique(codes, return_inverse=True)
    return Column(tuple(range(len(occurring))), np.arange(len(owners)), own.astype(np.int64), len(owners))
