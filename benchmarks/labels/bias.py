"""Bias: whether intervals of groups, and of what is farthest apart, cover; and what is named where nothing differs."""

from __future__ import annotations

import time
import warnings

import numpy as np

from benchmarks.figures import header, row, share, title
from loupe.brain.evaluation.bias import Parts, Settings, corrected_rates, how_far_apart, rates_of
from loupe.brain.slicing.columns import Column, combine

_RUNS = 400
#: fairlearn's bootstrap is slow: of fewer runs
_PEER_RUNS, _RESAMPLES = 40, 100
_SETTINGS = Settings(min_samples=2)


def print_bias(part: str | None = None) -> None:
    """Prints the tables, or one of them."""
    for name, show in PARTS.items():
        if part in (None, name):
            show()


def _print_groups() -> None:
    title("A rate of a small group beside one of 300: its 95 % interval holds the true rate")
    header("true rate", "n of the group", f"Wilson, {_RUNS} runs", f"fairlearn's bootstrap, {_PEER_RUNS} runs")
    for rate, n in ((0.05, 10), (0.05, 40)):
        parts = _parts([n, 300])
        held, peer = 0, 0
        for seed in range(_RUNS):
            holds = np.random.default_rng(seed).random(n + 300) < rate
            made = rates_of(parts, np.ones(n + 300, bool), holds, "label", "x", _SETTINGS)[0]
            held += made.share.low <= rate <= made.share.high
            if seed < _PEER_RUNS:
                low, high = _fairlearn(holds, [n, 300], seed)[0]
                peer += low <= rate <= high
        row(rate, n, share(held, _RUNS), share(peer, _PEER_RUNS))


def _print_apart() -> None:
    title("How far the farthest groups are apart: the 95 % interval holds the true difference")
    header("true rates", "groups of", "all pairs at once", f"fairlearn's bootstrap, {_PEER_RUNS} runs")
    for rates, n in (((0.3, 0.3), 40), ((0.2, 0.4), 60), ((0.3,) * 5, 60), ((0.2, 0.25, 0.3, 0.35, 0.4), 60)):
        sizes = [n] * len(rates)
        parts, true = _parts(sizes), max(rates) - min(rates)
        held, peer = 0, 0
        for seed in range(_RUNS):
            holds = np.random.default_rng(seed).random(n * len(rates)) < np.repeat(rates, n)
            every = np.ones(len(holds), bool)
            (apart,) = how_far_apart(rates_of(parts, every, holds, "label", "x", _SETTINGS), _SETTINGS)
            held += apart.low <= true <= apart.high
            if seed < _PEER_RUNS:
                low, high = _fairlearn(holds, sizes, seed)[1]
                peer += low <= true <= high
        row(", ".join(map(str, rates)), n, share(held, _RUNS), share(peer, _PEER_RUNS))


def _print_null() -> None:
    title("Six groups that do not differ, 10 classes: anything is named (q <= .05), runs of 600 samples")
    header("samples", "named", "named, if groups of samples were not known")
    for text, size in (("independent", 1), ("in groups of 6 that agree by half", 6)):
        known, unknown = 0, 0
        for seed in range(_RUNS // 4):
            rng = np.random.default_rng(seed)
            cluster = np.repeat(np.arange(600 // size), size)
            group = rng.integers(0, 6, 600 // size)[cluster]
            common, own = rng.integers(0, 10, 600 // size)[cluster], rng.integers(0, 10, 600)
            labels = np.where(rng.random(600) < 0.7, common, own)
            known += _named(group, labels, cluster)
            unknown += _named(group, labels, np.arange(600))
        row(text, share(known, _RUNS // 4), share(unknown, _RUNS // 4))


def _named(group: np.ndarray, labels: np.ndarray, cluster: np.ndarray) -> bool:
    parts = Parts.of(combine({"group": Column.of(group.tolist())}, len(group)), cluster)
    every, settings = np.ones(len(group), bool), Settings()
    rates = [
        each for label in range(10) for each in rates_of(parts, every, labels == label, "label", str(label), settings)
    ]
    return any(each.q <= 0.05 for each in corrected_rates(rates))


def _print_time() -> None:
    n = 100_000
    rng = np.random.default_rng(0)
    parts = Parts.of(combine({"group": Column.of(rng.integers(0, 20, n).tolist())}, n), np.arange(n))
    together = Parts(parts.names, parts.members, np.arange(n) // 4)
    labels, every = rng.integers(0, 10, n), np.ones(n, bool)
    title(f"{n:,} samples, 20 groups, 10 classes")
    header("samples", "seconds of CPU")
    for text, own in (("independent", parts), ("in groups of 4", together)):
        started = time.process_time()
        for label in range(10):
            rates_of(own, every, labels == label, "label", str(label), Settings())
        row(text, f"{time.process_time() - started:.1f}")


def _parts(sizes: list[int]) -> Parts:
    groups = [str(at) for at, n in enumerate(sizes) for _ in range(n)]
    return Parts.of(combine({"group": Column.of(groups)}, len(groups)), np.arange(len(groups)))


def _fairlearn(holds: np.ndarray, sizes: list[int], seed: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """Returns the interval of the first group, and of the difference between groups, by MetricFrame's bootstrap."""
    from fairlearn.metrics import MetricFrame, selection_rate

    groups = np.repeat(np.arange(len(sizes)), sizes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame = MetricFrame(
            metrics=selection_rate,
            y_true=holds.astype(int),
            y_pred=holds.astype(int),
            sensitive_features=groups,
            n_boot=_RESAMPLES,
            ci_quantiles=[0.025, 0.975],
            random_state=seed,
        )
        low, high = frame.by_group_ci
        apart = frame.difference_ci(method="between_groups")
    return (float(low[0]), float(high[0])), (float(apart[0]), float(apart[1]))


PARTS = {"groups": _print_groups, "apart": _print_apart, "null": _print_null, "speed": _print_time}
