"""``loupe.calibrate``: how well each flaw is found in one's own pictures, and where its threshold has to be."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from loupe.brain.core import registry
from loupe.brain.core.errors import InputError, NoSamples, UnknownName
from loupe.brain.core.numbers import is_real, require_whole
from loupe.brain.core.records import Output, ProgressCallback, Scores, Threshold
from loupe.brain.core.specs import Check, Defect, failing_outputs
from loupe.brain.engine.map import Task, by_picture, map_rows, needed_long_side
from loupe.brain.engine.reader import Row
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.stats.calibration import (
    CalibratedFailure,
    Calibration,
    auroc,
    compared,
    injected,
    operating_point,
    propose,
    score,
    share_of,
    spread,
)
from loupe.brain.store import fields as store_fields
from loupe.brain.store import rows as store_rows
from loupe.brain.store import runs as store_runs
from loupe.brain.verbs.lifecycle import Lifecycle, running
from loupe.brain.verbs.steps.flagging import apply_thresholds, set_now

if TYPE_CHECKING:
    import fiftyone as fo

#: the most pictures that are measured unless it is said otherwise: enough for 1 %, though some are unknown
LIMIT = 240
#: the fewest pictures that a calibration may be asked to take
MIN_LIMIT = 10
_MAX_MESSAGES = 100
_TASK = "calibrate"
#: among the fields of a row: in which place it was picked
_PLACE = "calibrate.place"
#: of one picture: for each failure mode its scores, as it is and by severity, and what broke
_Scored = dict[str, tuple[list[float], list[str]]]


def calibrate(
    samples: fo.Dataset | fo.DatasetView,
    failures: str | Sequence[str] | None = None,
    *,
    false_positive_rate: float = 0.01,
    limit: int = LIMIT,
    seed: int = 0,
    apply: bool = False,
    device: str | None = None,
    engine: str = "local",
    progress: bool | ProgressCallback | None = None,
) -> Calibration:
    """Puts flaws of known severity into copies of the pictures, and measures how well the checks find them.

    Neither samples nor files are touched: the copies live in memory, a few at a time. Half of the pictures choose the
    thresholds; what is reported is measured on the other half. A score that a check or a defect breaks on is unknown.

    The pictures count as they are: one that is flawed already counts as clean. So the wanted rate is a share of one's
    own pictures, flawed ones included, not of perfect ones: where 3 % are dark, a rate of 1 % misses most of them.

    Args:
        samples: a dataset or view of images
        failures: failure modes that there are both a check and a defect for; all of them by default
        false_positive_rate: the share of pictures like these that a proposed threshold may flag, in (0, 0.5); what it
            is expected to flag of further ones is at most that (conformal risk control, ``brain/stats/risk.py``). One
            is proposed only where the choosing half has 1 / ``false_positive_rate`` - 1 known scores: 197 pictures for
            0.01, a few more where some scores are unknown
        limit: the most pictures to measure, at least 10; they are picked evenly over the view, and one that cannot be
            read is replaced by another
        seed: decides which are picked, which of them choose, and where the defects are put
        apply: keep the proposed thresholds on the dataset and flag the samples with them, as ``flag`` does
        device: e.g. ``"cuda:1"``; the best there is by default
        engine: where to run; ``"local"`` is this process, ``"ray"`` a Ray cluster, see docs/scale.md
        progress: True for a bar, or a function; see ``loupe.Progress``

    Returns:
        for each failure mode the false positives, the recall by severity and the AUROC, with 95 % Wilson intervals, at
        the current threshold and at the proposed one, both on the same pictures, and a warning where the proposed one
        is worse: ``worse`` names those failures. It is kept on the dataset under its ``key``, too

    Raises:
        UnknownName: no check finds, or no defect makes, a failure mode of that name; the nearest name is suggested
        InputError: a rate outside (0, 0.5), a limit below 10, a negative seed, or no images
        NoSamples: the view is empty, or none of its pictures can be read
        MissingDependency: ``engine="ray"``, and Ray is not installed
        ProcessLost: no node of the cluster is left; nothing is stored
        Stopped: ``progress`` asked to stop; nothing is stored
        DatabaseGone: the database stopped answering

    >>> loupe.calibrate(dataset, ["blur", "dark"]).thresholds["blur"].value  # doctest: +SKIP
    0.5313
    """
    _require(false_positive_rate, limit, seed)
    wanted = float(false_positive_rate)
    tested = _tested(failures)
    with running(samples, "calibrate", progress, device=device, engine=engine) as verb:
        samples = verb.samples
        if apply:
            store_fields.require(samples, store_fields.of_scores([pair.output for pair in tested]))
        ids = samples.values("id")
        verb.step(0, min(limit, len(ids)), "loading")
        measured = _measured(verb, ids, tested, limit, seed)
        if not measured.n:
            reason = next(iter(measured.messages.values()), "no sample was left of the view")
            raise NoSamples(
                f"expected at least one picture that can be read, got none of {measured.unreadable}: {reason}. Look at "
                "the samples' filepath: where files have moved, `dataset.set_values('filepath', ...)` says where to"
            )
        own, seconds = store_runs.load_thresholds(samples), verb.seconds

        def kept_as(key: str) -> Calibration:
            return Calibration(
                key=key,
                n=measured.n,
                unreadable=measured.unreadable,
                wanted=wanted,
                rows=tuple(
                    _calibrated(pair, measured.scores[pair.failure], own.get(pair.failure), wanted, key)
                    for pair in tested
                ),
                seconds=seconds,
                device=verb.device,
                params={
                    "failures": {
                        pair.failure: {
                            "check": pair.check.name,
                            "check_version": pair.check.version,
                            "defect": pair.defect.version,
                        }
                        for pair in tested
                    },
                    "false_positive_rate": wanted,
                    "limit": int(limit),
                    "seed": int(seed),
                    "apply": bool(apply),
                },
                messages=dict(list(measured.messages.items())[:_MAX_MESSAGES]),
            )

        calibration = store_runs.keep(samples, verb.verb, kept_as)
        if apply and calibration.thresholds:
            apply_thresholds(samples, calibration.thresholds)
        return calibration


@dataclass
class _Measured:
    """Of each failure mode the scores of every picture as it is and with its defect; and what went wrong."""

    scores: dict[str, list[list[float]]]
    n: int = 0
    unreadable: int = 0
    messages: dict[str, str] = field(default_factory=dict)


def _measured(verb: Lifecycle, ids: Sequence[str], tested: Sequence[_Tested], limit: int, seed: int) -> _Measured:
    """Measures ``limit`` pictures; one that cannot be read is replaced by the next."""
    measured = _Measured({pair.failure: [] for pair in tested})
    checks = {pair.check.name: pair.check for pair in tested}

    def numbered() -> Iterator[Row]:
        for place, row in enumerate(_rows(verb.samples, ids, list(checks.values()), limit, seed)):
            yield replace(row, fields={**row.fields, _PLACE: place}, pending=frozenset({_TASK}))

    def load(device: str) -> Callable[[ImageBatch], list[_Scored]]:
        scorers = {name: check.load(device) for name, check in checks.items()}

        def score_one(batch: ImageBatch) -> list[_Scored]:
            # a defect differs from picture to picture
            own = [seed, batch.fields[_PLACE][0]]
            return [{pair.failure: _measure(pair, scorers[pair.check.name], batch, own, device) for pair in tested}]

        return score_one

    long_side = needed_long_side(check.long_side for check in checks.values())
    task = Task(_TASK, load, by_picture, long_side)
    # the pictures of a chunk are few: each becomes dozens of copies before the run can stop
    for chunk in map_rows(numbered(), [task], engine=verb.engine, device=verb.device, batch_size=1):
        for mapped in chunk:
            if measured.n == limit:
                break
            # unreadable, or its disk or network failed
            if _TASK not in mapped.values:
                measured.unreadable += 1
                measured.messages[mapped.row.id] = mapped.unreadable or mapped.errors.get(_TASK, "not read")
                continue
            broke = [message for _, errors in mapped.values[_TASK].values() for message in errors]
            for failure, (scores, _) in mapped.values[_TASK].items():
                measured.scores[failure].append(scores)
            if broke:
                measured.messages[mapped.row.id] = "; ".join(broke)
            measured.n += 1
        verb.step(measured.n, min(limit, len(ids) - measured.unreadable), "measuring")
        if measured.n == limit:
            break
    return measured


@dataclass(frozen=True)
class _Tested:
    """A failure mode, the check's output that flags it, and the defect that makes it."""

    failure: str
    check: Check
    output: Output
    defect: Defect

    @property
    def default(self) -> Threshold:
        assert self.output.default_threshold is not None
        return self.output.default_threshold


