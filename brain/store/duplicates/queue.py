"""Groups of duplicates as a queue: what was decided is counted as it is decided, and one group is looked at closely."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from loupe.brain.core.deduplicated import Standing
from loupe.brain.labels import duplicates
from loupe.brain.labels.duplicates import CODES, DROP, NONE, Alike, Candidate, Groups
from loupe.brain.store.datasets import Samples
from loupe.brain.store.duplicates import decided as deduplicated
from loupe.brain.store.duplicates import groups as duplicate_groups
from loupe.brain.store.duplicates.groups import Members, Picture
from loupe.brain.store.narrowing import Narrowing
from loupe.brain.store.review.queue import source_of


@dataclass(frozen=True)
class Progress:
    """How far a review of duplicates has come.

    Attributes:
        groups: how many groups there are
        decided: how many of them are decided
        dropped: how many pictures are dropped
        leaks: how many pairs are left that stand in two splits; None where no splits are known
    """

    groups: int
    decided: int
    dropped: int
    leaks: int | None


class Queue:
    """The groups of a view, the most important first.

    A group's key is the id of its first sample.

    Attributes:
        items: the keys in order
        done: those of the groups that are decided
        gone: those of which less than two samples are left
    """

    def __init__(self, members: Members) -> None:
        self.members = members
        groups = members.groups
        self._of = {members.ids[members.starts[group]]: group for group in groups.order().tolist()}
        self.items = list(self._of)
        decided = groups.decided()
        self.done = {item for item, group in self._of.items() if decided[group]}
        self.gone: set[str] = set()
        self._decided_by_name = {name: code for code, name in enumerate(members.keys)}
        self._leaks, self._dropped = groups.leaks(), groups.count(groups.status == DROP)

    def samples(self, item: str) -> list[str]:
        """Returns the ids of a group's samples, whether they are still here or not."""
        return self.members.of(self._of[item])

    def outside(self, item: str) -> int:
        """Returns how many further samples of the group the view does not show."""
        return self.members.cut_of.get(self._of[item], 0)

    def progress(self) -> Progress:
        """Returns how far it has come."""
        leaks = int(self._leaks.sum()) if self.members.splits else None
        return Progress(len(self.items) - len(self.gone), len(self.done), int(self._dropped.sum()), leaks)

    def learn(self, item: str, now: Mapping[str, Standing | None]) -> None:
        """Takes over what stands on the samples of a group now; one that is not in ``now`` is no more."""
        group, groups = self._of[item], self.members.groups
        every = np.arange(self.members.starts[group], self.members.starts[group + 1])
        here = [(at, now[self.members.ids[at]]) for at in every.tolist() if self.members.ids[at] in now]
        for at, stands in here:
            groups.status[at] = NONE if stands is None else CODES[stands.status]
            groups.key[at] = NONE if stands is None else self._code(stands.key)
        left = np.array([at for at, _ in here], dtype=np.int64)
        zeros = np.zeros(len(left), dtype=np.int64)
        parts = (groups.split, groups.label, groups.status, groups.key)
        own = Groups(1, zeros, *(codes[left] for codes in parts))
        self._leaks[group] = own.leaks()[0]
        self._dropped[group] = own.count(own.status == DROP)[0]
        self.done.discard(item)
        if len(left) < 2:
            self.gone.add(item)
        elif own.decided()[0]:
            self.done.add(item)

    def _code(self, key: str) -> int:
        return self._decided_by_name.setdefault(key, len(self._decided_by_name))

    def names(self, item: str) -> dict[str, tuple[str | None, str | None]]:
        """Returns the split and the label of each sample of a group; None where it has none."""
        made = {}
        groups, group = self.members.groups, self._of[item]
        for at in range(int(self.members.starts[group]), int(self.members.starts[group + 1])):
            split, label = groups.split[at], groups.label[at]
            made[self.members.ids[at]] = (
                None if split == NONE else self.members.split_names[split],
                None if label == NONE else self.members.label_names[label],
            )
        return made


@dataclass(frozen=True)
class Card:
    """One sample of a group.

    Attributes:
        id: its id
        source: where the App's server serves its picture
        name: of its file
        split, label: None where it has none
        picture: what is known of it
        alike: how it is the same as the one that is kept; None where only others connect it to that one
        keeps: whether it is the one that is kept
    """

    id: str
    source: str
    name: str
    split: str | None
    label: str | None
    picture: Picture
    alike: Alike | None = None
    keeps: bool = False


