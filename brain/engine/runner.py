"""Runs checks over rows: reads ahead, halves a batch that does not fit into memory, isolates what one sample breaks."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any, TypeVar

import numpy as np

from loupe.brain.core.records import Box, Points, Scores
from loupe.brain.core.specs import Check
from loupe.brain.engine.reader import Bucket, Chunk, Row, read_chunks
from loupe.brain.imaging.ragged import AnyBatch, Part, RaggedBatch

T = TypeVar("T")


@dataclass(frozen=True)
class Verdict:
    """What the checks said of one sample.

    Attributes:
        row: the sample
        scores: by output name; NaN where unknown
        reasons: for each check that could not judge, why
        boxes: the evidence of each check that gives any
        maps: the map of each check that gives any
        points: the points of each check that gives any
        errors: for each check that broke on this sample, the error; such a check counts as not run
    """

    row: Row
    scores: Mapping[str, float]
    reasons: Mapping[str, str]
    boxes: Mapping[str, tuple[Box, ...]]
    maps: Mapping[str, np.ndarray]
    errors: Mapping[str, str]
    points: Mapping[str, tuple[Points, ...]] = field(default_factory=dict)


def needed_long_side(specs: Iterable[Check]) -> int | None:
    """Returns the resolution to read at: that of the most demanding check; None (the file's own) if one wants that."""
    sides = [spec.long_side for spec in specs]
    return None if not sides or None in sides else max(side for side in sides if side is not None)


def run(
    rows: Sequence[Row],
    checks: Sequence[Check],
    *,
    device: str = "cpu",
    batch_size: int = 16,
    workers: int | None = None,
) -> Iterator[list[Verdict]]:
    """Yields the verdicts chunk by chunk, in the order of the rows; a chunk is what may be stored at once.

    Each row is judged by the checks named in its ``pending``.
    """
    import torch

    wanted = frozenset[str]().union(*(row.pending for row in rows))
    used = {check.name: check for check in checks if check.name in wanted}
    loaded = {name: check.load(device) for name, check in used.items()}
    # a check may keep state between batches, so that each is asked by one thread at a time
    judges = {name: (loaded[name], Lock()) for name in used}
    chunks = read_chunks(
        rows,
        long_side=needed_long_side(used.values()),
        batch_size=batch_size,
        workers=workers,
        device=device,
        previews=device == "cpu" and any(check.ragged for check in used.values()),
    )
    threads = torch.get_num_threads()
    # the pool keeps the cores busy; threads inside of each small step would only wait for each other
    torch.set_num_threads(1)
    try:
        # on the CPU the small steps of a check leave cores idle; a GPU is kept busy by one batch after the other
        threads_of_checks = (workers or os.cpu_count() or 1) if device == "cpu" else 1
        with ThreadPoolExecutor(threads_of_checks, thread_name_prefix="loupe-check") as pool:
            before = None
            for chunk in chunks:
                # one chunk is judged while the next one is read
                started = _start(chunk, used, judges, device, batch_size, pool)
                if before is not None:
                    yield _finish(*before)
                before = started
            if before is not None:
                yield _finish(*before)
    finally:
        torch.set_num_threads(threads)


_Started = tuple[dict[str, Verdict], list[Future[None]]]


def _start(
    chunk: Chunk,
    checks: Mapping[str, Check],
    judges: Mapping[str, tuple[Callable[[Any], Scores], Lock]],
    device: str,
    batch_size: int,
    pool: ThreadPoolExecutor,
) -> _Started:
    verdicts = {row.id: Verdict(row, {}, {}, {}, {}, {}) for row in chunk.rows}
    for row in chunk.rows:
        if row.id in chunk.unreadable:
            verdicts[row.id] = _unreadable(row, chunk.unreadable[row.id], checks)

    def one(pending: frozenset[str], buckets: list[Bucket]) -> None:
        on_cpu = device == "cpu"
        ragged = {name for name in pending if checks[name].ragged}
        # checks that take looks alone need not have the pictures put together
        batches = [bucket.batch() for bucket in buckets] if not on_cpu or ragged < pending else []
        if not on_cpu:
            batches = [replace(batch, pixels=batch.pixels.to(device)) for batch in batches]
        parts: list[Part] = [bucket.previews() for bucket in buckets] if on_cpu and ragged else list(batches)
        for name in sorted(pending):
            judge, lock = judges[name]
            for batch in [RaggedBatch(tuple(parts))] if name in ragged else batches:
                with lock:
                    judged = list(attempt(judge, batch))
                for part, scores in judged:
                    # one copy from the device for each score, and not one for each sample
                    columns = {} if isinstance(scores, Exception) else {k: v.tolist() for k, v in scores.items()}
                    for index, sample_id in enumerate(part.ids):
                        _add(verdicts[sample_id], name, scores, columns, index)

    return verdicts, [pool.submit(one, *group) for group in _groups(chunk, batch_size)]


def _groups(chunk: Chunk, batch_size: int) -> Iterator[tuple[frozenset[str], list[Bucket]]]:
    """Yields the bunches of a chunk that the same checks judge, as many at a time as have ``batch_size`` images."""
    by_pending: dict[frozenset[str], list[Bucket]] = {}
    for bucket in chunk.buckets:
        pending = bucket.rows[0].pending
        held = by_pending.setdefault(pending, [])
        if held and sum(map(len, held)) + len(bucket) > batch_size:
            yield pending, by_pending.pop(pending)
            held = by_pending.setdefault(pending, [])
        held.append(bucket)
    yield from by_pending.items()


def _finish(verdicts: dict[str, Verdict], judging: list[Future[None]]) -> list[Verdict]:
    for future in judging:
        future.result()
    return list(verdicts.values())


def _unreadable(row: Row, reason: str, checks: Mapping[str, Check]) -> Verdict:
    scores = {output.name: output.when_unreadable for name in row.pending for output in checks[name].outputs}
    reasons = {
        name: f"unreadable: {reason}"
        for name in row.pending
        if any(math.isnan(output.when_unreadable) for output in checks[name].outputs)
    }
    return Verdict(row, scores, reasons, {}, {}, {})


def _add(
    verdict: Verdict, check: str, scores: Scores | Exception, columns: Mapping[str, list[float]], index: int
) -> None:
    """Adds one check's word on one sample. The dicts of a verdict are ours until it is yielded."""
    assert isinstance(verdict.scores, dict)
    assert isinstance(verdict.reasons, dict)
    assert isinstance(verdict.boxes, dict)
    assert isinstance(verdict.maps, dict)
    assert isinstance(verdict.errors, dict)
    assert isinstance(verdict.points, dict)
    if isinstance(scores, Exception):
        verdict.errors[check] = f"{type(scores).__name__}: {scores}"
        return
    for name, column in columns.items():
        verdict.scores[name] = column[index]
    if scores.reasons and scores.reasons[index]:
        verdict.reasons[check] = str(scores.reasons[index])
    if scores.boxes:
        verdict.boxes[check] = scores.boxes[index]
    if scores.points:
        verdict.points[check] = scores.points[index]
    if scores.maps and (found := scores.maps[index]) is not None:
        verdict.maps[check] = found


def attempt(judge: Callable[[Any], T], batch: AnyBatch) -> Iterator[tuple[AnyBatch, T | Exception]]:
    """Yields (part, scores) over the batch: whole if it works, in halves where memory runs out or something breaks."""
    import torch

    try:
        yield batch, judge(batch)
        return
    # a third party's model may raise anything; one bad sample must not end the run
    except Exception as error:
        if len(batch) == 1:
            yield batch, error
            return
        if isinstance(error, torch.OutOfMemoryError):
            torch.cuda.empty_cache()
    for part in batch.halved():
        yield from attempt(judge, part)
