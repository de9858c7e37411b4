"""What is known of one label that somebody looks at: its picture, its suggestion, and how its neighbors are labeled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from bson import ObjectId

from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.core.records import Record
from loupe.brain.core.relabeled import Correction
from loupe.brain.core.review import Decision
from loupe.brain.labels.corrections import Suggestion
from loupe.brain.similarity.neighbors import nearest_to, usable
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples, sample_documents
from loupe.brain.store.fields import GROUP, LABEL_ISSUE, REVIEW
from loupe.brain.store.labels.given import SUGGESTED
from loupe.brain.store.relabel import corrected as relabel
from loupe.brain.store.relabel.corrected import SCORE, LabelField
from loupe.brain.store.review import decisions as review
from loupe.brain.store.review.queue import source_of

#: nearest neighbors that are shown, and how many samples they are looked for among: drawn, where there are more
NEIGHBORS, REFERENCE = 5, 10_000


def text_of(value: Any) -> str | None:
    """Returns a label; None where something else stands there."""
    return value if isinstance(value, str) else None


def suggestion_of(document: Any, given: Any, score: Any) -> Suggestion | None:
    """Returns what is suggested instead of a given label; None where nothing is, or the label has changed since."""
    if not isinstance(document, Mapping) or not document.get("label") or document.get("given") != given:
        return None
    probability = document.get("confidence")
    numbers = (float(each) if isinstance(each, (int, float)) else None for each in (score, probability))
    return Suggestion(text_of(given), str(document["label"]), *numbers)


@dataclass(frozen=True)
class Evidence(Record):
    """What is known of one sample and its label.

    Attributes:
        id: of the sample
        source: where the App's server serves its picture
        name: of the file
        given: its label
        suggestion: what is suggested instead; None where nothing is
        score: how probable it is that the label is wrong; None where nobody knows
        decision: what stands on the sample
        corrected: its corrected label where that differs from the given one
        group: of the duplicates that it belongs to; empty where it is in none
    """

    id: str
    source: str
    name: str
    given: str | None
    suggestion: Suggestion | None
    score: float | None
    decision: Decision | None
    corrected: Correction | None
    group: str = ""


def evidence(samples: Samples, labels: LabelField, into: str, sample_id: str) -> Evidence | None:
    """Returns what is known of a sample; None where it is no more."""
    pipeline = [{"$match": {"_id": ObjectId(sample_id)}}, {"$project": _facts(labels, into)}]
    with database_errors():
        rows = list(sample_documents(samples).aggregate(pipeline))
    if not rows:
        return None
    (row,) = rows
    path, score, corrected = str(row.get("path") or ""), row.get("score"), row.get("corrected")
    changed = isinstance(corrected, Mapping) and corrected.get("how") in ("suggested", "chosen")
    return Evidence(
        id=sample_id,
        source=source_of(path),
        name=path.replace("\\", "/").rpartition("/")[2],
        given=text_of(row.get("given")),
        suggestion=suggestion_of(row.get("issue"), row.get("given"), score),
        score=float(score) if isinstance(score, (int, float)) and score == score else None,
        decision=review.decision_of(row.get("decision")),
        corrected=relabel.correction_of(sample_id, row.get("given"), corrected) if changed else None,
        group=str(row.get("group") or ""),
    )


def _facts(labels: LabelField, into: str) -> dict[str, str]:
    return {
        "path": "$filepath",
        "given": f"${labels.path}",
        "issue": f"${SUGGESTED}",
        "score": f"${SCORE}",
        "decision": f"${REVIEW}.{LABEL_ISSUE}",
        "corrected": f"${into}",
        "group": f"${GROUP}",
    }


@dataclass(frozen=True)
class Neighbor(Record):
    """A sample that looks like another one.

    Attributes:
        id: of the sample
        source: where the App's server serves its picture
        label: its corrected label where it has one that differs, else its given one
        cosine: of the two vectors, in [-1, 1]: 1 is the same direction
    """

    id: str
    source: str
    label: str | None
    cosine: float


@dataclass
class Neighborhood:
    """Vectors that neighbors are looked for among.

    Attributes:
        ids: of the samples
        unit: (M, D) float32 of unit length
        field: where the vectors stand
        whole: whether they are those of all samples
    """

    ids: list[str] = field(default_factory=list)
    unit: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    field: str = ""
    whole: bool = True

    @classmethod
    def of(cls, samples: Samples, path: str, n: int) -> Neighborhood:
        """Returns the vectors of n samples, or of those with the lowest random numbers where there are more.

        Args:
            samples: a dataset or view
            path: the field of vectors; none where there is no such field
            n: how many samples there are
        """
        if not path or not samples.has_field(path):
            return cls()
        drawn = samples
        if n > REFERENCE:
            drawn = samples.match({review.RANK: {"$lt": REFERENCE / n}}).limit(REFERENCE)
        try:
            with database_errors():
                ids, vectors = drawn.values(["id", path])
            made = usable([None if each is None else np.asarray(each, dtype=np.float32) for each in vectors])
        except (InputError, UnknownName, TypeError, ValueError):  # a field of something else
            return cls()
        return cls([ids[at] for at in made.index.tolist()], made.unit, path, n <= REFERENCE)

    def around(self, samples: Samples, labels: LabelField, into: str, item: Evidence) -> tuple[Neighbor, ...]:
        """Returns the nearest neighbors of a sample, the nearest first; its copies are among them."""
        if not len(self.unit):
            return ()
        wanted: dict[str, Any] = {"_id": ObjectId(item.id)}
        if item.group:
            wanted = {"$or": [wanted, {GROUP: item.group}]}
        with database_errors():
            own = samples.match(wanted).limit(10 * NEIGHBORS)
            ids, vectors = own.values(["id", self.field])
        known = {
            sample_id: np.asarray(vector, dtype=np.float32).ravel()
            for sample_id, vector in zip(ids, vectors, strict=True)
            if vector is not None and np.size(vector) == self.unit.shape[1] and np.isfinite(vector).all()
        }
        query = known.pop(item.id, None)
        length = 0.0 if query is None else float(np.linalg.norm(query))
        if query is None or not length:
            return ()
        indices, cosines = nearest_to(query / length, self.unit, NEIGHBORS + 1)
        near = {self.ids[at]: float(cosine) for at, cosine in zip(indices.tolist(), cosines.tolist(), strict=True)}
        for sample_id, vector in known.items():
            near[sample_id] = float(vector @ query / max(length * float(np.linalg.norm(vector)), 1e-12))
        near.pop(item.id, None)
        chosen = sorted(near, key=lambda sample_id: (-near[sample_id], sample_id))[:NEIGHBORS]
        return _neighbors(samples, labels, into, chosen, near)


def _neighbors(
    samples: Samples, labels: LabelField, into: str, ids: Sequence[str], cosines: Mapping[str, float]
) -> tuple[Neighbor, ...]:
    pipeline = [{"$match": {"_id": {"$in": [ObjectId(each) for each in ids]}}}, {"$project": _facts(labels, into)}]
    with database_errors():
        rows = {str(row["_id"]): row for row in sample_documents(samples).aggregate(pipeline)}
    return tuple(
        Neighbor(each, source_of(rows[each].get("path")), _label_now(rows[each]), cosines[each])
        for each in ids
        if each in rows
    )


def _label_now(row: Mapping[str, Any]) -> str | None:
    corrected = row.get("corrected")
    if isinstance(corrected, Mapping) and corrected.get("how") in ("suggested", "chosen"):
        return text_of(corrected.get("label"))
    return text_of(row.get("given"))
