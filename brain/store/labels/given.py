"""Reads the labels of samples, and writes what is suggested instead beside them: the labels themselves stay."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import fiftyone as fo
import numpy as np
from bson import ObjectId

from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.labels.records import LabelIssue
from loupe.brain.store import columns, fields, updates
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples, root
from loupe.brain.store.fields import DEDUPLICATED, GROUP, PROMPT, OwnField

SUGGESTED = "label_issues"
#: what Loupe puts beside labels, boxes and masks
_SUGGESTIONS = {SUGGESTED, "box_issues", "mask_issues"}
_NOT_LABELS = {*_SUGGESTIONS, DEDUPLICATED, "id", "filepath", "prompt"}
_CHUNK = 1000
#: what a field holds for a sample: one class (or a text), several classes, boxes, a mask, or the classes of a prompt
Kind: TypeAlias = Literal["class", "classes", "boxes", "mask", "prompt"]
_KINDS: dict[type[fo.Label], Kind] = {
    fo.Classification: "class",
    fo.Classifications: "classes",
    fo.Detections: "boxes",
    fo.Segmentation: "mask",
}
_IN_WORDS: dict[Kind, str] = {
    "class": "a Classification or a text",
    "classes": "Classifications",
    "boxes": "Detections",
    "mask": "a Segmentation",
    "prompt": "the field prompt",
}
#: with more classes than this a table of probabilities would not fit into memory
MAX_CLASSES = 20_000


@dataclass(frozen=True)
class Labels:
    """The labels of N samples.

    Attributes:
        ids: the samples
        given: the label of each; None where there is none
        classes: the names of the classes that occur, sorted
        declared: those that the dataset names for the field; empty where it names none
        groups: the group of duplicates of each sample, None where it is in none
    """

    ids: list[str]
    given: list[str | None]
    classes: list[str]
    declared: list[str]
    groups: list[str | None]

    def codes(self) -> np.ndarray:
        """Returns the class of each sample as a place in ``classes``: (N,) int64, -1 for none."""
        place = {name: at for at, name in enumerate(self.classes)}
        return np.array([-1 if label is None else place[label] for label in self.given], dtype=np.int64)


def kind_of(samples: Samples, path: str, kinds: Sequence[Kind] = tuple(_IN_WORDS)) -> Kind:
    """Returns what a field of labels holds for a sample.

    Raises:
        UnknownName: no such field; the nearest name is suggested
        InputError: a field of something else than these kinds, or of suggestions
    """
    require_no_suggestions(path)
    field = samples.get_field(path) if isinstance(path, str) and samples.has_field(path) else None
    if field is None:
        raise UnknownName("field of labels", str(path), [name for kind in kinds for name in fields_of(samples, kind)])
    kind = "prompt" if path == PROMPT.path and isinstance(field, fo.StringField) else _kind(field)
    if kind is None or kind not in kinds:
        raise InputError(
            f"expected a field of labels, {', '.join(_IN_WORDS[each] for each in kinds)}, but {path!r} is "
            f"{getattr(field, 'document_type', type(field)).__name__}"
        )
    return kind


def require_no_suggestions(path: str) -> None:
    """Raises an error where a field holds what Loupe suggests: it neither is judged, nor judges."""
    if path in _SUGGESTIONS:
        raise InputError(f"expected labels or predictions of your own, got {path!r}: what Loupe suggests instead")


def _kind(field: fo.Field) -> Kind | None:
    if isinstance(field, fo.StringField):
        return "class"
    document = getattr(field, "document_type", None)
    return _KINDS.get(document) if isinstance(document, type) else None


def read(samples: Samples, path: str) -> Labels:
    """Returns the labels of a field of one class a sample.

    Raises:
        UnknownName: no such field; the nearest name is suggested
        InputError: a field of another kind, or with more classes than can be told apart
    """
    read_as = path_of(samples, path)
    paths = ["id", read_as, *([GROUP] if samples.has_field(GROUP) else [])]
    with database_errors():
        ids, given, *groups = samples.values(paths)
    classes = require_few(path, {label for label in given if label is not None})
    return Labels(ids, given, classes, declared(samples, path), groups[0] if groups else [None] * len(ids))


def require_few(path: str, names: Iterable[str]) -> list[str]:
    """Returns the names of the classes, sorted.

    Raises:
        InputError: more than can be told apart
    """
    classes = sorted(names)
    if len(classes) > MAX_CLASSES:
        raise InputError(f"expected at most {MAX_CLASSES:,} classes, got {len(classes):,} in {path!r}: is it a label?")
    return classes


def declared(samples: Samples, path: str) -> list[str]:
    """Returns the classes that the dataset names for a field; empty where it names none."""
    dataset = root(samples)
    return list((dataset.classes or {}).get(path) or dataset.default_classes or [])


def path_of(samples: Samples, path: str) -> str:
    """Returns where a field of one class a sample keeps its text.

    Raises:
        UnknownName: no such field; the nearest name is suggested
        InputError: a field of another kind
    """
    field = samples.get_field(path) if samples.has_field(path) else None
    if field is None:
        raise UnknownName("field of labels", path, fields_of(samples))
    inside = _inside(field)
    if inside is None:
        raise InputError(
            f"expected a field of one class a sample, a Classification or a text, but {path!r} is "
            f"{getattr(field, 'document_type', type(field)).__name__}"
        )
    return ".".join(filter(None, (path, inside)))


def fields_of(samples: Samples, kind: Kind = "class") -> list[str]:
    """Returns the user's own fields of a kind; of one class: classifications first, then texts with few values."""
    schema = samples.get_field_schema()
    if kind == "prompt":
        return [PROMPT.path] if isinstance(schema.get(PROMPT.path), fo.StringField) else []
    if kind != "class":
        # failures, flaws … are Loupe's, and no labels of anybody
        made = {name for name, field in schema.items() if fields.is_own(field)}
        return [name for name, field in schema.items() if name not in _NOT_LABELS | made and _kind(field) == kind]
    own = {name: field for name, field in schema.items() if name not in _NOT_LABELS and _inside(field) is not None}
    named = [name for name, field in own.items() if _inside(field)]
    texts = [name for name in columns.factors(samples) if name in own and name not in named]
    return [*named, *texts]


