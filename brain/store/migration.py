"""Brings what an earlier Loupe stored on a dataset into today's layout; each verb that keeps a run begins with it.

Each step changes what is still to be changed, whatever was done before: a process that is killed in the middle has lost
nothing, the next one goes over the steps again, and two at once come to the same. The layout's number is written last.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import fiftyone as fo

from loupe.brain.core import registry
from loupe.brain.core.errors import LoupeError
from loupe.brain.core.migrated import Migrated
from loupe.brain.core.progress import reporter
from loupe.brain.core.records import Progress, ProgressCallback, Threshold
from loupe.brain.store import fields, layout, runs, scores
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples, documents, refresh, require_collection, root, sample_documents
from loupe.brain.store.fields import CHECKED, EMPTY, QUALITY, OwnField

_TRIES = 50
#: layout, what is done, and how
Step = tuple[int, str, Callable[[fo.Dataset], None]]


def migrate(samples: Samples, *, progress: bool | ProgressCallback | None = None) -> Migrated:
    """Brings what an earlier Loupe stored on a dataset up to date; verbs that keep a run do so by themselves.

    Call it to have it done at a time of your own, as before several processes start. No image is read; no score, label
    or field of yours changes; what was done when it was killed stays: the same call goes on.

    Args:
        samples: a dataset, or a view of one; all of the dataset is brought up to date
        progress: True for a bar, or a function; see ``loupe.Progress``

    Returns:
        from which layout to which, and what was done

    Raises:
        InputError: it is no dataset, or a newer Loupe wrote it
        Stopped: ``progress`` asked to stop; the same call goes on
        DatabaseGone: the database stopped answering; the same call goes on

    >>> loupe.migrate(fo.load_dataset("of last year"))  # doctest: +SKIP
    Migrated(before=1, layout=2, steps=('thresholds say where they come from', …))
    """
    with database_errors():
        require_collection(samples)
        return bring_up_to_date(root(samples), reporter(progress, "migrate"))


def bring_up_to_date(dataset: fo.Dataset, report: ProgressCallback) -> Migrated:
    """Does the steps that are still to be done on a dataset; one that has nothing of Loupe's stays as it is."""
    read = ["info.loupe", "runs", "sample_fields.name"]
    document = documents().find_one({"_id": dataset._doc.id}, read) or {}
    before = layout.of(document)
    if before == layout.LAYOUT or not _is_ours(document):
        return Migrated(layout.LAYOUT, layout.LAYOUT)
    steps = [step for step in STEPS if step[0] > before]
    for done, (number, words, act) in enumerate(steps):
        report(Progress(done, len(steps), f"bringing what an earlier version stored up to date: {words}"))
        act(dataset)
        if number != (steps[done + 1][0] if done + 1 < len(steps) else None):
            runs.set_settings(dataset, {"stored": layout.stamp(number)})
    return Migrated(before, layout.LAYOUT, tuple(words for _, words, _ in steps))


def _is_ours(document: dict[str, Any]) -> bool:
    """Whether anything that a layout is of stands on it; the user's own ``info["loupe"]`` is none of ours."""
    names = {field["name"] for field in document.get("sample_fields") or ()}
    own = (document.get("info") or {}).get("loupe")
    kept = any(key.startswith("loupe_") for key in document.get("runs") or {})
    return isinstance(own, dict) or (own is None and (CHECKED in names or kept))


def _thresholds(dataset: fo.Dataset) -> None:
    """Their facts get today's names, unless somebody has just set another one."""
    for failure, facts in (runs.settings(dataset).get("thresholds") or {}).items():
        new = Threshold.from_dict(facts).to_dict()
        if new != facts:
            place = f"info.loupe.thresholds.{failure}"
            documents().update_one({"_id": dataset._doc.id, place: facts}, {"$set": {place: new}})


def _marks(dataset: fo.Dataset) -> None:
    """Fields say that Loupe made them, where that is sure: of others it is asked again each time."""
    for _ in range(_TRIES):
        stored = refresh(dataset)
        ours = {own.path for own in _candidates() if own.path in _unmarked(stored) and fields.is_loupes(dataset, own)}
        grown = copy.deepcopy(stored)
        _mark(grown, ours)
        replaced = documents().update_one(
            {"_id": dataset._doc.id, "sample_fields": stored}, {"$set": {"sample_fields": grown}}
        )
        if replaced.matched_count:
            dataset.reload()
            return
    raise LoupeError(f"the fields of {dataset.name!r} are changed by others all the time: call again")


def _candidates() -> list[OwnField]:
    """Returns the fields that 0.1.0 declared, of which it can be told whose values stand in them."""
    checks = [spec() for spec in registry.checks().values()]
    declared = scores.fields_of([*checks, *(spec() for spec in registry.sets().values())])
    every = {own.path: own for own in [*declared, *fields.of_groups(()), *fields.of_fingerprints()]}
    return [own for own in every.values() if own.proof or own.path in (QUALITY, CHECKED)]


def _unmarked(stored: list[dict[str, Any]], prefix: str = "") -> set[str]:
    paths: set[str] = set()
    for field in stored:
        paths |= _unmarked(field.get("fields") or [], f"{prefix}{field['name']}.")
        if not field.get("info"):
            paths.add(f"{prefix}{field['name']}")
    return paths


def _mark(stored: list[dict[str, Any]], ours: set[str], prefix: str = "") -> None:
    for field in stored:
        path = f"{prefix}{field['name']}"
        if path in ours:
            field["info"] = dict(fields.MARK)
        _mark(field.get("fields") or [], ours, f"{path}.")


def _empty(dataset: fo.Dataset) -> None:
    """Samples that nothing has judged hold what they would hold today: MongoDB can set nothing inside of a null."""
    names = {field["name"] for field in refresh(dataset)}
    for path in EMPTY.keys() & names:
        sample_documents(dataset).update_many({path: None}, {"$set": {path: EMPTY[path]}})
    dataset.reload()


STEPS: tuple[Step, ...] = (
    (2, "thresholds say where they come from", _thresholds),
    (2, "fields say that they are Loupe's", _marks),
    (2, "samples that nothing has judged are ready to be", _empty),
)
