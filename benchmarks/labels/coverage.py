"""Planted imbalances and planted holes: how many are found, and how often chance is named. No pictures are needed."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from benchmarks.figures import header, row, title
from loupe.brain.labels.cells import Cell
from loupe.brain.labels.covering import Crossing, Part, named_cells
from loupe.brain.labels.holes import uncovered
from loupe.brain.slicing.columns import Column
from loupe.brain.stats.intervals import Proportion

FDR, FAR = 0.05, 2.0
CLASSES, CONTEXTS = 10, 4


def print_coverage(runs: int, part: str) -> None:
    """Prints the tables.

    Args:
        runs: how many sets are drawn for each line
        part: cells, holes, speed, or all of them
    """
    for name, print_part in (("cells", _print_cells), ("holes", _print_holes), ("speed", lambda _: _print_speed())):
        if part in (name, "all"):
            print_part(runs)


def _print_cells(runs: int) -> None:
    title(f"Hidden imbalances: {CLASSES} classes by two factors of {CONTEXTS} values, {runs} drawn sets each")
    header("samples", "groups of", "planted", "found", "runs that name chance", "of those named, false", "by q alone")
    for n, group, planted in (
        *((n, 1, ratio) for n in (1000, 5000) for ratio in (None, 0.1, 0.25, 0.5)),
        (5000, 10, None),
        (5000, 10, 0.1),
        (50_000, 10, 0.25),
    ):
        counts = [_cells(seed, n, group, planted) for seed in range(runs)]
        hit = sum(hits for hits, _, _, _ in counts)
        false = sum(wrong for _, wrong, _, _ in counts)
        named = sum(total for _, _, total, _ in counts)
        row(
            f"{n:,}",
            group,
            "nothing" if planted is None else f"{planted:g} times as many",
            "" if planted is None else str(Proportion.of(hit, runs)),
            str(Proportion.of(sum(wrong > 0 for _, wrong, _, _ in counts), runs)),
            "" if planted is None else str(Proportion.of(false, named)),
            str(Proportion.of(sum(any_at_all for *_, any_at_all in counts), runs)) if planted is None else "",
        )


def _print_holes(runs: int) -> None:
    title(f"Holes: 20 clusters of 64 numbers, {runs} drawn sets each; a hit covers most of the cluster that is missing")
    header("reference", "samples", "groups of", "missing", "found", "runs that name another")
    for reference, samples, group, missing in (
        *((1000, samples, 1, missing) for samples in (200, 1000, 3000) for missing in (0, 1)),
        (1000, 1000, 10, 0),
        (1000, 1000, 10, 1),
    ):
        hits, others = zip(*(_holes(seed, reference, samples, group, missing) for seed in range(runs)), strict=True)
        row(
            f"{reference:,}",
            f"{samples:,}",
            group,
            "nothing" if not missing else "1 cluster of 20",
            str(Proportion.of(sum(hits), runs)) if missing else "",
            str(Proportion.of(sum(others), runs)),
        )


def _print_speed() -> None:
    title("CPU seconds")
    header("what", "seconds")
    for name, call in _TIMED.items():
        started = time.process_time()
        call()
        row(name, f"{time.process_time() - started:.1f}")


def _drawn(
    rng: np.random.Generator, n: int, group: int, planted: float | None
) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
    """Returns classes, two factors and groups; the samples of a group share all of it, as those of a prompt do."""
    shares = np.geomspace(1, 0.15, CLASSES)
    kinds = rng.choice(CLASSES, n // group, p=shares / shares.sum())
    factors = [rng.integers(0, CONTEXTS, n // group) for _ in range(2)]
    if planted is not None:
        # class 2 in the first context: of those that would be there, so many stay, the others move on
        gone = (kinds == 2) & (factors[0] == 0) & (rng.random(len(kinds)) >= planted)
        factors[0][gone] = rng.integers(1, CONTEXTS, int(gone.sum()))
    groups = np.repeat(np.arange(len(kinds)), group)
    return kinds[groups], [factor[groups] for factor in factors], groups


def _part(name: str, values: np.ndarray) -> Part:
    return Part(name, Column.of(values.tolist()), ({"name": name},))


def _cells(seed: int, n: int, group: int, planted: float | None) -> tuple[int, int, int, bool]:
    """Returns whether the planted cell is named, how many by chance, how many in all, and whether any is by q alone."""
    kinds, factors, groups = _drawn(np.random.default_rng(seed), n, group, planted)
    label = _part("class", kinds)
    tied = groups if group > 1 else None
    crossings = [Crossing.of("context", label, _part(f"f{at}", own), tied) for at, own in enumerate(factors)]
    cells, _, _ = named_cells(crossings, 1, FAR, FDR)
    far = [cell for cell in cells if cell.far]
    hits = sum(_is_planted(cell) for cell in far) if planted is not None else 0
    # what moved on makes the class more frequent elsewhere: that is no chance
    wrong = sum(not (planted is not None and _is_touched(cell)) for cell in far)
    return hits, wrong, len(far), any(cell.q <= FDR for cell in named_cells(crossings, 1, 1.0, FDR)[0])


def _is_planted(cell: Cell) -> bool:
    return cell.values == (("class", "2"), ("f0", "0"))


def _is_touched(cell: Cell) -> bool:
    (_, kind), (factor, value) = cell.values
    return factor == "f0" and (kind == "2" or value == "0")


def _holes(seed: int, reference: int, samples: int, group: int, missing: int) -> tuple[bool, bool]:
    """Returns whether the missing cluster is told, and whether anything else is."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(20, 64))
    own = rng.choice(20, reference)
    real = _unit(centers[own] + 0.7 * rng.normal(size=(reference, 64)))
    kept = np.arange(missing, 20)
    first = centers[rng.choice(kept, samples // group)] + 0.7 * rng.normal(size=(samples // group, 64))
    groups = np.repeat(np.arange(samples // group), group)
    made = _unit(first[groups] + 0.05 * rng.normal(size=(len(groups), 64)))
    looked = uncovered(real, made, groups if group > 1 else None, seed=seed)
    reported = np.zeros(reference, dtype=bool)
    other = False
    for region in looked.regions:
        reported[region.rows] = True
        other |= missing == 0 or (own[region.rows] == 0).mean() < 0.5
    return bool(missing and reported[own == 0].mean() > 0.5), bool(other)


def _unit(vectors: np.ndarray) -> np.ndarray:
    made = vectors.astype(np.float32)
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True))


def _many_cells(n: int, classes: int) -> None:
    rng = np.random.default_rng(0)
    label = _part("class", rng.integers(0, classes, n))
    named_cells([Crossing.of("context", label, _part("f", rng.integers(0, 10, n)), None)], 10, FAR, FDR)


def _many_vectors(n: int) -> None:
    rng = np.random.default_rng(0)
    uncovered(_unit(rng.normal(size=(n, 512))), _unit(rng.normal(size=(n, 512))))


_TIMED: dict[str, Callable[[], None]] = {
    "1,000,000 samples, 10 classes × 10 values": lambda: _many_cells(1_000_000, 10),
    "100,000 samples, 10,000 classes × 10 values": lambda: _many_cells(100_000, 10_000),
    "holes: 10,000 × 512 against 10,000": lambda: _many_vectors(10_000),
}
