"""What is kept of each picture to compare it with others, so that its file need not be read again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import fiftyone as fo

from loupe.brain.engine.reader import Row
from loupe.brain.similarity.fingerprints import Fingerprint
from loupe.brain.store import fields, plain, updates
from loupe.brain.store import rows as store_rows
from loupe.brain.store import vectors as store_vectors
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import root
from loupe.brain.store.fields import CHECKED
from loupe.brain.store.fields import FINGERPRINT as FIELD

__all__ = ["FIELD"]

#: samples that are asked for by their ids at once: a question to MongoDB is no longer than 16 MB
_AT_ONCE = 100_000

_Samples: TypeAlias = fo.Dataset | fo.DatasetView


def _key(row: Row) -> str:
    return f"{Fingerprint.VERSION}:{store_rows.inputs_key(row.path, {})}"


def load(samples: _Samples, rows: Sequence[Row]) -> Iterator[tuple[str, Fingerprint]]:
    """Returns the fingerprints that stand on the samples and whose files have not changed since, each with its id.

    They are read as they are asked for: a million take 4.6 GB. Declares the fields at once, so that ``write`` need not
    at every chunk.
    """
    new = not root(samples).has_field(FIELD)
    fields.declare(samples, fields.of_fingerprints())
    if new:
        return iter(())
    with database_errors():
        (ids, kept), _ = plain.read(samples, [plain.ID, f"{CHECKED}.{FIELD}"])
        known = {sample_id: key for sample_id, key in zip(ids, kept, strict=True) if key is not None}
        current = [row.id for row in rows if row.id in known and known[row.id] == _key(row)]
    return _read(samples, current, some=len(current) < len(ids))


def last(samples: _Samples, ids: Sequence[str]) -> dict[str, Fingerprint]:
    """Returns the fingerprints that stand on some samples, by sample id, whatever has become of their files."""
    if not ids or not root(samples).has_field(FIELD):
        return {}
    with database_errors():
        (held, keys), _ = plain.read(samples.select(list(ids)), [plain.ID, f"{CHECKED}.{FIELD}"])
    start = f"{Fingerprint.VERSION}:"
    return dict(_read(samples, [each for each, key in zip(held, keys, strict=True) if (key or "").startswith(start)]))


def _read(samples: _Samples, ids: Sequence[str], some: bool = True) -> Iterator[tuple[str, Fingerprint]]:
    # a few at a time, where not all are wanted: a list of ids is part of what is asked of the database
    parts: list[list[str] | None]
    parts = [list(ids[start : start + _AT_ONCE]) for start in range(0, len(ids), _AT_ONCE)] if some else [None]
    views = (samples if part is None else samples.select(part) for part in parts)
    return (
        (sample_id, Fingerprint.unpack(packed))
        for view in views
        for sample_id, packed in store_vectors.stream(view, FIELD)
        if packed is not None
    )


def write(samples: _Samples, rows: Sequence[Row], prints: Mapping[str, Fingerprint]) -> None:
    """Writes the fingerprints of one chunk in one bulk, after ``load``. This is the resume point."""
    as_stored = fo.VectorField().to_mongo
    operations = []
    for row in rows:
        print_of = prints.get(row.id)
        values: dict[str, Any] = {
            FIELD: None if print_of is None else as_stored(print_of.pack()),
            f"{CHECKED}.{FIELD}": None if print_of is None else _key(row),
        }
        operations.append(updates.update(row.id, values, {}))
    with database_errors():
        updates.write(samples, operations, [row.id for row in rows])
