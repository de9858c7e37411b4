"""Fields of strings, bools and numbers, read without FiftyOne's documents: several times as fast as ``values``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import fiftyone as fo
import numpy as np
from fiftyone.core.collections import SampleCollection

from loupe.brain.store import bulk
from loupe.brain.store.connection import database_errors
from loupe.brain.store.raw import Irregular

#: what the database holds of these fields is what ``values`` gives
_PLAIN = (fo.StringField, fo.BooleanField, fo.IntField, fo.FloatField)
ID = "id"


def are_plain(samples: SampleCollection, paths: Iterable[Any]) -> bool:
    """Returns whether all of these are paths of fields of strings, bools or numbers, or of lists of them."""
    return all(isinstance(path, str) and isinstance(_innermost(samples, path), _PLAIN) for path in paths)


def _innermost(samples: SampleCollection, path: str) -> Any:
    field = samples.get_field(path)
    while isinstance(field, fo.ListField):
        field = field.field
    return field


def read(
    samples: SampleCollection, paths: Sequence[str | Mapping[str, Any]], numbers: Sequence[str | Mapping[str, Any]] = ()
) -> tuple[list[list[Any]], np.ndarray]:
    """Returns the columns of some paths in sample order, in one pass over the database.

    Args:
        samples: a dataset or view of N samples
        paths: of plain fields, of dicts, or "id", or expressions of the database; below a list a path gives a list
        numbers: paths of fields that hold numbers, or expressions of those, or of truth, which is 1 or 0

    Returns:
        columns: for each path N values, None where there is none
        numbers: (N, K) float64, NaN where there is no number
    """
    names = [*paths, *numbers]
    if all(isinstance(path, str) for path in names):
        with suppress(Irregular):
            read_at_once = bulk.read(samples, {}, paths, [str(path) for path in numbers])
            return read_at_once.values, read_at_once.numbers
    project = {"values": [_at(path) for path in paths], "numbers": [_at(path) for path in numbers]}
    with database_errors():
        rows = list(samples._aggregate(pipeline=[{"$project": {"_id": False, **project}}]))
    columns = [list(column) for column in zip(*(row["values"] for row in rows), strict=True)]
    for at, path in enumerate(paths if columns else ()):
        if path == ID:
            columns[at] = [str(value) for value in columns[at]]
    return columns or [[] for _ in paths], _numbers([row["numbers"] for row in rows], len(numbers))


def elements(path: str, names: Sequence[str]) -> dict[str, Any]:
    """Returns the expression of a list of documents as lists of some of their fields; None where there is no list."""
    return {"$map": {"input": f"${path}", "in": [f"$$this.{name}" for name in names]}}


def _at(path: str | Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(path, str):
        return dict(path)
    # what is missing would be left out of an array by an expression that cannot be null
    return {"$ifNull": ["$_id" if path == ID else f"${path}", None]}


def _numbers(rows: list[list[Any]], width: int) -> np.ndarray:
    try:
        # None becomes NaN
        return np.array(rows, dtype=np.float64).reshape(len(rows), width)
    except (TypeError, ValueError):
        # a field of the user's own that holds something else
        kept = [[value if isinstance(value, (int, float)) else np.nan for value in row] for row in rows]
        return np.array(kept, dtype=np.float64).reshape(len(rows), width)
