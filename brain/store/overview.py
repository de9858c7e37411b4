"""Reads what the panel "Overview" shows: what is known of a view, pictures of its failures, and what is left to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from fiftyone.core.collections import SampleCollection

from loupe.brain.core.records import Record
from loupe.brain.slicing.overview import Overview, overview
from loupe.brain.store import columns
from loupe.brain.store.connection import database_errors
from loupe.brain.store.rows import CHECKED
from loupe.brain.store.scores import FAILURES, QUALITY
from loupe.brain.store.thresholds_view import sources

Step = Literal["check", "flag", "find_duplicates"]

#: of so many failure modes there are pictures
_MAX_SHOWN = 12


@dataclass(frozen=True)
class Picture(Record):
    """A sample's id, and where the App's server serves its picture."""

    id: str
    source: str


@dataclass(frozen=True)
class Shown(Record):
    """What is shown of some samples.

    Attributes:
        known: what is known of them
        pictures: for each of the most frequent failure modes some that have it
        next: what is left to do, the first thing first: the verb, and for how many samples
    """

    known: Overview
    pictures: Mapping[str, tuple[Picture, ...]]
    next: Mapping[Step, int]


def read(view: SampleCollection) -> Shown:
    """Returns what is known of a view; works without any field of Loupe's, too."""
    table = columns.read(view)
    with database_errors():
        ids = view.values("id")
        never = _without(view, CHECKED, {CHECKED: {"$in": [None, {}]}}, len(ids))
        loose = _without(view, FAILURES, {CHECKED: {"$nin": [None, {}]}, f"{FAILURES}.classifications": None}, len(ids))
    known = overview(table.states, len(ids))
    wanted = [rate.failure for rate in known.failing[:_MAX_SHOWN]]
    served = sources(view, sorted({ids[at] for failure in wanted for at in known.examples[failure]}))
    pictures = {
        failure: tuple(Picture(ids[at], served.get(ids[at], "")) for at in known.examples[failure])
        for failure in wanted
    }
    steps: dict[Step, int] = {}
    if never:
        steps["check"] = never
    elif loose:
        steps["flag"] = loose
    if len(ids) > 1 and not any(view.has_field(f"{QUALITY}.{kind}_duplicate") for kind in ("exact", "near")):
        steps["find_duplicates"] = len(ids)
    return Shown(known, pictures, steps)


def _without(view: SampleCollection, field: str, query: dict[str, object], n: int) -> int:
    """Returns how many samples a query finds; all of them where the field is not there."""
    return int(view.match(query).count()) if view.has_field(field) else n