def calibratable() -> dict[str, tuple[str, Output]]:
    """Returns (check, output) for each failure mode that there are both a check and a defect for."""
    defects = registry.defects()
    outputs = failing_outputs(list(registry.checks().values()))
    return {failure: outputs[failure] for failure in sorted(outputs) if failure in defects}


def _require(false_positive_rate: float, limit: int, seed: int) -> None:
    if not is_real(false_positive_rate) or not 0 < false_positive_rate < 0.5:
        raise InputError(
            f"expected a false_positive_rate between 0 and 0.5, got {false_positive_rate!r}: 0.01 asks for 1 %"
        )
    require_whole(limit=(limit, MIN_LIMIT), seed=(seed, 0))


def _tested(failures: str | Sequence[str] | None) -> list[_Tested]:
    known = calibratable()
    names = list(known) if failures is None else [failures] if isinstance(failures, str) else list(failures)
    if not names:
        raise InputError(f"expected at least one failure mode, got none. There are: {', '.join(known)}")
    checks: dict[str, Check] = {}
    tested = []
    for name in dict.fromkeys(names):
        if name not in known:
            raise UnknownName("failure mode with a check and a defect", str(name), known)
        check, output = known[name]
        if check not in checks:
            checks[check] = registry.pick("check", registry.checks(), check)
        tested.append(_Tested(name, checks[check], output, registry.defects()[name]()))
    return tested


