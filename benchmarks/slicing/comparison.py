"""Models side by side: do intervals cover, how often are equals called better, what do pairs gain, are ranks right."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from scipy import stats as distributions

from benchmarks.commands import Family
from benchmarks.figures import header, row, share, title
from loupe.brain.slicing.columns import Column
from loupe.brain.slicing.comparison import Entries, differences, standings
from loupe.brain.slicing.outcomes import State
from loupe.brain.slicing.ranks import ranked
from loupe.brain.slicing.regressions import Units, find
from loupe.brain.stats import differences as stats
from loupe.brain.stats.effective_n import effective_n_of_values
from loupe.brain.stats.intervals import wilson

RATES = ((0.02, 0.02), (0.1, 0.1), (0.3, 0.3), (0.5, 0.5), (0.02, 0.1), (0.1, 0.2), (0.3, 0.5))
SIZES = (10, 20, 50, 100)
#: what two models' verdicts on one prompt and seed have in common
CORRELATION = 0.4


def add_comparison(family: Family) -> None:
    """Adds the command."""
    made = family.command(
        "comparison", run, "models side by side: intervals, false 'better', power, ranks, regressions"
    )
    made.add_argument("--part", choices=list(PARTS), help="one of them; all by default")
    made.add_argument("--runs", type=int, default=1000, help="how many runs each figure is of")


def run(given: argparse.Namespace) -> None:
    """Prints one part, or all."""
    for name, part in PARTS.items():
        if given.part in (None, name):
            part(given.runs)


def _coverage(_: int) -> None:
    """By enumeration of all tables: these shares are exact."""
    title(f"Coverage of 95 % intervals, exact; n pictures of each, or n pairs with a correlation of {CORRELATION:g}")
    header(
        "n", "rates", "unpaired: Newcombe", "ratio: Koopman", "pairs: Tango", "pairs: Newcombe", "McNemar mid-p, exact"
    )
    every: dict[str, list[float]] = {"unpaired": [], "ratio": [], "paired": []}
    for n in SIZES:
        for a, b in RATES:
            unpaired, ratio = _unpaired_coverage(n, a, b)
            tango, newcombe, sizes = _paired_coverage(n, a, b)
            row(n, f"{a:g}, {b:g}", f"{unpaired:.3f}", f"{ratio:.3f}", f"{tango:.3f}", newcombe, sizes)
            if n * min(a, b) >= 3:
                for name, value in (("unpaired", unpaired), ("ratio", ratio), ("paired", tango)):
                    every[name].append(value)
    print("\nWith 3 failures or more to be expected of each:", end=" ")
    print("; ".join(f"{name} {min(values):.3f} to {max(values):.3f}" for name, values in every.items()))


def _unpaired_coverage(n: int, a: float, b: float) -> tuple[float, float]:
    k_a, k_b = (each.ravel() for each in np.meshgrid(np.arange(n + 1), np.arange(n + 1)))
    chance = distributions.binom.pmf(k_a, n, a) * distributions.binom.pmf(k_b, n, b)
    covered = []
    for (low, high), truth in ((stats.unpaired(k_a, n, k_b, n), a - b), (stats.ratio(k_a, n, k_b, n), a / b)):
        covered.append(float(chance[(low <= truth + 1e-9) & (truth - 1e-9 <= high)].sum()))
    return covered[0], covered[1]


def _table(a: float, b: float) -> tuple[float, float, float]:
    """Returns the chances of both failing, only the first, only the second."""
    both = min(a, b, a * b + CORRELATION * float(np.sqrt(a * (1 - a) * b * (1 - b))))
    return both, a - both, b - both


def _paired_coverage(n: int, a: float, b: float) -> tuple[float, str, str]:
    both, only_a, only_b = _table(a, b)
    rest = max(0.0, 1 - both - only_a - only_b)
    counts = np.array([(x, y) for x in range(n + 1) for y in range(n + 1 - x)])
    x, y = counts.T
    chance = distributions.multinomial.pmf(np.stack([x, y, n - x - y], axis=1), n, [only_a, only_b, both + rest])
    low, high = stats.paired(x, y, n)
    tango = float(chance[(low <= a - b + 1e-9) & (a - b - 1e-9 <= high)].sum())
    sizes = "–"
    if a == b:
        sizes = ", ".join(f"{chance[stats.mcnemar(x, y, mid=mid) <= 0.05].sum():.3f}" for mid in (True, False))
    newcombe = "–"
    if n <= 20:
        cells = np.array([(e, f, g) for e in range(n + 1) for f in range(n + 1 - e) for g in range(n + 1 - e - f)])
        e, f, g = cells.T
        chance = distributions.multinomial.pmf(
            np.stack([e, f, g, n - e - f - g], axis=1), n, [both, only_a, only_b, rest]
        )
        low, high = stats.paired_newcombe(e, f, g, n - e - f - g)
        newcombe = f"{chance[(low <= a - b + 1e-9) & (a - b - 1e-9 <= high)].sum():.3f}"
    return tango, newcombe, sizes


def _clusters(runs: int) -> None:
    title("Coverage of 95 % intervals where the pictures of a prompt are alike (beta-binomial), 4 pictures a prompt")
    header(
        "prompts",
        "rate",
        "intraclass correlation",
        "rate: by clusters",
        "rate: as if independent",
        "pairs: by clusters",
    )
    for prompts in (25, 50, 200):
        for rate in (0.1, 0.3):
            for alike in (0.1, 0.4):
                rng = np.random.default_rng(0)
                hits = np.zeros(3, dtype=int)
                cluster = np.repeat(np.arange(prompts), 4)
                n = len(cluster)
                for _ in range(runs):
                    each = [_alike(rng, rate, alike, prompts, cluster) for _ in range(2)]
                    worth = effective_n_of_values(each[0], cluster)
                    for at, as_many in enumerate((worth, float(n))):
                        low, high = wilson(as_many * each[0].mean(), as_many)
                        hits[at] += bool(low <= rate <= high)
                    worth = effective_n_of_values(each[0] - each[1], cluster)
                    only = [float((each[a] * (1 - each[1 - a])).mean()) * worth for a in (0, 1)]
                    low, high = stats.paired(*only, worth)
                    hits[2] += bool(low <= 0 <= high)
                row(prompts, f"{rate:g}", f"{alike:g}", *(share(int(hit), runs) for hit in hits))


def _alike(rng: np.random.Generator, rate: float, alike: float, prompts: int, cluster: np.ndarray) -> np.ndarray:
    total = 1 / alike - 1
    chance = rng.beta(rate * total, (1 - rate) * total, prompts)[cluster]
    return (rng.random(len(cluster)) < chance).astype(np.float64)


def _judged(
    rng: np.random.Generator, rates: np.ndarray, prompts: int, per_prompt: int, *, paired: bool, clustered: bool
) -> Entries:
    """Returns what models made of the same prompts: so many of the verdicts are the prompt's, or its and the seed's."""
    n = prompts * per_prompt
    cluster = np.repeat(np.arange(prompts), per_prompt)
    number = prompts if clustered else n
    fate, decides = rng.random(number), rng.random(number) < CORRELATION
    if clustered:
        fate, decides = fate[cluster], decides[cluster]
    single = rng.random((len(rates), n))
    if clustered:  # a model, too, makes much the same of all seeds of a prompt
        shape = (len(rates), prompts)
        alike = np.where(rng.random(shape) < CORRELATION, rng.random(shape), np.nan)[:, cluster]
        single = np.where(np.isnan(alike), single, alike)
    own = np.where(decides, fate, single)
    state = np.where(own < rates[:, None], State.FAILED, State.PASSED).astype(np.int8)
    state[rng.random(state.shape) < 0.05] = State.UNKNOWN
    member = np.repeat(np.arange(len(rates)), n)
    return Entries(
        tuple(f"model {at}" for at in range(len(rates))),
        member,
        state.ravel(),
        np.tile(np.arange(n), len(rates)) if paired else None,
        np.tile(cluster, len(rates)) if clustered else None,
    )


def _null(runs: int) -> None:
    title("Equal models: runs in which one is called better than another (nominal .05, all comparisons together)")
    header("models", "prompts × seeds", "rate", "paired", "unpaired", "paired, prompts alike")
    for models in (2, 5, 10):
        for prompts, per_prompt, rate in ((20, 1, 0.3), (100, 1, 0.1), (100, 4, 0.1)):
            cells = []
            for paired, clustered in ((True, False), (False, False), (True, True)):
                rng = np.random.default_rng(1)
                wrong = 0
                for _ in range(runs):
                    made = _judged(rng, np.full(models, rate), prompts, per_prompt, paired=paired, clustered=clustered)
                    compared = differences(made, standings(made, "model", "any"))
                    wrong += any(each.p_adjusted <= 0.05 for each in compared)
                cells.append(share(wrong, runs))
            row(models, f"{prompts} × {per_prompt}", f"{rate:g}", *cells)


def _power(runs: int) -> None:
    title("Two models that differ: runs in which the worse one is called worse")
    header("prompts", "rates", "paired", "unpaired", "intervals: paired / unpaired")
    for prompts in (50, 100, 200, 400):
        for a, b in ((0.1, 0.2), (0.2, 0.3)):
            hits, widths = {True: 0, False: 0}, {True: 0.0, False: 0.0}
            for paired in hits:
                rng = np.random.default_rng(2)
                for _ in range(runs):
                    made = _judged(rng, np.array([a, b]), prompts, 1, paired=paired, clustered=False)
                    (each,) = differences(made, standings(made, "model", "any"))
                    hits[paired] += bool(each.p <= 0.05 and each.difference < 0)
                    widths[paired] += each.high - each.low
            row(prompts, f"{a:g}, {b:g}", *(share(hits[paired], runs) for paired in (True, False)),
                f"{widths[True] / widths[False]:.2f}")  # fmt: skip


def _ranks(runs: int) -> None:
    title("Ranks: runs in which the true rank of every model lies in its range (nominal .95), and how wide ranges are")
    header("models", "prompts", "all ranks right", "mean width (1: one rank)")
    for models, prompts in ((5, 100), (5, 1000), (10, 300)):
        rng = np.random.default_rng(3)
        rates = np.linspace(0.1, 0.4, models)
        right, width = 0, []
        for _ in range(runs):
            made = _judged(rng, rates, prompts, 1, paired=True, clustered=False)
            rated = standings(made, "model", "any")
            ordered, _ = ranked(rated, differences(made, rated))
            truth = {name: 1 + at for at, name in enumerate(made.names)}
            ends = [(own.rank_low or 0, own.rank_high or 0, truth[own.name]) for own in ordered]
            right += all(low <= true <= high for low, high, true in ends)
            width.append(np.mean([1 + high - low for low, high, _ in ends]))
        row(models, prompts, share(right, runs), f"{np.mean(width):.2f}")


def planted(rng: np.random.Generator, n: int, worse: float, kind: str) -> tuple[Units, dict[str, str], np.ndarray]:
    """Returns pairs with 8 factors of 2 to 8 values, the slice in which the new model fails more, and its pairs."""
    levels = (2, 3, 4, 5, 6, 8, 2, 3)
    factors = {f"f{at}": rng.integers(0, level, n) for at, level in enumerate(levels)}
    wanted = {"null": {}, "everywhere": {}, "single": {"f3": "1"}, "pair": {"f2": "1", "f0": "1"}}[kind]
    hit = np.full(n, kind != "null")
    for name, value in wanted.items():
        hit &= factors[name] == int(value)
    decides, fate = rng.random(n) < CORRELATION, rng.random(n)
    new, old = (np.where(decides, fate, rng.random(n)) for _ in range(2))
    columns = {name: Column.of(values.tolist()) for name, values in factors.items()}
    new, old = (new < 0.1 + worse * hit).astype(float), (old < 0.1).astype(float)
    return Units("new", "old", new, old, None, columns, True), wanted, hit


def _holds(units: Units, values: dict[str, str], hit: np.ndarray) -> bool:
    """Returns whether a slice holds any of the pairs in which the new model is worse."""
    inside = np.ones(len(units), dtype=bool)
    for name, value in values.items():
        column = units.factors[name]
        inside &= column.codes == column.values.index(int(value))
    return bool((inside & hit).any())


def _regressions(runs: int) -> None:
    runs = max(20, runs // 4)
    title("Where the new model got worse: base rate 10 %, 8 factors; single: 20 % of the pairs, pair: 12.5 %")
    header(
        "pairs",
        "planted",
        "worse by",
        "runs with that slice",
        "runs with one that holds none of it",
        "cards a run",
        "ms",
    )
    for n in (1000, 2000, 5000):
        for kind, worse in (("null", 0.0), ("everywhere", 0.05), ("single", 0.1), ("single", 0.2), ("pair", 0.2)):
            right = wrong = cards = 0
            started = time.process_time()
            for seed in range(runs):
                units, wanted, hit = planted(np.random.default_rng(seed), n, worse, kind)
                confirmed = [dict(each.slice.values) for each in find(units, seed=seed) if each.confirmed]
                right += kind != "null" and wanted in confirmed
                wrong += not all(_holds(units, values, hit) for values in confirmed)
                cards += len(confirmed)
            spent = 1000 * (time.process_time() - started) / runs
            of = "–" if kind == "null" else share(right, runs)
            row(n, kind, f"{worse:g}", of, share(wrong, runs), f"{cards / runs:.2f}", f"{spent:.0f}")


def _speed(_: int) -> None:
    title("CPU seconds, without reading the database")
    header("samples", "models", "leaderboard", "one regression search")
    for models, prompts in ((2, 50_000), (10, 10_000), (200, 500)):
        made = _judged(
            np.random.default_rng(4), np.linspace(0.1, 0.3, models), prompts, 1, paired=True, clustered=False
        )
        started = time.process_time()
        rated = standings(made, "model", "any")
        ranked(rated, differences(made, rated))
        board = time.process_time() - started
        units, _, _ = planted(np.random.default_rng(5), prompts, 0.1, "single")
        started = time.process_time()
        find(units)
        row(f"{models * prompts:,}", models, f"{board:.2f}", f"{time.process_time() - started:.2f}")


PARTS: dict[str, Callable[[int], None]] = {
    "coverage": _coverage,
    "clusters": _clusters,
    "null": _null,
    "power": _power,
    "ranks": _ranks,
    "regressions": _regressions,
    "speed": _speed,
}
