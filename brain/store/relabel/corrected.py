"""Corrected labels: a field of their own beside the given ones, which are never written to.

A corrected label is a classification: its ``label``, ``how`` it came about, and of one that differs from the given
label ``by`` whom and ``at`` what time. What people decided stands in ``review.label_issue``, as for every failure mode,
and a decision of the panel is written together with the label that follows from it, in one update.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import fiftyone as fo
import numpy as np
from bson import ObjectId
from pymongo import UpdateOne

from loupe.brain.core.errors import InputError, LoupeError, UnknownName
from loupe.brain.core.relabeled import HOWS, Correction
from loupe.brain.core.review import STATUSES, Decision
from loupe.brain.labels.corrections import Suggestion, keeps
from loupe.brain.stats.remaining import ByScore
from loupe.brain.store import bulk, fields, runs, updates
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples, root, sample_documents
from loupe.brain.store.fields import LABEL_ISSUE, OwnField
from loupe.brain.store.labels import given as labels
from loupe.brain.store.labels.given import SUGGESTED
from loupe.brain.store.raw import Irregular
from loupe.brain.store.review import decisions as review

SCORE = f"quality.{LABEL_ISSUE}"
_CHUNK = 5000
_RUN = "loupe_find_label_issues_"
_OF_RUN = ("label", "embeddings")


@dataclass(frozen=True)
class LabelField:
    """Which labels were judged.

    Attributes:
        label: the field
        path: where its text stands: below a classification
        embeddings: the vectors that they were judged by; empty where it was by others' probabilities
    """

    label: str
    path: str
    embeddings: str = ""


def default_field(label: str) -> str:
    """Returns where corrected labels go unless another field is given.

    >>> default_field("ground_truth"), default_field("scenario.time")
    ('ground_truth_corrected', 'scenario_time_corrected')
    """
    return f"{label.replace('.', '_')}_corrected"


def own_fields(field: str) -> list[OwnField]:
    """Returns the fields of corrected labels; one of that name of the user's own is refused.

    Raises:
        InputError: no name of a field
    """
    if not field.isidentifier() or field.startswith("_"):
        raise InputError(f"expected a field name made of letters, digits and _, got {field!r}")
    text, remedy = "The labels, with those put right that were wrong", "give another field="
    return [
        OwnField(field, fo.EmbeddedDocumentField, text, fo.Classification, proof=f"{field}.how", remedy=remedy),
        OwnField(f"{field}.how", fo.StringField, f"Where it comes from: {', '.join(HOWS)}"),
        OwnField(f"{field}.by", fo.StringField, "Who put it right"),
        OwnField(f"{field}.at", fo.DateTimeField, "When, in UTC"),
    ]


def corrected_fields(samples: Samples) -> set[str]:
    """Returns the fields that hold corrected labels, whatever they are called."""
    schema = root(samples).get_field_schema(flat=True)
    own = {path.removesuffix(".how") for path, held in schema.items() if path.endswith(".how") and fields.is_own(held)}
    return {path for path in own if path in schema and fields.is_own(schema[path])}


def require(samples: Samples, label: str, field: str) -> None:
    """Raises an error where corrected labels of a field cannot be written to another one. Nothing is written.

    Raises:
        InputError: it is the field itself, or one of the user's own
    """
    if field == label:
        raise InputError(f"expected another field than {label!r} for the corrected labels: yours are never changed")
    fields.require(samples, [*own_fields(field), *fields.of_review(LABEL_ISSUE)])


def judged(samples: Samples) -> LabelField | None:
    """Returns the labels that ``find_label_issues`` judged last, of one class a sample; None where it has not."""
    keys = [key for key in runs.listed(samples) if key.startswith(_RUN) and key.removeprefix(_RUN).isdigit()]
    for key in sorted(keys, key=lambda each: -int(each.removeprefix(_RUN))):
        params = runs.load(samples, key).get("params") or {}
        label, embeddings = (str(params.get(name) or "") for name in _OF_RUN)
        if label and samples.has_field(label):
            try:
                return LabelField(label, labels.path_of(samples, label), embeddings)
            except LoupeError:  # of another kind: boxes, masks, several classes a sample
                continue
    return None


# what stands on all samples


@dataclass(frozen=True)
class Standing:
    """What is known of N samples.

    Attributes:
        ids: the samples
        given: the label of each; None where there is none
        scores: how probable it is that it is wrong; NaN where nobody knows
        suggestions: of those that have one, by place
        decisions: of those that somebody decided, by sample id
        changes: the corrected labels that differ from the given ones, by sample id
    """

    ids: list[str]
    given: list[str | None]
    scores: np.ndarray
    suggestions: dict[int, Suggestion]
    decisions: dict[str, Decision]
    changes: dict[str, Correction]

    def by_score(self, decisions: Mapping[str, Decision], unseen: Collection[str]) -> ByScore:
        """Returns the labels by their scores, and what was decided of them.

        Args:
            decisions: by sample id
            unseen: the samples whose suggestion was put in though nobody has looked
        """
        made = ByScore.of(self.scores)
        for at, sample_id in enumerate(self.ids):
            decision, suggestion = decisions.get(sample_id), self.suggestions.get(at)
            if decision is not None and decision.status != "unsure":
                made.count(float(self.scores[at]), not keeps(decision, self.given[at]))
            elif sample_id in unseen and suggestion is not None and suggestion.score is not None:
                made.accept(suggestion.score, suggestion.probability or 0.0)
        return made


def read(samples: Samples, path: str, field: str) -> Standing:
    """Returns what is known of samples: their labels at ``path``, and what ``field`` holds of corrected ones."""
    parts = [f"{SUGGESTED}.{name}" for name in ("given", "label", "confidence")]
    suggested = parts if samples.has_field(parts[0]) else []
    ids, given, *rest, scores = _columns(samples, ["id", path, *suggested], SCORE)
    before, names, probabilities = rest or ([], [], [])
    suggestions = {
        at: Suggestion(before[at], name, float(scores[at]), probabilities[at])
        for at, name in enumerate(names)
        if name is not None
    }
    return Standing(ids, given, scores, suggestions, decisions(samples), changes(samples, path, field))


def _columns(samples: Samples, paths: list[str], number: str) -> list[Any]:
    numbers = [number] if samples.has_field(number) else []
    try:
        answers = bulk.read(samples, {}, paths, numbers)
        values, table = answers.values, answers.numbers
    except Irregular:
        with database_errors():
            values = samples.values(paths)
            held = [samples.values(each) for each in numbers]
        table = np.array(held, dtype=np.float64).T.reshape(len(values[0]), len(numbers))
    return [*values, table[:, 0] if numbers else np.full(len(values[0]), np.nan)]


def decisions(samples: Samples) -> dict[str, Decision]:
    """Returns what people decided of labels, by sample id."""
    match = {review.status_path(LABEL_ISSUE): {"$in": list(STATUSES)}}
    project = {"decision": f"${fields.REVIEW}.{LABEL_ISSUE}"}
    with database_errors():
        rows = list(samples._aggregate(pipeline=[{"$match": match}, {"$project": project}]))
    made = {str(row["_id"]): review.decision_of(row["decision"]) for row in rows}
    return {sample_id: decision for sample_id, decision in made.items() if decision is not None}


def changes(samples: Samples, path: str, field: str) -> dict[str, Correction]:
    """Returns the corrected labels that somebody or a score has changed, by sample id."""
    if not samples.has_field(f"{field}.how"):
        return {}
    match = {f"{field}.how": {"$in": ["suggested", "chosen"]}}
    with database_errors():
        pipeline = [{"$match": match}, {"$project": {"given": f"${path}", "corrected": f"${field}"}}]
        rows = list(samples._aggregate(pipeline=pipeline))
    return {str(row["_id"]): correction_of(str(row["_id"]), row.get("given"), row["corrected"]) for row in rows}


def correction_of(sample_id: str, given: Any, document: Mapping[str, Any]) -> Correction:
    """Returns the corrected label that a document holds."""
    at = document.get("at")
    return Correction(
        id=sample_id,
        given=given,
        corrected=document.get("label"),
        how=document["how"],
        by=str(document.get("by") or ""),
        at=at.replace(tzinfo=UTC).isoformat(timespec="milliseconds") if isinstance(at, datetime) else "",
    )


def known_classes(samples: Samples, label: str, given: Sequence[str | None]) -> list[str]:
    """Returns the classes of a field: those that occur, and those that the dataset names; sorted."""
    dataset = root(samples)
    declared = (dataset.classes or {}).get(label) or dataset.default_classes or []
    return sorted({*(name for name in given if name), *declared})


def require_class(name: Any, known: Sequence[str], label: str) -> None:
    """Raises an error unless a class is known: a slip of the pen would be a class of its own.

    Raises:
        UnknownName, InputError: it is none; the nearest name is suggested
    """
    if not isinstance(name, str) or name not in known:
        some = known if len(known) <= _SHOWN_CLASSES else [each for each in known if each[:1] == str(name)[:1]]
        problem = UnknownName("class", str(name), some[:_SHOWN_CLASSES])
        raise InputError(f"{problem}. To add one: dataset.classes[{label!r}] = [...]; dataset.save()")


_SHOWN_CLASSES = 50

# writing


def write(
    samples: Samples,
    path: str,
    field: str,
    standing: Standing,
    made: Mapping[str, Correction],
    new: Mapping[str, Decision],
) -> Iterator[int]:
    """Writes the corrected label of each sample by chunks, and yields how many samples are done.

    One of which somebody else has decided something since it was read is left to them.

    Args:
        samples: a dataset or view
        path: where the given labels stand
        field: where the corrected ones go
        standing: what was read
        made: those that differ from the given ones, by sample id; all others become what was given
        new: decisions that are written along, by sample id
    """
    fields.declare(samples, [*own_fields(field), *fields.of_review(LABEL_ISSUE)])
    documents = sample_documents(samples)
    for start in range(0, len(standing.ids), _CHUNK):
        part = standing.ids[start : start + _CHUNK]
        own = [each for each in part if each in made or each in standing.decisions or each in new]
        others = [ObjectId(each) for each in sorted(set(part) - set(own))]
        with database_errors():
            documents.update_many(
                {"_id": {"$in": others}, **review.is_open(LABEL_ISSUE)}, [{"$set": {field: as_given(path)}}]
            )
            operations = [
                operation(each, path, field, made.get(each), standing.decisions.get(each), new.get(each))
                for each in own
            ]
            updates.write(samples, operations, part)
            fo.Sample._reload_docs(root(samples)._sample_collection_name, sample_ids=part)
        yield start + len(part)


def as_given(path: str) -> dict[str, Any]:
    """Returns the database's expression for a corrected label that is the given one."""
    # an id of its own is not to be had for each of many samples at once; the sample's is no other label's
    copied = {"_id": "$_id", "_cls": "Classification", "tags": [], "label": f"${path}", "how": "given"}
    return {"$cond": [{"$eq": [{"$ifNull": [f"${path}", None]}, None]}, None, copied]}


