"""How often an interval holds the true rate, and how often a slice that is like all others is called different."""

from __future__ import annotations

import argparse
import itertools

import numpy as np
from scipy import stats

from benchmarks.commands import Family
from benchmarks.figures import header, row, share, title
from loupe.brain.slicing.outcomes import State
from loupe.brain.slicing.rates import rates
from loupe.brain.stats.effective_n import (
    Cells,
    effective_n_of_slices,
    effective_n_of_values,
)
from loupe.brain.stats.intervals import jeffreys, wilson

RATES = np.arange(1, 51) / 100
SOME_RATES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5)
SIZES = (10, 12, 15, 20, 30, 50, 100, 200, 500, 1000)
CORRELATIONS = (0.0, 0.1, 0.3, 0.6)


def add_coverage(family: Family) -> None:
    """Adds the command."""
    made = family.command("coverage", _print, "coverage of the intervals of rates, and false findings on null data")
    made.add_argument("--part", choices=("alone", "groups", "estimators", "null"), help="all by default")
    made.add_argument("--runs", type=int, default=200, help="runs a cell")
    made.add_argument("--seed", type=int, default=0)


def _print(given: argparse.Namespace) -> None:
    if given.part in (None, "alone"):
        print_alone()
    if given.part in (None, "groups"):
        print_groups(given.runs, given.seed)
    if given.part in (None, "estimators"):
        print_estimators(given.runs, given.seed)
    if given.part in (None, "null"):
        print_null(given.runs, given.seed)


def print_alone() -> None:
    """Prints the exact coverage for independent samples: no simulation, each number of failures by its probability."""
    title("Independent samples: exact coverage of nominal 95 %, rates of 1 to 50 % in steps of 1 %")
    header("n", "Wilson: mean", "worst", "Jeffreys: mean", "worst", "normal approximation: mean", "worst")
    every = {name: [] for name in _INTERVALS}
    for n in SIZES:
        cells = []
        for name, interval in _INTERVALS.items():
            held = _exact(interval, n)
            every[name].append(held)
            cells += [f"{held.mean():.3f}", f"{held.min():.3f} at {RATES[held.argmin()]:.0%}"]
        row(n, *cells)
    row("all", *(cell for held in every.values() for cell in (f"{np.mean(held):.3f}", f"{np.min(held):.3f}")))


