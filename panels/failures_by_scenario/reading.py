"""What the panel "Failures by scenario" shows: read from the database by what the reader chose, or what to do next."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from loupe.panels.base import Notice, Reading

if TYPE_CHECKING:
    from loupe.brain.slicing.factors import Factor
    from loupe.brain.slicing.side_by_side import SideBySide
    from loupe.brain.slicing.table import Table
    from loupe.brain.store.columns import Columns
    from loupe.brain.store.trail import Step

#: so many columns can be looked through at once
MAX_MODES = 12
#: how the rates are drawn
LAYOUTS = {"map": "heat map", "table": "table", "bars": "bars with intervals", "sides": "two side by side"}
#: two groups are told by one of so many values
_MAX_GROUPS = 30


@dataclass(frozen=True)
class Kept:
    """What is not read again while only what is drawn of it changes."""

    offered: Mapping[str, Factor]
    name: str
    steps: tuple[Step, ...]
    group_by: str
    values: Columns


@dataclass(frozen=True)
class Content:
    """What is drawn.

    Attributes:
        dataset: its name
        table: the rates, by all failure modes that are shown
        factors: those to choose from
        where: the database's query of each of the table's rows, as JSON
        within: the same of the samples that the table is of; empty: all
        trail: how they were come to
        fitted: the table's factor with the edges of its bins, as JSON; empty: there is none
        layout: how it is drawn, one of ``LAYOUTS``
        modes: the outcomes of which one can be drawn by itself
        single: the rates of that one, where it is
        sides: two groups, where those are drawn; None where there are no two
        groups: the groups to choose from, by what tells them; empty where nothing does
        of_groups: the database's queries of the two groups
    """

    dataset: str
    table: Table
    factors: tuple[str, ...]
    where: tuple[str, ...] = ()
    within: str = ""
    trail: tuple[Step, ...] = ()
    fitted: str = ""
    layout: str = "map"
    modes: tuple[str, ...] = ()
    single: Table | None = None
    sides: SideBySide | None = None
    groups: Mapping[str, tuple[Any, ...]] | None = None
    of_groups: tuple[str, ...] = ()

    @property
    def drawn(self) -> Table:
        """The table whose cells can be clicked."""
        return self.table if self.single is None else self.single


def texts(given: Any) -> list[str]:
    """Returns the texts of a list; the App's state may hold anything."""
    return [each for each in given if isinstance(each, str)] if isinstance(given, (list, tuple)) else []


def read(view: Any, choices: Mapping[str, Any], kept: Kept | None) -> Reading[Content] | Notice:
    """Reads what is drawn, see ``Panel.read``."""
    from loupe.brain.store import choices as store_choices
    from loupe.brain.store import columns

    if kept is None and not columns.any_checked(view):
        return Notice("Nothing here has been checked yet. Check the images to see what fails, and where.", "check")
    steps, within = _within(view, choices)
    offered = store_choices.factors(view) if kept is None else kept.offered
    left = [name for name in offered if name not in {step.factor.name for step in steps}]
    # without a factor there is a row of all samples, and that may be what is wanted
    name = choices["factor"]
    if not isinstance(name, str) or (name and name not in left):
        name = next(iter(left), "")
    group_by = _group_by(choices, [other for other in left if other != name])
    if kept is None or (kept.name, kept.steps, kept.group_by) != (name, steps, group_by):
        narrowed = view.match(within) if within else view
        by = [offered[each] for each in (name, group_by) if each]
        kept = Kept(offered, name, steps, group_by, columns.read(narrowed, by))
    if not kept.values.judged():
        return _nothing_judged(steps)
    content = _content(view, choices, kept, within, tuple(left))
    decided: dict[str, Any] = {"factor": name, "trail": [step.to_dict() for step in steps]}
    return Reading(content, decided={**decided, "group_by": group_by} if group_by else decided, kept=kept)


def _within(view: Any, choices: Mapping[str, Any]) -> tuple[tuple[Step, ...], dict[str, Any]]:
    """Returns the trail as far as it can be followed, and the query of its samples; empty: all."""
    from loupe.brain.core.errors import LoupeError
    from loupe.brain.store import trail

    steps = trail.steps_of(choices["trail"])
    while steps:
        try:
            queries = trail.queries(view, steps)
        except LoupeError:  # a field that was deleted meanwhile
            steps = steps[:-1]
            continue
        query = {"$and": queries}
        if len(view.match(query).limit(1)):
            return steps, query
        steps = steps[:-1]
    return (), {}


