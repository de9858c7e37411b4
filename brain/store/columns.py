"""Reads what rates are made of, in bulk, and turns a cell of rates back into the view of its samples."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar

import fiftyone as fo
import numpy as np
from bson import json_util
from fiftyone.core.collections import SampleCollection
from fiftyone.core.expressions import ViewExpression

from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.core.hashes import hex_hash
from loupe.brain.slicing.columns import Column
from loupe.brain.slicing.factors import Factor, factors_of
from loupe.brain.slicing.outcomes import Fact, Outcome, State, states_of
from loupe.brain.store import bulk, narrowing, plain
from loupe.brain.store import outcomes as store_outcomes
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import count
from loupe.brain.store.factors import place
from loupe.brain.store.fields import mirrors
from loupe.brain.store.narrowing import Narrowing
from loupe.brain.store.raw import Irregular
from loupe.brain.store.rows import CHECKED
from loupe.brain.store.runs import root
from loupe.brain.store.spread import spread

_SLICEABLE = (fo.StringField, fo.BooleanField, fo.IntField)
_FEW = 30
#: outcomes up to which the database is asked for each one's answers
_FEW_MODES = 3


@dataclass(frozen=True)
class Columns:
    """What is known of N samples.

    Attributes:
        by: the factors, products taken apart, with the edges of their bins
        factors: the column of each, by its name
        states: for each failure mode or other outcome a (N,) int8 array of ``State``
    """

    by: tuple[Factor, ...]
    factors: Mapping[str, Column]
    states: Mapping[str, np.ndarray]

    def judged(self) -> dict[str, np.ndarray]:
        """Returns the states of the outcomes that at least one sample was judged for."""
        return {name: state for name, state in self.states.items() if (state >= State.PASSED).any()}


def read(
    view: SampleCollection,
    by: str | Factor | Iterable[str | Factor] = (),
    failures: Sequence[str] | None = None,
    outcome: Outcome | None = None,
) -> Columns:
    """Returns the columns of a view, in one pass over the database.

    Args:
        view: a dataset or view of N samples
        by: the field paths and factors to slice by
        failures: the failure modes; None for all that something registered can flag
        outcome: what else is counted, and no failure modes then

    Raises:
        UnknownName: no such field or failure mode
        InputError: a field that cannot be sliced by
    """
    outcomes = store_outcomes.of_failures(failures) if outcome is None else [outcome]
    wanted = [(factor, place(view, factor)) for factor in factors_of(by)]
    paths = store_outcomes.reads(outcomes, view)
    if outcome is not None:
        for fact in outcome.facts.values():
            if fact.path not in paths:
                raise UnknownName("field", fact.path, view.get_field_schema(flat=True))

    facts, values = _read(view, outcomes, paths, [own.read for _, own in wanted])
    factors, columns = [], {}
    for (factor, own), column in zip(wanted, values, strict=True):
        items = own.values(column)
        fitted = factor.of_kind(own.kind).fitted(items)
        factors.append(fitted)
        columns[factor.name] = fitted.column(items)
    return Columns(tuple(factors), columns, states_of(outcomes, facts.columns, facts.n, facts.answers))


@dataclass(frozen=True)
class _Facts:
    """What outcomes are decided by: N samples' columns by path, and answers that the database gave."""

    n: int
    columns: Mapping[str, Sequence[Any]]
    answers: Mapping[Fact, np.ndarray]


def _read(
    view: SampleCollection, outcomes: Sequence[Outcome], paths: Mapping[str, str], factors: Sequence[Any]
) -> tuple[_Facts, list[Sequence[Any]]]:
    """Returns what outcomes are decided by, and what is read for each factor.

    All in one pass, so that nothing that is written meanwhile comes between them.

    Args:
        view: a dataset or view
        outcomes: whose facts these are
        paths: for the path of each fact the path that is read for it
        factors: what ``values`` takes
    """
    facts = {fact for outcome in outcomes for fact in outcome.facts.values() if fact.path in paths}
    if not (facts or factors):
        return _Facts(count(view), {}, {}), []
    with suppress(Irregular):
        return _read_in_bulk(view, facts, factors)
    if not plain.are_plain(view, factors):
        names = list(dict.fromkeys(paths.values()))
        with database_errors():
            values = view.values([*names, *factors])
        read = dict(zip(names, values, strict=False))
        columns = {path: read[name] for path, name in paths.items()}
        return _Facts(len(values[0]), columns, {}), values[len(names) :]

    n_modes = sum(len(outcome.leaves()) for outcome in outcomes)
    # of a few outcomes the database gives the answers; of many, lists of labels are less to send
    answered = {fact: store_outcomes.expression(fact) for fact in facts if fact.test == "key" or n_modes <= _FEW_MODES}
    asked = {fact: expression for fact, expression in answered.items() if expression}
    rest = facts - asked.keys()
    scores = sorted({fact.path for fact in rest if fact.test == "number"})
    others = sorted({fact.path for fact in rest} - set(scores))
    columns_read, table = plain.read(
        view, [*(paths[path] for path in others), *factors], [*(paths[path] for path in scores), *asked.values()]
    )
    columns = dict(zip([*others, *scores], [*columns_read[: len(others)], *table.T[: len(scores)]], strict=True))
    answers = dict(zip(asked, table.T[len(scores) :] == 1, strict=True))
    return _Facts(len(table), columns, answers), [*columns_read[len(others) :]]


