"""``loupe.discover_slices``: is what is planted found, is nothing else, and how long does it take?

Planted slices: 8 factors of 2 to 8 values, drawn by themselves; a single value, a pair or a triple holds the given
share of the samples and fails ``lift`` times as often. Found means: a finding is exactly the planted slice, or shares
more than half of its samples. Every cell is printed as it comes, so that a run that was ended has lost only what was
left.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from benchmarks.commands import Family
from benchmarks.figures import header, row, share, title
from benchmarks.slicing.discovery_panel import print_panel
from benchmarks.slicing.planting import Case, Drawn, draw
from benchmarks.speed.end_to_end import own_database
from loupe.brain.slicing.columns import Column
from loupe.brain.slicing.discovery import Discovery, Settings, discover
from loupe.brain.slicing.outcomes import State
from loupe.brain.stats.excess import excess_p

#: the reference table: by share and lift the smallest n of the grid with a power of .8, split and confirm
REFERENCE = {
    (0.10, 5.0): 1_000, (0.10, 3.0): 1_500, (0.10, 2.0): 5_000, (0.10, 1.5): 20_000,
    (0.05, 5.0): 1_000, (0.05, 3.0): 3_000, (0.05, 2.0): 10_000, (0.05, 1.5): 30_000,
    (0.02, 5.0): 2_000, (0.02, 3.0): 7_500, (0.02, 2.0): 20_000,
    (0.01, 5.0): 5_000, (0.01, 3.0): 15_000, (0.01, 2.0): 50_000,
}  # fmt: skip
#: sliceline takes a second a run and more
PEER_RUNS = 10
GRID = (1_000, 1_500, 2_000, 3_000, 5_000, 7_500, 10_000, 15_000, 20_000, 30_000, 50_000, 75_000, 100_000)


def add_discovery(family: Family) -> None:
    """Adds the command."""
    parser = family.command(
        "discovery", _run, "worst slices: power, false findings, cards and speed, against sliceline"
    )
    parser.add_argument("--part", choices=list(PARTS), help="one part only")
    parser.add_argument("--runs", type=int, default=100, help="runs a cell; of null data at least three times as many")


def _run(given: argparse.Namespace) -> None:
    for name, part in PARTS.items():
        if given.part in (None, name):
            part(given.runs)


def hits_of(drawn: Drawn, made: Discovery) -> tuple[bool, bool]:
    """Returns whether a finding is just the planted slice, and whether one shares more than half of its samples."""
    exact = any(each.members == drawn.members for each in made.findings)
    rows = [each.rows for each in made.findings]
    near = any((own & drawn.rows).sum() > 0.5 * (own | drawn.rows).sum() for own in rows)
    return exact, exact or near


def search(drawn: Drawn, seed: int, *, grouped: bool = False) -> Discovery:
    """Returns what is found in drawn samples."""
    groups = drawn.groups if grouped else None
    return discover({"failed": drawn.states}, drawn.columns, groups=groups, settings=Settings(seed=seed))


def oracle(drawn: Drawn, seed: int) -> bool:
    """Returns whether Fisher's test of the planted slice alone, on half of the samples, has p of at most .05."""
    half = np.random.default_rng(seed).random(len(drawn.states)) < 0.5
    failed = drawn.states == State.FAILED
    own, rest = half & drawn.rows, half & ~drawn.rows
    return bool(excess_p(failed[own].sum(), own.sum(), failed[rest].sum(), rest.sum()) <= 0.05)


def by_sliceline(drawn: Drawn, minimum: int = 20) -> bool:
    """Returns whether sliceline's best slice is the planted one; it always has a best one."""
    from sliceline.slicefinder import Slicefinder

    table, errors = _as_table(drawn)
    finder = Slicefinder(alpha=0.95, k=1, max_l=3, min_sup=minimum, verbose=False)
    finder.fit(table, errors)
    wanted = dict(drawn.members)
    for best in finder.top_slices_:
        values = {at: int(value) for at, value in enumerate(best) if value is not None and value == value}
        if values == wanted:
            return True
    return False


def _as_table(drawn: Drawn) -> tuple[np.ndarray, np.ndarray]:
    codes = np.stack([column.codes for column in drawn.columns.values()], axis=1)
    return codes, (drawn.states == State.FAILED).astype(np.float64)


