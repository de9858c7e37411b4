"""Reads what the panel "Overview" shows: what is known of a view, pictures of its failures, and what is left to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from fiftyone.core.collections import SampleCollection

from loupe.brain.core import reasons, registry
from loupe.brain.core.records import Record
from loupe.brain.slicing.outcomes import State
from loupe.brain.slicing.overview import Overview, overview
from loupe.brain.store import columns
from loupe.brain.store.connection import database_errors
from loupe.brain.store.fields import ASKED, UNKNOWN
from loupe.brain.store.rows import CHECKED
from loupe.brain.store.scores import FAILURES, QUALITY
from loupe.brain.store.spread import spread
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
        inapplicable: for each check that could not judge nearly all of them, that and the commonest reason
        as_asked: for each failure mode that prompts ask for, for how many samples it is therefore not counted
    """

    known: Overview
    pictures: Mapping[str, tuple[Picture, ...]]
    next: Mapping[Step, int]
    inapplicable: Mapping[str, str] = field(default_factory=dict)
    as_asked: Mapping[str, int] = field(default_factory=dict)


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
    return Shown(known, pictures, steps, inapplicable(view, table.states), as_asked(view))


def notes(view: SampleCollection) -> list[str]:
    """Returns a line for each check that does not apply to a view, and for each failure mode that prompts ask for."""
    return [
        *(f"{check}: {sentence}" for check, sentence in inapplicable(view, columns.read(view).states).items()),
        *(f"{failure}: {count:,} as asked" for failure, count in as_asked(view).items()),
    ]


def as_asked(view: SampleCollection) -> dict[str, int]:
    """Returns for each failure mode that prompts ask for, for how many samples it is therefore not counted."""
    if not view.has_field(ASKED):
        return {}
    with database_errors():
        counts = {failure: int(count) for failure, count in view.count_values(ASKED).items() if failure}
    return dict(sorted(counts.items()))


def inapplicable(view: SampleCollection, states: Mapping[str, np.ndarray]) -> dict[str, str]:
    """Returns for each check that could not judge nearly all samples that, and the commonest reason.

    Args:
        view: N samples
        states: for each failure mode a (N,) array of ``State``
    """
    counts: dict[str, tuple[int, int, int]] = {}
    for check in dict.fromkeys(check for failure, (check, _) in registry.failures().items() if failure in states):
        own = np.stack([states[name] for name, (by, _) in registry.failures().items() if by == check])
        unsure, judged = (own == State.UNKNOWN).any(axis=0), (own >= State.PASSED).any(axis=0)
        looked = int((unsure | judged).sum())
        if looked and unsure.sum() >= reasons.NEARLY_ALL * looked:
            counts[check] = (looked, int(unsure.sum()), int(judged.sum()))
    if not counts or not view.has_field(UNKNOWN):
        return {}
    sentences = {name: reasons.inapplicable(*counts[name], why) for name, why in _reasons(view, set(counts)).items()}
    return {name: sentence for name, sentence in sentences.items() if sentence}


def _reasons(view: SampleCollection, checks: set[str]) -> dict[str, Counter[str]]:
    """Returns how often each check gave each reason, on some samples that have one."""
    inside = f"{UNKNOWN}.classifications"
    parts = [f"{inside}.label", f"{inside}.reason", *([ASKED] if view.has_field(ASKED) else [])]
    with database_errors():
        some = spread(view.match({f"{inside}.label": {"$in": sorted(checks)}}))
        rows = zip(*some.values(parts), strict=True)
        why: dict[str, Counter[str]] = {name: Counter() for name in sorted(checks)}
        for labels, texts, *asked in rows:
            for check, text, mode in zip(labels, texts, asked[0] if asked else [None] * len(labels), strict=True):
                # what is as asked has a line of its own
                if check in checks and text and not mode:
                    why[check][text] += 1
    return why


def _without(view: SampleCollection, field: str, query: dict[str, object], n: int) -> int:
    """Returns how many samples a query finds; all of them where the field is not there."""
    return int(view.match(query).count()) if view.has_field(field) else n
