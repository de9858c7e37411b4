"""Shortcuts: found as far as they are strong; false alarms where there is nothing, and where groups look like much."""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence

import numpy as np

from benchmarks.figures import header, row, share, title
from loupe.brain.labels.order import nearness
from loupe.brain.labels.shortcut_results import Results, Settings, results, usable
from loupe.brain.labels.shortcuts import FOLDS, Property, associations
from loupe.brain.stats.auroc import auroc_interval

_RUNS, _PLANTED = 60, 60


def print_shortcuts(part: str | None = None) -> None:
    """Prints the tables, or one of them."""
    for name, show in PARTS.items():
        if part in (None, name):
            show()


def _print_power() -> None:
    title("600 pictures of 3 classes, 20 numbers of noise and one that is higher in one class by so many deviations")
    header("shift", "true AUROC", f"found, in {_PLANTED} runs", "findings of noise a run")
    from scipy.stats import norm

    for shift in (0.3, 0.5):
        hits, others = 0, 0
        for seed in range(_PLANTED):
            rng = np.random.default_rng(seed)
            labels = rng.integers(0, 3, 600)
            planted = Property("planted", "number", rng.normal(size=600) + shift * (labels == 1))
            properties, alone = [*_noise(rng, 600, None), planted], np.arange(600)
            made = associations(properties, labels, [0, 1, 2], alone, alone % FOLDS, permutations=499, seed=seed)
            findings = [each for each in made if each.q <= 0.05 and each.auroc >= 0.6]
            hits += any((each.property, each.code) == (len(properties) - 1, 1) for each in findings)
            others += sum(each.property != len(properties) - 1 for each in findings)
        row(shift, f"{norm.cdf(shift / np.sqrt(2)):.2f}", share(hits, _PLANTED), f"{others / _PLANTED:.2f}")


def _print_null() -> None:
    title(f"Nothing but noise: 20 numbers, half of them skewed, 5 and 100 categories, one with gaps; {_RUNS} runs")
    header(
        "pictures", "classes", "in groups of", "any q <= .05", "any finding", "p <= .05", "a finding, groups unknown"
    )
    for n, classes, size in ((300, 3, 1), (400, 10, 1), (300, 3, 5), (600, 2, 10)):
        sure, well, small, total, unknown = 0, 0, 0, 0, 0
        for seed in range(_RUNS):
            rng = np.random.default_rng(seed)
            groups = np.repeat(np.arange(n // size), size)
            labels = rng.integers(0, classes, n // size)[groups]
            properties = _noise(rng, n, groups if size > 1 else None)
            tested = list(range(classes)) if classes > 2 else [1]
            made = associations(properties, labels, tested, groups, groups % FOLDS, permutations=499, seed=seed)
            sure += min(each.q for each in made) <= 0.05
            well += any(each.q <= 0.05 and each.auroc >= 0.6 for each in made)
            small, total = small + sum(each.p <= 0.05 for each in made), total + len(made)
            if size > 1:
                apart = np.arange(n)
                alone = associations(properties, labels, tested, apart, groups % FOLDS, permutations=499, seed=seed)
                unknown += any(each.q <= 0.05 and each.auroc >= 0.6 for each in alone)
        alarms = share(unknown, _RUNS) if size > 1 else ""
        row(n, classes, size, share(sure, _RUNS), share(well, _RUNS), share(small, total), alarms)


def _print_coverage() -> None:
    from scipy.stats import norm

    title("The 95 % interval of AUROC holds the truth; half of the variance of a group's pictures is common to them")
    header("true AUROC", "of the class", "others", "in groups of", "held")
    alone = ((0.0, 20, 50, 1), (1.0, 20, 50, 1), (2.5, 15, 15, 1))
    for shift, m, n, size in (*alone, (0.0, 80, 80, 4), (1.0, 40, 60, 4), (2.0, 80, 80, 8)):
        true, held, runs = float(norm.cdf(shift / np.sqrt(2))), 0, 400
        rng = np.random.default_rng(0)
        of = np.repeat(np.arange((m + n) // size), size)
        positive = np.arange(m + n) < m
        for _ in range(runs):
            values = rng.normal(size=m + n)
            if size > 1:
                values = np.sqrt(0.5) * (values + rng.normal(size=(m + n) // size)[of])
            _, low, high = auroc_interval(values + shift * positive, positive, of)
            held += low <= true <= high
        row(f"{true:.2f}", m, n, size, share(held, runs))


def _print_time() -> None:
    n, classes = 100_000, 10
    rng = np.random.default_rng(0)
    labels = rng.integers(0, classes, n)
    folders = Property("folder", "category", rng.integers(0, 5000, n).astype(float), tuple(map(str, range(5000))))
    title(f"{n:,} pictures, {classes} classes, 25 properties, one of 5,000 folders; vectors of 512 numbers")
    header("part", "seconds of CPU", "peak memory of the process, GiB")
    started = time.process_time()
    _results([*_noise(rng, n, None), folders], labels, np.arange(n), Settings())
    _row_of_time("properties, each and together (20,000 drawn)", started)
    vectors = rng.normal(size=(n, 512)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    started = time.process_time()
    nearness(vectors, np.arange(n), labels)
    _row_of_time("look-alikes in the order", started)


def _row_of_time(part: str, started: float) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    row(part, f"{time.process_time() - started:.1f}", f"{peak:.1f}")


def _noise(rng: np.random.Generator, n: int, groups: np.ndarray | None) -> list[Property]:
    """Returns properties that say nothing; in groups most of their variance is common to a group."""

    def number() -> np.ndarray:
        own = rng.normal(size=n)
        return own if groups is None else np.sqrt(0.6) * rng.normal(size=n)[groups] + np.sqrt(0.4) * own

    made = [Property(f"s{at}", "number", np.exp(1.5 * number()) if at % 2 else number()) for at in range(20)]
    for categories in (5, 100):
        codes = rng.integers(0, categories, n)
        codes = codes if groups is None else codes[groups]
        made.append(Property(f"of {categories}", "category", codes.astype(float), tuple(map(str, range(categories)))))
    return [*made, Property("gaps", "missing", (number() > 1.3).astype(float))]


def _results(properties: Sequence[Property], labels: np.ndarray, groups: np.ndarray, settings: Settings) -> Results:
    given = usable(labels, [str(at) for at in range(int(labels.max()) + 1)], "label", settings)
    return results(properties, given, groups, [str(at) for at in range(len(labels))], settings)


PARTS = {"power": _print_power, "null": _print_null, "coverage": _print_coverage, "speed": _print_time}
