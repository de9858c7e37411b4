"""Thresholds become failures: what ``flag`` does, and what every verb does that has written scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from loupe.brain.core import registry, who
from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.core.numbers import is_real
from loupe.brain.core.records import Failure, Output, Threshold
from loupe.brain.core.results import Flags
from loupe.brain.core.taxonomy import FAILURE_MODES
from loupe.brain.store import asked as store_asked
from loupe.brain.store import fields as store_fields
from loupe.brain.store import rows as store_rows
from loupe.brain.store import runs as store_runs
from loupe.brain.store import scores as store_scores
from loupe.brain.store import standing as store_standing
from loupe.brain.store.standing import Standing

if TYPE_CHECKING:
    import fiftyone as fo

#: how often failures are flagged anew because somebody else set a threshold meanwhile
_TRIES = 5
#: samples whose failures are written at once
_CHUNK = 10_000


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
    parsed = parsed_thresholds(thresholds or {}, known)
    given = {**store_runs.load_thresholds(samples), **parsed}
    own = {failure: threshold for failure, threshold in given.items() if threshold is not None}
    store_rows.require_samples(samples)
    used = used_thresholds(samples, known, own)
    outputs = [known[failure][1] for failure in used]
    store_fields.require(samples, store_fields.of_scores(outputs))
    store_runs.save_thresholds(samples, parsed)
    return until_settled(samples, lambda own: _flagged(samples, known, used_thresholds(samples, known, own)))


def until_settled(
    samples: fo.Dataset | fo.DatasetView,
    flag: Callable[[Mapping[str, Threshold]], Flags],
    objects: str | None = None,
) -> Flags:
    """Flags by the dataset's own thresholds, and anew where somebody has set another one meanwhile.

    They may have flagged by it before the old one was written here.

    Args:
        samples: a dataset or view
        flag: writes the failures that follow from these thresholds
        objects: whose thresholds, as for ``load_thresholds``
    """
    for _ in range(_TRIES):
        own = store_runs.load_thresholds(samples, objects)
        flags = flag(own)
        if store_runs.load_thresholds(samples, objects) == own:
            break
    return flags


def _flagged(
    samples: fo.Dataset | fo.DatasetView, known: Mapping[str, tuple[str, Output]], used: dict[str, Threshold]
) -> Flags:
    """Writes the failures that follow from these thresholds."""
    if not used:
        return Flags({}, {}, {})
    outputs = [known[failure][1] for failure in used]
    store_fields.declare(samples, store_fields.of_scores(outputs))
    ids, standing, scores = store_standing.read(samples, [output.name for output in outputs])
    columns = dict(zip(used, scores.T, strict=True))
    asked = _asked(samples, ids, columns, known)
    fails = np.stack(
        [used[failure].violates(column) & ~asked.get(failure, np.False_) for failure, column in columns.items()], axis=1
    )
    modes = [_Mode(failure, threshold.value, known[failure][0]) for failure, threshold in used.items()]
    changed = np.flatnonzero(_differ(standing, modes, scores, fails)).tolist()
    for start in range(0, len(changed), _CHUNK):
        part = changed[start : start + _CHUNK]
        before = [standing.of(index) for index in part]
        now = [_after(own, modes, scores[index], fails[index]) for index, own in zip(part, before, strict=True)]
        store_scores.write_failures(samples, [ids[index] for index in part], now, before)
    return Flags(
        dict(zip(used, fails.sum(0).tolist(), strict=True)),
        dict(zip(used, np.isnan(scores).sum(0).tolist(), strict=True)),
        used,
        {failure: int(mask.sum()) for failure, mask in asked.items() if mask.any()},
    )


@dataclass(frozen=True)
class _Mode:
    """A failure mode that is flagged: its name, its threshold's value, and the check that scores it."""

    name: str
    threshold: float
    check: str


def _differ(standing: Standing, modes: Sequence[_Mode], scores: np.ndarray, fails: np.ndarray) -> np.ndarray:
    """Returns a (N,) bool array: whose failures are others than those that stand there, in whichever order.

    Nothing is built for the many samples that stay as they are.

    Args:
        standing: the failures of N samples
        modes: K
        scores: (N, K) float32
        fails: (N, K) bool
    """
    place = {mode.name: at for at, mode in enumerate(modes)}
    column_of = np.fromiter((place.get(label, -1) for label in standing.labels), np.int64, len(standing.labels))
    own = column_of >= 0
    rows, columns = standing.owners[own], column_of[own]
    at_once = np.bincount(rows * len(modes) + columns, minlength=fails.size).reshape(fails.shape)
    differs = ~standing.flagged | (at_once != fails).any(1)
    check_of = np.array([mode.check for mode in modes], dtype=object)
    by_another = np.array(standing.checks, dtype=object)[own] != check_of[columns]
    thresholds = np.array([mode.threshold for mode in modes])
    # NaN is like no number
    other = (standing.scores[own] != scores[rows, columns]) | (standing.thresholds[own] != thresholds[columns])
    differs[rows[other | by_another]] = True
    return differs


