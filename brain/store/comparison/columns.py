"""Reads what is compared: whose judgment each sample is, which ones are pairs, and which belong together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import fiftyone as fo
import numpy as np
from fiftyone.core.collections import SampleCollection

from loupe.brain.core.errors import InputError, LoupeError
from loupe.brain.core.shown import counted
from loupe.brain.core.taxonomy import ANY
from loupe.brain.slicing.columns import Column, combine, shown
from loupe.brain.slicing.comparison import MIN_CLUSTERS, MIN_SHARED, Entries
from loupe.brain.slicing.factors import Factor, factors_of
from loupe.brain.slicing.outcomes import Outcome, State, any_of
from loupe.brain.store import columns
from loupe.brain.store.fields import PROMPT

#: what two samples share that were asked for in the same way, the closest first; as ``generate`` writes them
PAIRED_BY = ((PROMPT.path, "generation.seed"), (PROMPT.path,))
#: the name of "fails in any way"
#: a factor of more values tells nothing of where a model got worse
MAX_VALUES = 50
#: how a product's values are joined to a name
_JOIN = " · "


@dataclass(frozen=True, eq=False)
class Compared:
    """What is compared.

    Attributes:
        by: what the contenders are values of
        failure: what is counted
        entries: the judgments
        rows: (N,) int64: the sample of each judgment
        parts: of each contender the values of the factors that it is made of; empty where it is an outcome
        factors: what regressions are looked for by, of all samples
        paired_by: the fields whose values two samples share to be a pair
        min_shared: see ``comparison.differences``
        groups: the field whose samples belong together
        notes: what was left out, and why
        own: the factors that the contenders are values of, fitted; empty where they are outcomes
        modes: the failure modes that count
    """

    by: str
    failure: str
    entries: Entries
    rows: np.ndarray
    parts: tuple[tuple[Any, ...], ...]
    factors: Mapping[str, Column]
    paired_by: tuple[str, ...]
    min_shared: float
    groups: str
    notes: tuple[str, ...]
    own: tuple[Factor, ...] = ()
    modes: tuple[str, ...] = ()


def read(
    view: SampleCollection,
    by: str | Factor | Iterable[str | Factor | Outcome],
    failure: str | None = None,
    outcome: Outcome | None = None,
    paired_by: str | Sequence[str] | bool | None = None,
    groups: str | bool | None = None,
    slices: Sequence[str | Factor] = (),
) -> Compared:
    """Returns what is compared.

    Args:
        view: a dataset or view of N samples
        by: a field path or factor whose values are compared; or several outcomes of the same samples
        failure: one failure mode; None and "any": all that were judged of each contender
        outcome: what is counted instead
        paired_by: the fields whose values two samples share to be a pair; None: finds them; False: nothing is paired
        groups: the field whose samples belong together; None: prompts, where one has several samples; False: none
        slices: the factors that regressions are looked for by

    Raises:
        UnknownName: no such field or failure mode
        InputError: a field that nothing can be compared by
    """
    if isinstance(by, (str, Factor)):
        return _read_values(view, by, failure, outcome, paired_by, groups, slices)
    outcomes = _outcomes(view, by)
    if failure is not None or outcome is not None:
        raise InputError("expected no failure and no outcome beside several outcomes to compare: each of them is one")
    return _read_outcomes(view, outcomes, groups, slices)


def _read_values(
    view: SampleCollection,
    by: str | Factor,
    failure: str | None,
    outcome: Outcome | None,
    paired_by: str | Sequence[str] | bool | None,
    groups: str | bool | None,
    slices: Sequence[str | Factor],
) -> Compared:
    compared_by = factors_of(by)
    own_paths = {factor.path for factor in compared_by}
    candidates, cluster_by = _keys(view, own_paths, paired_by), _groups(view, groups)
    helpers = dict.fromkeys([*(path for paths in candidates for path in paths), *([cluster_by] if cluster_by else [])])
    others = [factor for factor in factors_of(slices) if factor.name not in {own.name for own in compared_by}]
    wanted: list[Factor] = [*compared_by, *_new(helpers, compared_by), *others]
    every = failure is None or failure == ANY
    table = columns.read(view, list(dict.fromkeys(wanted)), None if every else [str(failure)], outcome)

    names, member, parts, notes = _contenders([table.factors[factor.name] for factor in compared_by], _name(by))
    kept = np.flatnonzero(member >= 0)
    state, modes, more = _states(table, member, len(names), every and outcome is None)
    counted = outcome.name if outcome is not None else ANY if every else str(failure)
    keys = [_codes(table.factors, paths)[kept] for paths in candidates]
    at = _best_key(member[kept], state[kept], keys) if paired_by is None else 0 if keys else None
    cluster, group_name = None, ""
    if cluster_by:
        cluster = _codes(table.factors, (cluster_by,))[kept]
        cluster, group_name = _repeated(member[kept], cluster, cluster_by)
    entries = Entries(tuple(names), member[kept], state[kept], None if at is None else keys[at], cluster)
    made = {factor.name: table.factors[factor.name] for factor in others}
    return Compared(
        by=_name(by),
        failure=counted,
        entries=entries,
        rows=kept,
        parts=tuple(parts),
        factors={name: column for name, column in made.items() if 2 <= len(column.values) <= MAX_VALUES},
        paired_by=() if at is None else candidates[at],
        min_shared=MIN_SHARED if paired_by is None else 0.0,
        groups=group_name,
        notes=(*notes, *more),
        own=table.by[: len(compared_by)],
        modes=modes,
    )


def _read_outcomes(
    view: SampleCollection, outcomes: Sequence[Outcome], groups: str | bool | None, slices: Sequence[str | Factor]
) -> Compared:
    cluster_by = _groups(view, groups)
    others = list(factors_of(slices))
    wanted = [*others, *_new([cluster_by] if cluster_by else [], others)]
    states: dict[str, np.ndarray] = {}
    factors: Mapping[str, Column] = {}
    for own in outcomes:
        table = columns.read(view, [] if states else wanted, None, own)
        factors = factors or table.factors
        states[own.name] = table.states[own.name]
    n = len(next(iter(states.values())))
    if any(len(state) != n for state in states.values()):
        raise LoupeError("samples were added or deleted while they were read: call again")
    cluster, group_name = None, ""
    if cluster_by:
        cluster, group_name = _repeated(np.zeros(n, dtype=np.int64), _codes(factors, (cluster_by,)), cluster_by)
    entries = Entries.of_outcomes(states, cluster)
    return Compared(
        by="outcome",
        failure="failed",
        entries=entries,
        rows=np.tile(np.arange(n, dtype=np.int64), len(states)),
        parts=(),
        factors={own.name: factors[own.name] for own in others if 2 <= len(factors[own.name].values) <= MAX_VALUES},
        paired_by=("id",),
        min_shared=0.0,
        groups=group_name,
        notes=(),
    )


def _outcomes(view: SampleCollection, given: Iterable[Any]) -> list[Outcome]:
    outcomes: dict[str, Outcome] = {}
    for item in given:
        own = item if isinstance(item, Outcome) else _wrong(view, item)
        if outcomes.setdefault(own.name, own) is not own:
            raise InputError(f"two outcomes are called {own.name!r}: give them names of their own (name=...)")
    if not outcomes:
        raise InputError("expected a field, a factor or several outcomes to compare, got none")
    return list(outcomes.values())


def _wrong(view: SampleCollection, path: Any) -> Outcome:
    """Returns the outcome of a field that says whether a prediction is right."""
    if not isinstance(path, str):
        raise InputError(
            f"expected outcomes, or fields that say which predictions are right, got {path!r}. The combinations of two "
            "factors are compared by their product: loupe.Factor.field('a') * loupe.Factor.field('b')"
        )
    if not isinstance(view.get_field(path) if view.has_field(path) else None, fo.BooleanField):
        raise InputError(
            f"expected a field of yes and no, of which no says that the prediction is wrong, but {path!r} is none: "
            f"give loupe.Outcome.field({path!r}, failed=[...]), or one field whose values are compared"
        )
    return Outcome.field(path, failed=[False])


def _keys(view: SampleCollection, own: set[str], paired_by: str | Sequence[str] | bool | None) -> list[tuple[str, ...]]:
    """Returns the fields that pairs may share, the closest first."""
    if paired_by is False:
        return []
    if paired_by is None or paired_by is True:
        known = [tuple(path for path in paths if view.has_field(path) and path not in own) for paths in PAIRED_BY]
        # a seed alone makes no pair: each prompt has seeds of its own
        return [paths for paths in dict.fromkeys(known) if paths and PROMPT.path in paths]
    paths = (paired_by,) if isinstance(paired_by, str) else tuple(paired_by)
    if not paths or not all(isinstance(path, str) for path in paths):
        raise InputError(f"expected the fields that two samples of a pair share, got {paired_by!r}")
    return [paths]


def _groups(view: SampleCollection, groups: str | bool | None) -> str:
    if groups is None or groups is True:
        return PROMPT.path if view.has_field(PROMPT.path) else ""
    if groups is False:
        return ""
    if not isinstance(groups, str):
        raise InputError(f"expected the field whose samples belong together, got {groups!r}")
    return groups


def _new(paths: Iterable[str], known: Iterable[Factor]) -> list[Factor]:
    """Returns the factors of fields, each value by itself, but for those that are known."""
    names = {factor.name for factor in known}
    return [Factor.field(path) for path in paths if path not in names]


def _name(by: str | Factor) -> str:
    return by if isinstance(by, str) else by.name


def _contenders(own: Sequence[Column], by: str) -> tuple[list[str], np.ndarray, list[tuple[Any, ...]], list[str]]:
    """Returns the names, (N,) which one each sample is of, -1: of none, the values of each, and what was left out."""
    n = own[0].n
    slices = combine({str(at): column for at, column in enumerate(own)}, n)
    times = np.bincount(slices.samples, minlength=n)
    member = np.full(n, -1, dtype=np.int64)
    single = times[slices.samples] == 1
    member[slices.samples[single]] = slices.codes[single]
    missing = np.array([None in values.values() for values in slices.values], dtype=bool)
    nowhere = (member >= 0) & missing[member]
    member[nowhere] = -1
    used = np.unique(member[member >= 0])
    place = np.full(len(slices.values), -1)
    place[used] = np.arange(len(used))
    member = np.where(member >= 0, place[member], -1)
    parts = [tuple(slices.values[code].values()) for code in used.tolist()]
    notes = []
    if nowhere.any():
        notes.append(f"left out: {counted(int(nowhere.sum()), 'sample')} without {by}")
    if (times > 1).any():
        notes.append(f"left out: {counted(int((times > 1).sum()), 'sample')} with several values of {by}")
    return [_JOIN.join(map(shown, values)) for values in parts], member, parts, notes


def _states(
    table: columns.Columns, member: np.ndarray, n: int, every: bool
) -> tuple[np.ndarray, tuple[str, ...], list[str]]:
    """Returns (N,) the state of each sample, the modes that count, and what was left out.

    Of failing in any way only the modes count that were judged of each contender of which anything was judged: one
    that more checks have looked at would seem worse.
    """
    if not every:
        return next(iter(table.states.values())), tuple(table.states), []
    judged = table.judged()
    if not judged:
        return any_of(table.states.values()), (), []
    of = {
        mode: np.bincount(member[(state >= State.PASSED) & (member >= 0)], minlength=n) > 0
        for mode, state in judged.items()
    }
    anything = np.any(np.stack(list(of.values())), axis=0)
    fair = {mode: state for mode, state in judged.items() if of[mode][anything].all()}
    notes = []
    if len(fair) < len(judged):
        left_out = ", ".join(sorted(judged.keys() - fair.keys()))
        notes.append(f"not counted, for it was not judged of each: {left_out}")
    counted = fair or judged
    return any_of(counted.values()), tuple(counted), notes


def _codes(factors: Mapping[str, Column], paths: Sequence[str]) -> np.ndarray:
    """Returns (N,) a number of the combination of values that each sample has; -1 where one is missing, or several."""
    codes: np.ndarray | None = None
    for path in paths:
        column = factors[path]
        own = np.full(column.n, -1, dtype=np.int64)
        times = np.bincount(column.samples, minlength=column.n)
        single = times[column.samples] == 1
        own[column.samples[single]] = column.codes[single]
        if None in column.values:
            own[own == column.values.index(None)] = -1
        if codes is None:
            codes = own
            continue
        both = codes * max(1, len(column.values)) + own
        both[(codes < 0) | (own < 0)] = -1
        _, codes = np.unique(both, return_inverse=True)
        codes = np.where(both < 0, -1, codes)
    assert codes is not None
    return codes


def _best_key(member: np.ndarray, state: np.ndarray, keys: Sequence[np.ndarray]) -> int | None:
    """Returns which key pairs enough of the judged samples, the closest first; else the last that pairs any."""
    last = None
    for at, key in enumerate(keys):
        use = (state >= State.PASSED) & (key >= 0)
        # the keys of two contenders or more
        couples = np.unique(np.stack([key[use], member[use]]), axis=1)[0]
        own, times = np.unique(couples, return_counts=True)
        shared = int(np.isin(key[use], own[times > 1]).sum())
        if shared and shared >= MIN_SHARED * int((state >= State.PASSED).sum()):
            return at
        last = at if shared else last
    return last


def _repeated(member: np.ndarray, cluster: np.ndarray, name: str) -> tuple[np.ndarray | None, str]:
    """Returns the clusters, those without a value each by itself, and their name; None where no two are together, or
    there are too few to tell anything by."""
    alone = cluster < 0
    if len(np.unique(cluster[~alone])) < MIN_CLUSTERS:
        return None, ""
    cluster = np.where(alone, cluster.max(initial=0) + 1 + np.cumsum(alone), cluster)
    couples = np.stack([member, cluster])
    return (cluster, name) if np.unique(couples, axis=1).shape[1] < len(member) else (None, "")
