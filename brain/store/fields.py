"""Loupe's fields: one table of path, type and what stands in it. Declared from here, and the schema is held against it.

A field of the user's own that has one of these names is never written to: ``require`` says so before anything is done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import fiftyone as fo
from fiftyone.core.odm import BaseEmbeddedDocument

from loupe.brain.core.errors import InputError, LoupeError
from loupe.brain.core.records import Output
from loupe.brain.store import layout
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples, documents, paths, refresh, root

QUALITY = "quality"
FAILURES = "failures"
UNKNOWN = "unknown"
#: a dict of {spec name: key}: which version of which spec has judged which inputs of this sample
CHECKED = "checked"
#: the id of the representative of the duplicates that the sample belongs to
GROUP = "duplicate_group"
FINGERPRINT = "fingerprint"
#: a document for each failure mode: what people decided of it
REVIEW = "review"
#: of an object: the id of the label that it stands for
SOURCE = "source"
#: the failure mode of a label that is probably wrong
LABEL_ISSUE = "label_issue"
#: what was decided of the duplicates: keep, drop, distinct
DEDUPLICATED = "deduplicated"
#: of an element of ``unknown``: the failure mode that is no failure there, since the prompt asks for it
ASKED = f"{UNKNOWN}.classifications.asked"
#: on a box or points: the check that saw it
CHECK = "check"
#: what a sample holds that no check has judged, once the fields are declared
EMPTY: dict[str, dict[str, Any]] = {QUALITY: {"_cls": "DynamicEmbeddedDocument"}, CHECKED: {}}

#: on a declared field: Loupe made it
MARK = {"made_by": "loupe"}
_TRIES = 50
_one_at_a_time = Lock()


def is_own(field: fo.Field) -> bool:
    """Returns whether a field says that Loupe made it."""
    return (field.info or {}).get("made_by") == MARK["made_by"]


def mirrors(schema: Mapping[str, fo.Field]) -> set[str]:
    """Returns Loupe's fields of the objects of others: a user's label may have a ``source`` of its own, too."""
    return {path for path, field in schema.items() if f"{path}.detections.{SOURCE}" in schema and is_own(field)}


@dataclass(frozen=True)
class OwnField:
    """A sample field that Loupe writes.

    Attributes:
        path: e.g. ``"quality.sharpness"``
        kind: its type
        description: what stands in it
        document: of an embedded document, which
        proof: how to tell that what stands in it is Loupe's where the field does not say so, as in what 0.1.0 stored:
            a sub-field that only Loupe declares; ``"checked"`` for values on samples that were checked; empty where
            the user's values may stand beside Loupe's, which writes to other paths or to new samples only
        remedy: what to do beside renaming, e.g. ``"give another field="``
        inside: of a list, what its items are
    """

    path: str
    kind: type[fo.Field]
    description: str
    document: type[BaseEmbeddedDocument] | None = None
    proof: str = ""
    remedy: str = ""
    inside: type[fo.Field] | None = None


def _labels(path: str, description: str, *attributes: tuple[str, type[fo.Field], str]) -> list[OwnField]:
    proof = f"{path}.classifications.{attributes[0][0]}"
    parts = [OwnField(f"{path}.classifications.{name}", kind, text) for name, kind, text in attributes]
    return [OwnField(path, fo.EmbeddedDocumentField, description, fo.Classifications, proof), *parts]


#: what every verb that judges writes
BASE = (
    OwnField(QUALITY, fo.EmbeddedDocumentField, "Raw scores of the checks", fo.DynamicEmbeddedDocument),
    *_labels(
        FAILURES,
        "What went wrong: scores beyond their threshold",
        ("threshold", fo.FloatField, "Threshold"),
        ("score", fo.FloatField, "The score"),
        ("check", fo.StringField, "The check that gave the score"),
    ),
    *_labels(UNKNOWN, "Checks that looked and could not judge", ("reason", fo.StringField, "Reason")),
    OwnField(CHECKED, fo.DictField, "Which version of which check has judged this sample"),
)
#: declared with the first prompt that asks for a failure mode
AS_ASKED = OwnField(ASKED, fo.StringField, "The failure mode that the prompt asks for")
PROMPT = OwnField("prompt", fo.StringField, "What the image was asked for")
_CORRECTION = OwnField(f"{REVIEW}.{LABEL_ISSUE}.correction", fo.StringField, "The class that it is; empty: none fits")
_GROUPS = OwnField(GROUP, fo.StringField, "Duplicates of each other share it", proof=CHECKED)
_PRINTS = OwnField(FINGERPRINT, fo.VectorField, "To find copies of the picture with", proof=CHECKED)


def of_scores(
    outputs: Iterable[Output], boxes: Iterable[str] = (), maps: Iterable[str] = (), points: Iterable[str] = ()
) -> list[OwnField]:
    """Returns the fields of scores and their evidence.

    Args:
        outputs: the scores
        boxes: the fields of boxes
        maps: the fields of maps
        points: the fields of points
    """
    fields = list(BASE)
    for output in outputs:
        unit = "; ".join(filter(None, (output.unit, output.direction)))
        description = f"{output.description} ({unit})"
        fields.append(OwnField(f"{QUALITY}.{output.name}", fo.FloatField, description, proof=CHECKED))
    listed = (
        *((name, "detections", fo.Detections, "What the checks saw, and where") for name in dict.fromkeys(boxes)),
        *((name, "keypoints", fo.Keypoints, "What the checks saw, as points") for name in dict.fromkeys(points)),
    )
    for name, inside, document, description in listed:
        saw = f"{name}.{inside}.{CHECK}"
        fields.append(OwnField(name, fo.EmbeddedDocumentField, description, document, proof=saw))
        fields.append(OwnField(saw, fo.StringField, "The check that saw it"))
    for name in dict.fromkeys(maps):
        text = "Where the check saw it, from 0 to 1"
        fields.append(OwnField(name, fo.EmbeddedDocumentField, text, fo.Heatmap, proof=CHECKED))
    return fields


def of_objects(mirror: str, of: str, outputs: Iterable[Output]) -> list[OwnField]:
    """Returns the fields of what is known of the objects of a field of the user's own, see ``store.objects.mirror``.

    Args:
        mirror: Loupe's field
        of: the user's field
        outputs: the scores
    """
    inside, source = f"{mirror}.detections", f"{mirror}.detections.{SOURCE}"
    text, listed = f"The objects of {of}, with what is known of each", (fo.ListField, fo.StringField)
    fields = [
        OwnField(mirror, fo.EmbeddedDocumentField, text, fo.Detections, proof=source),
        OwnField(source, fo.StringField, f"The id of the label in {of}"),
        OwnField(f"{inside}.{FAILURES}", listed[0], "What is wrong with it", inside=listed[1]),
        OwnField(f"{inside}.{UNKNOWN}", listed[0], "Checks that could not judge it, and why", inside=listed[1]),
        OwnField(f"{mirror}.failing", fo.IntField, "How many of the objects fail in anything"),
        OwnField(f"{mirror}.inputs", fo.StringField, "Which picture and boxes these are"),
        OwnField(f"{mirror}.{CHECKED}", fo.DictField, "Which version of which check has judged them"),
    ]
    for output in outputs:
        unit = "; ".join(filter(None, (output.unit, output.direction)))
        fields.append(OwnField(f"{inside}.{output.name}", fo.FloatField, f"{output.description} ({unit})"))
    return fields


def of_groups(outputs: Iterable[Output]) -> list[OwnField]:
    """Returns the fields of scores that come with groups of samples."""
    return [*of_scores(outputs), _GROUPS]


def of_fingerprints() -> list[OwnField]:
    """Returns the fields of fingerprints."""
    return [*BASE, _PRINTS]


def of_vectors(field: str, embedder: str) -> list[OwnField]:
    """Returns the fields of vectors."""
    text = f"Vectors of unit length by {embedder}"
    return [*BASE, OwnField(field, fo.VectorField, text, remedy="give another field=")]


def of_review(failure: str) -> list[OwnField]:
    """Returns the fields of what people decide of a failure mode.

    A label in a document: the App shows and filters labels, and edits them in its own annotation, which breaks on a
    dataset with documents in documents (FiftyOne 1.22).
    """
    path = f"{REVIEW}.{failure}"
    text = f"What people decided of {failure}: real, false_alarm or unsure"
    return [
        OwnField(REVIEW, *_document("What people decided of the failures")),
        OwnField(path, fo.EmbeddedDocumentField, text, fo.Classification, proof=f"{path}.by"),
        OwnField(f"{path}.by", fo.StringField, "Who decided"),
        OwnField(f"{path}.at", fo.DateTimeField, "When, in UTC"),
        OwnField(f"{path}.note", fo.StringField, "In their own words"),
        *([_CORRECTION] if failure == LABEL_ISSUE else []),
    ]


def of_deduplicated() -> list[OwnField]:
    """Returns the fields of what is decided of groups of duplicates."""
    text = "What was decided of the duplicates: keep, drop, or distinct from the others"
    parts: dict[str, tuple[type[fo.Field], str]] = {
        "key": (fo.StringField, "Which decision: the samples of one decision share it"),
        "kept": (fo.StringField, "The id of the sample that is kept in its place"),
        "rule": (fo.StringField, "The rule that decided; empty where a person did"),
        "by": (fo.StringField, "Who decided"),
        "at": (fo.DateTimeField, "When, in UTC"),
        "note": (fo.StringField, "In their own words"),
        "merged_tags": (fo.ListField, "Tags of the dropped ones that this one does not have"),
        "merged_labels": (fo.ListField, "Labels of the dropped ones that this one does not have, with their fields"),
    }
    return [
        OwnField(DEDUPLICATED, fo.EmbeddedDocumentField, text, fo.Classification, proof=f"{DEDUPLICATED}.key"),
        *(
            OwnField(f"{DEDUPLICATED}.{name}", kind, words, inside=fo.StringField if kind is fo.ListField else None)
            for name, (kind, words) in parts.items()
        ),
    ]


def of_images(factors: Iterable[str], generation: Iterable[tuple[str, type[fo.Field], str]] = ()) -> list[OwnField]:
    """Returns the fields of images that are added.

    Args:
        factors: the parts of ``scenario``, in the order in which the panels list them
        generation: name, type and description of the parts of ``generation``; empty for images from elsewhere
    """
    fields, names = [PROMPT], list(dict.fromkeys(factors))
    made = list(generation)
    if made:
        fields.append(OwnField("generation", *_document("How it was made")))
        fields += [OwnField(f"generation.{name}", kind, text) for name, kind, text in made]
    if made or names:
        fields.append(OwnField("scenario", *_document("The factors that the prompt was made from")))
        fields += [OwnField(f"scenario.{name}", fo.StringField, f"The prompt's {name}") for name in names]
    return fields


def _document(description: str) -> tuple[type[fo.Field], str, type[BaseEmbeddedDocument]]:
    return fo.EmbeddedDocumentField, description, fo.DynamicEmbeddedDocument


def require(samples: Samples, fields: Iterable[OwnField]) -> None:
    """Raises an error where the dataset has a field of that name that is not Loupe's. Nothing is written.

    Raises:
        InputError: it names each such field, what it is, what Loupe needs, and what to do
    """
    dataset = root(samples)
    problems: dict[str, str] = {}
    doubtful = []
    for own in fields:
        present = None if own.path.split(".")[0] in problems else dataset.get_field(own.path)
        if present is None:
            continue
        if not _fits(present, own):
            problems[own.path] = f"{own.path!r} is {_name(present)} and would have to be {_needed(own)}{_remedy(own)}"
        elif own.proof and (present.info or {}) != MARK and not _proven(dataset, own):
            doubtful.append(own)
    for own in _with_values(dataset, doubtful):
        problems[own.path] = f"{own.path!r} holds values that Loupe did not write{_remedy(own)}"
    if problems:
        raise InputError(
            f"this dataset has fields of your own with names that Loupe writes to: {'; '.join(problems.values())}. "
            "Nothing was written"
        )


def _fits(present: fo.Field, own: OwnField) -> bool:
    if not isinstance(present, own.kind):
        return False
    # every label is a DynamicEmbeddedDocument, too: only the very class will do
    return own.document is None or present.document_type is own.document


def is_loupes(dataset: fo.Dataset, own: OwnField) -> bool:
    """Returns whether a field that is there is Loupe's, though it may not say so: by its type and what stands in it."""
    present = dataset.get_field(own.path)
    if present is None or not _fits(present, own):
        return False
    return not own.proof or _proven(dataset, own) or not _with_values(dataset, [own])


