"""Reads what rates are made of, in bulk, and turns a cell of rates back into the view of its samples."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import fiftyone as fo
import numpy as np
from bson import json_util
from fiftyone.core.collections import SampleCollection

from loupe.brain.core import registry
from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.slicing.rates import State
from loupe.brain.store.connection import database_errors
from loupe.brain.store.rows import CHECKED
from loupe.brain.store.runs import root
from loupe.brain.store.scores import FAILURES, QUALITY

_LABELS = f"{FAILURES}.classifications.label"
_SLICEABLE = (fo.StringField, fo.BooleanField, fo.IntField)
_COMMENT = "loupe cell: "
_FEW = 30
_LOOK_AT = 500


@dataclass(frozen=True)
class Columns:
    """What is known of N samples.

    Attributes:
        factors: for each field path N values: strings, bools, ints or None
        states: for each failure mode a (N,) int8 array of ``State``
    """

    factors: Mapping[str, list[Any]]
    states: Mapping[str, np.ndarray]

    def judged(self) -> dict[str, np.ndarray]:
        """Returns the states of the failure modes that at least one sample was judged for."""
        return {name: state for name, state in self.states.items() if (state >= State.PASSED).any()}


def read(view: SampleCollection, by: Sequence[str] = (), failures: Sequence[str] | None = None) -> Columns:
    """Returns the columns of a view, in one pass over the database.

    Args:
        view: a dataset or view of N samples
        by: the field paths to slice by
        failures: the failure modes; None for all that something registered can flag

    Raises:
        UnknownName: no such field or failure mode
        InputError: a field that cannot be sliced by
    """
    known = registry.failures()
    for name in failures or ():
        if name not in known:
            raise UnknownName("failure mode", name, known)
    for path in by:
        require_sliceable(view, path)
    wanted = {name: known[name] for name in (known if failures is None else failures)}
    scores = {name: f"{QUALITY}.{output.name}" for name, (_, output) in wanted.items()}

    paths = sorted({*by, *scores.values(), CHECKED, _LABELS})
    there = [path for path in paths if view.has_field(path)]
    with database_errors():
        values = dict(zip(there, view.values(there), strict=True)) if there else {}
        n = len(values[there[0]]) if there else view.count()
    for path in by:
        require_single(path, values[path])

    checked = values.get(CHECKED) or [None] * n
    labels = values.get(_LABELS) or [None] * n
    flagged = np.array([label is not None for label in labels], dtype=bool)
    failed = {name: np.zeros(n, dtype=bool) for name in wanted}
    for row, names in enumerate(labels):
        for name in names or ():
            if name in failed:
                failed[name][row] = True
    looked = {
        check: np.array([bool(keys) and check in keys for keys in checked], dtype=bool)
        for check in {check for check, _ in wanted.values()}
    }
    states = {}
    for name, (check, _) in wanted.items():
        column = values.get(scores[name])
        scored = (
            np.zeros(n, dtype=bool) if column is None else np.array([score is not None for score in column], dtype=bool)
        )
        state = np.full(n, State.UNCHECKED, dtype=np.int8)
        state[looked[check] & ~scored] = State.UNKNOWN
        state[scored & flagged] = State.PASSED
        state[scored & failed[name]] = State.FAILED
        states[name] = state
    return Columns({path: list(values[path]) for path in by}, states)


@dataclass(frozen=True)
class Cell:
    """Samples that share factor values (None: missing) and are in the same state of a failure mode."""

    values: Mapping[str, Any]
    failure: str
    state: State

    def query(self) -> dict[str, Any]:
        """Returns the database's query for them; its comment says which cell it is.

        Raises:
            UnknownName: no such failure mode
        """
        known = registry.failures()
        if self.failure not in known:
            raise UnknownName("failure mode", self.failure, known)
        check, output = known[self.failure]
        score, looked = f"{QUALITY}.{output.name}", f"{CHECKED}.{check}"
        # a query for None matches null and missing alike
        conditions: dict[State, list[dict[str, Any]]] = {
            State.FAILED: [{score: {"$ne": None}}, {_LABELS: {"$eq": self.failure}}],
            State.PASSED: [{score: {"$ne": None}}, {_LABELS: {"$ne": self.failure}}, {FAILURES: {"$ne": None}}],
            State.UNKNOWN: [{score: None}, {looked: {"$ne": None}}],
            State.UNCHECKED: [{"$or": [{score: None, looked: None}, {score: {"$ne": None}, FAILURES: None}]}],
        }
        own = [{path: {"$eq": value}} for path, value in self.values.items()]
        name = json.dumps([dict(self.values), self.failure, self.state.name.lower()])
        return {"$comment": _COMMENT + name, "$and": [*own, *conditions[self.state]]}


def narrow(view: SampleCollection, cell: Cell) -> fo.DatasetView:
    """Returns the samples of a view that are in a cell.

    They are matched by their fields in the database, so that it costs the same for ten samples and ten thousand, and
    they are exactly those that ``read`` counts.

    Raises:
        UnknownName: no such failure mode
    """
    return view.match(cell.query())


def widen(view: SampleCollection) -> tuple[SampleCollection, Cell | None]:
    """Returns the view as it was before ``narrow``, and the cell; the view itself and None where there is no cell."""
    stages = getattr(view, "_stages", [])
    for stage in stages:
        cell = _cell_of(stage)
        if cell is not None:
            before = root(view).view()
            for other in stages:
                if other is not stage:
                    before = before.add_stage(other)
            return before, cell
    return view, None


def _cell_of(stage: fo.ViewStage) -> Cell | None:
    if not isinstance(stage, fo.Match) or not isinstance(stage.filter, dict):
        return None
    comment = stage.filter.get("$comment")
    if not isinstance(comment, str) or not comment.startswith(_COMMENT):
        return None
    # a view may come from anyone: what is not just what we would write is a stage like any other
    try:
        values, failure, state = json.loads(comment.removeprefix(_COMMENT))
        cell = Cell(values, failure, State[state.upper()])
        return cell if cell.query() == stage.filter else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def fingerprint(view: SampleCollection) -> str:
    """Returns what changes when the dataset or a stage of the view does: 16 digits, however long the view is."""
    stages = json_util.dumps(view.view()._serialize(include_uuids=False), sort_keys=True)
    return hashlib.blake2b(f"{root(view).name}\n{stages}".encode(), digest_size=8).hexdigest()


def any_checked(view: SampleCollection) -> bool:
    """Returns whether any check has looked at any sample of a view."""
    return view.has_field(CHECKED) and bool(len(view.match({CHECKED: {"$nin": [None, {}]}}).limit(1)))


def factors(view: SampleCollection) -> list[str]:
    """Returns the field paths that are worth slicing by: ``scenario.*`` first, then other fields with few values.

    Only the first samples are looked at, so that it takes milliseconds.
    """
    candidates = [path for path in sliceable(view) if path.split(".")[0] not in _NOT_FACTORS]
    if not candidates:
        return []
    columns = dict(zip(candidates, view.limit(_LOOK_AT).values(candidates), strict=True))
    found = []
    for path, column in columns.items():
        if any(isinstance(value, list) for value in column):
            continue
        n = len({value for value in column if value is not None})
        if path.startswith("scenario."):
            found.append((n > _FEW, path))
        elif 2 <= n <= _FEW:
            found.append((True, path))
    scenario = [path for many, path in found if path.startswith("scenario.") and not many]
    many = [path for many, path in found if path.startswith("scenario.") and many]
    return [*scenario, *(path for _, path in found if not path.startswith("scenario.")), *many]


_NOT_FACTORS = {"id", "filepath", "prompt", "checked", "failures", "unknown", "quality", "text", "metadata", "tags"}


def sliceable(view: SampleCollection) -> list[str]:
    """Returns the paths of a view's fields that hold strings, bools or ints."""
    return [path for path, field in view.get_field_schema(flat=True).items() if isinstance(field, _SLICEABLE)]


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