@dataclass(frozen=True)
class Group:
    """A group as it is looked at.

    Attributes:
        item: its key
        cards: its samples that are still here, the suggested one first
        suggested: the id of the sample that a rule would keep
        keep: the id of the one that is kept, or would be
        splits, labels: how many samples have each, the most frequent first
        outside: how many further samples the view does not show
        digest: of what stands on its samples
        answer: what was decided of all of it: ``"keep"``, ``"merge"`` or ``"distinct"``; None where nothing was
        decided: the decision that stands on it; None where there is none, or several
    """

    item: str
    cards: tuple[Card, ...]
    suggested: str
    keep: str
    splits: Mapping[str, int]
    labels: Mapping[str, int]
    outside: int
    digest: str
    answer: str | None
    decided: Standing | None


def close(samples: Samples, queue: Queue, item: str, same: Mapping[str, Mapping[str, Alike]], wanted: Any) -> Group:
    """Returns a group that has at least two samples left.

    Args:
        samples: a dataset or view
        queue: that the group is in
        item: its key
        same: how samples were found to be the same picture
        wanted: the sample that the reader wants to keep; what is none of its samples is nothing
    """
    known = duplicate_groups.pictures(samples, queue.samples(item))
    names = queue.names(item)
    ids = [each for each in queue.samples(item) if each in known]
    candidates = [
        Candidate(names[each][0], known[each].area, known[each].sharpness, known[each].lossless, known[each].bytes)
        for each in ids
    ]
    suggested = ids[duplicates.best(candidates)]
    stands = {each: known[each].standing for each in ids}
    kept = [each for each, own in stands.items() if own is not None and own.status == "keep"]
    keep = wanted if wanted in known else kept[0] if len(kept) == 1 else suggested
    inside = set(ids)
    pairs = {(a, b): value for a in ids for b, value in same.get(a, {}).items() if b in inside}
    alike = duplicates.alike(ids, pairs, keep)
    cards = [
        Card(
            id=each,
            source=source_of(known[each].path),
            name=known[each].path.replace("\\", "/").rpartition("/")[2],
            split=names[each][0],
            label=names[each][1],
            picture=known[each],
            alike=alike.get(each),
            keeps=each == keep,
        )
        for each in ids
    ]
    # the order stays whichever is kept: what moves under the hand is chosen by mistake
    cards.sort(key=lambda card: (card.id != suggested, duplicates.split_rank(card.split)))
    answer, decided = _decided(queue, item, stands)
    return Group(
        item=item,
        cards=tuple(cards),
        suggested=suggested,
        keep=keep,
        splits=_counts([card.split for card in cards]),
        labels=_counts([card.label for card in cards]),
        outside=queue.outside(item),
        digest=deduplicated.digest(stands),
        answer=answer,
        decided=decided,
    )


def _counts(names: Sequence[str | None]) -> dict[str, int]:
    return dict(Counter(name for name in names if name is not None).most_common())


def _decided(queue: Queue, item: str, stands: Mapping[str, Standing | None]) -> tuple[str | None, Standing | None]:
    held = [own for own in stands.values() if own is not None]
    if item not in queue.done or not held:
        return None, None
    first = next((own for own in held if own.status == "keep"), held[0])
    single = len({own.key for own in held}) == 1
    answer = "distinct" if first.status == "distinct" else "merge" if first.merged is not None else "keep"
    return answer, first if single else replace(first, note="")


#: which samples the panel's buttons show
WHICH = ("kept", "dropped")


@dataclass(frozen=True)
class Decided(Narrowing):
    """The samples that are kept, or those that are dropped.

    Attributes:
        which: ``"kept"``: all that are not dropped; ``"dropped"``
    """

    which: str

    tag: ClassVar[str] = "duplicates"

    def query(self) -> dict[str, Any]:
        """Returns the database's query for them."""
        if self.which not in WHICH:
            raise ValueError(f"expected one of {', '.join(WHICH)}, got {self.which!r}")
        return {"$nor": [deduplicated.DROPPED]} if self.which == "kept" else dict(deduplicated.DROPPED)

    def facts(self) -> str:
        """Returns which."""
        return self.which

    @classmethod
    def from_facts(cls, facts: Any) -> Decided:
        """Returns what ``facts`` was called on."""
        return cls(facts)