def _proven(dataset: fo.Dataset, own: OwnField) -> bool:
    return own.proof != CHECKED and dataset.has_field(own.proof)


def _with_values(dataset: fo.Dataset, doubtful: Sequence[OwnField]) -> list[OwnField]:
    """Returns the fields that hold a value on a sample that nothing has checked."""
    unchecked: dict[str, Any] = {CHECKED: {"$in": [None, {}]}}
    with database_errors():
        return [
            own
            for own in doubtful
            if dataset._sample_collection.find_one(
                {own.path: {"$ne": None}, **(unchecked if own.proof == CHECKED else {})}, ["_id"]
            )
        ]


def _name(field: fo.Field) -> str:
    document = getattr(field, "document_type", None)
    return f"a field of {document.__name__}" if document else _article(type(field).__name__)


def _article(name: str) -> str:
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"


def _needed(own: OwnField) -> str:
    made = f"of {own.document.__name__}" if own.document else _article(own.kind.__name__)
    return f"{made} for: {own.description[:1].lower()}{own.description[1:]}"


def _remedy(own: OwnField) -> str:
    root_path, _, name = own.path.rpartition(".")
    new = f"{root_path}.my_{name}" if root_path else f"my_{name}"
    rename = f'rename yours with dataset.rename_sample_field("{own.path}", "{new}")'
    return f" ({rename}{f', or {own.remedy}' if own.remedy else ''})"


