"""People accept repairs and take them back: the repaired sample comes and goes, the original stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from loupe.brain.core.errors import InputError
from loupe.brain.engine import output_folder
from loupe.brain.store.augmented import Plan
from loupe.brain.store.datasets import Samples, root
from loupe.brain.store.repair import repaired as repairs
from loupe.brain.store.repair.repaired import Entry, Made

#: of these the repaired picture is a sample
KEPT = ("better", "accepted")
#: a person took it back: it is no sample
UNDONE = "undone"


@dataclass(frozen=True)
class Decided:
    """What a person decides of a repair.

    Attributes:
        status: accepted or undone; of an undo what stood there before
        by: who; empty where the gate decided
        at: when: ISO 8601 in UTC
    """

    status: str
    by: str = ""
    at: str = ""


def decide(samples: Samples, entry: Entry, decided: Decided, carried: Plan | None = None) -> bool:
    """Writes a decision where nobody else has decided meanwhile, and adds or deletes the repaired sample.

    Args:
        samples: a dataset or view
        entry: what is known to stand on the original
        decided: the decision
        carried: what is carried over to a repaired sample; None: read anew

    Returns:
        whether it was written

    Raises:
        InputError: there is no picture to accept: nothing was drawn, or its file was deleted
    """
    facts = {**entry.facts, "by": decided.by, "at": _time(decided.at)}
    if decided.status in KEPT:
        facts["sample"] = _added(samples, entry, carried)
    if not repairs.put(samples, entry.id, entry.failure, decided.status, facts, entry):
        return False
    if decided.status not in KEPT:
        repairs.take_away(samples, entry)
    return True


def finished(samples: Samples, entries: Sequence[Entry]) -> int:
    """Takes the repaired samples away that an undo left behind which ended between its two writes; returns how many."""
    undone = [entry for entry in entries if entry.status == UNDONE]
    return sum(repairs.take_away(samples, entry) for entry in undone)


def _time(at: str) -> datetime | None:
    return datetime.fromisoformat(at).astimezone(UTC).replace(tzinfo=None) if at else None


def _added(samples: Samples, entry: Entry, carried: Plan | None) -> str:
    """Adds the repaired sample from its file, which says how it was made; returns its id."""
    path = Path(str(entry.facts.get("file") or ""))
    facts = output_folder.read_facts(path, path.stem) if path.name and path.is_file() else None
    if facts is None:
        what = f"none at {path}: it was deleted; repair the sample again" if path.name else "none: nothing was drawn"
        raise InputError(f"expected a repaired picture of {entry.id} to accept, got {what}")
    repair = {
        "of": entry.id,
        "failure": entry.failure,
        "accepted": not entry.facts.get("reason"),
        **{name: entry.facts.get(name) for name in ("method", "attempt", "before", "after", "reason")},
    }
    made = Made(path, path.stem, entry.id, not entry.facts.get("outline"), facts, repair)
    return repairs.add(samples, made, carried or repairs.carrying(samples))


def by_person(entry: Entry) -> Decided:
    """Returns what stands there, as a decision."""
    at = entry.facts.get("at")
    text = at.replace(tzinfo=UTC).isoformat(timespec="milliseconds") if isinstance(at, datetime) else ""
    return Decided(entry.status, str(entry.facts.get("by") or ""), text)


def find(samples: Samples, sample_id: str, failure: str) -> Entry | None:
    """Returns what stands on an original now; None where nothing does, or it is no more."""
    listed = repairs.entries(root(samples).select([sample_id]), [failure])
    return listed[0] if listed else None


def concerned(samples: Samples, failure: str | None) -> list[Entry]:
    """Returns what stands on the originals among the samples, and on the originals of the repaired ones among them.

    Raises:
        InputError: nothing of that failure mode was repaired
    """
    failures = None if failure is None else [failure]
    dataset = root(samples)
    ids = set(samples.values("id")) if samples != dataset else None
    entries = repairs.entries(dataset, failures)
    if not entries:
        raise InputError(
            f"expected repairs{'' if failure is None else f' of {failure}'} to decide, got none: run loupe.repair first"
        )
    return [entry for entry in entries if ids is None or entry.id in ids or str(entry.facts.get("sample") or "") in ids]
