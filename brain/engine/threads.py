"""The engine that is this process: threads decode ahead, other threads run the tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from threading import Lock
from typing import Any, TypeVar

from loupe.brain.core import interrupts, machine
from loupe.brain.core.errors import InputError, Stopped
from loupe.brain.engine.inner_threads import inner_threads, limit_blas
from loupe.brain.engine.map import Mapped, Task, needed_long_side
from loupe.brain.engine.reader import Bucket, Chunk, Row, Wanted, read_chunks
from loupe.brain.imaging.ragged import AnyBatch, Part, RaggedBatch

T = TypeVar("T")


@dataclass(frozen=True)
class _Loaded:
    """A task, loaded when the first pictures wait for it.

    One thread at a time may use it, as it may keep state, unless it is reentrant: a check that costs a second a picture
    would else keep one core busy and leave the others idle.
    """

    task: Task[Any]
    device: str
    inner: int | None
    lock: Lock = field(default_factory=Lock)

    @cached_property
    def apply(self) -> Callable[[Any], Any]:
        try:
            return self.task.load(self.device)
        finally:
            limit_blas(self.inner)

    def results(self, batches: Sequence[AnyBatch]) -> list[tuple[AnyBatch, Any]]:
        """Returns each part of the batches with what the task made of it, or with the error."""
        with self.lock:
            apply = self.apply
            if not self.task.reentrant:
                return [result for batch in batches for result in attempt(apply, batch)]
        return [result for batch in batches for result in attempt(apply, batch)]


def run(
    rows: Iterable[Row],
    tasks: Sequence[Task[Any]],
    *,
    device: str,
    batch_size: int,
    workers: int | None,
    torch_threads: int | None,
) -> Iterator[list[Mapped[Any]]]:
    """Yields what became of the rows, see ``map_rows``."""
    loaded = {task.name: _Loaded(task, device, torch_threads) for task in tasks}

    @cache
    def wanted(pending: frozenset[str]) -> Wanted:
        waited_for = [loaded[name].task for name in pending if name in loaded]
        ragged = [task.ragged for task in waited_for] if device == "cpu" else []
        # tasks that take previews alone need not have the pixels
        pixels = not ragged or not all(ragged)
        return Wanted(needed_long_side(task.long_side for task in waited_for), pixels, any(ragged))

    chunks = read_chunks(rows, wanted=wanted, batch_size=batch_size, workers=workers, device=device)
    # on the CPU the small steps of a task leave cores idle; a GPU is kept busy by one batch after the other
    threads = (workers or machine.cores()) if device == "cpu" else 1
    with inner_threads(torch_threads), ThreadPoolExecutor(threads, thread_name_prefix="loupe-task") as pool:
        previous = None
        for chunk in chunks:
            # the tasks work on one chunk while the next one is read
            started = _start(chunk, loaded, device, batch_size, pool)
            if previous is not None:
                yield _finish(*previous)
            previous = started
        if previous is not None:
            yield _finish(*previous)


def _start(
    chunk: Chunk, loaded: Mapping[str, _Loaded], device: str, batch_size: int, pool: ThreadPoolExecutor
) -> tuple[list[Mapped[Any]], list[Future[None]]]:
    strangers = frozenset[str]().union(*(row.pending for row in chunk.rows)) - loaded.keys()
    if strangers:
        raise InputError(f"expected rows that wait for {', '.join(loaded)} only, got {', '.join(sorted(strangers))}")
    # until they are yielded, the dicts of these records are ours to fill
    values: dict[str, dict[str, Any]] = {row.id: {} for row in chunk.rows}
    # where the disk or the network failed, no task has run
    errors: dict[str, dict[str, str]] = {
        row.id: dict.fromkeys(row.pending, chunk.not_now[row.id]) if row.id in chunk.not_now else {}
        for row in chunk.rows
    }
    mapped = [
        Mapped(row, values[row.id], errors[row.id], chunk.unreadable.get(row.id), row.id in chunk.not_now)
        for row in chunk.rows
    ]

    def work(pending: frozenset[str], buckets: list[Bucket]) -> None:
        for name, batches in _batches(pending, buckets, loaded, device):
            for part, result in loaded[name].results(batches):
                if isinstance(result, Exception):
                    for sample_id in part.ids:
                        errors[sample_id][name] = f"{type(result).__name__}: {result}"
                    continue
                for sample_id, value in zip(part.ids, loaded[name].task.split(result, len(part)), strict=True):
                    values[sample_id][name] = value

    return mapped, [pool.submit(interrupts.carried(work), *group) for group in _groups(chunk, batch_size)]


def _batches(
    pending: frozenset[str], buckets: Sequence[Bucket], loaded: Mapping[str, _Loaded], device: str
) -> Iterator[tuple[str, list[AnyBatch]]]:
    """Yields for each task the batches that it gets: one of several shapes where it takes that, else each its own."""
    on_cpu = device == "cpu"
    ragged = {name for name in pending if loaded[name].task.ragged}
    apart = {name for name in pending if on_cpu and loaded[name].task.apart}
    # tasks that take previews alone need not have the pictures put together
    batches = [bucket.batch() for bucket in buckets] if not on_cpu or ragged | apart < pending else []
    singles = [single for bucket in buckets for single in bucket.singles()] if apart else []
    if not on_cpu:
        batches = [replace(batch, pixels=batch.pixels.to(device)) for batch in batches]
    parts: list[Part] = list(batches)
    if on_cpu and ragged:
        previews = [bucket.previews() for bucket in buckets]
        # one luma, and all that is made of it, for both kinds of tasks; no batches where all of them take previews
        batches = [batch.knowing(seen.luma, seen.samples) for batch, seen in zip(batches, previews, strict=False)]
        parts = list(previews)
    for name in sorted(pending):
        yield name, [RaggedBatch(tuple(parts))] if name in ragged else list(singles if name in apart else batches)


def _groups(chunk: Chunk, batch_size: int) -> Iterator[tuple[frozenset[str], list[Bucket]]]:
    """Yields the buckets of a chunk that wait for the same tasks, as many at a time as have ``batch_size`` images."""
    by_pending: dict[frozenset[str], list[Bucket]] = {}
    for bucket in chunk.buckets:
        pending = bucket.rows[0].pending
        held = by_pending.setdefault(pending, [])
        if held and sum(map(len, held)) + len(bucket) > batch_size:
            yield pending, by_pending.pop(pending)
            held = by_pending.setdefault(pending, [])
        held.append(bucket)
    yield from by_pending.items()


def _finish(mapped: list[Mapped[Any]], working: list[Future[None]]) -> list[Mapped[Any]]:
    for future in working:
        future.result()
    return mapped


def attempt(apply: Callable[[Any], T], batch: AnyBatch) -> Iterator[tuple[AnyBatch, T | Exception]]:
    """Yields (part, result) over the batch: whole if it works, in halves where memory runs out or something breaks."""
    import torch

    interrupts.point()
    try:
        yield batch, apply(batch)
        return
    except Stopped:
        raise
    # a third party's model may raise anything; one bad sample must not end the run
    except Exception as error:
        if len(batch) == 1:
            yield batch, error
            return
        if isinstance(error, torch.OutOfMemoryError):
            torch.cuda.empty_cache()
    for part in batch.halved():
        yield from attempt(apply, part)