def operation(
    sample_id: str,
    path: str,
    field: str,
    made: Correction | None,
    stands: Decision | None,
    new: Decision | None = None,
    *,
    taken_back: bool = False,
) -> UpdateOne:
    """Returns the update of one sample, as long as just that decision stands on it.

    Args:
        sample_id: which
        path: where the given label stands
        field: where the corrected one goes
        made: what it becomes; None: what was given
        stands: the decision that is known to stand
        new: the one that comes in its place
        taken_back: whether the one that stands is taken away
    """
    decided = f"{fields.REVIEW}.{LABEL_ISSUE}"
    query = {"_id": ObjectId(sample_id), **review.stands(decided, stands)}
    sets: dict[str, Any] = {field: as_given(path) if made is None else {"$literal": document_of(made)}}
    if new is not None:
        sets |= {f"{fields.REVIEW}._cls": "DynamicEmbeddedDocument", decided: {"$literal": review.document_of(new)}}
    steps: list[dict[str, Any]] = [{"$set": sets}]
    if taken_back:
        steps.append({"$unset": [decided]})
    return UpdateOne(query, steps)


def document_of(made: Correction) -> dict[str, Any] | None:
    """Returns a corrected label as it is stored; nothing where no class fits, so that no trainer takes it for one."""
    if made.corrected is None:
        return None
    at = datetime.fromisoformat(made.at).astimezone(UTC).replace(tzinfo=None) if made.at else None
    return updates.label(made.corrected, how=made.how, by=made.by, at=at)


def write_one(
    samples: Samples,
    path: str,
    field: str,
    sample_id: str,
    made: Correction | None,
    stands: Decision | None,
    new: Decision | None,
) -> bool:
    """Writes a decision, or takes one away, with the label that follows; False where something else stands by now."""
    update = operation(sample_id, path, field, made, stands, new, taken_back=new is None)
    with database_errors():
        return updates.write(samples, [update], [sample_id]) == 1