def _rows(
    samples: fo.Dataset | fo.DatasetView, ids: Sequence[str], checks: Sequence[Check], limit: int, seed: int
) -> Iterator[Row]:
    """Yields the samples in the order in which to take them, looked up as they are asked for."""
    needs = sorted({need for check in checks for need in check.reads()})
    order = spread(len(ids), limit, seed)
    for start in range(0, len(order), limit):
        chosen = [ids[index] for index in order[start : start + limit]]
        listed, _ = store_rows.pending_rows(samples.select(chosen), checks, needs=needs, resume=False)
        by_id = {row.id: row for row in listed}
        yield from (by_id[sample_id] for sample_id in chosen if sample_id in by_id)


def _measure(
    pair: _Tested, scorer: Callable[[ImageBatch], Scores], batch: ImageBatch, seed: Sequence[int], device: str
) -> tuple[list[float], list[str]]:
    """Returns the scores of a picture as it is and with the defect at each severity, NaN if unknown, and what broke."""
    pixels = np.ascontiguousarray(batch.pixels[0].permute(1, 2, 0).numpy())
    # a defect that changes what it is given would change all that comes after it: it breaks instead
    locked = pixels.view()
    locked.flags.writeable = False
    scores, errors = [], []
    for severity in (None, *pair.defect.severities):
        try:
            picture = pixels if severity is None else injected(pair.defect, locked, seed, [severity])[0]
            scores.append(score(_with_fields(scorer, batch), pair.output, picture, device))
        # a third party's check or defect may raise anything; one picture must not end the run
        except Exception as error:
            scores.append(math.nan)
            errors.append(
                f"{pair.failure}{'' if severity is None else f' {severity:g}'}: {type(error).__name__}: {error}"
            )
    return scores, errors


def _with_fields(scorer: Callable[[ImageBatch], Scores], batch: ImageBatch) -> Callable[[ImageBatch], Scores]:
    return lambda copy: scorer(replace(copy, ids=batch.ids, fields=batch.fields))


def _calibrated(
    pair: _Tested, measured: Sequence[Sequence[float]], own: Threshold | None, wanted: float, key: str
) -> CalibratedFailure:
    severities = pair.defect.severities
    scores = np.array(measured, dtype=np.float64).reshape(-1, 1 + len(severities))
    choosing, reporting = scores[::2], scores[1::2]
    worse = 1 if pair.default.op == ">" else -1
    threshold, reason = propose(choosing[:, 0], choosing[:, -1], pair.default.op, wanted)
    proposed = None
    if threshold is not None:
        chosen_on, others = share_of(threshold, choosing[:, 0]), share_of(threshold, reporting[:, 0])
        provenance = (
            f"flags {chosen_on.rate * 100:.1f} % of {chosen_on.n} pictures of this dataset, which it was chosen on, "
            f"and {others} of {others.n} others"
        )
        proposed = operating_point(
            replace(set_now(threshold.op, threshold.value), source=f"calibrated:{key}", provenance=provenance),
            reporting,
        )
    current = operating_point(own or pair.default, reporting)
    comparison, is_worse = ("", False) if proposed is None else compared(current, proposed, wanted)
    return CalibratedFailure(
        failure=pair.failure,
        check=pair.check.name,
        score=pair.output.name,
        unit=pair.defect.unit,
        severities=tuple(float(severity) for severity in severities),
        auroc=tuple(auroc(worse * reporting[:, 0], worse * flawed) for flawed in reporting.T[1:]),
        current=current,
        proposed=proposed,
        reason=reason,
        comparison=comparison,
        worse=is_worse,
    )
