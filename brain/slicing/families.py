"""Failure modes by family: a column for each family, which unfolds into its modes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import numpy as np

from loupe.brain.core.taxonomy import ANY, FAILURE_MODES
from loupe.brain.slicing.outcomes import State, any_of

_PREFIX = "family:"
#: the family of a failure mode that the taxonomy does not know
OTHER = "other"


def column_of(family: str) -> str:
    """Returns the name of a family's column.

    >>> family_of(column_of("set")), family_of("blur")
    ('set', None)
    """
    return f"{_PREFIX}{family}"


def family_of(column: str) -> str | None:
    """Returns whose column it is; None for one of a failure mode."""
    return column.removeprefix(_PREFIX) if column.startswith(_PREFIX) else None


def members(modes: Iterable[str]) -> dict[str, list[str]]:
    """Returns which of the failure modes each name of several stands for: ``"any"``, and each family.

    >>> members(["blur", "dark", "halo"])
    {'any': ['blur', 'dark', 'halo'], 'artifact': ['blur', 'halo'], 'exposure': ['dark']}
    """
    of: dict[str, list[str]] = {ANY: []}
    for mode in modes:
        of[ANY].append(mode)
        of.setdefault(FAILURE_MODES[mode].group if mode in FAILURE_MODES else OTHER, []).append(mode)
    return of


def fold(
    states: Mapping[str, np.ndarray], unfolded: Collection[str] = (), *, every_mode: bool = False
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Returns the states of the modes and of the families that they belong to, and the columns to show, in order.

    A family counts as ``any_of`` its modes.

    Args:
        states: for each failure mode that was judged a (N,) array of ``State``
        unfolded: the families whose modes are shown
        every_mode: also what never failed, unless nothing failed

    >>> states = {"blur": np.array([State.FAILED, State.PASSED]), "halo": np.array([State.PASSED, State.UNKNOWN])}
    >>> folded, columns = fold(states)
    >>> columns, folded["family:artifact"].tolist()
    (['family:artifact'], [3, 2])
    """
    failing = [mode for mode, state in states.items() if every_mode or (state == State.FAILED).any()] or list(states)
    whole = dict(states)
    columns = []
    every = members(states)
    for family, modes in members(failing).items():
        if family == ANY:
            continue
        # also of the modes that are not shown: a sample that was judged for one of them has passed
        whole[column_of(family)] = any_of(states[mode] for mode in every[family])
        columns += [column_of(family), *(modes if family in unfolded else ())]
    return whole, columns