def _group_by(choices: Mapping[str, Any], names: list[str]) -> str:
    """Returns what two groups are told by; empty where they are not drawn, or nothing tells them."""
    if choices["layout"] != "sides":
        return ""
    wanted = choices["group_by"]
    if isinstance(wanted, str) and wanted in names:
        return wanted
    return next((name for name in names if "model" in name), next(iter(names), ""))


def _nothing_judged(steps: tuple[Step, ...]) -> Notice:
    text = "The checks could judge none of these images, or their scores were not flagged yet."
    return Notice(f"{text} Press 'Back' to leave {steps[-1].value}.", "back") if steps else Notice(text, "flag")


def _content(
    view: Any, choices: Mapping[str, Any], kept: Kept, within: dict[str, Any], left: tuple[str, ...]
) -> Content:
    from loupe.brain.core.taxonomy import ANY
    from loupe.brain.slicing import families
    from loupe.brain.slicing.outcomes import State, any_of
    from loupe.brain.slicing.table import tabulate
    from loupe.brain.store import choices as store_choices
    from loupe.brain.store import runs

    values, name = kept.values, kept.name
    judged = values.judged()
    column = values.factors[name] if name else [None] * len(next(iter(judged.values())))
    states, shown = judged, None
    if choices["families"]:
        states, shown = families.fold(judged, texts(choices["unfolded"]), every_mode=choices["every_mode"])
    table = tabulate(name, column, states, every_mode=choices["every_mode"], max_modes=MAX_MODES, columns=shown)
    layout = choices["layout"] if choices["layout"] in LAYOUTS else "map"
    single = sides = groups = None
    of_groups: tuple[str, ...] = ()
    failing = [mode for mode, state in judged.items() if (state == State.FAILED).any()] or list(judged)
    modes = (ANY, *failing)
    if layout in ("bars", "sides"):
        mode = choices["mode"] if choices["mode"] in modes else ANY
        state = any_of(judged.values()) if mode == ANY else judged[mode]
        single = tabulate(name, column, {mode: state}, columns=[mode])
    if layout == "sides" and single is not None:
        sides, groups = _sides(choices, kept, left, single, state)
        if sides is not None:
            factor = next(factor for factor in values.by if factor.name == kept.group_by)
            of_groups = tuple(map(json.dumps, store_choices.queries(view, factor, [sides.a, sides.b])))
    drawn = table if single is None else single
    fitted = values.by[0] if name else None
    queries = store_choices.queries(view, fitted, drawn.values) if fitted is not None else []
    if within:
        queries = [{"$and": [within, query]} for query in queries]
    return Content(
        runs.root(view).name,
        table,
        left,
        where=tuple(map(json.dumps, queries)),
        within=json.dumps(within) if within else "",
        trail=kept.steps,
        fitted=json.dumps(fitted.to_dict()) if fitted is not None else "",
        layout=layout,
        modes=modes,
        single=single,
        sides=sides,
        groups=groups,
        of_groups=of_groups,
    )


def _sides(
    choices: Mapping[str, Any], kept: Kept, left: tuple[str, ...], single: Table, state: np.ndarray
) -> tuple[SideBySide | None, dict[str, tuple[Any, ...]]]:
    """Returns two groups side by side, and what there is to choose from."""
    from loupe.brain.slicing.columns import shown
    from loupe.brain.slicing.side_by_side import side_by_side

    groups: dict[str, tuple[Any, ...]] = {name: () for name in left if name != kept.name}
    if not kept.group_by:
        return None, groups
    column = kept.values.factors[kept.group_by]
    frequent = sorted(range(len(column.values)), key=lambda at: -int(column.counts()[at]))[:_MAX_GROUPS]
    values = tuple(column.values[at] for at in sorted(frequent))
    groups[kept.group_by] = values
    if len(values) < 2:
        return None, groups
    named = {shown(value): value for value in values}
    # the two most frequent ones, unless others are chosen
    first, second = (column.values[at] for at in sorted(frequent[:2]))
    a, b = (named.get(str(choices[name]), default) for name, default in (("first", first), ("second", second)))
    if a == b:
        b = next(value for value in values if value != a)
    factor = (kept.name, kept.values.factors[kept.name] if kept.name else None)
    (mode,) = single.modes
    return side_by_side(state, mode, factor, single.values, (kept.group_by, column), a, b), groups