def power(runs: int) -> None:
    """Prints the power of each kind of case."""
    title("Power: one planted slice; found on one half, confirmed on the other, false discovery rate .05")
    header(
        "case",
        "n",
        "found exactly",
        "found",
        "the planted slice alone, Fisher on half",
        "sliceline's best",
        "cards",
        "> 2 cards",
    )
    plain, mild = Case(3_000), Case(5_000, share=0.10, lift=2.0)
    cases = [
        *(replace(case, factors=factors) for case in (plain, mild) for factors in (1, 2, 3)),
        *(replace(case, correlated=True) for case in (plain, mild)),
        *(replace(plain, base=0.30, factors=factors) for factors in (1, 2, 3)),
        replace(mild, base=0.30),
        *(replace(plain, base=0.02, n=n) for n in (3_000, 5_000, 15_000, 20_000)),
        *(replace(mild, base=0.02, n=n) for n in (5_000, 7_500, 30_000)),
        *(replace(plain, pictures=4, n=n) for n in (3_000, 5_000, 7_500)),
        *(replace(mild, pictures=4, n=n) for n in (5_000, 7_500, 10_000)),
    ]
    for case in cases:
        _power_of(case, runs, peer=case.n <= 10_000 and not case.correlated)


def _power_of(case: Case, runs: int, *, peer: bool) -> None:
    exact = near = alone = best = 0
    cards: list[int] = []
    for seed in range(runs):
        drawn = draw(case, seed)
        made = search(drawn, seed, grouped=case.pictures > 1)
        hit = hits_of(drawn, made)
        exact, near = exact + hit[0], near + hit[1]
        alone += oracle(drawn, seed)
        if peer and seed < PEER_RUNS:
            best += by_sliceline(drawn)
        cards.append(len(made.findings))
    peers = share(best, min(runs, PEER_RUNS)) if peer else "–"
    several = share(sum(number > 2 for number in cards), runs)
    row(
        _name(case),
        f"{case.n:,}",
        share(exact, runs),
        share(near, runs),
        share(alone, runs),
        peers,
        f"{np.mean(cards):.2f}",
        several,
    )


def _name(case: Case) -> str:
    kinds = {1: "single", 2: "pair", 3: "triple"}
    text = f"{case.share:.0%} × {case.lift:g}, {kinds[case.factors]}, base {case.base:.0%}"
    text += ", correlated factors" if case.correlated else ""
    return text + (f", {case.pictures} pictures a prompt (ρ {case.alike:g})" if case.pictures > 1 else "")


def grid(runs: int) -> None:
    """Prints the smallest n with a power of .8 beside that of the reference table."""
    title("Pairs, base 10 %: the smallest n of the grid with a power of at least .8")
    header("share", "lift", "reference", "here", "power there", "one step below")
    for (part, lift), wanted in REFERENCE.items():
        below = "–"
        for n in GRID[max(0, GRID.index(wanted) - 2) :]:
            hits = sum(
                hits_of(drawn, search(drawn, seed))[1]
                for seed in range(runs)
                for drawn in [draw(Case(n, share=part, lift=lift), seed)]
            )
            if hits >= 0.8 * runs or n > 2 * wanted:
                row(f"{part:.0%}", lift, f"{wanted:,}", f"{n:,}", share(hits, runs), below)
                break
            below = share(hits, runs)


def null(runs: int) -> None:
    """Prints how often something is found where nothing is."""
    title("Null data: runs with a finding (aim: at most 5 %)")
    header("case", "n", "runs with a finding")
    cases = [
        *(Case(n, lift=1, base=base) for n in (1_000, 5_000) for base in (0.02, 0.10, 0.30)),
        Case(3_000, lift=1, correlated=True),
        *(Case(3_000, lift=1, pictures=pictures, alike=alike) for pictures in (4, 20) for alike in (0.1, 0.3, 0.8)),
        Case(3_000, lift=1, pictures=20, alike=0.3, base=0.02),
        Case(400, lift=1, pictures=4, alike=0.5, base=0.30),
    ]
    for case in cases:
        grouped = case.pictures > 1
        hits = sum(bool(search(draw(case, seed), seed, grouped=grouped).findings) for seed in range(3 * runs))
        row(_name(case), f"{case.n:,}", share(hits, 3 * runs))
    for modes in (5, 30):
        hits = 0
        for seed in range(3 * runs):
            drawn = draw(Case(2_000, lift=1), seed)
            rng = np.random.default_rng(seed)
            states = {f"mode {at}": _states(rng.random(2_000) < 0.08) for at in range(modes)}
            hits += bool(discover(states, drawn.columns, settings=Settings(seed=seed)).findings)
        row(f"{modes} failure modes at once, base 8%", "2,000", share(hits, 3 * runs))


