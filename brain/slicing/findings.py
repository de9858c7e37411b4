"""What discovery found, as records: rates with intervals, names, examples, and what to say where there is nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from loupe.brain.core.findings import Finding, Neighborhood, SliceFindings
from loupe.brain.core.results import Rate, Slice
from loupe.brain.core.shown import field_name
from loupe.brain.slicing.columns import Column, shown
from loupe.brain.slicing.discovery import Discovery, Scenario, Settings
from loupe.brain.slicing.factors import Factor
from loupe.brain.slicing.neighborhoods import telling
from loupe.brain.slicing.outcomes import State
from loupe.brain.stats.excess import risk_ratio
from loupe.brain.stats.intervals import wilson

#: so many failing samples of a finding are named, and so many candidates
EXAMPLES, MAX_CANDIDATES = 4, 20


@dataclass(frozen=True, eq=False)
class Sliced:
    """What is known of N samples.

    Attributes:
        ids: of the samples
        states: for each outcome a (N,) array of ``State``
        columns: the factors' columns by name
        factors: the factors, with the edges of their bins
        groups: (N,) int64: which samples belong together
        field: of the vectors, where there are any
    """

    ids: Sequence[str]
    states: Mapping[str, np.ndarray]
    columns: Mapping[str, Column]
    factors: tuple[Factor, ...]
    groups: np.ndarray
    field: str = ""


def reported(known: Sliced, made: Discovery | None, settings: Settings, *, notes: Sequence[str] = ()) -> SliceFindings:
    """Returns what was found as records.

    Args:
        known: the samples
        made: what was found; None where there was nothing to look at
        settings: how it was looked for
        notes: what was left out, and why
    """

    def count(state: State) -> dict[str, int]:
        return {name: int((states == state).sum()) for name, states in known.states.items()}

    findings = [] if made is None else [_finding(known, made, each) for each in made.findings]
    candidates = [] if made is None else [_finding(known, made, each) for each in made.candidates[:MAX_CANDIDATES]]
    passed, failed = count(State.PASSED), count(State.FAILED)
    return SliceFindings(
        findings=tuple(findings),
        candidates=tuple(candidates),
        n=len(known.ids),
        judged={name: passed[name] + failed[name] for name in known.states},
        unknown=count(State.UNKNOWN),
        unchecked=count(State.UNCHECKED),
        tested=0 if made is None else made.tested,
        searched=0 if made is None else made.searched,
        groups=len(np.unique(known.groups)),
        factors=tuple(known.columns),
        notes=tuple(notes),
        message="" if findings else _message(known, made, settings),
        params=asdict(settings),
    )


def usable(states: Mapping[str, np.ndarray], min_samples: int) -> dict[str, np.ndarray]:
    """Returns the outcomes that something can be found for: enough samples were judged, and some but not all failed."""
    kept = {}
    for name, state in states.items():
        judged, failed = int((state >= State.PASSED).sum()), int((state == State.FAILED).sum())
        if judged >= 2 * min_samples and 0 < failed < judged:
            kept[name] = state
    return kept


def _finding(known: Sliced, made: Discovery, scenario: Scenario) -> Finding:
    slice = _slice(known, scenario)
    state = known.states[scenario.failure]
    rate = _rate(slice, scenario.failure, state, scenario.rows & ~made.explored, scenario.design)
    rest = _rate(Slice({}), scenario.failure, state, ~scenario.rows & ~made.explored, scenario.rest_design)
    designs = scenario.design, scenario.rest_design
    lift, low, high = risk_ratio(rate.failures, rate.n, rest.failures, rest.n, *designs)
    names = list(known.columns)
    used = {names[factor] for factor, _ in scenario.members}
    return Finding(
        slice=slice,
        failure=scenario.failure,
        rate=rate,
        rest=rest,
        lift=lift,
        lift_low=low,
        lift_high=high,
        p=scenario.p,
        q=scenario.q,
        confirmed=scenario.confirmed,
        whole=_rate(slice, scenario.failure, state, scenario.rows, 1.0),
        examples=_examples(known, scenario),
        also=tuple(
            _rate(_slice(known, each), each.failure, state, each.rows & ~made.explored, each.design)
            for each in scenario.also
        ),
        factors=tuple(factor.to_dict() for factor in known.factors if factor.name in used),
        near=_near(known, scenario),
    )


def _slice(known: Sliced, scenario: Scenario) -> Slice:
    if scenario.region is not None:
        return Slice({known.field: f"near {known.ids[scenario.region.center]}"})
    names = list(known.columns)
    values = {names[factor]: shown(known.columns[names[factor]].values[value]) for factor, value in scenario.members}
    return Slice(values)


def _near(known: Sliced, scenario: Scenario) -> Neighborhood | None:
    if scenario.region is None:
        return None
    mostly = telling(known.columns, scenario.rows)
    center = known.ids[scenario.region.center]
    named = tuple((name, shown(value), share) for name, value, share in mostly)
    return Neighborhood(known.field, center, scenario.region.cosine, named)


def _rate(slice: Slice, failure: str, state: np.ndarray, rows: np.ndarray, design: float) -> Rate:
    counts = np.bincount(state[rows], minlength=len(State))
    k, n = int(counts[State.FAILED]), int(counts[State.FAILED] + counts[State.PASSED])
    low, high = wilson(k / design, n / design)
    return Rate(
        slice=slice,
        failure=failure,
        n=n,
        failures=k,
        unknown=int(counts[State.UNKNOWN]),
        unchecked=int(counts[State.UNCHECKED]),
        rate=k / n if n else float("nan"),
        low=float(low),
        high=float(high),
    )


def _examples(known: Sliced, scenario: Scenario) -> tuple[str, ...]:
    """Returns samples of the slice that failed, of different groups where there are enough of them."""
    failing = np.flatnonzero(scenario.rows & (known.states[scenario.failure] == State.FAILED))
    _, first = np.unique(known.groups[failing], return_index=True)
    if len(first) >= EXAMPLES:
        failing = failing[np.sort(first)]
    places = np.unique(np.linspace(0, len(failing) - 1, EXAMPLES).astype(int)) if len(failing) else np.zeros(0, int)
    return tuple(known.ids[at] for at in failing[places].tolist())


def _message(known: Sliced, made: Discovery | None, settings: Settings) -> str:
    """Returns why there is no finding, and what to do."""
    judged = {name: state[state >= State.PASSED] for name, state in known.states.items()}
    n = max((len(state) for state in judged.values()), default=0)
    needed = 2 * settings.min_samples
    if not n:
        return "Nothing was judged: check the images, then flag the failures"
    if n < needed:
        return f"Too few samples: {n:,} were judged, and two halves of {settings.min_samples} need {needed:,}"
    if not any((state == State.FAILED).any() for state in judged.values()):
        return f"None of {n:,} judged samples failed: there is nothing to find"
    if not usable(known.states, settings.min_samples):
        return "Every judged sample failed, or too few were judged of what failed: no part is worse than the rest"
    if made is None:
        return (
            "Nothing to slice by: no factor has a value with enough samples beside others. Give by=, or import factors"
        )
    if not made.searched:
        return f"No factor has a value that at least {settings.min_samples} samples have, and others have not"
    if not made.tested:
        return f"No slice looks worse than the rest: {made.searched:,} were looked at"
    return (
        f"Nothing was confirmed: of {made.searched:,} slices {made.tested:,} looked worst on one half, and none of "
        "them failed more often on the other half than chance allows"
    )


def note_of_values(columns: Mapping[str, Column], min_samples: int, max_values: int) -> list[str]:
    """Returns a note on each factor of which only some values, or none, are combined."""
    notes = []
    for name, column in columns.items():
        enough = int((column.counts() >= min_samples).sum())
        values = len(column.values)
        if values < 2:
            notes.append(f"{field_name(name)}: all samples have the same value, so it was left out")
        elif not enough:
            notes.append(
                f"{field_name(name)}: none of its {values:,} values has {min_samples} samples, so it was left out"
            )
        elif enough > max_values:
            notes.append(f"{field_name(name)}: the {max_values} most frequent of its {values:,} values were combined")
    return notes


def plain_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """Returns settings as JSON-able values; of factors and outcomes their names."""
    return {name: _plain(value) for name, value in params.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return getattr(value, "name", str(value))