def _after(
    standing: Sequence[Failure] | None, modes: Sequence[_Mode], scores: np.ndarray, fails: np.ndarray
) -> list[Failure]:
    """Returns the failures that a sample has now; none is an empty list: null says that it was never flagged."""
    names = {mode.name for mode in modes}
    others = [failure for failure in standing or () if failure.label not in names]
    own = [
        Failure(modes[at].name, float(scores[at]), modes[at].threshold, modes[at].check)
        for at in np.flatnonzero(fails).tolist()
    ]
    rank = {name: place for place, name in enumerate(FAILURE_MODES)}
    return sorted([*others, *own], key=lambda failure: rank.get(failure.label, len(rank)))


def _asked(
    samples: fo.Dataset | fo.DatasetView,
    ids: Sequence[str],
    columns: Mapping[str, np.ndarray],
    known: Mapping[str, tuple[str, Output]],
) -> dict[str, np.ndarray]:
    """Stores which of the scored failure modes the prompts ask for.

    Returns:
        by failure mode a (N,) bool array, only for those that some prompt asks for
    """
    asked = store_asked.read(samples)
    if asked is None:
        # the prompts are gone: what they asked for goes, too
        asked = [{} for _ in ids]
    asking = {failure for own in asked for failure in own} & columns.keys()
    scored = {failure: ~np.isnan(columns[failure]) for failure in asking}
    kept: list[dict[str, str]] = [
        {failure: own[failure] for failure in own if failure in asking and scored[failure][index]}
        for index, own in enumerate(asked)
    ]
    store_asked.write(samples, ids, kept, {failure: known[failure][0] for failure in columns})
    return {failure: np.array([failure in own for own in kept], dtype=bool) for failure in sorted(asking)}


def used_thresholds(
    samples: fo.Dataset | fo.DatasetView,
    known: Mapping[str, tuple[str, Output]],
    own: Mapping[str, Threshold],
    inside: str = store_scores.QUALITY,
) -> dict[str, Threshold]:
    """Returns the threshold of each failure mode whose score is stored: the dataset's own, else the default.

    Args:
        samples: a dataset or view
        known: by failure mode the check, and its output
        own: the dataset's
        inside: where the scores stand
    """
    used = {}
    for failure, (_, output) in known.items():
        threshold = own.get(failure, output.default_threshold)
        if threshold is not None and samples.has_field(f"{inside}.{output.name}"):
            used[failure] = threshold
    return used


def threshold_of(
    samples: fo.Dataset | fo.DatasetView, failure: str, given: float | None, objects: str | None = None
) -> Threshold:
    """Returns the threshold of a failure mode in [0, 1]: the given one, else the dataset's own, else the default.

    Args:
        samples: a dataset or view
        failure: the failure mode
        given: what the caller gave
        objects: whose thresholds, as for ``load_thresholds``

    Raises:
        InputError: the given one is not in [0, 1]
    """
    _, output = registry.failures()[failure]
    assert output.default_threshold is not None
    if given is None:
        return store_runs.load_thresholds(samples, objects).get(failure, output.default_threshold)
    if not is_real(given) or not 0 <= given <= 1:
        raise InputError(f"expected a threshold in [0, 1], got {given!r}")
    return Threshold(output.default_threshold.op, float(given), source="user")


def set_now(op: Literal["<", ">"], value: float, by: str = "") -> Threshold:
    """Returns a threshold as a person sets it now: ``by`` them, or else by the user of the operating system.

    >>> set_now("<", 0.7, by="anna").by
    'anna'
    """
    return Threshold(op, value, source="user", by=by or who.user(), at=who.now())


def parsed_thresholds(
    thresholds: Mapping[str, float | Threshold | None], known: Mapping[str, tuple[str, Output]]
) -> dict[str, Threshold | None]:
    """Returns the thresholds that were given, a number as who set it now; None where the default is to count again.

    Raises:
        UnknownName: no check flags a failure mode of that name
        InputError: a threshold is no number, or one that no score can reach
    """
    parsed: dict[str, Threshold | None] = {}
    for failure, given in thresholds.items():
        if failure not in known:
            raise UnknownName("failure mode with a check", failure, known)
        output = known[failure][1]
        default = output.default_threshold
        assert default is not None
        if given is None or isinstance(given, Threshold):
            parsed[failure] = given
        elif is_real(given):
            parsed[failure] = set_now(default.op, float(given))
        else:
            raise InputError(f"expected a number or a Threshold for {failure!r}, got {given!r}")
        _require_reachable(failure, output, parsed[failure])
    return parsed


def _require_reachable(failure: str, output: Output, threshold: Threshold | None) -> None:
    """Raises an error where a threshold lies outside of all scores there can be: a slip, such as another unit's.

    The ends themselves are taken: there a failure mode is switched off, or on.

    Raises:
        InputError: it does
    """
    low, high = output.bounds
    if threshold is not None and not low <= threshold.value <= high:
        raise InputError(
            f"expected a threshold of {failure!r} from {low:g} to {high:g} ({output.unit}), got {threshold.value:g}: "
            "no score lies there, so that all samples would fail, or none. The default is "
            f"{output.default_threshold.value if output.default_threshold else low:g}"
        )
