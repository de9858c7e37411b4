"""Thresholds become failures: what ``flag`` does, and what every verb does that has written scores."""

from __future__ import annotations

import getpass
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import numpy as np

from loupe.brain.core import registry
from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.core.records import Failure, Flags, Output, Threshold
from loupe.brain.core.taxonomy import FAILURE_MODES
from loupe.brain.store import fields as store_fields
from loupe.brain.store import rows as store_rows
from loupe.brain.store import runs as store_runs
from loupe.brain.store import scores as store_scores

if TYPE_CHECKING:
    import fiftyone as fo

#: how often failures are flagged anew because somebody else set a threshold meanwhile
_TRIES = 5


def apply_thresholds(
    samples: fo.Dataset | fo.DatasetView, thresholds: Mapping[str, float | Threshold | None] | None = None
) -> Flags:
    """Turns stored scores into ``failures`` and keeps the thresholds given, see ``loupe.flag``; saves no run.

    Raises:
        UnknownName: no check flags a failure mode of that name
        InputError: a threshold is no number
        NoSamples: the view is empty
    """
    known = registry.failures()
    parsed = _parse(thresholds or {}, known)
    given = {**store_runs.load_thresholds(samples), **parsed}
    own = {failure: threshold for failure, threshold in given.items() if threshold is not None}
    store_rows.require_samples(samples)
    used = _used(samples, known, own)
    outputs = [known[failure][1] for failure in used]
    store_fields.require(samples, store_fields.of_scores(outputs))
    store_runs.save_thresholds(samples, parsed)
    for _ in range(_TRIES):
        own = store_runs.load_thresholds(samples)
        flags = _flagged(samples, known, _used(samples, known, own))
        # somebody may have set another one meanwhile, and flagged by it before the old one was written here
        if store_runs.load_thresholds(samples) == own:
            break
    return flags


def _flagged(
    samples: fo.Dataset | fo.DatasetView, known: Mapping[str, tuple[str, Output]], used: dict[str, Threshold]
) -> Flags:
    """Writes the failures that follow from these thresholds."""
    if not used:
        return Flags({}, {}, {})
    store_fields.declare(samples, store_fields.of_scores([known[failure][1] for failure in used]))

    ids, before = store_scores.read_failures(samples)
    after = [[failure for failure in failures or () if failure.label not in used] for failures in before]
    unknown = {}
    paths = [f"{store_scores.QUALITY}.{known[failure][1].name}" for failure in used]
    columns = store_rows.columns(samples, paths)
    for (failure, threshold), scores in zip(used.items(), columns.values(), strict=True):
        unknown[failure] = int(np.isnan(scores).sum())
        for index in np.flatnonzero(threshold.violates(scores)):
            after[index].append(Failure(failure, float(scores[index]), threshold.value, known[failure][0]))
    rank = {name: place for place, name in enumerate(FAILURE_MODES)}
    tidy = [tuple(sorted(failures, key=lambda failure: rank.get(failure.label, len(rank)))) for failures in after]
    # a sample without a failure gets an empty list: null says that it was never flagged
    changed = [index for index, failures in enumerate(tidy) if _differ(failures, before[index])]
    store_scores.write_failures(
        samples,
        [ids[index] for index in changed],
        [tidy[index] for index in changed],
        [before[index] for index in changed],
    )
    counts = Counter(failure.label for failures in tidy for failure in failures if failure.label in used)
    return Flags({failure: counts[failure] for failure in used}, unknown, used)


def _differ(after: Sequence[Failure], before: Sequence[Failure] | None) -> bool:
    """Returns whether a sample's failures are others than before, in whichever order."""
    return before is None or Counter(after) != Counter(before)


def _used(
    samples: fo.Dataset | fo.DatasetView, known: Mapping[str, tuple[str, Output]], own: Mapping[str, Threshold]
) -> dict[str, Threshold]:
    """Returns the threshold of each failure mode whose score is stored: the dataset's own, else the default."""
    used = {}
    for failure, (_, output) in known.items():
        threshold = own.get(failure, output.default_threshold)
        if threshold is not None and samples.has_field(f"{store_scores.QUALITY}.{output.name}"):
            used[failure] = threshold
    return used


def threshold_of(samples: fo.Dataset | fo.DatasetView, failure: str, given: float | None) -> Threshold:
    """Returns the threshold of a failure mode in [0, 1]: the given one, else the dataset's own, else the default.

    Raises:
        InputError: the given one is not in [0, 1]
    """
    _, output = registry.failures()[failure]
    assert output.default_threshold is not None
    if given is None:
        return store_runs.load_thresholds(samples).get(failure, output.default_threshold)
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not 0 <= given <= 1:
        raise InputError(f"expected a threshold in [0, 1], got {given!r}")
    return Threshold(output.default_threshold.op, float(given), source="user")


def set_now(op: Literal["<", ">"], value: float, by: str = "") -> Threshold:
    """Returns a threshold as a person sets it now: ``by`` them, or else by the user of the operating system.

    >>> set_now("<", 0.7, by="anna").by
    'anna'
    """
    return Threshold(op, value, source="user", by=by or _user(), at=datetime.now(UTC).isoformat(timespec="seconds"))


def _user() -> str:
    # a container may run as a user id that has no name
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""


def _parse(
    thresholds: Mapping[str, float | Threshold | None], known: Mapping[str, tuple[str, Output]]
) -> dict[str, Threshold | None]:
    parsed: dict[str, Threshold | None] = {}
    for failure, given in thresholds.items():
        if failure not in known:
            raise UnknownName("failure mode with a check", failure, known)
        default = known[failure][1].default_threshold
        assert default is not None
        if given is None or isinstance(given, Threshold):
            parsed[failure] = given
        elif isinstance(given, (int, float)) and not isinstance(given, bool):
            parsed[failure] = set_now(default.op, float(given))
        else:
            raise InputError(f"expected a number or a Threshold for {failure!r}, got {given!r}")
    return parsed