def _read_in_bulk(
    view: SampleCollection, facts: Collection[Fact], factors: Sequence[Any]
) -> tuple[_Facts, list[Sequence[Any]]]:
    """Returns the same as ``_read``, several times as fast.

    Raises:
        Irregular: the samples hold what cannot be read this way
    """
    computed = [each.to_mongo() if isinstance(each, ViewExpression) else each for each in factors]
    if not plain.are_plain(view, [each for each in computed if isinstance(each, str) and each != plain.ID]):
        raise Irregular("fields that FiftyOne makes something else of")
    answers = bulk.read(view, {fact: fact.path for fact in facts}, computed)
    return _Facts(answers.n, {}, answers.facts), [*answers.values]


@dataclass(frozen=True)
class Cell(Narrowing):
    """Samples that share factor values (None: missing) and are in the same state of a failure mode.

    Attributes:
        values: by factor name
        failure: the failure mode
        state: its state
        where: the database's query of the values, as ``choices.queries`` gives it; None where the factors are paths of
            fields that hold just these values
    """

    values: Mapping[str, Any]
    failure: str
    state: State
    where: Mapping[str, Any] | None = None

    tag: ClassVar[str] = "cell"

    def query(self) -> dict[str, Any]:
        """Returns the database's query for them.

        Raises:
            UnknownName: no such failure mode
        """
        (outcome,) = store_outcomes.of_failures([self.failure])
        own: list[Mapping[str, Any]] = [{path: {"$eq": value}} for path, value in self.values.items()]
        if self.where is not None:
            own = [self.where]
        return {"$and": [*own, store_outcomes.query(outcome, self.state)]}

    def facts(self) -> Any:
        facts = [dict(self.values), self.failure, self.state.name.lower()]
        return facts if self.where is None else [*facts, dict(self.where)]

    @classmethod
    def from_facts(cls, facts: Any) -> Cell:
        values, failure, state, *where = facts
        if where and not (len(where) == 1 and isinstance(where[0], dict)):
            raise ValueError("expected one query")
        return cls(values, failure, State[state.upper()], *where)


def narrow(view: SampleCollection, cell: Cell) -> fo.DatasetView:
    """Returns the samples of a view that are in a cell: exactly those that ``read`` counts.

    Raises:
        UnknownName: no such failure mode
    """
    return narrowing.narrow(view, cell)


def widen(view: SampleCollection) -> tuple[SampleCollection, Cell | None]:
    """Returns the view as it was before ``narrow``, and the cell; the view itself and None where there is no cell."""
    return narrowing.widen(view, Cell)


def fingerprint(view: SampleCollection) -> str:
    """Returns what changes when the dataset or a stage of the view does: 16 digits, however long the view is."""
    stages = json_util.dumps(view.view()._serialize(include_uuids=False), sort_keys=True)
    return hex_hash(f"{root(view).name}\n{stages}", 8)


def any_checked(view: SampleCollection) -> bool:
    """Returns whether any check has looked at any sample of a view."""
    return view.has_field(CHECKED) and bool(len(view.match({CHECKED: {"$nin": [None, {}]}}).limit(1)))


def factors(view: SampleCollection, some: SampleCollection | None = None) -> list[str]:
    """Returns the field paths that are worth slicing by: ``scenario.*`` first, then other fields with few values.

    Only some samples are looked at, so that it takes milliseconds.

    Args:
        view: a dataset or view
        some: the samples of it that are looked at, where they are known: those of ``spread``
    """
    # what mirrors the objects of a field of labels is none, either
    no_factors = _NOT_FACTORS | mirrors(view.get_field_schema(flat=True))
    candidates = [path for path in sliceable(view) if path.split(".")[0] not in no_factors]
    if not candidates:
        return []
    columns = dict(zip(candidates, (spread(view) if some is None else some).values(candidates), strict=True))
    scenario: list[str] = []
    long: list[str] = []
    others: list[str] = []
    for path, column in columns.items():
        if any(isinstance(value, list) for value in column):
            continue
        n = len({value for value in column if value is not None})
        if path.startswith("scenario."):
            (scenario if n <= _FEW else long).append(path)
        elif 2 <= n <= _FEW:
            others.append(path)
    return [*scenario, *others, *long]


_NOT_FACTORS = {
    *("id", "filepath", "prompt", "checked", "failures", "unknown", "quality", "text", "metadata", "tags"),
    *("deduplicated", "rebalance"),
}
#: which draw of ``rebalance`` a sample is: no two share it
DRAW = "scenario.rebalance_draw"


def sliceable(view: SampleCollection) -> list[str]:
    """Returns the paths of a view's fields that hold strings, bools or ints, and say more than which sample it is."""
    schema = view.get_field_schema(flat=True)
    return [path for path, field in schema.items() if isinstance(field, _SLICEABLE) and path != DRAW]


def require_single(path: str, values: Sequence[Any]) -> None:
    """Raises an error where a field holds lists.

    Raises:
        InputError: it does
    """
    if any(isinstance(value, list) for value in values):
        raise InputError(f"cannot slice by {path!r}: it holds lists; slice by a field with one value for each sample")


def require_sliceable(view: SampleCollection, path: str) -> None:
    """Raises an error unless there is such a field, and it holds strings, bools or ints.

    Raises:
        UnknownName: no such field; the nearest name is suggested
        InputError: a field of another kind
    """
    field = view.get_field(path) if view.has_field(path) else None
    if field is None:
        raise UnknownName("field", path, sliceable(view))
    if not isinstance(field, _SLICEABLE):
        raise InputError(
            f"cannot slice by {path!r}, a {type(field).__name__}: slice by a field of strings, bools or ints with one "
            "value for each sample"
        )
