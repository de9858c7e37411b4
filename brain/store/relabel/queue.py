"""What somebody looks at who puts labels right: what is known of all labels, and issues in an order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias, get_args

from bson import ObjectId

from loupe.brain.core.records import Record
from loupe.brain.core.review import Decision
from loupe.brain.labels import issues
from loupe.brain.labels.corrections import Suggestion, keeps
from loupe.brain.stats.remaining import ByScore
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples
from loupe.brain.store.fields import GROUP, LABEL_ISSUE
from loupe.brain.store.labels.given import SUGGESTED
from loupe.brain.store.relabel import corrected as relabel
from loupe.brain.store.relabel.corrected import SCORE, LabelField
from loupe.brain.store.relabel.evidence import suggestion_of, text_of
from loupe.brain.store.review import decisions as review
from loupe.brain.store.review.queue import source_of

#: which samples come, and in which order
Order: TypeAlias = Literal["worst", "random", "copies", "unsure"]
ORDERS: tuple[Order, ...] = get_args(Order)
#: so many samples are read at once
LENGTH = 1000


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


def overview(samples: Samples, labels: LabelField, into: str) -> Overview:
    """Returns what is known of all labels of a field."""
    standing = relabel.read(samples, labels.path, into)
    sizes = Counter(name for name in standing.given if name is not None)
    counted: Counter[tuple[str, str]] = Counter()
    pair_of: dict[str, tuple[str, str]] = {}
    for at, suggestion in standing.suggestions.items():
        given = standing.given[at]
        if given is not None and suggestion.given == given:
            pair_of[standing.ids[at]] = given, suggestion.label
            counted[given, suggestion.label] += 1
    decided = {
        sample_id: (standing.decisions[sample_id], given)
        for sample_id, given in zip(standing.ids, standing.given, strict=True)
        if sample_id in standing.decisions
    }
    order = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    pairs = tuple(Pair(a, b, k, sizes[a], k) for (a, b), k in order)
    unseen = standing.changes.keys() - decided.keys()
    accepted = {
        standing.ids[at]: suggestion for at, suggestion in standing.suggestions.items() if standing.ids[at] in unseen
    }
    by_score = standing.by_score(standing.decisions, unseen)
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
    suggestion, score = suggestion_of(row.get("issue"), row.get("given"), row.get("score")), row.get("score")
    return Queued(
        str(row["_id"]),
        source_of(row.get("path")),
        text_of(row.get("given")),
        None if suggestion is None else suggestion.label,
        float(score) if isinstance(score, (int, float)) else None,
    )
