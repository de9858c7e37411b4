"""Samples with a slice that fails more often, put in on purpose: what finds slices has to find it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loupe.brain.slicing.columns import Column
from loupe.brain.slicing.outcomes import State

#: how many values each of the factors has
LEVELS = (2, 3, 4, 5, 6, 7, 8, 8)


@dataclass(frozen=True)
class Case:
    """What is drawn.

    Attributes:
        n: how many samples
        share: of the samples that are in the planted slice
        lift: how many times as often it fails; 1: nothing is planted
        base: the failure rate of the rest
        factors: how many values the planted slice has, 1 to 3
        correlated: whether three other factors follow the first planted one in 7 of 10 samples
        pictures: how many pictures each prompt has; they share all factors
        alike: how much alike they fail: the intraclass correlation
    """

    n: int
    share: float = 0.05
    lift: float = 3.0
    base: float = 0.10
    factors: int = 2
    correlated: bool = False
    pictures: int = 1
    alike: float = 0.3


@dataclass(frozen=True, eq=False)
class Drawn:
    """The drawn samples: columns, states, groups, and where the planted slice is."""

    columns: dict[str, Column]
    states: np.ndarray
    groups: np.ndarray
    members: tuple[tuple[int, int], ...]
    rows: np.ndarray


def draw(case: Case, seed: int) -> Drawn:
    """Returns the samples of a case."""
    rng = np.random.default_rng(seed)
    prompts = -(-case.n // case.pictures)
    levels = rng.permutation(LEVELS)
    codes = [rng.integers(0, level, prompts) for level in levels]
    planted = np.sort(rng.choice(len(levels), case.factors, replace=False))
    part = case.share ** (1 / case.factors)
    inside = np.ones(prompts, dtype=bool)
    for factor in planted:
        has = rng.random(prompts) < part
        others = 1 + rng.integers(0, max(1, levels[factor] - 1), prompts)
        codes[factor] = np.where(has, 0, others)
        inside &= has
    if case.correlated:
        for factor in [at for at in range(len(levels)) if at not in planted][:3]:
            follows = rng.random(prompts) < 0.7
            codes[factor] = np.where(follows, codes[planted[0]] % levels[factor], codes[factor])
    rate = np.where(inside, min(0.95, case.lift * case.base), case.base)
    groups = np.repeat(np.arange(prompts), case.pictures)[: case.n]
    if case.pictures > 1:
        # beta-binomial: pictures of one prompt share its rate
        size = 1 / case.alike - 1
        rate = rng.beta(rate * size, (1 - rate) * size)
    failed = rng.random(case.n) < rate[groups]
    columns = {
        f"factor {at}": Column(
            tuple(f"value {code}" for code in range(int(level))),
            np.arange(case.n),
            np.minimum(codes[at], level - 1)[groups].astype(np.int64),
            case.n,
        )
        for at, level in enumerate(levels)
    }
    states = np.where(failed, State.FAILED, State.PASSED).astype(np.int8)
    members = tuple((int(factor), 0) for factor in planted)
    return Drawn(columns, states, groups, members, inside[groups])
