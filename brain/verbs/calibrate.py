"""``loupe.calibrate``: how well each flaw is found in one's own pictures, and where its threshold has to be."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from loupe.brain.core import registry
from loupe.brain.core.device import resolve_device
from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.core.progress import reporter
from loupe.brain.core.records import Output, Progress, ProgressCallback, Scores, Threshold
from loupe.brain.core.specs import Check, Defect, failing_outputs
from loupe.brain.engine import runner
from loupe.brain.engine.reader import Row, read_chunks
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.stats.calibration import (
    CalibratedFailure,
    Calibration,
    auroc,
    injected,
    operating_point,
    propose,
    score,
    share_of,
    spread,
)
from loupe.brain.store import rows as store_rows
from loupe.brain.store import runs as store_runs
from loupe.brain.store.connection import database_errors
from loupe.brain.verbs.flag import flag, set_now

if TYPE_CHECKING:
    import fiftyone as fo

#: the most pictures that are measured unless it is said otherwise: enough for 1 %, though some are unknown
LIMIT = 240
#: the fewest pictures that a calibration may be asked to take
MIN_LIMIT = 10
_MAX_MESSAGES = 100


@database_errors()
def calibrate(
    samples: fo.Dataset | fo.DatasetView,
    failures: str | Sequence[str] | None = None,
    *,
    false_positive_rate: float = 0.01,
    limit: int = LIMIT,
    seed: int = 0,
    apply: bool = False,
    device: str | None = None,
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
        false_positive_rate: the share of the pictures that a proposed threshold may flag, in (0, 0.5). One is proposed only
            where the choosing half has 1 / ``false_positive_rate`` known scores: 200 pictures for 0.01, a few more where
            some scores are unknown
        limit: the most pictures to measure, at least 10; they are picked evenly over the view, and one that cannot be
            read is replaced by another
        seed: decides which are picked, which of them choose, and where the defects are put
        apply: keep the proposed thresholds on the dataset and flag the samples with them, as ``flag`` does
        device: e.g. ``"cuda:1"``; the best there is by default
        progress: True for a bar, or a function; see ``loupe.Progress``

    Returns:
        for each failure mode the false positives, the recall by severity and the AUROC, with 95 % Wilson intervals, at
        the current threshold and at the proposed one. It is kept on the dataset under its ``key``, too

    Raises:
        UnknownName: no check finds, or no defect makes, a failure mode of that name; the nearest name is suggested
        InputError: a rate outside (0, 0.5), a limit below 10, a negative seed, or no images
        NoSamples: the view is empty
        Stopped: ``progress`` asked to stop; nothing is stored
        DatabaseGone: the database stopped answering

    >>> loupe.calibrate(dataset, ["blur", "dark"]).thresholds["blur"].value  # doctest: +SKIP
    0.5313
    """
    _require(false_positive_rate, limit, seed)
    wanted = float(false_positive_rate)
    tested = _tested(failures)
    store_rows.require_images(samples)
    report = reporter(progress, "calibrate")
    started = time.monotonic()
    device = resolve_device(device)
    ids = samples.values("id")
    report(Progress(0, min(limit, len(ids)), "loading"))
    checks = {one.check.name: one.check for one in tested}
    judges = {name: check.load(device) for name, check in checks.items()}

    rows = _rows(samples, ids, list(checks.values()), limit, seed)
    long_side = runner.needed_long_side(checks.values())
    measured: dict[str, list[list[float]]] = {one.failure: [] for one in tested}
    messages: dict[str, str] = {}
    n = unreadable = 0
    # the pictures of a chunk are few: each becomes dozens of copies before the run can stop
    for chunk in read_chunks(rows, long_side=long_side, batch_size=1):
        batches = {bucket.rows[0].id: bucket.batch() for bucket in chunk.buckets}
        for row in chunk.rows:
            if n == limit:
                break
            if row.id not in batches:
                unreadable += 1
                messages[row.id] = chunk.unreadable[row.id]
                continue
            broke = []
            for one in tested:
                scores, errors = _measure(one, judges[one.check.name], batches[row.id], [seed, n], device)
                measured[one.failure].append(scores)
                broke += errors
            if broke:
                messages[row.id] = "; ".join(broke)
            n += 1
        report(Progress(n, min(limit, len(ids) - unreadable), "measuring"))
        if n == limit:
            break

    key = store_runs.new_key(samples, "calibrate")
    own = store_runs.load_thresholds(samples)
    calibration = Calibration(
        key=key,
        n=n,
        unreadable=unreadable,
        wanted=wanted,
        rows=tuple(_calibrated(one, measured[one.failure], own.get(one.failure), wanted, key) for one in tested),
        seconds=time.monotonic() - started,
        device=device,
        params={
            "failures": {
                one.failure: {"check": one.check.name, "check_version": one.check.version, "defect": one.defect.version}
                for one in tested
            },
            "false_positives": wanted,
            "limit": int(limit),
            "seed": int(seed),
            "apply": bool(apply),
        },
        messages=dict(list(messages.items())[:_MAX_MESSAGES]),
    )
    store_runs.save(samples, calibration)
    if apply and calibration.thresholds:
        flag(samples, calibration.thresholds)
    return calibration


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
    found = failing_outputs(list(registry.checks().values()))
    return {failure: found[failure] for failure in sorted(found) if failure in defects}


