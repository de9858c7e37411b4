"""How long the whole comparison takes, and how much memory."""

from __future__ import annotations

import resource
import time

import numpy as np

from benchmarks.figures import header, row, title
from loupe.brain.labels.holes import MAX_VECTORS, looked_at, uncovered
from loupe.brain.realism.angles import Angles
from loupe.brain.realism.compare import compare
from loupe.brain.similarity.gathered import scaled


def print_speed(sizes: tuple[int, ...], numbers: int) -> None:
    """Prints CPU seconds and the peak of memory: of as many real as synthetic vectors, the smaller sets first."""
    title(f"All measures of vectors of {numbers:,} numbers, one thread where OMP_NUM_THREADS is 1")
    header(
        "vectors a side", "seconds of CPU", "holes", "wall, both", "peak memory of the process, GB", "of it the vectors"
    )
    for n in sorted(sizes):
        rng = np.random.default_rng(0)
        real, synthetic = (rng.standard_normal((n, numbers), dtype=np.float32) for _ in range(2))
        started, began = time.process_time(), time.perf_counter()
        own, others = scaled(synthetic), scaled(real)
        angles = None
        if n <= MAX_VECTORS:
            looked = looked_at(n, n)
            lengths = np.linalg.norm(real, axis=1), np.linalg.norm(synthetic, axis=1)
            angles = Angles(lengths, (looked.reference, looked.samples), looked.k)
        compare(real, synthetic, angles=angles)
        seconds = time.process_time() - started
        uncovered(others.unit, own.unit, neighbors=None if angles is None else angles.nearest())
        holes, wall = time.process_time() - started - seconds, time.perf_counter() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
        row(f"{n:,}", f"{seconds:.1f}", f"{holes:.1f}", f"{wall:.1f}", f"{peak:.2f}", f"{2 * real.nbytes / 1e9:.2f}")
