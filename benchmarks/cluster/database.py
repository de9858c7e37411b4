"""What a sample takes in FiftyOne's database, by what is stored of it: bytes, index bytes, and seconds of writing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.figures import header, row, title
from benchmarks.speed.end_to_end import own_database
from benchmarks.speed.pictures import default_checks
from loupe.brain.core import registry
from loupe.brain.core.records import Output
from loupe.brain.engine.reader import Row
from loupe.brain.engine.runner import Verdict

_DIMENSIONS = 512


@dataclass(frozen=True)
class Stored:
    """What a thing takes of one sample.

    Attributes:
        name: what it is
        document: bytes in the document, as MongoDB hands it out; the limit of a document is 16 MiB
        disk: bytes on the disk, compressed
        index: bytes of indexes
        rate: samples a second that are written
    """

    name: str
    document: float
    disk: float
    index: float
    rate: float


def print_database(n: int) -> None:
    """Prints what is stored of n samples takes, each."""
    with own_database():
        listed = measured(n)
    title(f"{n:,} samples in MongoDB, bytes of one")
    header("what is stored", "document", "disk", "indexes", "written a second")
    for each in listed:
        sizes = (f"{value:,.0f}" for value in (each.document, each.disk, each.index))
        row(each.name, *sizes, f"{each.rate:,.0f}")


def measured(n: int) -> list[Stored]:
    """Returns what each step adds: the bare samples, the scores of the default checks, fingerprints, vectors."""
    import fiftyone as fo

    from loupe.brain.similarity.fingerprints import Fingerprint
    from loupe.brain.store import scores as store_scores
    from loupe.brain.store import vectors as store_vectors
    from loupe.brain.store.duplicates import fingerprints as store_prints
    from loupe.brain.verbs.steps.writer import WRITTEN_AT_ONCE

    dataset = fo.Dataset()
    rng = np.random.default_rng(0)
    listed: list[Stored] = []

    def step(name: str, write: Callable[[], None]) -> None:
        before, started = _sizes(dataset), time.perf_counter()
        write()
        seconds = time.perf_counter() - started
        after = _sizes(dataset)
        listed.append(
            Stored(name, *((later - earlier) / n for later, earlier in zip(after, before, strict=True)), n / seconds)
        )

    def add() -> None:
        for start in range(0, n, 10_000):
            part = [fo.Sample(filepath=f"/data/pictures/{at:09}.jpg") for at in range(start, min(n, start + 10_000))]
            dataset.add_samples(part, progress=False, validate=False)

    names = default_checks()
    checks = [registry.checks()[name]() for name in names]
    outputs: list[Output] = [output for check in checks for output in check.outputs]
    step("a sample with its path", add)
    rows = [
        Row(sample_id, path, {}, frozenset(names), dict.fromkeys([*names, "embeddings"], "0123456789abcdef"))
        for sample_id, path in zip(*dataset.values(["id", "filepath"]), strict=True)
    ]
    parts = [rows[start : start + WRITTEN_AT_ONCE] for start in range(0, n, WRITTEN_AT_ONCE)]

    def score() -> None:
        store_scores.declare(dataset, outputs)
        for part in parts:
            scores = rng.random((len(part), len(outputs)))
            verdicts = [
                Verdict(each, dict(zip((o.name for o in outputs), own.tolist(), strict=True)), {}, {}, {}, {})
                for each, own in zip(part, scores, strict=True)
            ]
            store_scores.write(dataset, verdicts, checks)

    def fingerprint() -> None:
        for part in parts:
            made = {each.id: _print(Fingerprint, rng) for each in part}
            store_prints.write(dataset, part, made)

    def embed() -> None:
        spec = registry.embedders()["hog"]()
        store_vectors.declare(dataset, spec, "embeddings")
        for part in parts:
            vectors = {each.id: rng.random(_DIMENSIONS, dtype=np.float32) for each in part}
            store_vectors.write(dataset, "embeddings", part, vectors, {})

    step(f"+ {len(outputs)} scores of the {len(checks)} default checks", score)
    step("+ fingerprints", fingerprint)
    step(f"+ vectors of {_DIMENSIONS} numbers", embed)
    dataset.delete()
    return listed


def _print(kind: Any, rng: np.random.Generator) -> Any:
    """Returns a fingerprint of noise: nothing of it can be compressed, as little of a photo's can."""
    luma = rng.integers(0, 256, (64, 64), dtype=np.uint8)
    chroma = rng.integers(-128, 128, (2, 16, 16), dtype=np.int8)
    return kind(rng.bytes(16).hex(), rng.bytes(16).hex(), 500_000, luma, chroma)


def _sizes(dataset: Any) -> tuple[float, float, float]:
    from fiftyone.core.odm import get_db_conn

    # what is in memory only is written out first
    get_db_conn().client.admin.command("fsync")
    stats = get_db_conn().command("collStats", dataset._sample_collection_name)
    return float(stats["size"]), float(stats["storageSize"]), float(stats["totalIndexSize"])