def _require(false_positive_rate: float, limit: int, seed: int) -> None:
    number = isinstance(false_positive_rate, (int, float)) and not isinstance(false_positive_rate, bool)
    if not number or not 0 < false_positive_rate < 0.5:
        raise InputError(f"expected false_positives between 0 and 0.5, got {false_positive_rate!r}: 0.01 asks for 1 %")
    if not isinstance(limit, (int, np.integer)) or isinstance(limit, bool) or limit < MIN_LIMIT:
        raise InputError(f"expected a limit of at least {MIN_LIMIT} pictures, got {limit!r}")
    if not isinstance(seed, (int, np.integer)) or isinstance(seed, bool) or seed < 0:
        raise InputError(f"expected a seed that is a whole number of at least 0, got {seed!r}")


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
        found, _ = store_rows.pending_rows(samples.select(chosen), checks, needs=needs, resume=False)
        by_id = {row.id: row for row in found}
        yield from (by_id[one] for one in chosen if one in by_id)


def _measure(
    one: _Tested, judge: Callable[[ImageBatch], Scores], batch: ImageBatch, seed: Sequence[int], device: str
) -> tuple[list[float], list[str]]:
    """Returns the scores of a picture as it is and with the defect at each severity, NaN if unknown, and what broke."""
    pixels = np.ascontiguousarray(batch.pixels[0].permute(1, 2, 0).numpy())
    # a defect that changes what it is given would change all that comes after it: it breaks instead
    locked = pixels.view()
    locked.flags.writeable = False
    scores, errors = [], []
    for severity in (None, *one.defect.severities):
        try:
            picture = pixels if severity is None else injected(one.defect, locked, seed, [severity])[0]
            scores.append(score(_with_fields(judge, batch), one.output, picture, device))
        # a third party's check or defect may raise anything; one picture must not end the run
        except Exception as error:
            scores.append(math.nan)
            errors.append(
                f"{one.failure}{'' if severity is None else f' {severity:g}'}: {type(error).__name__}: {error}"
            )
    return scores, errors


def _with_fields(judge: Callable[[ImageBatch], Scores], batch: ImageBatch) -> Callable[[ImageBatch], Scores]:
    return lambda copy: judge(replace(copy, ids=batch.ids, fields=batch.fields))


def _calibrated(
    one: _Tested, measured: Sequence[Sequence[float]], own: Threshold | None, wanted: float, key: str
) -> CalibratedFailure:
    severities = one.defect.severities
    scores = np.array(measured, dtype=np.float64).reshape(-1, 1 + len(severities))
    choosing, reporting = scores[::2], scores[1::2]
    worse = 1 if one.default.op == ">" else -1
    line, reason = propose(choosing[:, 0], choosing[:, -1], one.default.op, wanted)
    proposed = None
    if line is not None:
        chosen_on, others = share_of(line, choosing[:, 0]), share_of(line, reporting[:, 0])
        provenance = (
            f"flags {chosen_on.rate * 100:.1f} % of {chosen_on.n} pictures of this dataset, which it was chosen on, "
            f"and {others} of {others.n} others"
        )
        proposed = operating_point(
            replace(set_now(line.op, line.value), source=f"calibrated:{key}", provenance=provenance), reporting
        )
    return CalibratedFailure(
        failure=one.failure,
        check=one.check.name,
        score=one.output.name,
        unit=one.defect.unit,
        severities=tuple(float(severity) for severity in severities),
        auroc=tuple(auroc(worse * reporting[:, 0], worse * flawed) for flawed in reporting.T[1:]),
        current=operating_point(own or one.default, reporting),
        proposed=proposed,
        reason=reason,
    )
