"""Runs checks over the objects of pictures: each file is decoded once, and the crops of all of its objects are cut
from that.

Pixel checks see each crop as a picture of its own, at the size that it has in the file. Object measures see where the
boxes lie; for those alone a file is decoded as small as its format allows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from loupe.brain.core.records import SampleResult
from loupe.brain.core.specs import Check, Embedder, ObjectMeasure
from loupe.brain.engine.crops import OBJECTS, Region, crops_of, no_box, places
from loupe.brain.engine.map import Mapped, Task, by_picture, map_rows
from loupe.brain.engine.reader import Row
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.imaging.ragged import RaggedBatch

#: a long side at which a file is decoded where only the picture's size is wanted
_FOR_ITS_SIZE = 64


@dataclass(frozen=True)
class ObjectVerdict:
    """What was said of the objects of one picture.

    Attributes:
        row: the sample
        results: for each spec that ran, what it says of each object, in the order of the row's regions
        errors: for each spec that broke on this sample, the error; it counts as not run
        not_now: whether the file could not be had, so that what is stored of the sample stays as it is
    """

    row: Row
    results: Mapping[str, tuple[SampleResult, ...]]
    errors: Mapping[str, str]
    not_now: bool = False


def run(
    rows: Sequence[Row],
    specs: Sequence[Check | ObjectMeasure],
    *,
    engine: str = "local",
    device: str = "cpu",
    batch_size: int = 16,
    workers: int | None = None,
) -> Iterator[list[ObjectVerdict]]:
    """Yields the verdicts chunk by chunk, in the order of the rows; a chunk is what may be stored at once.

    Args:
        rows: pictures with their objects, a tuple of ``Region`` in ``fields["objects"]``; each is judged by the specs
            that are named in its ``pending``
        specs: what judges
        engine, device, workers: as for ``map_rows``
        batch_size: the most pictures whose objects a spec gets at once
    """
    by_name = {spec.name: spec for spec in specs}
    wanted = frozenset[str]().union(*(row.pending for row in rows))
    tasks = [_task(spec) for name, spec in by_name.items() if name in wanted]
    sizes = {"engine": engine, "device": device, "batch_size": batch_size, "workers": workers, "torch_threads": 1}
    for chunk in map_rows(rows, tasks, **sizes):  # type: ignore[arg-type]
        yield [_verdict(mapped, by_name) for mapped in chunk]


def _task(spec: Check | ObjectMeasure) -> Task[tuple[SampleResult, ...]]:
    if isinstance(spec, Check):
        return Task(spec.name, partial(_judging, spec), by_picture, apart=True)
    return Task(spec.name, partial(_measuring, spec), by_picture, _FOR_ITS_SIZE, apart=True)


def _verdict(mapped: Mapped[tuple[SampleResult, ...]], specs: Mapping[str, Check | ObjectMeasure]) -> ObjectVerdict:
    if mapped.unreadable is None:
        return ObjectVerdict(mapped.row, mapped.values, mapped.errors, mapped.not_now)
    unknown = SampleResult({}, f"unreadable: {mapped.unreadable}")
    results = (unknown,) * len(mapped.row.fields[OBJECTS])
    return ObjectVerdict(mapped.row, dict.fromkeys(mapped.row.pending & specs.keys(), results), {})


def _measuring(spec: ObjectMeasure, _: str) -> Callable[[ImageBatch], list[tuple[SampleResult, ...]]]:
    return partial(_measured, spec)


def _measured(spec: ObjectMeasure, batch: ImageBatch) -> list[tuple[SampleResult, ...]]:
    """Returns what an object measure says of the objects of each picture."""
    listed: list[tuple[SampleResult, ...]] = []
    for (width, height), regions in zip(batch.sizes, batch.fields[OBJECTS], strict=True):
        reasons = [no_box(region.bounds) for region in regions]
        own = [region for region, reason in zip(regions, reasons, strict=True) if reason is None]
        shares = np.array([region.bounds for region in own], dtype=np.float64).reshape(-1, 4)
        size = np.array([width, height], dtype=np.float64)
        starts = shares[:, :2] * size
        boxes = np.concatenate([starts, starts + shares[:, 2:] * size], 1)
        scores = spec.score(boxes, np.repeat(size[None], len(own), 0))
        columns = {name: iter(values.tolist()) for name, values in scores.items()}
        listed.append(
            tuple(
                SampleResult({name: next(values) for name, values in columns.items()})
                if reason is None
                else SampleResult({}, reason)
                for reason in reasons
            )
        )
    return listed


def _judging(spec: Check, device: str) -> Callable[[ImageBatch], list[tuple[SampleResult, ...]]]:
    apply = spec.load(device)

    def judged(batch: ImageBatch) -> list[tuple[SampleResult, ...]]:
        by_key: dict[tuple[int, int], SampleResult] = {}
        for keys, parts in crops_of(batch, previews=spec.ragged):
            if spec.ragged:
                results = apply(RaggedBatch(parts)).by_sample(len(keys))  # type: ignore[arg-type]
            else:
                results = [result for part in parts for result in apply(part).by_sample(len(part))]  # type: ignore[arg-type]
            by_key.update(zip(keys, results, strict=True))
        return _in_order(batch, by_key)

    return judged


def _in_order(batch: ImageBatch, by_key: Mapping[tuple[int, int], SampleResult]) -> list[tuple[SampleResult, ...]]:
    """Returns what was said of the objects of each picture: evidence is left out, since it lies in the crop."""
    return [
        tuple(
            SampleResult(by_key[at, place].values, by_key[at, place].reason)
            if (at, place) in by_key
            else SampleResult({}, no_box(region.bounds))
            for place, region in enumerate(regions)
        )
        for at, regions in enumerate(batch.fields[OBJECTS])
    ]


def embedding(spec: Embedder, name: str) -> Task[np.ndarray]:
    """Returns the task that makes a (M, D) float32 array of vectors of the M objects of a picture, NaN where none is.

    Args:
        spec: the embedder
        name: what rows wait for
    """

    def load(device: str) -> Callable[[ImageBatch], list[np.ndarray]]:
        apply = spec.load(device)

        def embedded(batch: ImageBatch) -> list[np.ndarray]:
            vectors: dict[tuple[int, int], np.ndarray] = {}
            for keys, parts in crops_of(batch, previews=False):
                own = [
                    vector
                    for part in parts
                    for vector in apply(part).float().cpu().numpy()  # type: ignore[arg-type]
                ]
                vectors.update(zip(keys, own, strict=True))
            width = len(next(iter(vectors.values()), ()))
            none = np.full(width, math.nan, np.float32)
            return [
                np.array([vectors.get((at, place), none) for place in range(len(regions))], np.float32).reshape(
                    len(regions), width
                )
                for at, regions in enumerate(batch.fields[OBJECTS])
            ]

        return embedded

    return Task(name, load, by_picture, apart=True)


__all__ = ["OBJECTS", "ObjectVerdict", "Region", "embedding", "places", "run"]