def declare(samples: Samples, fields: Iterable[OwnField], *, images: bool = False) -> None:
    """Declares those of the fields that are not there yet, all at once, so that bulk writes need not infer a schema.

    What another process declares at the same time stays: the schema is replaced only if it is still what was read.

    Args:
        samples: a dataset or view
        fields: what has to be there
        images: whether an empty dataset becomes one of images, as it does with its first sample

    Raises:
        InputError: the dataset has a field of that name that is not Loupe's, see ``require``
    """
    fields, dataset = list(fields), root(samples)
    # the threads of one process, as of the App's server, share what FiftyOne holds of a dataset in memory
    with _one_at_a_time, database_errors():
        require(samples, fields)
        refresh(dataset)
        images = images and dataset.media_type is None
        if images or any(not dataset.has_field(own.path) for own in fields):
            _grow(dataset, fields, images)
        # MongoDB cannot set quality.x inside a null, which is what a declared field holds on samples without it
        for path in {own.path for own in fields} & EMPTY.keys():
            dataset._sample_collection.update_many({path: None}, {"$set": {path: EMPTY[path]}})


def _stamp_new(dataset: fo.Dataset) -> None:
    """Says in which layout Loupe writes, where it has not written yet; the rest is ``store.migration``'s to look at."""
    new = {"info": {"$type": "object"}, "info.loupe": {"$exists": False}, "sample_fields.name": {"$ne": CHECKED}}
    stamp = layout.stamp()
    if documents().update_one({"_id": dataset._doc.id, **new}, {"$set": {layout.PLACE: stamp}}).matched_count:
        # what is in memory is not marked as changed: nothing of it has to be written any more
        dict.__setitem__(dataset._doc.info, "loupe", {"stored": stamp})


