"""What somebody looks at who puts labels right: issues in an order, what is known of one, and its nearest neighbors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from bson import ObjectId

from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.core.records import Record
from loupe.brain.core.relabeled import Correction
from loupe.brain.core.review import Decision
from loupe.brain.labels import issues
from loupe.brain.labels.corrections import Suggestion
from loupe.brain.similarity.neighbors import nearest_to, usable
from loupe.brain.stats.remaining import ByScore
from loupe.brain.store import relabel, review
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples, sample_documents
from loupe.brain.store.fields import GROUP, LABEL_ISSUE, REVIEW
from loupe.brain.store.labels import SUGGESTED
from loupe.brain.store.relabel import SCORE, LabelField
from loupe.brain.store.review_queue import source_of

#: which samples come, and in which order
Order: TypeAlias = Literal["worst", "random", "copies", "unsure"]
ORDERS: tuple[Order, ...] = get_args(Order)
#: so many samples are read at once
LENGTH = 1000
#: nearest neighbors that are shown, and how many samples they are looked for among: drawn, where there are more
NEIGHBORS, REFERENCE = 5, 10_000


@dataclass(frozen=True)
class Pair(Record):
    """Two classes that are mixed up.

    Attributes:
        given: the label
        suggested: what is more probable
        k: how many issues there are of it
        n: how many samples have the given label
        open: how many of the issues nobody has decided
    """

    given: str
    suggested: str
    k: int
    n: int
    open: int


@dataclass(frozen=True)
class Queued(Record):
    """A sample of a queue.

    Attributes:
        id: its id
        source: where the App's server serves its picture
        given: its label
        suggested: the class that is suggested; None: it is no issue
        score: how probable it is that the label is wrong; None where nobody knows
    """

    id: str
    source: str
    given: str | None
    suggested: str | None
    score: float | None


@dataclass
class Overview:
    """What is known of all labels, brought up to date by each decision.

    Attributes:
        labels: by their scores, and what was decided of them
        sizes: how many samples each class has
        pairs: which classes are mixed up, the most frequent first
        decided: what was decided, by sample id: the decision and the given label
        issues: the given and the suggested class of each issue, by sample id
        copies: the ids of duplicates whose group has more than one label, group by group
        accepted: the suggestions that were put in though nobody has looked, by sample id
    """

    labels: ByScore
    sizes: Mapping[str, int]
    pairs: tuple[Pair, ...]
    decided: dict[str, tuple[Decision, str | None]]
    issues: Mapping[str, tuple[str, str]]
    copies: tuple[str, ...]
    accepted: Mapping[str, Suggestion]

    @property
    def n(self) -> int:
        """How many samples have a label."""
        return sum(self.sizes.values())

    def decision(self, sample_id: str) -> Decision | None:
        """Returns what was decided of a sample."""
        return self.decided[sample_id][0] if sample_id in self.decided else None

    def decide(self, sample_id: str, decision: Decision | None, given: str | None, score: float | None) -> None:
        """Notes what stands on a sample now."""
        for known, change in ((self.decision(sample_id), -1), (decision, 1)):
            if known is None:
                self._accept(sample_id, change)
            elif known.status != "unsure":
                self.labels.count(score, not keeps(known, given), change)
        if decision is None:
            self.decided.pop(sample_id, None)
        else:
            self.decided[sample_id] = decision, given

    def _accept(self, sample_id: str, change: int) -> None:
        suggestion = self.accepted.get(sample_id)
        if suggestion is not None and suggestion.score is not None:
            self.labels.accept(suggestion.score, suggestion.probability or 0.0, change)

    def counts(self) -> dict[str, int]:
        """Returns how many labels were changed, kept, and left open for somebody was unsure."""
        made = Counter(
            "unsure" if decision.status == "unsure" else "kept" if keeps(decision, given) else "changed"
            for decision, given in self.decided.values()
        )
        return {name: made[name] for name in ("changed", "kept", "unsure")}

    def decided_issues(self) -> int:
        """Returns how many issues were decided."""
        return sum(sample_id in self.issues for sample_id in self.decided)

    def mixed_up(self) -> tuple[Pair, ...]:
        """Returns which classes are mixed up, the most frequent first, with how many issues of each are open now."""
        done = Counter(self.issues[sample_id] for sample_id in self.decided if sample_id in self.issues)
        return tuple(replace(pair, open=pair.k - done[pair.given, pair.suggested]) for pair in self.pairs)


def keeps(decision: Decision, given: str | None) -> bool:
    """Returns whether a decision says that the given label is right."""
    named = decision.correction is not None and decision.correction == given
    return decision.status == "false_alarm" or named


def overview(samples: Samples, labels: LabelField, into: str) -> Overview:
    """Returns what is known of all labels of a field."""
    standing = relabel.read(samples, labels.path, into)
    by_score = ByScore.of(standing.scores)
    sizes = Counter(name for name in standing.given if name is not None)
    counted: Counter[tuple[str, str]] = Counter()
    pair_of: dict[str, tuple[str, str]] = {}
    for at, suggestion in standing.suggestions.items():
        given = standing.given[at]
        if given is not None and suggestion.given == given:
            pair_of[standing.ids[at]] = given, suggestion.label
            counted[given, suggestion.label] += 1
    places = {sample_id: at for at, sample_id in enumerate(standing.ids) if sample_id in standing.decisions}
    decided = {}
    for sample_id, at in places.items():
        decision, given = standing.decisions[sample_id], standing.given[at]
        decided[sample_id] = decision, given
        if decision.status != "unsure":
            by_score.count(float(standing.scores[at]), not keeps(decision, given))
    order = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    pairs = tuple(Pair(a, b, k, sizes[a], k) for (a, b), k in order)
    unseen = standing.changes.keys() - decided.keys()
    accepted = {
        standing.ids[at]: suggestion for at, suggestion in standing.suggestions.items() if standing.ids[at] in unseen
    }
    for suggestion in accepted.values():
        if suggestion.score is not None:
            by_score.accept(suggestion.score, suggestion.probability or 0.0)
    return Overview(by_score, sizes, pairs, decided, pair_of, _copies(samples, standing), accepted)


def _copies(samples: Samples, standing: relabel.Standing) -> tuple[str, ...]:
    if not samples.has_field(GROUP):
        return ()
    with database_errors():
        groups = samples.values(GROUP)
    if len(groups) != len(standing.ids):  # another one has added samples meanwhile
        return ()
    apart = issues.disagreeing(groups, standing.given)
    return tuple(standing.ids[at] for _, places in sorted(apart.items()) for at in places)


def queue(
    samples: Samples,
    labels: LabelField,
    order: Order,
    pair: tuple[str, str] | None = None,
    copies: Sequence[str] = (),
    length: int = LENGTH,
) -> list[Queued]:
    """Returns the first samples of an order that nobody has decided; of ``"unsure"`` those that somebody was unsure of.

    Args:
        samples: a dataset or view
        labels: the field of labels that was judged
        order: ``"worst"``: the issues, the most probable first; ``"random"``: all labels that were judged, by their
            permanent random numbers; ``"copies"``: duplicates with more than one label; ``"unsure"``
        pair: only issues of this given and suggested class
        copies: the ids of these duplicates, in their order
        length: how many at most
    """
    status = review.status_path(LABEL_ISSUE)
    undecided = {status: "unsure"} if order == "unsure" else review.is_open(LABEL_ISSUE)
    wanted: list[dict[str, Any]] = [undecided]
    if pair is not None:
        wanted.append({labels.path: {"$eq": pair[0]}, f"{SUGGESTED}.label": {"$eq": pair[1]}})
    if order == "copies":
        wanted.append({"_id": {"$in": [ObjectId(each) for each in copies[:length]]}})
    elif order == "random":
        wanted.append({SCORE: {"$type": "number"}})
    elif order == "worst":
        wanted.append({f"{SUGGESTED}.label": {"$ne": None}})
    sort = {SCORE: -1, review.RANK: 1} if order in ("worst", "unsure") else {review.RANK: 1, "_id": 1}
    steps: list[dict[str, Any]] = [{"$match": {"$and": wanted}}]
    if order == "worst":  # one whose label was changed since is none any more
        steps.append({"$match": {"$expr": {"$eq": [f"${SUGGESTED}.given", f"${labels.path}"]}}})
    project = {"path": "$filepath", "given": f"${labels.path}", "issue": f"${SUGGESTED}", "score": f"${SCORE}"}
    with database_errors():
        rows = list(samples._aggregate(pipeline=[*steps, {"$sort": sort}, {"$limit": length}, {"$project": project}]))
    if order == "copies":
        places = {sample_id: at for at, sample_id in enumerate(copies)}
        rows.sort(key=lambda row: places[str(row["_id"])])
    return [_queued(row) for row in rows]


def _queued(row: Mapping[str, Any]) -> Queued:
    suggestion, score = _suggestion(row.get("issue"), row.get("given"), row.get("score")), row.get("score")
    return Queued(
        str(row["_id"]),
        source_of(row.get("path")),
        _text(row.get("given")),
        None if suggestion is None else suggestion.label,
        float(score) if isinstance(score, (int, float)) else None,
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _suggestion(document: Any, given: Any, score: Any) -> Suggestion | None:
    """Returns what is suggested instead of a given label; None where nothing is, or the label has changed since."""
    if not isinstance(document, Mapping) or not document.get("label") or document.get("given") != given:
        return None
    probability = document.get("confidence")
    numbers = (float(each) if isinstance(each, (int, float)) else None for each in (score, probability))
    return Suggestion(_text(given), str(document["label"]), *numbers)


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
        given=_text(row.get("given")),
        suggestion=_suggestion(row.get("issue"), row.get("given"), score),
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
        return _text(corrected.get("label"))
    return _text(row.get("given"))
