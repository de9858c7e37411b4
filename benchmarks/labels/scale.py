"""How long label issues take, and in how much memory, by vectors and classes: each set in a process of its own."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
from scipy import sparse

from benchmarks.figures import header, row, title
from loupe.brain.labels import many_classes, multilabel, noise
from loupe.brain.labels.one_vs_rest import OneVsRest
from loupe.brain.labels.probe import probe

#: what a sample has, vectors, numbers each, classes
SETS = (
    ("one class", 100_000, 512, 10),
    ("one class", 20_000, 256, 2_000),
    ("several", 100_000, 512, 20),
    ("several", 20_000, 512, 10_000),
)
#: of several: classes a sample has on average
_EACH = 3
_LIMIT = 0.2


def print_scale() -> None:
    """Prints the time of the processor and the peak of memory, without the database."""
    title("Vectors around the centers of their classes, a label of twenty wrong")
    header("a sample has", "vectors", "classes", "seconds of CPU", "GiB of them all", "peak, with them, GiB")
    for kind, n, size, classes in SETS:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as own:
            seconds, peak = own.submit(_measured, kind, n, size, classes).result()
        row(kind, f"{n:,} × {size}", f"{classes:,}", f"{seconds:.0f}", f"{4 * n * size / 2**30:.2f}", f"{peak:.1f}")


def _measured(kind: str, n: int, size: int, classes: int) -> tuple[float, float]:
    """Returns the seconds of the processor, and this process's peak of memory in GiB."""
    measured = _single(n, size, classes) if kind == "one class" else _several(n, size, classes)
    started = time.process_time()
    measured()
    return time.process_time() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def _single(n: int, size: int, classes: int) -> Callable[[], object]:
    rng = np.random.default_rng(0)
    true = np.arange(n) % classes
    given = np.where(rng.random(n) < 0.05, rng.integers(0, classes, n), true)
    unit = _unit(rng.normal(size=(classes, size)).astype(np.float32)[true], 2.0, rng)
    if many_classes.are_many(n, classes):
        return lambda: many_classes.fit(many_classes.probes(unit, given, classes, groups=np.arange(n)), given, classes)
    return lambda: noise.fit(probe(unit, given, classes), given)


def _several(n: int, size: int, classes: int) -> Callable[[], object]:
    rng = np.random.default_rng(0)
    counts = np.minimum(rng.poisson(_EACH, n), classes)
    columns = rng.integers(0, classes, counts.sum())
    rows = np.repeat(np.arange(n), counts)
    true = sparse.csr_matrix((np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=(n, classes))
    unit = _unit(np.asarray(true @ rng.normal(size=(classes, size)).astype(np.float32)), 2.0, rng)
    kept = rng.random(len(rows)) >= 0.05
    given = sparse.csc_matrix((np.ones(int(kept.sum()), dtype=np.int8), (rows[kept], columns[kept])), shape=true.shape)
    given.data[:] = 1
    return lambda: multilabel.fit(OneVsRest(unit, given).log_odds, given, limit=_LIMIT)


def _unit(vectors: np.ndarray, spread: float, rng: np.random.Generator) -> np.ndarray:
    vectors += spread * rng.standard_normal(vectors.shape, dtype=np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