def _grow(dataset: fo.Dataset, fields: Sequence[OwnField], images: bool) -> None:
    _stamp_new(dataset)
    for _ in range(_TRIES):
        stored = refresh(dataset)
        cls = dataset._sample_doc_cls
        cls._reload_fields()
        if paths(dataset._doc.sample_fields) != paths(stored):  # another one was here between the two
            dataset.reload()
            continue
        for own in fields:
            if cls._get_field_doc(own.path, allow_missing=True) is None:
                more = {"embedded_doc_type": own.document, "subfield": own.inside}
                facts = {"description": own.description, "info": dict(MARK), **more}
                field = cls._create_field(
                    own.path, own.kind, **{name: value for name, value in facts.items() if value is not None}
                )
                cls._add_field_schema(own.path, field)
        becomes = images and dataset._doc.media_type is None
        if becomes:
            dataset._update_metadata_field("image")
        grown = [field.to_mongo() for field in dataset._doc.sample_fields]
        values = {"sample_fields": grown, **({"media_type": "image"} if becomes else {})}
        replaced = documents().update_one({"_id": dataset._doc.id, "sample_fields": stored}, {"$set": values})
        if becomes or not replaced.matched_count:
            dataset.reload()
        else:
            cls._reload_fields()
        if replaced.matched_count:
            return
    raise LoupeError(f"the fields of {dataset.name!r} are changed by others all the time: call again")
