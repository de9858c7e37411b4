"""What ``rebalance`` reads and writes: which samples were drawn for what, how they are judged, and what counts."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import fiftyone as fo
from bson import ObjectId

from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.core.findings import Finding
from loupe.brain.core.rebalanced import Rebalanced
from loupe.brain.core.specs import Check
from loupe.brain.generation.counted import Known
from loupe.brain.labels.cells import Cell
from loupe.brain.slicing.factors import Factor
from loupe.brain.store import coverage as store_coverage
from loupe.brain.store import fields, keeping, runs, updates
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples, require_stored, root
from loupe.brain.store.factors import place
from loupe.brain.store.fields import CHECKED, FAILURES, QUALITY, UNKNOWN, OwnField

#: the field of what was drawn for a cell
REBALANCE = "rebalance"
KEY, STATUS = f"{REBALANCE}.key", f"{REBALANCE}.status"
#: the factor by which a picture says what it was drawn for, from the moment that it is a sample
FACTOR = "rebalance_draw"
DRAW = f"scenario.{FACTOR}"
#: what the saved view without what does not count is called
VIEW = "Rebalanced"
#: the key that what was asked for, and what came of it, is kept under
_KEPT = "loupe_rebalanced"
_MAX_CELLS = 2000
_COUNTS = "counts"
_PARTS: dict[str, tuple[type[fo.Field], str]] = {
    "key": (fo.StringField, "What it was drawn for: the draws for one thing share it"),
    "cell": (fo.StringField, "The same in words"),
    "number": (fo.IntField, "Which draw for it, from 0"),
    "status": (fo.StringField, "counts, spare (passes beyond the target), fails or unknown"),
    "reason": (fo.StringField, "Why it does not count; empty where it does"),
    "agreement": (fo.FloatField, "How probable the class that was asked for is to the reference's classifier, 0 to 1"),
}


def own_fields() -> list[OwnField]:
    """Returns the fields that are written."""
    document = (fo.EmbeddedDocumentField, fo.DynamicEmbeddedDocument)
    text = "Of a picture that was drawn for what the set lacks: for what, and whether it counts"
    return [
        OwnField(REBALANCE, document[0], text, document[1], proof=KEY),
        *(OwnField(f"{REBALANCE}.{name}", kind, words) for name, (kind, words) in _PARTS.items()),
    ]


def require(dataset: fo.Dataset) -> None:
    """Raises an error where the dataset has fields of the user's own that would be written to.

    Raises:
        InputError: it says which
    """
    fields.require(dataset, own_fields())


def prepare(dataset: fo.Dataset) -> None:
    """Declares the fields."""
    fields.declare(dataset, own_fields(), images=True)


# what is there


def drawn(dataset: fo.Dataset) -> dict[str, dict[int, str]]:
    """Returns the samples of the draws, by what they are for and their numbers.

    They carry it from the moment they are added, so that none is lost of a run that was killed. A draw that there is
    twice, since the files of the model have changed, is the one that was drawn last.
    """
    made: dict[str, dict[int, str]] = {}
    if not dataset.has_field(DRAW):
        return made
    with database_errors():
        ids, held = dataset.values(["id", DRAW])
    for sample_id, text in zip(ids, held, strict=True):
        key, _, number = str(text or "").rpartition("-")
        if key and number.isdecimal():
            made.setdefault(key, {})[int(number)] = sample_id
    return {key: dict(sorted(own.items())) for key, own in made.items()}


def members(dataset: fo.Dataset, part: Cell | Finding) -> list[str] | None:
    """Returns the samples of a cell or slice that were not drawn for one; None where they are not in this dataset."""
    try:
        view = store_coverage.view_of(dataset, part)
        own = dataset.has_field(DRAW)
        with database_errors():
            columns = view.values(["id", DRAW] if own else ["id"])
    except UnknownName:
        return None
    keys = columns[1] if own else [None] * len(columns[0])
    return [sample_id for sample_id, key in zip(columns[0], keys, strict=True) if key is None]


def factors_here(dataset: fo.Dataset, factors: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Returns the factors that this dataset has: what is lacking may have been found in another one."""
    made = []
    for facts in factors:
        try:
            place(dataset, Factor.from_dict(facts))
        except UnknownName:
            continue
        made.append(facts)
    return made


def require_captions(dataset: fo.Dataset, captions: str | None) -> None:
    """Raises an error unless captions stand in a field of texts.

    Raises:
        UnknownName: no such field
        InputError: one of another kind
    """
    if captions is None:
        return
    if not dataset.has_field(captions):
        raise UnknownName("field of captions", captions, dataset.get_field_schema())
    if not isinstance(dataset.get_field(captions), fo.StringField):
        raise InputError(f"expected captions in a field of texts, but {captions!r} is none")


def others(dataset: fo.Dataset) -> Samples:
    """Returns the samples that were not drawn for anything: what the set's own prompts and classes are taken from."""
    return dataset.match({DRAW: None}) if dataset.has_field(DRAW) else dataset.view()


def sound(dataset: fo.Dataset) -> Samples:
    """Returns those that were not drawn for anything and have no failure: what a class looks like is told by them."""
    view = others(dataset)
    return view.match({f"{FAILURES}.classifications.0": {"$exists": False}}) if dataset.has_field(FAILURES) else view


