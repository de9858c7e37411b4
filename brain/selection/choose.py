"""Puts the strategies together: a budget by weights, cells in proportion, and at most so many of a group."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import sparse

from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.core.interrupts import leavable
from loupe.brain.core.numbers import is_real
from loupe.brain.selection import balance
from loupe.brain.selection.budget import in_proportion, thinned
from loupe.brain.selection.centers import k_center
from loupe.brain.selection.facility import facility_location
from loupe.brain.selection.herding import herd

#: what can be chosen by, and whether it needs vectors
STRATEGIES = {
    "diverse": True,
    "facility_location": True,
    "representative": True,
    "balanced": False,
    "typical": True,
    "hard": False,
    "random": False,
}
#: the sum of weights may be off by rounding
_ROUNDING = 1e-6


@dataclass(frozen=True, eq=False)
class Pool:
    """What is known of N samples: those that can be chosen, and those that were chosen already.

    Attributes:
        open: (N,) bool: those that can be chosen
        taken: (N,) bool: those that count as chosen already; never open
        groups: (N,) int64: of each at most so many are chosen
        cells: (N,) int64: each strategy but balanced takes of each cell in proportion; None: no cells
        balanced: (N, C) the cells that balanced makes even; a sample may be in several
        unit: (N, D) float32 of unit length; None where nothing needs vectors
        hardness: (N,) float, higher is harder
        typicality: (N,) float, higher is more typical
    """

    open: np.ndarray
    taken: np.ndarray
    groups: np.ndarray
    cells: np.ndarray | None = None
    balanced: sparse.csr_matrix | None = None
    unit: np.ndarray | None = None
    hardness: np.ndarray | None = None
    typicality: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Chosen:
    """What was chosen.

    Attributes:
        order: (n,) int64 places
        grouped: (N,) bool: those that their group left no place for
        copies: how many of the chosen are copies of others, where diverse ones were asked for
    """

    order: np.ndarray
    grouped: np.ndarray
    copies: int


def weights_of(strategy: str | Mapping[str, float]) -> dict[str, float]:
    """Returns the strategies with their weights.

    Raises:
        UnknownName: no such strategy
        InputError: weights that are not above 0, or do not sum to 1

    >>> weights_of("diverse")
    {'diverse': 1.0}
    """
    weights = {strategy: 1.0} if isinstance(strategy, str) else strategy
    if not isinstance(weights, Mapping) or not weights:
        raise InputError(
            f"expected a strategy, or a weight for each, e.g. {{'diverse': 0.7, 'hard': 0.3}}: {strategy!r}"
        )
    for name, weight in weights.items():
        if name not in STRATEGIES:
            raise UnknownName("strategy", str(name), STRATEGIES)
        if not is_real(weight) or not 0 < weight <= 1:
            raise InputError(f"expected weights in (0, 1], got {weight!r} for {name}")
    total = sum(weights.values())
    if abs(total - 1) > _ROUNDING:
        raise InputError(f"expected weights that sum to 1, got {total:g}: {dict(weights)}")
    return {name: float(weight) for name, weight in weights.items()}


@leavable
def choose(
    pool: Pool,
    n: int,
    weights: Mapping[str, float],
    *,
    maximum: int | None = None,
    seed: int = 0,
    left_out: str = "",
    step: Callable[[str, int], None] = lambda name, done: None,
) -> Chosen:
    """Returns n places, by each strategy its share of them, one after the other: each knows what those before it took.

    Args:
        pool: what there is
        n: how many, beside those that are taken
        weights: of sum 1, by strategy
        maximum: of a group at most so many are chosen, those that are taken included; None: any number
        seed: the same for the same seed
        left_out: why there is not more to choose from, for the error
        step: called with a strategy and how much of it is done

    Raises:
        InputError: fewer than n can be chosen
    """
    rng = np.random.default_rng(seed)
    budgets = in_proportion(np.array(list(weights.values())), n, np.full(len(weights), n))
    open_, taken = pool.open.copy(), pool.taken.copy()
    possible = len(_free(pool, open_, taken, maximum, rng.random(len(open_))))
    if n > possible:
        groups = f", with at most {maximum} of a group" if maximum is not None else ""
        why = f". {left_out}" if left_out else ""
        raise InputError(f"expected n of at most {possible:,}: that many can be chosen{groups}. Got {n:,}{why}")
    chosen: list[np.ndarray] = []
    copies = 0
    for name, budget in zip(weights, budgets.tolist(), strict=True):
        if not budget:
            continue
        free = _free(pool, open_, taken, maximum, _rank(pool, name, rng))
        places, same = _by_cells(pool, name, free, budget, taken, rng, partial(step, name))
        chosen.append(places)
        copies += same
        open_[places] = False
        taken[places] = True
    order = np.concatenate(chosen) if chosen else np.zeros(0, dtype=np.int64)
    full = np.zeros(len(open_), dtype=bool)
    if maximum is not None:
        count = np.bincount(pool.groups[taken], minlength=int(pool.groups.max(initial=-1)) + 1)
        full = open_ & (count[pool.groups] >= maximum)
    return Chosen(order, full, copies)


def _free(pool: Pool, open_: np.ndarray, taken: np.ndarray, maximum: int | None, rank: np.ndarray) -> np.ndarray:
    places = np.flatnonzero(open_)
    if maximum is None:
        return places
    return thinned(places, pool.groups, rank, maximum, np.flatnonzero(taken))


def _rank(pool: Pool, name: str, rng: np.random.Generator) -> np.ndarray:
    """Returns who of a group stays: (N,), the lowest first."""
    chance = rng.permutation(len(pool.open))
    scores = {"hard": pool.hardness, "typical": pool.typicality}.get(name)
    return chance if scores is None else np.lexsort((chance, -scores)).argsort()


def _by_cells(
    pool: Pool,
    name: str,
    free: np.ndarray,
    n: int,
    taken: np.ndarray,
    rng: np.random.Generator,
    step: Callable[[int], None],
) -> tuple[np.ndarray, int]:
    if pool.cells is None or name == "balanced":
        return _run(pool, name, free, n, np.flatnonzero(taken), rng, step)
    own = pool.cells[free]
    sizes = np.bincount(own, minlength=int(pool.cells.max()) + 1)
    # in proportion to all that could be chosen at first, whatever their groups leave of them
    quota = in_proportion(np.bincount(pool.cells[pool.open], minlength=len(sizes)), n, sizes)
    of_taken = pool.cells[taken]
    place_taken = np.flatnonzero(taken)
    chosen, when, copies, done = [], [], 0, 0
    order = np.argsort(own, kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)])
    for cell in np.flatnonzero(quota).tolist():
        inside = free[order[starts[cell] : starts[cell + 1]]]
        places, same = _run(pool, name, inside, int(quota[cell]), place_taken[of_taken == cell], rng, lambda _: None)
        chosen.append(places)
        when.append((np.arange(len(places)) + 0.5) / len(places))
        copies += same
        done += len(places)
        step(done)
    # so that the first of the chosen are of all cells, too
    return np.concatenate(chosen)[np.argsort(np.concatenate(when), kind="stable")], copies


def _run(
    pool: Pool,
    name: str,
    free: np.ndarray,
    n: int,
    taken: np.ndarray,
    rng: np.random.Generator,
    step: Callable[[int], None],
) -> tuple[np.ndarray, int]:
    """Returns n of the free places by one strategy, and how many of them are copies of others."""
    if name in ("hard", "typical"):
        scores = pool.hardness if name == "hard" else pool.typicality
        assert scores is not None
        chance = rng.permutation(len(free))
        return free[np.lexsort((chance, -scores[free]))[:n]], 0
    if name == "random":
        return rng.permutation(free)[:n], 0
    if name == "balanced":
        assert pool.balanced is not None
        held = np.asarray(pool.balanced[taken].sum(axis=0)).ravel().astype(np.int64)
        return free[balance.balanced(pool.balanced[free], n, rng, held)], 0
    assert pool.unit is not None
    if name == "diverse":
        made = k_center(pool.unit[free], n, rng, start=pool.unit[taken], step=step)
        return free[made.order], made.copies
    every = np.concatenate([free, taken])
    known = np.arange(len(every)) >= len(free)
    if name == "facility_location":
        return every[facility_location(pool.unit[every], n, taken=known, seed=int(rng.integers(2**31)), step=step)], 0
    return every[herd(pool.unit[every], n, rng, taken=known, step=step)], 0
