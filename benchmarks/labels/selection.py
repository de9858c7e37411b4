"""Selections: the accuracy of what is trained on them against chance, and how long they take and how far they reach."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator

import numpy as np
from scipy import sparse, stats

from benchmarks.commands import each
from benchmarks.figures import header, row, title
from loupe.brain.labels.probe import probe
from loupe.brain.selection import ranked
from loupe.brain.selection.centers import k_center
from loupe.brain.selection.choose import Pool, choose
from loupe.brain.selection.distances import squared, to_nearest
from loupe.brain.selection.facility import coverage, facility_location, greedy
from loupe.brain.selection.measures import against_random

SEEDS = 30
SIZES = (20, 50, 100, 200)
MIXES: dict[str, dict[str, float]] = {
    "diverse": {"diverse": 1.0},
    "facility_location": {"facility_location": 1.0},
    "representative": {"representative": 1.0},
    "balanced": {"balanced": 1.0},
    "typical of each class": {"typical": 1.0},
    "hard": {"hard": 1.0},
    "70 % diverse, 30 % hard": {"diverse": 0.7, "hard": 0.3},
}


def print_selection(rows: int) -> None:
    """Prints accuracies on digits, how near the fast ways come to the plain ones, and times."""
    each(_print_digits, _print_exact, lambda: _print_time(rows))


def _print_digits() -> None:
    for name, pool in (("as they are", False), ("long-tailed, 1 : 20", True)):
        title(
            f"scikit-learn's digits, {name}: accuracy over the classes of a logistic regression trained on n chosen of "
            f"the pool, on a half held out; difference to random [95 % interval], {SEEDS} draws, paired"
        )
        header("strategy", *(f"n = {n}" for n in SIZES))
        measured = list(_accuracies(pool))
        chance = {n: np.array([each["random"][n] for each in measured]) for n in SIZES}
        row("random (accuracy)", *(f"{chance[n].mean():.3f}" for n in SIZES))
        for strategy in MIXES:
            cells = []
            for n in SIZES:
                own = np.array([each[strategy][n] for each in measured]) - chance[n]
                half = stats.t.ppf(0.975, len(own) - 1) * own.std(ddof=1) / len(own) ** 0.5
                cells.append(f"{own.mean():+.3f} [{own.mean() - half:+.3f}, {own.mean() + half:+.3f}]")
            row(strategy, *cells)


def _accuracies(tailed: bool) -> Iterator[dict[str, dict[int, float]]]:
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression

    digits = load_digits()
    vectors = (digits.data / np.linalg.norm(digits.data, axis=1, keepdims=True)).astype(np.float32)
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(vectors))
        train, test = order[: len(order) // 2], order[len(order) // 2 :]
        if tailed:
            share = np.geomspace(1, 0.05, 10)[rng.permutation(10)]
            train = train[rng.random(len(train)) < share[digits.target[train]]]
        unit, given = vectors[train], digits.target[train]
        pool = _pool(unit, given)
        own: dict[str, dict[int, float]] = {}
        for name, weights in {"random": {"random": 1.0}, **MIXES}.items():
            own[name] = {}
            for n in SIZES:
                chosen = choose(pool, min(n, len(unit)), weights, seed=seed).order
                if len(np.unique(given[chosen])) < 2:
                    own[name][n] = 0.1
                    continue
                model = LogisticRegression(C=30, max_iter=300).fit(unit[chosen], given[chosen])
                hits = model.predict(vectors[test]) == digits.target[test]
                own[name][n] = float(np.mean([hits[digits.target[test] == kind].mean() for kind in range(10)]))
        yield own


def _pool(unit: np.ndarray, given: np.ndarray) -> Pool:
    n = len(unit)
    names, own = np.unique(given, return_inverse=True)
    odds = np.sort(np.exp(probe(unit, own, len(names))[0]), axis=1)
    return Pool(
        open=np.ones(n, dtype=bool),
        taken=np.zeros(n, dtype=bool),
        groups=np.arange(n),
        balanced=sparse.csr_matrix((np.ones(n), (np.arange(n), own)), shape=(n, len(names))),
        unit=unit,
        hardness=1 - (odds[:, -1] - odds[:, -2]),
        typicality=ranked.of_class(unit, own),
    )


def _drawn(n: int, size: int, kind: str) -> np.ndarray:
    rng = np.random.default_rng(0)
    if kind == "50 clusters":
        made = rng.normal(size=(50, size)).astype(np.float32)[rng.integers(0, 50, n)]
        made += rng.standard_normal((n, size), dtype=np.float32)
    else:
        made = np.tanh(rng.normal(size=(n, 12)).astype(np.float32) @ rng.normal(size=(12, size)).astype(np.float32))
        made += 0.1 * rng.standard_normal((n, size), dtype=np.float32)
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    return made


def _print_exact() -> None:
    title("1,000 of 10,000 × 64 vectors: the fast ways beside the plain ones")
    header("vectors", "k-center radius", "plain", "random", "facility location, mean similarity", "plain", "random")
    for kind in ("50 clusters", "a curved sheet"):
        unit = _drawn(10_000, 64, kind)
        rng = np.random.default_rng(0)
        chance = rng.permutation(len(unit))[:1000]
        fast = k_center(unit, 1000, rng).radius
        kernel = np.clip((unit @ unit.T + 1) / 2, 0, 1)
        row(
            kind,
            f"{fast:.4f}",
            f"{_plain_radius(unit, 1000):.4f}",
            f"{float(np.sqrt(to_nearest(unit, unit[chance]).max())):.4f}",
            f"{coverage(unit, facility_location(unit, 1000)):.4f}",
            f"{coverage(unit, greedy(kernel, 1000)[0]):.4f}",
            f"{coverage(unit, chance):.4f}",
        )


def _plain_radius(unit: np.ndarray, n: int) -> float:
    first = int(np.argmax(unit @ unit.mean(axis=0)))
    nearest = squared(unit, unit[first][None])[:, 0]
    for _ in range(n - 1):
        nearest = np.minimum(nearest, squared(unit, unit[int(nearest.argmax())][None])[:, 0])
    return float(np.sqrt(nearest.max()))


def _print_time(rows: int) -> None:
    n = min(10_000, rows // 10)
    title(f"{n:,} of {rows:,} × 512 vectors")
    header("vectors", "strategy", "seconds of CPU", "to measure", *_measure_heads())
    for kind in ("50 clusters", "a curved sheet"):
        unit = _drawn(rows, 512, kind)
        pool = Pool(np.ones(rows, bool), np.zeros(rows, bool), np.arange(rows), unit=unit)
        for name in ("diverse", "facility_location", "representative"):
            started = time.process_time()
            chosen = choose(pool, n, {name: 1.0}).order
            done = time.process_time()
            measures, _ = against_random(unit, chosen, np.random.default_rng(0))
            seconds = (f"{done - started:.1f}", f"{time.process_time() - done:.1f}")
            row(kind, name, *seconds, *(f"{each.value:.3g} ({each.random:.3g})" for each in measures))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"\npeak memory of the process {peak:.1f} GiB, of it the vectors {unit.nbytes / 2**30:.1f}")


def _measure_heads() -> tuple[str, ...]:
    return tuple(f"{name} (of random)" for name in ("radius", "mean distance", "discrepancy"))