def known(dataset: fo.Dataset, ids: Sequence[str], checks: Sequence[Check]) -> dict[str, Known]:
    """Returns what is stored of some samples; of these checks also what of their failure modes has no score."""
    modes = {
        check.name: {output.failure: output.name for output in check.outputs if output.failure} for check in checks
    }
    project = dict.fromkeys((CHECKED, FAILURES, UNKNOWN, QUALITY), True)
    match = {"_id": {"$in": [ObjectId(each) for each in ids]}}
    with database_errors():
        rows = list(dataset._aggregate(pipeline=[{"$match": match}, {"$project": project}])) if ids else []
    return {str(row["_id"]): _known(row, modes) for row in rows}


def _known(row: Mapping[str, Any], modes: Mapping[str, Mapping[str, str]]) -> Known:
    failures = tuple(str(each["label"]) for each in _inside(row.get(FAILURES)))
    # what the prompt asks for is no doubt
    doubts = {
        str(each["label"]): str(each.get("reason") or "it could not tell")
        for each in _inside(row.get(UNKNOWN))
        if not each.get("asked")
    }
    quality = row.get(QUALITY) or {}
    unjudged = {
        name: tuple(mode for mode, output in own.items() if quality.get(output) is None) for name, own in modes.items()
    }
    return Known(failures, doubts, frozenset(row.get(CHECKED) or {}), unjudged)


def _inside(document: Any) -> list[Mapping[str, Any]]:
    listed = document.get("classifications") if isinstance(document, Mapping) else None
    return [each for each in listed or () if isinstance(each, Mapping)]


def generated(dataset: fo.Dataset, ids: Sequence[str]) -> list[str]:
    """Returns those of the samples that a generator drew."""
    if not ids or not dataset.has_field("generation.key"):
        return []
    with database_errors():
        held = dataset.select(list(ids)).values(["id", "generation.key"])
    return [sample_id for sample_id, key in zip(*held, strict=True) if key is not None]


def seconds(dataset: fo.Dataset, model: str) -> float:
    """Returns how long drawing a picture takes by a model, by those that are there; NaN where there are none."""
    if not dataset.has_field("generation.seconds") or not dataset.has_field("generation.model"):
        return math.nan
    with database_errors():
        rows = zip(*dataset.values(["generation.model", "generation.seconds"]), strict=True)
    times = [value for name, value in rows if name == model and value is not None]
    return float(median(times)) if times else math.nan


# what is written


@dataclass(frozen=True)
class Entry:
    """What stands in ``rebalance`` of a sample; the parts of ``_PARTS``."""

    key: str
    cell: str
    number: int
    status: str
    reason: str
    agreement: float | None


def put(dataset: fo.Dataset, entries: Mapping[str, Entry]) -> int:
    """Writes what became of draws, only where it differs from what stands there; returns how many were written."""
    with database_errors():
        ids = list(entries)
        held = dict(zip(*dataset.select(ids).values(["id", REBALANCE]), strict=True)) if ids else {}
        changed = {
            each: _document(entry)
            for each, entry in entries.items()
            if each in held and _plain(held[each]) != _document(entry)
        }
        operations = [updates.update(each, {REBALANCE: document}, {}) for each, document in changed.items()]
        updates.write(dataset, operations, list(changed))
    return len(changed)


def _document(entry: Entry) -> dict[str, Any]:
    return {"_cls": "DynamicEmbeddedDocument", **{name: getattr(entry, name) for name in _PARTS}}


def _plain(held: Any) -> dict[str, Any]:
    if held is None:
        return {}
    return {"_cls": "DynamicEmbeddedDocument", **{name: getattr(held, name, None) for name in _PARTS}}


def rebalanced_view(samples: Samples) -> fo.DatasetView:
    """Returns the samples without those that were drawn for what the set lacks and do not count.

    It is a rule, not a list: what counts later, or no more, is seen in a saved view, too.

    Args:
        samples: a dataset or view

    Returns:
        a view; all samples where nothing was drawn for anything

    >>> loupe.rebalanced_view(dataset)  # doctest: +SKIP
    """
    require_stored(samples)
    return samples.match({"$or": [{DRAW: None}, {STATUS: _COUNTS}]})


def save_view(dataset: fo.Dataset) -> str:
    """Saves the view of what counts, unless there is one; returns its name."""
    return keeping.save_once(rebalanced_view(dataset), VIEW)


# what is kept


def keep(dataset: fo.Dataset, asked: Mapping[str, Any], result: Rebalanced | None) -> None:
    """Keeps what was asked for by its key, the latest of many, and what came of it; None while it goes on.

    As a text: factors may be called as the database calls its own things.
    """
    some = dict(list(asked.items())[-_MAX_CELLS:])
    text = "" if result is None else json.dumps(result.to_dict())
    runs.put(dataset, _KEPT, REBALANCE, {"cells": len(some)}, {"asked": json.dumps(some), "result": text})


def kept(dataset: fo.Dataset) -> dict[str, Any]:
    """Returns what was asked for, by its key."""
    text = (runs.results(dataset, _KEPT) or {}).get("asked")
    try:
        made = json.loads(text) if text else {}
    except (TypeError, ValueError):
        return {}
    return made if isinstance(made, dict) else {}


def load(samples: Samples) -> Rebalanced | None:
    """Returns what came of the last call that ended; None where there is none, or of a form that nobody can read."""
    text = (runs.results(samples, _KEPT) or {}).get("result")
    try:
        return Rebalanced.from_dict(json.loads(text)) if text else None
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def require_label(dataset: fo.Dataset, reference: Samples, label: str) -> None:
    """Raises an error where the dataset has a field of that name of another kind than the reference.

    Raises:
        InputError: it says what both are
    """
    from loupe.brain.store.experiment import datasets as experiments

    if root(reference) is not dataset:
        experiments.require_kind(dataset, label, reference)