def near(runs: int) -> None:
    """Prints power and false findings over neighborhoods of vectors."""
    title(
        "Neighborhoods of vectors: 64 numbers, ten lumps, one of 5 % of the samples fails more often; no factor knows"
    )
    header("n", "lift", "found (shares more than half)", "cards", "null: runs with a finding")
    for n, lift in ((3_000, 3.0), (5_000, 3.0), (5_000, 2.0), (10_000, 2.0)):
        hits, cards, false = 0, 0, 0
        for seed in range(runs):
            unit, lump = _lumps(n, seed)
            rng = np.random.default_rng(seed + 10_000)
            failed = rng.random(n) < np.where(lump, 0.1 * lift, 0.1)
            columns = {"noise": Column.of(rng.integers(0, 4, n).tolist())}
            made = discover({"failed": _states(failed)}, columns, unit=unit, settings=Settings(seed=seed))
            hits += any((each.rows & lump).sum() > 0.5 * (each.rows | lump).sum() for each in made.findings)
            cards += len(made.findings)
            nothing = {"failed": _states(rng.random(n) < 0.1)}
            false += bool(discover(nothing, columns, unit=unit, settings=Settings(seed=seed)).findings)
        row(f"{n:,}", lift, share(hits, runs), f"{cards / runs:.2f}", share(false, runs))


def _lumps(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(10, 64))
    shares = np.array([0.05, *np.full(9, 0.95 / 9)])
    lump = rng.choice(10, n, p=shares)
    unit = (centers[lump] + 0.8 * rng.normal(size=(n, 64))).astype(np.float32)
    return unit / np.linalg.norm(unit, axis=1, keepdims=True), lump == 0


def speed(runs: int) -> None:
    """Prints the processor time, beside sliceline's on the same samples."""
    title("Processor time in seconds, one planted pair (aims: 1 s at 50,000 samples × 8 factors, 20 s at 1,000,000)")
    header("samples", "outcomes", "discover", "findings", "sliceline 3 levels, best 5")
    search(draw(Case(1_000), 0), 0)  # scipy is imported
    for n, outcomes in ((50_000, 1), (50_000, 30), (1_000_000, 1), (1_000_000, 10)):
        drawn = draw(Case(n), 1)
        rng = np.random.default_rng(0)
        others = {f"mode {at}": _states(rng.random(n) < 0.05) for at in range(outcomes - 1)}
        started = time.process_time()
        made = discover({"failed": drawn.states, **others}, drawn.columns)
        spent = time.process_time() - started
        peer = f"{_sliceline_seconds(drawn):.2f}" if n <= 50_000 and outcomes == 1 else "–"
        row(f"{n:,}", outcomes, f"{spent:.2f}", len(made.findings), peer)
    unit, lump = _lumps(50_000, 0)
    failed = {"failed": _states(np.random.default_rng(1).random(50_000) < np.where(lump, 0.3, 0.1))}
    started = time.process_time()
    made = discover(failed, draw(Case(50_000, lift=1), 1).columns, unit=unit)
    row("50,000 with 64-d vectors", 1, f"{time.process_time() - started:.2f}", len(made.findings), "–")


def _sliceline_seconds(drawn: Drawn) -> float:
    from sliceline.slicefinder import Slicefinder

    table, errors = _as_table(drawn)
    started = time.process_time()
    Slicefinder(alpha=0.95, k=5, max_l=3, min_sup=20, verbose=False).fit(table, errors)
    return time.process_time() - started


def _states(failed: np.ndarray | Sequence[bool]) -> np.ndarray:
    return np.where(failed, State.FAILED, State.PASSED).astype(np.int8)


def panel(_runs: int) -> None:
    """Prints how long it takes on a dataset, and how quickly the panel answers."""
    with own_database():
        print_panel(100_000)


PARTS = {"power": power, "grid": grid, "null": null, "near": near, "speed": speed, "panel": panel}