def _wald(k: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    half = stats.norm.ppf(0.975) * np.sqrt(k / n * (1 - k / n) / n)
    return k / n - half, k / n + half


_INTERVALS = {"wilson": wilson, "jeffreys": jeffreys, "wald": _wald}


def _exact(interval, n: int) -> np.ndarray:
    k = np.arange(n + 1)
    low, high = interval(k, n)
    holds = (low <= RATES[:, None]) & (RATES[:, None] <= high)
    return (holds * stats.binom.pmf(k, n, RATES[:, None])).sum(axis=1)


def print_groups(runs: int, seed: int) -> None:
    """Prints the coverage for pictures in groups that fail together, by a beta-binomial."""
    title(f"Samples in groups: coverage of nominal 95 %, {runs} runs a cell, cells of an effective n of at least 10")
    rng = np.random.default_rng(seed)
    cells = []
    shapes = itertools.product((1, 4), (10, 30, 100), (4, 10), (False, True), CORRELATIONS, SOME_RATES)
    for slices, groups, size, uneven, correlation, rate in shapes:
        if groups * size / (1 + (size * (2 if uneven else 1) - 1) * correlation) < 10:
            continue
        held = np.array([_run(rng, slices, groups, size, uneven, correlation, rate) for _ in range(runs)])
        cells.append(((slices, groups, correlation, rate), held.sum(axis=0), held.shape[0]))
    header(
        "cells", "how many", "counted one by one", "by groups: Wilson", "mean of the cells", "worst cell", "Jeffreys"
    )

    def line(name: str, which) -> None:
        own = [(hits, n) for key, hits, n in cells if which(key)]
        hits, n = sum(hits for hits, _ in own), sum(n for _, n in own)
        by_cell = np.array([hits / n for hits, n in own])
        row(
            name, len(own), share(int(hits[0]), n), share(int(hits[1]), n),
            f"{by_cell[:, 1].mean():.3f}", f"{by_cell[:, 1].min():.3f}", share(int(hits[2]), n),
        )  # fmt: skip

    line("all", lambda key: True)
    for correlation in CORRELATIONS:
        line(f"correlation {correlation}", lambda key, of=correlation: key[2] == of)
    for slices in (1, 4):
        line(f"{slices} slice{'s' if slices > 1 else ''} in the call", lambda key, of=slices: key[0] == of)
    for groups in (10, 30, 100):
        line(f"{groups} groups a slice", lambda key, of=groups: key[1] == of)
    for rate in SOME_RATES:
        line(f"rate {rate:.0%}", lambda key, of=rate: key[3] == of)


def _run(rng, slices: int, groups: int, size: int, uneven: bool, correlation: float, rate: float) -> tuple[bool, ...]:
    """Returns whether each interval of the first slice holds the rate: one by one, by groups, Jeffreys' by groups."""
    sizes, failures = _grouped(rng, slices, groups, size, uneven, correlation, rate)
    as_n = _as_n_of_slices(sizes, failures)
    judged, failed = sizes[0].sum(), failures[0].sum()
    intervals = wilson(failed, judged), wilson(failed / judged * as_n, as_n), jeffreys(failed / judged * as_n, as_n)
    return tuple(bool(low <= rate <= high) for low, high in intervals)


def _grouped(rng, slices: int, groups: int, size: int, uneven: bool, correlation: float, rate: float):
    """Returns (slices, groups) how many samples each group has, and how many of them failed: a beta-binomial."""
    shape = (slices, groups)
    sizes = rng.geometric(1 / size, shape) if uneven else np.full(shape, size)
    shares = np.full(shape, rate)
    if correlation:
        both = (1 - correlation) / correlation
        shares = rng.beta(rate * both, (1 - rate) * both, shape)
    return sizes, rng.binomial(sizes, shares)


def _as_n_of_slices(sizes: np.ndarray, failures: np.ndarray) -> float:
    """Returns as how many independent samples the first slice counts."""
    at = np.arange(sizes.size, dtype=np.int64)
    n, k = sizes.ravel().astype(float), failures.ravel().astype(float)
    cells = Cells(at // sizes.shape[1], at, n, k)
    made = effective_n_of_slices(cells, Cells(np.zeros_like(at), at, n, k), len(sizes))
    return float(made.effective_n[0])


def print_estimators(runs: int, seed: int) -> None:
    """Prints the coverage of Wilson's interval by each of the effective numbers, on the same draws."""
    title(
        f"Effective n, one slice of eight, uneven groups of 5: coverage and width of nominal 95 %, {runs} runs a cell"
    )
    header("groups", "rate", *(f"{name}: {what}" for name in _ESTIMATORS for what in ("coverage", "width")))
    for groups, rate in itertools.product((10, 30, 100), (0.02, 0.1, 0.3)):
        rng = np.random.default_rng(seed)
        cells = []
        for correlation, _ in itertools.product(CORRELATIONS, range(runs)):
            sizes, failures = _grouped(rng, 8, groups, 5, True, correlation, rate)
            share_failed = failures[0].sum() / sizes[0].sum()
            as_n = [min(max(own(sizes, failures), 1.0), sizes[0].sum()) for own in _ESTIMATORS.values()]
            low, high = wilson(share_failed * np.array(as_n), as_n)
            cells.append([(low <= rate) & (rate <= high), high - low])
        held, width = np.mean(cells, axis=0)
        row(
            groups,
            f"{rate:.0%}",
            *(text for pair in zip(held, width, strict=True) for text in map("{:.3f}".format, pair)),
        )


def _as_n_of_values(sizes: np.ndarray, failures: np.ndarray) -> float:
    within = np.arange(sizes[0].max()) < sizes[0][:, None]
    failed = (np.arange(sizes[0].max()) < failures[0][:, None])[within]
    return effective_n_of_values(failed.astype(float), np.nonzero(within)[0])


_ESTIMATORS = {"slices": _as_n_of_slices, "values": _as_n_of_values}


def print_null(runs: int, seed: int) -> None:
    """Prints how often slices that do not differ are called different, by p and by q."""
    title(f"Null data: 5,000 samples, 8 factors of 2 to 8 values, a call each, 10 % fail everywhere, {runs} runs")
    header("samples", "counted", "slices with p < 0.05", "calls with q < 0.05 anywhere", "slices with q < 0.05")
    for correlation, groups in ((0.0, 5000), (0.3, 500)):
        for grouped in (False, True):
            if grouped and not correlation:
                continue
            rng = np.random.default_rng(seed)
            hits = np.array([_null(rng, correlation, groups, grouped) for _ in range(runs)]).sum(axis=0).tolist()
            row(
                f"{groups:,} groups of {5000 // groups} alike by {correlation}" if correlation else "independent",
                "by groups" if grouped else "one by one",
                share(hits[0], hits[3]),
                share(hits[2], 8 * runs),
                share(hits[1], hits[3]),
            )


def _null(rng, correlation: float, groups: int, grouped: bool) -> tuple[int, int, int, int]:
    """Returns how many slices of eight factors have p, and q, below 5 %, in how many calls, and how many there are."""
    shares = np.full(groups, 0.1)
    if correlation:
        both = (1 - correlation) / correlation
        shares = rng.beta(0.1 * both, 0.9 * both, groups)
    group = np.repeat(np.arange(groups), 5000 // groups)
    state = np.where(rng.random(5000) < shares[group], State.FAILED, State.PASSED).astype(np.int8)
    below_p = below_q = calls = slices = 0
    # as scenarios are: a prompt, and with it its pictures, has one value of a factor
    for values in (2, 2, 3, 4, 5, 6, 8, 8):
        column = rng.integers(0, values, groups)[group].tolist()
        table = rates({"blur": state}, {"factor": column}, groups=group.tolist() if grouped else None)
        below_p += sum(rate.p < 0.05 for rate in table)
        different = sum(rate.q < 0.05 for rate in table)
        below_q, calls = below_q + different, calls + bool(different)
        slices += len(table)
    return below_p, below_q, calls, slices
