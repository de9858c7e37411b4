"""Reads what splits are made by, and writes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import fiftyone as fo
import numpy as np
from scipy import sparse

from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.core.hashes import parts_hash
from loupe.brain.core.splits import Certificate
from loupe.brain.labels.splits import NOWHERE, merged, torn
from loupe.brain.slicing.columns import Column, shown
from loupe.brain.slicing.factors import Factor, factors_of
from loupe.brain.store import columns, fields, updates
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples, require_stored
from loupe.brain.store.fields import GROUP, OwnField
from loupe.brain.store.rows import require_samples

_CHUNK = 5000


def own_field(path: str) -> list[OwnField]:
    """Returns the field that splits are written to; one of that name with values of the user's own is refused."""
    if not path.isidentifier() or path.startswith("_"):
        raise InputError(f"expected a field name made of letters, digits and _, got {path!r}")
    text = "The split that the sample is in"
    return [OwnField(path, fo.StringField, text, proof=f"{path}.made_by_loupe", remedy="give another field=")]


def classes(samples: Samples, by: str | Factor | Iterable[str | Factor]) -> tuple[sparse.csr_matrix, list[str]]:
    """Returns which classes each of N samples has: (N, L), and their names.

    Raises:
        UnknownName, InputError: as for ``loupe.slice``
    """
    made = list(columns.read(samples, by, failures=[]).factors.items())
    parts = [_matrix(column) for _, column in made]
    names = [
        f"{name}={shown(value)}" if len(made) > 1 else shown(value) for name, column in made for value in column.values
    ]
    return sparse.hstack(parts, format="csr"), names


def _matrix(column: Column) -> sparse.csr_matrix:
    ones = np.ones(len(column.samples))
    return sparse.csr_matrix((ones, (column.samples, column.codes)), shape=(column.n, len(column.values)))


def group_fields(samples: Samples, groups: str | Sequence[str] | None) -> tuple[str, ...]:
    """Returns the fields whose groups are kept whole: those given; None: the duplicates, where they are known."""
    if groups is None:
        return (GROUP,) if samples.has_field(GROUP) else ()
    return (groups,) if isinstance(groups, str) else tuple(groups)


def groups(samples: Samples, paths: Sequence[str]) -> np.ndarray:
    """Returns the (N,) int64 groups that no split may part; samples that share a value of any of the fields are joined.

    Raises:
        UnknownName, InputError: as for ``loupe.slice``
    """
    with database_errors():
        n = len(samples.values("id"))
    made = columns.read(samples, [Factor.field(path) for path in paths], failures=[]).factors if paths else {}
    pairs = []
    for column in made.values():
        known = np.array([value is not None for value in column.values], dtype=bool)[column.codes]
        pairs.append((column.samples[known], column.codes[known]))
    return merged(pairs, n)


def times(samples: Samples, path: str) -> np.ndarray:
    """Returns (N,) float64 seconds, or numbers as they are; NaN where a sample has none.

    Raises:
        UnknownName: no such field
        InputError: a field of neither dates, times nor numbers
    """
    field = samples.get_field(path) if samples.has_field(path) else None
    if field is None:
        raise UnknownName("field", path, samples.get_field_schema(flat=True))
    if not isinstance(field, (fo.DateField, fo.DateTimeField, fo.IntField, fo.FloatField)):
        raise InputError(f"expected a field of dates, times or numbers, but {path!r} is a {type(field).__name__}")
    with database_errors():
        return np.array([_seconds(value) for value in samples.values(path)], dtype=np.float64)


def _seconds(value: Any) -> float:
    if value is None:
        return float("nan")
    if isinstance(value, datetime):
        # FiftyOne gives times without a zone, which are UTC
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp()
    return float(value)


def standing(samples: Samples, path: str) -> tuple[np.ndarray, list[str]]:
    """Returns where each of N samples is: (N,) int64, ``NOWHERE`` for none, and the names of the splits.

    Raises:
        UnknownName: no such field
        InputError: a field that holds other things than one text a sample, or fewer than two splits
    """
    (factor,) = factors_of(path)
    column = columns.read(samples, factor, failures=[]).factors[factor.name]
    if len(column.samples) != column.n:
        raise InputError(f"expected one split a sample, but {path!r} holds several on some")
    names = [str(value) for value in column.values if value is not None]
    if len(names) < 2:
        raise InputError(f"expected at least two splits in {path!r}, got {', '.join(names) or 'none'}")
    split = column.codes.copy()
    if None in column.values:
        split[split == column.values.index(None)] = NOWHERE
    return split, names


def certify(samples: Samples, field: str, paths: Sequence[str]) -> Certificate:
    """Returns what is true of the splits that are stored now.

    Raises:
        UnknownName, InputError: as for ``standing`` and ``groups``
    """
    split, names = standing(samples, field)
    own = groups(samples, paths)
    with database_errors():
        ids = samples.values("id")
    inside = split != NOWHERE
    # of a view of the samples in a split, and of the whole dataset, it is the same
    held = sorted((sample_id, at) for sample_id, at in zip(ids, split.tolist(), strict=True) if at != NOWHERE)
    return Certificate(
        field=field,
        groups=tuple(paths),
        n=int(inside.sum()),
        n_groups=len(np.unique(own[inside])),
        torn=len(np.unique(own[inside][torn(split[inside], own[inside])])),
        digest=parts_hash((f"{sample_id} {names[at]}\n" for sample_id, at in held), 8),
    )


def verify_split(samples: Samples, field: str = "split", *, groups: str | Sequence[str] | None = None) -> Certificate:
    """Returns whether no group stands in two splits, from what is stored now; nothing is written.

    Args:
        samples: a dataset or view
        field: where the splits stand; any field of texts
        groups: as for ``split``

    Raises:
        UnknownName: no such field; the nearest name is suggested
        InputError: a field of another kind, or fewer than two splits in it
        NoSamples: the view is empty
    """
    require_stored(samples)
    with database_errors():
        require_samples(samples)
    return certify(samples, field, group_fields(samples, groups))


def write(samples: Samples, field: str, split: np.ndarray, names: Sequence[str]) -> None:
    """Writes the split of each sample, and None where it is in none."""
    fields.declare(samples, own_field(field))
    with database_errors():
        ids = samples.values("id")
        for start in range(0, len(ids), _CHUNK):
            part = ids[start : start + _CHUNK]
            operations = [
                updates.update(sample_id, {field: None if at == NOWHERE else names[at]}, {})
                for sample_id, at in zip(part, split[start : start + _CHUNK].tolist(), strict=True)
            ]
            updates.write(samples, operations, part)
