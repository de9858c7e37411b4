"""Runs checks over rows: what ``map_rows`` gives back, as verdicts."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Box, Points, SampleResult, Scores
from loupe.brain.core.specs import Check
from loupe.brain.engine.map import Mapped, Task, map_rows
from loupe.brain.engine.reader import CHUNK, Row


@dataclass(frozen=True)
class Verdict:
    """What the checks said of one sample.

    Attributes:
        row: the sample
        scores: by output name; NaN where unknown
        reasons: for each check that could not judge, why
        boxes: the boxes of each check that gives any
        maps: the map of each check that gives any
        errors: for each check that broke on this sample, the error; such a check counts as not run
        points: the points of each check that gives any
        not_now: whether the file could not be had, so that what is stored of the sample stays as it is
    """

    row: Row
    scores: Mapping[str, float]
    reasons: Mapping[str, str]
    boxes: Mapping[str, tuple[Box, ...]]
    maps: Mapping[str, np.ndarray]
    errors: Mapping[str, str]
    points: Mapping[str, tuple[Points, ...]] = field(default_factory=dict)
    not_now: bool = False


def run(
    rows: Sequence[Row],
    checks: Sequence[Check],
    *,
    engine: str = "local",
    device: str = "cpu",
    batch_size: int = 16,
    workers: int | None = None,
) -> Iterator[list[Verdict]]:
    """Yields the verdicts chunk by chunk, in the order of the rows; a chunk is what may be stored at once.

    Each row is judged by the checks named in its ``pending``, and a check that no row waits for is not loaded.

    Raises:
        InputError: a row waits for a check that is not given
    """
    by_name = {check.name: check for check in checks}
    wanted = frozenset[str]().union(*(row.pending for row in rows))
    if wanted - by_name.keys():
        raise InputError(f"expected rows that wait for {', '.join(by_name)} only, got {', '.join(sorted(wanted))}")
    tasks = [
        Task(
            check.name,
            check.load,
            Scores.by_sample,
            check.long_side,
            check.ragged,
            reentrant=check.reentrant(),
        )
        for check in checks
        if check.name in wanted
    ]
    queue: deque[_Queued] = deque()
    chunks = map_rows(
        _to_look_at(rows, by_name, queue),
        tasks,
        engine=engine,
        device=device,
        batch_size=batch_size,
        workers=workers,
        torch_threads=1,
    )
    return _verdicts(chunks, queue, by_name)


@dataclass(frozen=True)
class _Queued:
    """A row, why some of its checks need not look at it, and whether the others are going to."""

    row: Row
    reasons: Mapping[str, str]
    is_read: bool

    def verdict(self, of_others: Verdict | None, checks: Mapping[str, Check]) -> Verdict:
        """Returns what all of its checks say, given what those say that looked."""
        others = of_others or Verdict(self.row, {}, {}, {}, {}, {})
        scores = {output.name: math.nan for name in self.reasons for output in checks[name].outputs}
        return replace(
            others, row=self.row, scores={**scores, **others.scores}, reasons={**self.reasons, **others.reasons}
        )


def _to_look_at(rows: Iterable[Row], checks: Mapping[str, Check], queue: deque[_Queued]) -> Iterator[Row]:
    """Yields the rows that some check has to look at, waiting for those alone; all are queued."""
    for row in rows:
        asked = {name: checks[name].abstains(row.fields) for name in sorted(row.pending)}
        reasons = {name: reason for name, reason in asked.items() if reason}
        rest = row.pending - reasons.keys()
        queue.append(_Queued(row, reasons, bool(rest)))
        if rest:
            yield replace(row, pending=frozenset(rest)) if reasons else row


def _verdicts(
    chunks: Iterable[Sequence[Mapped[SampleResult]]], queue: deque[_Queued], checks: Mapping[str, Check]
) -> Iterator[list[Verdict]]:
    def not_read() -> Iterator[Verdict]:
        while queue and not queue[0].is_read:
            yield queue.popleft().verdict(None, checks)

    for chunk in chunks:
        verdicts = []
        for mapped in chunk:
            verdicts += [*not_read(), queue.popleft().verdict(_verdict(mapped, checks), checks)]
        yield verdicts
    rest = not_read()
    while some := list(islice(rest, CHUNK)):
        yield some


def _verdict(mapped: Mapped[SampleResult], checks: Mapping[str, Check]) -> Verdict:
    if mapped.unreadable is not None:
        return _unreadable(mapped.row, mapped.unreadable, checks)
    results = mapped.values
    return Verdict(
        row=mapped.row,
        scores={name: score for result in results.values() for name, score in result.values.items()},
        reasons={name: result.reason for name, result in results.items() if result.reason},
        boxes={name: result.boxes for name, result in results.items() if result.boxes},
        maps={name: result.map for name, result in results.items() if result.map is not None},
        errors=mapped.errors,
        points={name: result.points for name, result in results.items() if result.points},
        not_now=mapped.not_now,
    )


def _unreadable(row: Row, reason: str, checks: Mapping[str, Check]) -> Verdict:
    scores = {output.name: output.when_unreadable for name in row.pending for output in checks[name].outputs}
    reasons = {
        name: f"unreadable: {reason}"
        for name in row.pending
        if any(math.isnan(output.when_unreadable) for output in checks[name].outputs)
    }
    return Verdict(row, scores, reasons, {}, {}, {})
