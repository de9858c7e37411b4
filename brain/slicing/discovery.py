"""Which slices fail more often than the rest: looked for on one half of the samples, confirmed on the other.

All is pure arithmetic over columns and states. The steps, and why:

- Samples that belong together stay in one half (``groups``), and count as as many as they tell (``stats.excess``).
- On the explored half every combination of up to three values is counted at once (``lattice``), and every neighborhood
  of vectors (``neighborhoods``). The worst few of each outcome are the candidates.
- On the other half each candidate is tested by itself; Benjamini and Hochberg correct for all, over all outcomes.
- What one slice causes shows in many: in its parts, in what holds it, in what goes along with it. So the strongest is
  chosen, or the simpler one that explains it; its samples are left out of both halves, and the search goes on with the
  rest until nothing is confirmed. What was confirmed and not chosen is folded into the finding that it overlaps with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from loupe.brain.core.hashes import raw_hash
from loupe.brain.core.interrupts import leavable
from loupe.brain.core.taxonomy import ANY
from loupe.brain.slicing.columns import Column
from loupe.brain.slicing.groups import halves
from loupe.brain.slicing.lattice import Lattice, Member, lattice
from loupe.brain.slicing.neighborhoods import Region, likelihood_ratio, members, regions
from loupe.brain.slicing.outcomes import State
from loupe.brain.stats.effective_n import design_effect, intraclass
from loupe.brain.stats.excess import excess_p

#: of each outcome so many combinations, and so many neighborhoods, are put to the test
CANDIDATES, NEAR_CANDIDATES = 15, 4
#: so many of the best by likelihood are looked at closely
_LOOKED_AT = 8
#: what looks no worse than this on the explored half is no candidate
_EXPLORED_P = 0.05
#: a part of a slice that does not fail more often than the remainder by more than chance is explained by the slice
_EXPLAINED_P = 0.05
#: of one outcome there are no more findings
MAX_FINDINGS = 12


@dataclass(frozen=True)
class Settings:
    """How to look: as ``discover_slices`` takes it."""

    max_factors: int = 3
    min_samples: int = 20
    fdr: float = 0.05
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Scenario:
    """A slice that was tested.

    Attributes:
        failure: the outcome
        place: which of the slices that were looked at
        members: its values: the places of factors and of values in their columns; empty for a region
        region: the neighborhood of vectors, where it is one
        rows: (N,) bool: its samples
        p, q: of the test, and corrected
        confirmed: whether it is a finding
        design, rest_design: the design effects of the slice and of all samples on the confirming half
        also: confirmed slices that say the same
    """

    failure: str
    place: int
    members: tuple[Member, ...]
    region: Region | None
    rows: np.ndarray
    p: float
    q: float
    confirmed: bool
    design: float = 1.0
    rest_design: float = 1.0
    also: tuple[Scenario, ...] = ()


@dataclass(frozen=True, eq=False)
class Discovery:
    """What was looked for, and what came of it.

    Attributes:
        findings: the confirmed slices, the smallest q first
        candidates: what was tested last and not confirmed, the smallest p first
        explored: (N,) bool: the half that was looked through
        searched: how many slices were looked at
        tested: how many were tested on the other half
    """

    findings: tuple[Scenario, ...]
    candidates: tuple[Scenario, ...]
    explored: np.ndarray
    searched: int
    tested: int


@leavable
def discover(
    states: Mapping[str, np.ndarray],
    columns: Mapping[str, Column],
    *,
    groups: np.ndarray | None = None,
    unit: np.ndarray | None = None,
    settings: Settings = Settings(),
    step: Callable[[int, int, str], None] = lambda done, total, message: None,
) -> Discovery:
    """Returns the slices that fail more often than the rest.

    Args:
        states: for each failure mode or other outcome a (N,) array of ``State``; one called "any" is looked at last,
            for what no other outcome shows
        columns: the factors by name
        groups: (N,) int64 from 0: the group of each sample; by default each is by itself
        unit: (N, D) float32 vectors of unit length, zeros where there is none; None: no neighborhoods
        settings: how to look
        step: called as the work goes on

    >>> rng = np.random.default_rng(0)
    >>> night, wet = rng.integers(0, 2, (2, 4000)).astype(bool)
    >>> failed = rng.random(4000) < np.where(night & wet, 0.4, 0.1)
    >>> states = {"blur": np.where(failed, State.FAILED, State.PASSED)}
    >>> made = discover(states, {"night": Column.of(night.tolist()), "wet": Column.of(wet.tolist())})
    >>> [finding.members for finding in made.findings]
    [((0, 1), (1, 1))]
    """
    n = len(next(iter(states.values())))
    groups = np.arange(n) if groups is None else groups
    explored = halves(groups, settings.seed)
    half = max(1, settings.min_samples // 2)
    step(0, 3, "counting combinations")
    cells = lattice(columns, max_factors=settings.max_factors, minimum=settings.min_samples)
    near: list[Region] = []
    if unit is not None:
        step(1, 3, "looking through neighborhoods")
        near = regions(unit, states, explored, half, settings.seed)
    inside = np.stack([members(unit, each) for each in near]) if near and unit is not None else np.zeros((0, n), bool)
    pool = _Pool(cells, tuple(near), inside)
    step(2, 3, "testing what looks worst")
    counted: dict[bytes, np.ndarray] = {}
    outcomes = {name: _Outcome(name, state, pool, explored, groups, half, counted) for name, state in states.items()}
    search = _Search(pool, outcomes, settings)
    search.run([name for name in outcomes if name != ANY])
    if ANY in outcomes:
        search.run([ANY])
    step(3, 3, "done")
    return Discovery(
        tuple(sorted(search.findings(), key=lambda each: (each.q, each.p, each.failure))),
        tuple(sorted(search.rejected(), key=lambda each: (each.p, each.failure))),
        explored,
        pool.size * len(outcomes),
        search.tested,
    )


@dataclass(frozen=True, eq=False)
class _Pool:
    """All slices that are looked at: the cells of the lattice, then the regions. ``inside``: (R, N) bool."""

    cells: Lattice
    near: tuple[Region, ...]
    inside: np.ndarray

    @property
    def size(self) -> int:
        return self.cells.size + len(self.near)

    def count(self, rows: np.ndarray) -> np.ndarray:
        """Returns how many of the samples at some places are in each slice: (S,) int64."""
        return np.concatenate([self.cells.count(rows), self.inside[:, rows].sum(axis=1, dtype=np.int64)])

    def rows(self, at: int) -> np.ndarray:
        """Returns the samples of a slice: (N,) bool."""
        return self.cells.rows(at) if at < self.cells.size else self.inside[at - self.cells.size]

    def parts(self, at: int) -> list[int]:
        """Returns the simpler slices that hold a slice, the simplest first."""
        return list(self.cells.parts(at)) if at < self.cells.size else []

    def region(self, at: int) -> Region | None:
        """Returns the region that a slice is; None of a cell."""
        return None if at < self.cells.size else self.near[at - self.cells.size]


class _Outcome:
    """How often one outcome fails in each slice, on both halves, without the samples that were dropped."""

    def __init__(
        self,
        name: str,
        state: np.ndarray,
        pool: _Pool,
        explored: np.ndarray,
        groups: np.ndarray,
        half: int,
        counted: dict[bytes, np.ndarray],
    ) -> None:
        self.name, self.pool, self.groups, self.half = name, pool, groups, half
        self.judged, self.failed = state >= State.PASSED, state == State.FAILED
        self.sides = {"explore": explored, "confirm": ~explored}
        self.rho = 0.0
        confirming = np.flatnonzero(self.judged & ~explored)
        if len(np.unique(groups[confirming])) < len(confirming):
            self.rho = intraclass(self.failed[confirming], groups[confirming])
        self.design = design_effect(groups[confirming], self.rho)
        self.own = np.array([each.failure == name for each in pool.near], dtype=bool)
        self.n: dict[str, np.ndarray] = {}
        self.k: dict[str, np.ndarray] = {}
        self.all_n: dict[str, int] = {}
        self.all_k: dict[str, int] = {}
        for side, rows in self.sides.items():
            judged = np.flatnonzero(rows & self.judged)
            # most outcomes were judged on the same samples
            key = raw_hash(judged.tobytes())
            if key not in counted:
                counted[key] = pool.count(judged)
            failing = np.flatnonzero(rows & self.failed)
            self.n[side], self.k[side] = counted[key].copy(), pool.count(failing)
            self.all_n[side], self.all_k[side] = len(judged), len(failing)
        self.left = self.judged.copy()

    def drop(self, rows: np.ndarray) -> None:
        """Leaves samples out from now on."""
        gone = self.left & rows
        for side, own in self.sides.items():
            judged, failing = np.flatnonzero(gone & own), np.flatnonzero(gone & own & self.failed)
            self.n[side] -= self.pool.count(judged)
            self.k[side] -= self.pool.count(failing)
            self.all_n[side] -= len(judged)
            self.all_k[side] -= len(failing)
        self.left &= ~rows

    def candidates(self) -> list[int]:
        """Returns the slices that fail most surely more often on the explored half, the surest first."""
        n, k, other = self.n["explore"], self.k["explore"], self.n["confirm"]
        enough = np.minimum(n, other) >= self.half
        enough &= (self.all_n["explore"] - n >= self.half) & (self.all_n["confirm"] - other >= self.half)
        ratio = np.where(enough, likelihood_ratio(k, n, self.all_k["explore"], self.all_n["explore"]), 0.0)
        cells = self.pool.cells.size
        ratio[cells:][~self.own] = 0.0
        return [*self._best(ratio[:cells], 0, CANDIDATES), *self._best(ratio[cells:], cells, NEAR_CANDIDATES)]

    def _best(self, ratio: np.ndarray, first: int, wanted: int) -> list[int]:
        looked_at = min(len(ratio), wanted * _LOOKED_AT)
        if not looked_at:
            return []
        top = np.argpartition(-ratio, looked_at - 1)[:looked_at]
        top = top[ratio[top] > 0] + first
        p = self.p_of(top, "explore")
        lengths = np.array([len(self.pool.parts(at)) for at in top.tolist()])
        order = np.lexsort(np.stack([top, lengths, p]))
        chosen: list[int] = []
        for at in top[order[p[order] <= _EXPLORED_P]].tolist():
            if not any(part in chosen and self.explained(at, part, ("explore",)) for part in self.pool.parts(at)):
                chosen.append(at)
            if len(chosen) == wanted:
                break
        return chosen

    def p_of(self, at: np.ndarray | Sequence[int], side: str, design: np.ndarray | float = 1.0) -> np.ndarray:
        """Returns the p-values of slices on one half."""
        k, n = self.k[side][at], self.n[side][at]
        return excess_p(k, n, self.all_k[side] - k, self.all_n[side] - n, design)

    def explained(self, at: int, part: int, sides: Sequence[str] = ("explore", "confirm")) -> bool:
        """Returns whether a slice fails not surely more often than the remainder of the simpler slice that holds it."""
        k, n = (sum(int(table[side][at]) for side in sides) for table in (self.k, self.n))
        whole_k, whole_n = (sum(int(table[side][part]) for side in sides) for table in (self.k, self.n))
        if n == whole_n:
            return True
        return bool(excess_p(k, n, whole_k - k, whole_n - n, self.design) > _EXPLAINED_P)

    def designs(self, rows: np.ndarray) -> tuple[float, float]:
        """Returns the design effects of a slice and of all samples, on the confirming half."""
        if not self.rho:
            return 1.0, 1.0
        confirming = self.left & self.sides["confirm"]
        every = design_effect(self.groups[confirming], self.rho)
        return design_effect(self.groups[confirming & rows], self.rho), every


@dataclass
class _Search:
    """The rounds: candidates are tested, the strongest is chosen, its samples are dropped, and so on."""

    pool: _Pool
    outcomes: Mapping[str, _Outcome]
    settings: Settings
    tested: int = 0
    chosen: list[Scenario] = field(default_factory=list)
    others: list[Scenario] = field(default_factory=list)
    last: dict[str, list[Scenario]] = field(default_factory=dict)

    def run(self, names: Sequence[str]) -> None:
        """Looks for findings of some outcomes until nothing more is confirmed."""
        active = list(names)
        for outcome in self.outcomes.values():
            if outcome.name not in self.last:
                self._test(outcome)
        if names == [ANY]:
            for finding in self.chosen:
                self.outcomes[ANY].drop(finding.rows)
            if self.chosen:
                self._test(self.outcomes[ANY])
        while active:
            self._correct()
            active = [name for name in active if self._choose(self.outcomes[name])]
            for name in active:
                self._test(self.outcomes[name])

    def _test(self, outcome: _Outcome) -> None:
        """Tests the candidates of an outcome on the confirming half."""
        tested = outcome.candidates()
        rows = [self.pool.rows(at) for at in tested]
        designs = [outcome.designs(each) for each in rows]
        scale = np.array([max(design) for design in designs])
        p = outcome.p_of(tested, "confirm", scale) if tested else np.zeros(0)
        self.tested += len(tested)
        self.last[outcome.name] = []
        for at, own, value, (design, rest) in zip(tested, rows, p.tolist(), designs, strict=True):
            members = self.pool.cells.members(at) if at < self.pool.cells.size else ()
            made = Scenario(outcome.name, at, members, self.pool.region(at), own, value, 1.0, False, design, rest)
            self.last[outcome.name].append(made)

    def _correct(self) -> None:
        """Corrects the p-values of all outcomes' last candidates: whoever looks at all of them has to pay for all."""
        from scipy.stats import false_discovery_control

        every = [each for tested in self.last.values() for each in tested]
        if not every:
            return
        q = false_discovery_control([each.p for each in every]).tolist()
        values = iter(q)
        for name, tested in self.last.items():
            self.last[name] = [self._with(each, next(values)) for each in tested]

    def _with(self, tested: Scenario, q: float) -> Scenario:
        return replace(tested, q=q, confirmed=q <= self.settings.fdr)

    def _choose(self, outcome: _Outcome) -> bool:
        """Chooses the strongest confirmed slice of an outcome, or a simpler one that explains it; False: none is."""
        confirmed = [each for each in self.last[outcome.name] if each.confirmed]
        if not confirmed or sum(each.failure == outcome.name for each in self.chosen) >= MAX_FINDINGS:
            return False
        # combinations of values say more than neighborhoods
        plain = [each for each in confirmed if each.region is None] or confirmed
        places = [each.place for each in plain]
        both = [outcome.k[side] for side in outcome.sides], [outcome.n[side] for side in outcome.sides]
        k, n = (np.array([sum(int(table[at]) for table in tables) for at in places]) for tables in both)
        all_k, all_n = sum(outcome.all_k.values()), sum(outcome.all_n.values())
        ratio = likelihood_ratio(k, n, all_k, all_n)
        best = int(ratio.argmax())
        known = dict(zip(places, plain, strict=True))
        parts = (part for part in self.pool.parts(places[best]) if part in known)
        simpler = next((part for part in parts if outcome.explained(places[best], part)), places[best])
        finding = known[simpler]
        self.chosen.append(finding)
        self.others += [each for each in confirmed if each is not finding]
        outcome.drop(finding.rows)
        return True

    def findings(self) -> list[Scenario]:
        """Returns the findings, each with what is folded into it."""
        folded: dict[int, dict[int, Scenario]] = {}
        names = {(each.failure, each.place) for each in self.chosen}
        for other in self.others:
            own = [at for at, finding in enumerate(self.chosen) if finding.failure == other.failure]
            if (other.failure, other.place) not in names:
                nearest = max(own, key=lambda at: _overlap(self.chosen[at].rows, other.rows))
                folded.setdefault(nearest, {}).setdefault(other.place, other)
        return [
            replace(finding, also=tuple(sorted(folded.get(at, {}).values(), key=lambda each: each.p)))
            for at, finding in enumerate(self.chosen)
        ]

    def rejected(self) -> list[Scenario]:
        """Returns what was tested last and not confirmed."""
        return [each for tested in self.last.values() for each in tested if not each.confirmed]


def _overlap(rows: np.ndarray, others: np.ndarray) -> float:
    return float((rows & others).sum() / max(1, int((rows | others).sum())))
