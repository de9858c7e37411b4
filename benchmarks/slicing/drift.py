"""False alarms, power and coverage of ``find_drift``, on drawn numbers: what is true is known."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.commands import Family
from benchmarks.figures import header, row, share, title
from loupe.brain.core.drift import DRIFTED
from loupe.brain.slicing.columns import Column
from loupe.brain.slicing.drift import Samples, Settings, calibration, compare
from loupe.brain.slicing.shifts import Classes, Numbers, Quantity, indicator
from loupe.brain.stats.mean_differences import difference_of_means

REFERENCE, BATCH = 300, 150
N = REFERENCE + BATCH
DIMENSIONS, SCORES = 64, 6
NEW = np.arange(N) >= REFERENCE
_ALPHA = 0.05
_PERMUTATIONS = 499


@dataclass(frozen=True)
class World:
    """What is drawn.

    Attributes:
        name: what it is called
        groups: ``"none"``: pictures of their own; ``"whole"``: one to nine of a prompt, all on one side; ``"shared"``:
            fifty prompts, each on both sides
    """

    name: str
    groups: str


WORLDS = (
    World("independent pictures", "none"),
    World("1 to 9 of a prompt, on one side", "whole"),
    World("50 prompts, on both sides", "shared"),
)


def _groups(kind: str, rng: np.random.Generator) -> np.ndarray:
    if kind == "shared":
        made = rng.integers(0, 50, N)
    elif kind == "whole":
        sides = [np.repeat(np.arange(n), rng.integers(1, 10, n))[:n] for n in (REFERENCE, BATCH)]
        made = np.concatenate([sides[0], sides[1] + N])
    else:
        made = np.arange(N)
    return np.unique(made, return_inverse=True)[1]


def draw(kind: str, rng: np.random.Generator, change: Callable[..., None] | None = None) -> Samples:
    """Returns the samples of a world: vectors, six skewed scores, unknowns, confidences, labels and a factor.

    What pictures of a prompt have in common is as large as what sets them apart.

    Args:
        kind: of the groups
        rng: decides all
        change: what it does to the scores, the vectors and the labels makes the drift; None: there is none
    """
    groups = _groups(kind, rng)
    count = int(groups.max()) + 1
    common = 0.0 if kind == "none" else 1.0

    def numbers(width: int) -> np.ndarray:
        made = rng.normal(size=(N, width)) + common * rng.normal(size=(count, width))[groups]
        return np.asarray(made / np.sqrt(1 + common))

    scores, vectors = numbers(SCORES), numbers(DIMENSIONS)
    labels = rng.integers(0, 6, N)
    factor = rng.integers(0, 4, count)[groups] if common else rng.integers(0, 4, N)
    confidence = np.clip(0.8 + 0.1 * numbers(1)[:, 0], 0, 1)
    right = (rng.random(N) < 0.8).astype(float)
    if change is not None:
        change(scores, vectors, labels)
    quantities: list[Quantity] = [Numbers(f"score {at}", "score", np.exp(scores[:, at])) for at in range(SCORES)]
    quantities += [
        indicator("unknown", "unknown", np.ones(N, dtype=bool), rng.random(N) < 0.1),
        Numbers("confidence", "confidence", confidence),
        Numbers("over-confidence", "over-confidence", confidence - right),
        Classes("labels", "labels", Column.of(labels.tolist())),
        Classes("factor", "factor", Column.of(factor.tolist())),
    ]
    return Samples(
        ids=[str(at) for at in range(N)],
        groups=groups,
        quantities=quantities,
        vectors=vectors.astype(np.float32),
        vector_of=np.arange(N),
        confidence=confidence,
        right=right,
    )


def plain_ks(samples: Samples) -> bool:
    """Returns whether scipy's KS of any number, the vectors' included, is beyond Bonferroni's threshold; chi-square of
    classes."""
    from scipy.stats import chi2_contingency, ks_2samp

    assert samples.vectors is not None
    columns = [quantity.values for quantity in samples.quantities if isinstance(quantity, Numbers)]
    p = [float(ks_2samp(column[~NEW], column[NEW]).pvalue) for column in [*columns, *samples.vectors.T]]
    for quantity in samples.quantities:
        if isinstance(quantity, Classes):
            codes = quantity.column.codes
            table = np.stack([np.bincount(codes[side], minlength=codes.max() + 1) for side in (~NEW, NEW)])
            p.append(float(chi2_contingency(table).pvalue))
    return min(p) <= _ALPHA / len(p)


def add_drift(family: Family) -> None:
    """Adds the command."""
    about = "find_drift: false alarms, power, coverage"
    made = family.command("drift", lambda given: print_drift(given.n, given.part), about)
    made.add_argument("-n", type=int, default=500, help="runs; a fifth of them of ten batches, two fifths for power")
    made.add_argument("--part", choices=list(PARTS), help="one of the tables; all by default")


def print_drift(runs: int, part: str | None = None) -> None:
    """Prints the tables, or one of them."""
    started = time.process_time()
    for name, (show, share_of_runs) in PARTS.items():
        if part in (None, name):
            show(max(20, round(runs * share_of_runs)))
    print(f"\n{time.process_time() - started:.0f} s of CPU")


def _print_false_alarms(runs: int) -> None:
    title(f"False alarms at {_ALPHA:.0%}, {runs} null batches of {BATCH} against {REFERENCE}: share, 95 % interval")
    names = [
        "any (the verdict)",
        "MMD",
        "classifier",
        "embeddings",
        "score",
        "unknown",
        "confidence",
        "over-confidence",
    ]
    names += ["labels", "factor", "plain KS, Bonferroni"]
    hits = {world.name: dict.fromkeys(names, 0) for world in WORLDS}
    n = {world.name: dict.fromkeys(names, 0) for world in WORLDS}
    for world in WORLDS:
        rng = np.random.default_rng(1)
        for run in range(runs):
            samples = draw(world.groups, rng)
            made = compare(samples, np.flatnonzero(~NEW), np.flatnonzero(NEW), "b", _settings(run))
            answers_of: dict[str, list[bool]] = {"any (the verdict)": [made.verdict == DRIFTED]}
            for shift in made.shifts:
                answers_of.setdefault(shift.kind, []).append(shift.p <= _ALPHA)
                if shift.kind == "embeddings":
                    answers_of |= {test: [p <= _ALPHA] for test, p in shift.tests.items()}
            answers_of["plain KS, Bonferroni"] = [plain_ks(samples)]
            for name, answers in answers_of.items():
                hits[world.name][name] += sum(answers)
                n[world.name][name] += len(answers)
    header("test", *(world.name for world in WORLDS))
    for name in names:
        row(name, *(share(hits[world.name][name], n[world.name][name]) for world in WORLDS))


def _print_many_batches(runs: int) -> None:
    title(f"False alarms over ten batches at once against one reference, {runs} runs: any of them drifted")
    rng = np.random.default_rng(2)
    alarms = 0
    for run in range(runs):
        scores = rng.normal(size=(REFERENCE + 1000, 8))
        samples = Samples(
            ids=[""] * len(scores),
            groups=np.arange(len(scores)),
            quantities=[Numbers(f"score {at}", "score", scores[:, at]) for at in range(8)],
        )
        settings = Settings(_ALPHA, 999, 20, 10, run)
        made = [
            compare(samples, np.arange(REFERENCE), np.arange(at, at + 100), "b", settings)
            for at in range(REFERENCE, len(scores), 100)
        ]
        alarms += any(batch.verdict == DRIFTED for batch in made)
    header("", "share")
    row("any of ten", share(alarms, runs))


def _moved(size: float) -> Callable[..., None]:
    def change(scores: np.ndarray, vectors: np.ndarray, labels: np.ndarray) -> None:
        scores[NEW, 0] += size

    return change


def _spread(size: float) -> Callable[..., None]:
    def change(scores: np.ndarray, vectors: np.ndarray, labels: np.ndarray) -> None:
        scores[NEW, 0] *= 1 + size

    return change


def _vectors_moved(size: float) -> Callable[..., None]:
    direction = np.random.default_rng(9).choice([-1.0, 1.0], DIMENSIONS)

    def change(scores: np.ndarray, vectors: np.ndarray, labels: np.ndarray) -> None:
        vectors[NEW] += size * direction

    return change


def _some_moved(size: float) -> Callable[..., None]:
    """A tenth of the batch is of a kind of its own."""

    def change(scores: np.ndarray, vectors: np.ndarray, labels: np.ndarray) -> None:
        some = np.flatnonzero(NEW)[: BATCH // 10]
        vectors[some, :8] += size

    return change


def _classes_moved(size: float) -> Callable[..., None]:
    def change(scores: np.ndarray, vectors: np.ndarray, labels: np.ndarray) -> None:
        some = np.flatnonzero(NEW)[: round(size * BATCH)]
        labels[some] = 0

    return change


SHIFTS: Mapping[str, tuple[Callable[[float], Callable[..., None]], tuple[float, ...]]] = {
    "the mean of one score, in standard deviations": (_moved, (0.2, 0.3, 0.4, 0.5, 0.7)),
    "the spread of one score, by this share": (_spread, (0.3, 0.6, 0.9)),
    "every number of the vectors, in standard deviations": (_vectors_moved, (0.05, 0.1, 0.15, 0.2, 0.3)),
    "a tenth of the vectors, in 8 of 64 numbers": (_some_moved, (1.0, 2.0, 3.0)),
    "labels that became the first class, share": (_classes_moved, (0.1, 0.2, 0.3)),
}


def _print_power(runs: int) -> None:
    title(f"Detected, {runs} batches each, independent pictures: by the verdict, and by plain KS with Bonferroni")
    header("what shifts", "by how much", "find_drift", "plain KS, Bonferroni")
    for name, (make, sizes) in SHIFTS.items():
        for size in sizes:
            rng = np.random.default_rng(3)
            ours = theirs = 0
            for run in range(runs):
                samples = draw("none", rng, make(size))
                made = compare(samples, np.flatnonzero(~NEW), np.flatnonzero(NEW), "b", _settings(run))
                ours += made.verdict == DRIFTED
                theirs += plain_ks(samples)
            row(name, size, share(ours, runs), share(theirs, runs))


def _print_coverage(runs: int) -> None:
    title(f"Coverage of the 95 % intervals, {runs} runs")
    header("interval", *(world.name for world in WORLDS))
    hits: dict[str, dict[str, int]] = {}
    for world in WORLDS:
        rng = np.random.default_rng(4)
        areas = []
        for run in range(runs):
            samples = draw(world.groups, rng, _both(_vectors_moved(0.15), _classes_moved(0.2)))
            made = compare(samples, np.flatnonzero(~NEW), np.flatnonzero(NEW), "b", _settings(run, 99))
            by_name = {shift.quantity: shift for shift in made.shifts}
            difference = difference_of_means(np.log(samples.quantities[1].values), NEW, samples.groups)  # type: ignore[attr-defined]
            labels, areas_now = by_name["labels"], by_name["embeddings"]
            areas.append((areas_now.low, areas_now.value, areas_now.high))
            sure = calibration(samples, np.flatnonzero(NEW))
            assert sure is not None
            # a sixth of those moved were of the first class before
            truth = 0.2 * 5 / 6
            for name, holds in {
                "difference of a mean": difference.low <= 0 <= difference.high,
                "total variation of labels": labels.low <= truth <= labels.high,
                "over-confidence (about 0)": sure.low <= _mean_gap() <= sure.high,
            }.items():
                hits.setdefault(name, {}).setdefault(world.name, 0)
                hits[name][world.name] += bool(holds)
        ends = np.array(areas)
        expected = ends[:, 1].mean()  # of classifiers that so many samples make
        hits.setdefault("area of the classifier", {})[world.name] = int(
            ((ends[:, 0] <= expected) & (expected <= ends[:, 2])).sum()
        )
    for name, by_world in hits.items():
        row(name, *(share(by_world[world.name], runs) for world in WORLDS))


def _mean_gap() -> float:
    """Returns the mean of the drawn confidences, which are cut at 1, minus the share that is right."""
    from scipy.stats import norm

    at = (1 - 0.8) / 0.1
    cut = 0.1 * (norm.pdf(at) - at * norm.sf(at))  # what lies above 1, on average
    return float(0.8 - cut - 0.8)


def _both(*changes: Callable[..., None]) -> Callable[..., None]:
    def change(scores: np.ndarray, vectors: np.ndarray, labels: np.ndarray) -> None:
        for each in changes:
            each(scores, vectors, labels)

    return change


def _settings(seed: int, permutations: int = _PERMUTATIONS) -> Settings:
    return Settings(alpha=_ALPHA, permutations=permutations, seed=seed)


PARTS: Mapping[str, tuple[Callable[[int], None], float]] = {
    "false-alarms": (_print_false_alarms, 1.0),
    "batches": (_print_many_batches, 0.2),
    "power": (_print_power, 0.4),
    "coverage": (_print_coverage, 1.0),
}
