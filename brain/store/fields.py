"""Loupe's fields: one table of path, type and what stands in it. Declared from here, and the schema is held against it.

A field of the user's own that has one of these names is never written to: ``require`` says so before anything is done.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import fiftyone as fo
from fiftyone.core.odm import BaseEmbeddedDocument

from loupe.brain.core.errors import InputError, LoupeError
from loupe.brain.core.records import Output
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
#: of an element of ``unknown``: the failure mode that is no failure there, since the prompt asks for it
ASKED = f"{UNKNOWN}.classifications.asked"
#: on a box or points: the check that saw it
CHECK = "check"
#: what a sample holds that no check has judged, once the fields are declared
EMPTY: dict[str, dict[str, Any]] = {QUALITY: {"_cls": "DynamicEmbeddedDocument"}, CHECKED: {}}

#: on a declared field: Loupe made it
_MARK = {"made_by": "loupe"}
_TRIES = 50
_one_at_a_time = Lock()


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
        of: of a list, what is in it
    """

    path: str
    kind: type[fo.Field]
    description: str
    document: type[BaseEmbeddedDocument] | None = None
    proof: str = ""
    remedy: str = ""
    of: type[fo.Field] | None = None


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
        elif own.proof and (present.info or {}) != _MARK and not _proven(dataset, own):
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


def _grow(dataset: fo.Dataset, fields: Sequence[OwnField], images: bool) -> None:
    for _ in range(_TRIES):
        stored = refresh(dataset)
        cls = dataset._sample_doc_cls
        cls._reload_fields()
        if paths(dataset._doc.sample_fields) != paths(stored):  # another one was here between the two
            dataset.reload()
            continue
        for own in fields:
            if cls._get_field_doc(own.path, allow_missing=True) is None:
                document: dict[str, Any] = {"embedded_doc_type": own.document} if own.document else {}
                document |= {"subfield": own.of} if own.of else {}
                field = cls._create_field(own.path, own.kind, description=own.description, info=dict(_MARK), **document)
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
