"""What the panel of repairs goes through: each repair that something was drawn for, beside its original."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, TypeAlias, get_args

from loupe.brain.core import registry
from loupe.brain.core.records import Record, Threshold
from loupe.brain.imaging.files import printable
from loupe.brain.imaging.shown_size import shown_size
from loupe.brain.media import fetching
from loupe.brain.store.datasets import Samples, sample_documents
from loupe.brain.store.narrowing import Narrowing
from loupe.brain.store.repair import decisions as repair_decisions
from loupe.brain.store.repair import repaired as repairs
from loupe.brain.store.repair.repaired import Entry
from loupe.brain.store.review.queue import source_of
from loupe.brain.store.runs import load_thresholds

#: which repairs come
Which: TypeAlias = Literal["all", "kept", "refused"]
WHICH: tuple[Which, ...] = get_args(Which)
_MAX_TEXT = 400


def key_of(entry: Entry) -> str:
    """Returns the key of a repair in a queue: of a sample there is one for each failure mode."""
    return f"{entry.id} {entry.failure}"


def queue(samples: Samples) -> dict[str, Entry]:
    """Returns by key the repairs of the samples that something was drawn for: those that were kept first."""
    drawn = [entry for entry in repairs.entries(samples) if entry.facts.get("attempt")]
    ordered = sorted(drawn, key=lambda entry: bool(entry.facts.get("reason")))
    return {key_of(entry): entry for entry in ordered}


def again(samples: Samples, entry: Entry) -> Entry | None:
    """Returns what stands there now; None where the original is no more, or nothing stands on it."""
    return repair_decisions.find(samples, entry.id, entry.failure)


def is_kept(entry: Entry) -> bool:
    """Returns whether the gate kept it, whatever a person has decided since."""
    return not entry.facts.get("reason")


def is_decided(entry: Entry) -> bool:
    """Returns whether a person has decided."""
    return bool(entry.facts.get("by"))


@dataclass(frozen=True)
class Number(Record):
    """A score before and after.

    Attributes:
        name: of the score
        before, after: None is unknown
        target: whether it is what was to be repaired
        threshold: where it fails, in words; empty where it does not
    """

    name: str
    before: float | None
    after: float | None
    target: bool = False
    threshold: str = ""


@dataclass(frozen=True)
class Pair(Record):
    """A repair beside its original.

    Attributes:
        key: in the queue
        id: the original's
        failure: the failure mode
        before, after: where the App's server serves the pictures; empty where the file is no more
        size: the pictures' width and height; None where the original cannot be read
        outline: the region as polygons relative to the picture; empty: the whole picture
        numbers: what was measured, the target first
        status: of the repair
        reason: why the gate refused it; empty where it did not
        method, attempt: how, and which attempt
        by, at, note: who decided, and when; empty where nobody did
        prompt: what the picture was asked for
        name: the original's file name
    """

    key: str
    id: str
    failure: str
    before: str
    after: str
    size: tuple[int, int] | None
    outline: tuple[tuple[tuple[float, float], ...], ...]
    numbers: tuple[Number, ...]
    status: str
    reason: str
    method: str
    attempt: int
    by: str
    at: str
    prompt: str
    name: str


def pair(samples: Samples, entry: Entry) -> Pair:
    """Returns all that is shown of a repair."""
    from bson import ObjectId

    facts = entry.facts
    document = sample_documents(samples).find_one({"_id": ObjectId(entry.id)}, ["prompt"]) or {}
    prompt = document.get("prompt")
    file = str(facts.get("file") or "")
    decided = repair_decisions.by_person(entry)
    place = fetching.here(entry.path)
    try:
        size = None if place is None else shown_size(place)
    except Exception:  # whatever is wrong with the file: the panel says that it cannot be read
        size = None
    return Pair(
        key=key_of(entry),
        id=entry.id,
        failure=entry.failure,
        before=source_of(entry.path) if place is not None and Path(place).is_file() else "",
        after=source_of(file) if file and Path(file).is_file() else "",
        size=size,
        outline=_polygons(facts.get("outline")),
        numbers=_numbers(entry, load_thresholds(samples)),
        status=entry.status,
        reason=str(facts.get("reason") or ""),
        method=str(facts.get("method") or ""),
        attempt=int(facts.get("attempt") or 0),
        by=decided.by,
        at=decided.at,
        prompt=prompt[:_MAX_TEXT] if isinstance(prompt, str) else "",
        name=printable(entry.path),
    )


def _loaded(text: Any) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) and text else None
    except ValueError:
        return None


def _polygons(text: Any) -> tuple[tuple[tuple[float, float], ...], ...]:
    made = _loaded(text)
    if not isinstance(made, list):
        return ()
    return tuple(
        tuple((float(x), float(y)) for x, y in polygon) for polygon in made if isinstance(polygon, list) and polygon
    )


def _numbers(entry: Entry, own: Mapping[str, Threshold]) -> tuple[Number, ...]:
    """Returns the scores that a threshold belongs to, and how the picture compares, those that are known."""
    made = _loaded(entry.facts.get("measures"))
    if not isinstance(made, Mapping):
        return ()
    known = registry.failures()
    target = known[entry.failure][1].name if entry.failure in known else ""
    used = {output.name: own.get(name, output.default_threshold) for name, (_, output) in known.items()}
    thresholds = {
        name: f"{'below' if threshold.op == '<' else 'above'} {threshold.value:g}"
        for name, threshold in used.items()
        if threshold is not None
    }
    listed = [
        Number(str(name), value[0], value[1], name == target, thresholds.get(str(name), ""))
        for name, value in made.items()
        if isinstance(value, Sequence) and len(value) == 2 and (value[0] is not None or value[1] is not None)
    ]
    alike = made.get("likeness")
    ends = {"sharpness": ("edges kept in the region", 1.0), "style": ("distance of its colors", 0.0)}
    ends |= {"outside": ("change outside of it", 0.0)}
    for name, (words, same) in ends.items():
        if isinstance(alike, Mapping) and isinstance(alike.get(name), (int, float)):
            listed.append(Number(words, same, float(alike[name])))
    return tuple(sorted(listed, key=lambda number: not number.target))


@dataclass(frozen=True)
class Pile(Narrowing):
    """The repaired pictures, or the originals that the gate kept nothing for.

    Attributes:
        which: repaired or refused
        failures: the failure modes that were repaired
    """

    tag: ClassVar[str] = "repairs"

    which: str
    failures: tuple[str, ...] = ()

    def query(self) -> dict[str, Any]:
        if self.which == "repaired":
            return {repairs.OF: {"$type": "string"}}
        return {"$or": [{f"{repairs.REPAIRED}.{name}.label": "refused"} for name in self.failures]}

    def facts(self) -> Any:
        return {"which": self.which, "failures": list(self.failures)}

    @classmethod
    def from_facts(cls, facts: Any) -> Self:
        return cls(str(facts["which"]), tuple(map(str, facts["failures"])))
