"""A table of failure rates: the values of one factor by failure modes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from loupe.brain.core.records import Record
from loupe.brain.core.results import Rate
from loupe.brain.slicing.columns import Column
from loupe.brain.slicing.outcomes import State
from loupe.brain.slicing.rates import as_column, rates


@dataclass(frozen=True)
class Table(Record):
    """Rates of one factor's values, by failure mode.

    Attributes:
        factor: its name
        values: the factor's values, row by row; None is the missing value
        modes: the failure modes, column by column
        cells: the rates, row by row
        overall: the rates of all samples, for the same columns
        n: how many samples there are
        failed: how many of them fail in some mode
        unknown: how many of them some check could not judge
        unchecked: how many of them some check has not looked at
        values_left_out: how many further values there are, rarer than those shown
        modes_left_out: how many further modes were judged and never failed
        milder_left_out: how many further modes failed, and are not among those that fare worst
    """

    factor: str
    values: tuple[Any, ...]
    modes: tuple[str, ...]
    cells: tuple[tuple[Rate, ...], ...]
    overall: tuple[Rate, ...]
    n: int
    failed: int
    unknown: int
    unchecked: int
    values_left_out: int
    modes_left_out: int
    milder_left_out: int = 0

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Table:
        """Returns the table that ``to_dict`` made plain values of.

        >>> table = tabulate("time", ["day", None], {"blur": np.array([State.FAILED, State.UNKNOWN])})
        >>> Table.from_dict(table.to_dict()).to_dict() == table.to_dict()
        True
        """
        return cls(
            **{
                **facts,
                "values": tuple(facts["values"]),
                "modes": tuple(facts["modes"]),
                "cells": tuple(tuple(map(Rate.from_dict, row)) for row in facts["cells"]),
                "overall": tuple(map(Rate.from_dict, facts["overall"])),
            }
        )


def tabulate(
    factor: str,
    values: Column | Sequence[Any],
    states: Mapping[str, np.ndarray],
    *,
    every_mode: bool = False,
    max_values: int = 40,
    max_modes: int | None = None,
    columns: Sequence[str] | None = None,
) -> Table:
    """Returns the table of a factor.

    Args:
        factor: its name; empty: there is none, and no row but that of all samples
        values: its column, or N values
        states: for each failure mode that was judged a (N,) array of ``State``; at least one
        every_mode: also the modes that never failed; they are left out otherwise, unless no mode failed
        max_values: how many rows there may be; the most frequent values stay
        max_modes: how many columns there may be, unless every mode is asked for: those stay that some value of the
            factor fares the worst in, against all samples; None: all that failed
        columns: just these columns, in this order

    >>> table = tabulate("time", ["day", "night"], {"blur": np.array([State.FAILED, State.PASSED])})
    >>> [(value, row[0].failures, row[0].n) for value, row in zip(table.values, table.cells)]
    [('day', 1, 1), ('night', 0, 1)]
    """
    overall = rates(states)
    failing = list(columns or ()) or [rate.failure for rate in overall if rate.failures or every_mode] or list(states)
    column = as_column(values)
    rows = sorted(np.argsort(-column.counts(), kind="stable")[:max_values].tolist()) if factor else []
    modes = failing
    if not columns and max_modes is not None and not every_mode and len(failing) > max_modes:
        worst = _worst_first({mode: states[mode] for mode in failing}, factor, column)[:max_modes]
        modes = [mode for mode in failing if mode in worst]
    kept = {mode: states[mode] for mode in modes}
    of_all = {rate.failure: rate for rate in overall}
    flat = rates(kept, {factor: column}) if factor else []
    every = np.stack(list(states.values()))
    return Table(
        factor=factor,
        values=tuple(column.values[row] for row in rows),
        modes=tuple(modes),
        cells=tuple(tuple(flat[row * len(modes) : (row + 1) * len(modes)]) for row in rows),
        overall=tuple(of_all[mode] for mode in modes),
        n=column.n,
        failed=int((every == State.FAILED).any(axis=0).sum()),
        unknown=int((every == State.UNKNOWN).any(axis=0).sum()),
        unchecked=int((every == State.UNCHECKED).any(axis=0).sum()),
        values_left_out=len(column.values) - len(rows),
        modes_left_out=0 if columns else len(overall) - len(failing),
        milder_left_out=len(failing) - len(modes),
    )


def _worst_first(states: Mapping[str, np.ndarray], factor: str, column: Column) -> list[str]:
    """Returns the modes by how much more often one value of the factor fails than all samples do, surely: by the lower
    end of its interval. Without a factor, and among equals: by the rate of all samples."""
    overall = {rate.failure: rate.rate for rate in rates(states)}
    excess = dict.fromkeys(states, 0.0)
    for rate in rates(states, {factor: column}) if factor else []:
        if rate.n:
            excess[rate.failure] = max(excess[rate.failure], rate.low - overall[rate.failure])
    return sorted(states, key=lambda mode: (-excess[mode], -overall[mode], mode))