def _inside(field: fo.Field) -> str | None:
    """Returns where a field keeps its one label; None where it is no such field."""
    if isinstance(field, fo.StringField):
        return ""
    document = getattr(field, "document_type", None)
    return "label" if isinstance(document, type) and issubclass(document, fo.Classification) else None


def own_fields() -> list[OwnField]:
    """Returns the fields of suggestions."""
    return [
        OwnField(
            SUGGESTED,
            fo.EmbeddedDocumentField,
            "The label that is more probable than the given one",
            fo.Classification,
            f"{SUGGESTED}.given",
        ),
        OwnField(f"{SUGGESTED}.given", fo.StringField, "The label as it stands"),
        OwnField(f"{SUGGESTED}.score", fo.FloatField, "How probable it is that it is wrong, from 0 to 1"),
        OwnField(f"{SUGGESTED}.reason", fo.StringField, "Why"),
        OwnField(f"{SUGGESTED}.wrong", fo.ListField, "Of several classes, those wrongly given", inside=fo.StringField),
        OwnField(
            f"{SUGGESTED}.missing", fo.ListField, "Of several classes, those that are missing", inside=fo.StringField
        ),
    ]


def write(samples: Samples, ids: Sequence[str], issues: Mapping[str, LabelIssue]) -> None:
    """Writes the suggestion of each sample that has an issue; the others lose an older one."""
    fields.declare(samples, own_fields())
    write_documents(samples, ids, SUGGESTED, lambda each: document_of(issues.get(each)))


def write_documents(
    samples: Samples, ids: Sequence[str], field: str, document: Callable[[str], dict[str, Any] | None]
) -> None:
    """Writes a document to each sample, in bulks of a thousand; None takes away what stands there."""
    with database_errors():
        for start in range(0, len(ids), _CHUNK):
            part = ids[start : start + _CHUNK]
            updates.write(samples, [updates.update(each, {field: document(each)}, {}) for each in part], part)


def document_of(issue: LabelIssue | None) -> dict[str, Any] | None:
    """Returns a suggestion as it is stored."""
    if issue is None:
        return None
    return {
        "_id": ObjectId(),
        "_cls": "Classification",
        "tags": [],
        "label": issue.suggested,
        "confidence": issue.probability,
        "given": issue.given,
        "score": issue.score,
        "reason": issue.reason,
        "wrong": list(issue.wrong),
        "missing": list(issue.missing),
    }
