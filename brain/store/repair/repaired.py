"""Repairs: which samples wait for one, the samples with repaired pictures, and what became of each original.

Both are linked: ``repair.of`` of a repaired sample is the id of its original, ``repaired.<failure>`` of the original is
a classification, whose label is the status, with ``sample``, the id of the repaired one. The original's file, labels
and fields stay as they are.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fiftyone as fo
from bson import ObjectId
from pymongo import UpdateOne

from loupe.brain.core.errors import InputError
from loupe.brain.engine.output_folder import size_of
from loupe.brain.generation.records import STATUSES, RepairedSample
from loupe.brain.store import augmented, fields, generated, updates
from loupe.brain.store.augmented import Plan
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples, require_stored, root, sample_documents
from loupe.brain.store.fields import OwnField
from loupe.brain.store.inserting import insert

REPAIR = "repair"
REPAIRED = "repaired"
OF = f"{REPAIR}.of"
_CHUNK = 1000
#: the parts of ``repair``, on a repaired sample
_PARTS: dict[str, tuple[type[fo.Field], str]] = {
    "of": (fo.StringField, "The id of the original"),
    "failure": (fo.StringField, "What was to be repaired"),
    "method": (fo.StringField, "How: inpaint, image_to_image or redraw"),
    "attempt": (fo.IntField, "Which attempt it is"),
    "accepted": (fo.BooleanField, "Whether the gate kept it; false where a person took it in spite of the gate"),
    "before": (fo.FloatField, "The target's score of the original"),
    "after": (fo.FloatField, "The target's score of this picture"),
    "reason": (fo.StringField, "Why the gate refused it; empty where it did not"),
    "outside": (fo.FloatField, "Mean difference outside of the region, in levels of 0 to 255"),
    "sharpness": (fo.FloatField, "Edges inside of the region, as a ratio of the original's"),
    "style": (fo.FloatField, "How far the colors inside of the region lie from the original's, in CIELAB"),
    "alignment": (fo.FloatField, "By how much it fits the prompt better, by open_clip; none where that is not here"),
}
#: the parts of ``repaired.<failure>``, on the original
_ENTRY: dict[str, tuple[type[fo.Field], str]] = {
    "key": (fo.StringField, "Hash of all that decides the repair"),
    "sample": (fo.StringField, "The id of the repaired sample; empty where there is none"),
    "file": (fo.StringField, "The best attempt's picture"),
    "method": (fo.StringField, "How it was tried"),
    "attempt": (fo.IntField, "Which attempt was the best; 0: none was made"),
    "before": (fo.FloatField, "The score of the original"),
    "after": (fo.FloatField, "The score of the best attempt"),
    "reason": (fo.StringField, "Why nothing was kept; empty where something was"),
    "worse": (fo.BooleanField, "Whether the first attempt was worse than the original in something"),
    "outline": (fo.StringField, "The region's outline, as JSON; empty for the whole picture"),
    "measures": (fo.StringField, "What was measured before and after, as JSON"),
    "by": (fo.StringField, "Who decided; empty where the gate did"),
    "at": (fo.DateTimeField, "When, in UTC"),
}


@dataclass(frozen=True)
class Entry:
    """What stands in ``repaired.<failure>`` of an original.

    Attributes:
        id, path: the original's
        failure: the failure mode
        status: the label
        facts: the other parts
    """

    id: str
    path: str
    failure: str
    status: str
    facts: Mapping[str, Any]

    def record(self) -> RepairedSample:
        """Returns it as ``repair`` returns it."""
        facts = self.facts
        return RepairedSample(
            self.id,
            self.failure,
            str(facts.get("method") or ""),
            self.status if self.status in STATUSES else "unknown",
            str(facts.get("sample") or ""),
            int(facts.get("attempt") or 0),
            _number(facts.get("before")),
            _number(facts.get("after")),
            str(facts.get("reason") or ""),
            bool(facts.get("worse")),
        )


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan


def own_fields(failures: Iterable[str]) -> list[OwnField]:
    """Returns the fields that repairs of these failure modes write."""
    document = (fo.EmbeddedDocumentField, fo.DynamicEmbeddedDocument)
    made = [
        OwnField(REPAIR, document[0], "Of a repaired picture: what it is a repair of", document[1], proof=OF),
        *(OwnField(f"{REPAIR}.{name}", kind, text) for name, (kind, text) in _PARTS.items()),
        OwnField(REPAIRED, document[0], "Of an original: what became of its repair", document[1]),
    ]
    for failure in failures:
        path = f"{REPAIRED}.{failure}"
        made.append(
            OwnField(path, fo.EmbeddedDocumentField, f"The repair of {failure}", fo.Classification, f"{path}.key")
        )
        made += [OwnField(f"{path}.{name}", kind, text) for name, (kind, text) in _ENTRY.items()]
    return made


def require(samples: Samples, failures: Iterable[str]) -> None:
    """Raises an error unless repaired pictures can be added to the dataset.

    Raises:
        InputError: it is one of groups, or has a field of the user's own that would be written to
    """
    dataset = root(samples)
    if dataset.media_type == "group":
        raise InputError(
            "expected a dataset of images to add repaired pictures to, got one of groups: make the slice a dataset, "
            "view.clone('images'), and repair that"
        )
    fields.require(dataset, own_fields(failures))


def prepare(samples: Samples, failures: Iterable[str]) -> None:
    """Declares the fields that repairs write: of the originals and of the repaired samples.

    Raises:
        InputError: as for ``require``
    """
    failures = list(failures)
    require(samples, failures)
    generated.prepare(root(samples), ())
    augmented.prepare(samples)
    fields.declare(samples, own_fields(failures))


def entries(samples: Samples, failures: Iterable[str] | None = None) -> list[Entry]:
    """Returns what stands on the originals among the samples, in their order.

    Args:
        samples: a dataset or view
        failures: of which failure modes; None: of all
    """
    dataset = root(samples)
    if not dataset.has_field(REPAIRED):
        return []
    known = [path.split(".")[1] for path in dataset.get_field_schema(flat=True) if path.startswith(f"{REPAIRED}.")]
    asked = list(dict.fromkeys(known)) if failures is None else [name for name in failures if name in known]
    if not asked:
        return []
    pipeline = [
        {"$match": {"$or": [{f"{REPAIRED}.{name}.key": {"$ne": None}} for name in asked]}},
        {"$project": {"filepath": True, **{f"{REPAIRED}.{name}": True for name in asked}}},
    ]
    with database_errors():
        rows = list(samples._aggregate(pipeline=pipeline))
    return [entry for row in rows for name in asked if (entry := _entry(row, name)) is not None]


def _entry(row: Mapping[str, Any], failure: str) -> Entry | None:
    document = (row.get(REPAIRED) or {}).get(failure)
    if not isinstance(document, Mapping) or not document.get("key"):
        return None
    facts = {name: document.get(name) for name in _ENTRY}
    return Entry(str(row["_id"]), row["filepath"], failure, str(document.get("label")), facts)


def present(samples: Samples, ids: Iterable[str]) -> dict[str, str]:
    """Returns the file of each of these samples that there is, by its id."""
    wanted = [ObjectId(each) for each in ids if ObjectId.is_valid(each)]
    with database_errors():
        documents = list(sample_documents(samples).find({"_id": {"$in": wanted}}, ["filepath"]))
    return {str(each["_id"]): each["filepath"] for each in documents}


@dataclass(frozen=True, eq=False)
class Made:
    """A repaired picture that lies in the output folder.

    Attributes:
        path: the file
        key: of its generation
        of: the id of the original
        whole: whether all of the picture was drawn anew: then labels with a place are not carried over
        generation: what goes to ``generation``
        repair: what goes to ``repair``
    """

    path: Path
    key: str
    of: str
    whole: bool
    generation: Mapping[str, Any]
    repair: Mapping[str, Any]


def carrying(samples: Samples) -> Plan:
    """Returns what of an original is carried over to its repaired sample, see ``add``."""
    own = root(samples).get_field("split")
    return augmented.plan(samples, None, "split" if isinstance(own, fo.StringField) else None, geometric=False)


def add(samples: Samples, made: Made, carried: Plan) -> str:
    """Adds the sample of a repaired picture, unless there is one; returns its id.

    It has the original's prompt, scenario, tags, split and other values, and its labels without a confidence: those
    with a place only where a region alone was drawn anew.

    Raises:
        InputError: the original is no more
    """
    dataset = root(samples)
    source = augmented.read(samples, [made.of]).get(made.of)
    if source is None:
        raise InputError(f"expected the original of a repair, got none with the id {made.of}: it was deleted meanwhile")
    labels = {name: source[name] for name in augmented.still(source, carried.labels) if source[name] is not None}
    if made.whole:
        labels = {
            name: label for name, label in labels.items() if isinstance(label, (fo.Classification, fo.Classifications))
        }
    others = {
        name: deepcopy(source[name])
        for name in augmented.still(source, carried.others)
        if source[name] is not None and name not in (REPAIR, REPAIRED)
    }
    size = [int(made.generation[name]) for name in ("width", "height")]
    metadata = fo.ImageMetadata(
        size_bytes=size_of(made.path), mime_type="image/png", width=size[0], height=size[1], num_channels=3
    )
    sample = fo.Sample(
        filepath=str(made.path),
        tags=list(source.tags),
        metadata=metadata,
        generation=fo.DynamicEmbeddedDocument(**{**generated.fitting(made.generation), "source": made.of}),
        repair=fo.DynamicEmbeddedDocument(**{name: _plain(made.repair.get(name)) for name in _PARTS}),
        **others,
        **{name: augmented.copied(label) for name, label in labels.items()},
    )
    with database_errors():
        insert(dataset, "generation.key", [(made.key, sample)])
        known = sample_documents(samples).find_one({"generation.key": made.key, OF: made.of}, ["_id"])
    if known is None:
        raise InputError(f"expected to add a repaired picture of {made.of}, but another sample has its key {made.key}")
    return str(known["_id"])


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def put(
    samples: Samples, sample_id: str, failure: str, status: str, facts: Mapping[str, Any], known: Entry | None = None
) -> bool:
    """Writes what became of an original, where that stands which is known to; returns whether it was written.

    Args:
        samples: a dataset or view
        sample_id: the original
        failure: the failure mode
        status: the label
        facts: the other parts
        known: what is known to stand there; None: whatever stands there
    """
    path = f"{REPAIRED}.{failure}"
    query: dict[str, Any] = {"_id": ObjectId(sample_id)}
    if known is not None:
        query |= {f"{path}.label": known.status, f"{path}.key": known.facts.get("key")}
    parts = {name: _plain(facts.get(name)) for name in _ENTRY}
    if parts["at"] is None:
        parts["at"] = datetime.now(UTC).replace(tzinfo=None)
    document = updates.label(status, **parts)
    operation = UpdateOne(
        query, [{"$set": {f"{REPAIRED}._cls": "DynamicEmbeddedDocument", path: {"$literal": document}}}]
    )
    with database_errors():
        return updates.write(samples, [operation], [sample_id]) == 1


def take_away(samples: Samples, entry: Entry) -> bool:
    """Deletes the repaired sample of an original, which Loupe added; its file stays. Returns whether there was one."""
    sample_id = entry.facts.get("sample")
    if not sample_id or not ObjectId.is_valid(sample_id):
        return False
    dataset = root(samples)
    with database_errors():
        own = sample_documents(samples).find_one({"_id": ObjectId(sample_id), OF: entry.id}, ["_id"])
        if own is not None:
            dataset.delete_samples([sample_id])
    return own is not None


def with_repairs(samples: Samples) -> fo.DatasetView:
    """Returns the samples with each original left out that has a repair: the repaired picture stands for it.

    Args:
        samples: a dataset or view; repaired samples outside of it do not count

    Returns:
        a view

    >>> loupe.with_repairs(dataset).count()  # doctest: +SKIP
    200
    """
    require_stored(samples)
    view = samples.view()
    dataset = root(samples)
    if not dataset.has_field(OF):
        return view
    with database_errors():
        originals = [each for each in samples.values(OF) if each]
    # a repair of a repair stands for both
    return view.exclude(originals) if originals else view


def outline_of(polygons: Sequence[Sequence[tuple[float, float]]]) -> str:
    """Returns an outline as it is stored: polygons of points relative to the picture."""
    return json.dumps([[[round(x, 4), round(y, 4)] for x, y in polygon] for polygon in polygons]) if polygons else ""
