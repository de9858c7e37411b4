"""What is kept of each picture to compare it with others, so that its file need not be read again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import fiftyone as fo

from loupe.brain.engine.reader import Row
from loupe.brain.similarity.fingerprints import Fingerprint
from loupe.brain.store import fields, updates
from loupe.brain.store import rows as store_rows
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import root
from loupe.brain.store.fields import CHECKED
from loupe.brain.store.fields import FINGERPRINT as FIELD

__all__ = ["FIELD"]

_Samples: TypeAlias = fo.Dataset | fo.DatasetView


def _key(row: Row) -> str:
    return f"{Fingerprint.VERSION}:{store_rows.inputs_key(row.path, {})}"


def load(samples: _Samples, rows: Sequence[Row]) -> dict[str, Fingerprint]:
    """Returns the fingerprints that stand on the samples and whose files have not changed since, by sample id.

    Declares the fields, too, so that ``write`` need not at every chunk.
    """
    new = not root(samples).has_field(FIELD)
    fields.declare(samples, fields.of_fingerprints())
    if new:
        return {}
    wanted = {row.id: row for row in rows}
    with database_errors():
        ids, checked = samples.values(["id", CHECKED])
        current = [
            sample_id
            for sample_id, keys in zip(ids, checked, strict=True)
            if sample_id in wanted and (keys or {}).get(FIELD) == _key(wanted[sample_id])
        ]
        view = samples if len(current) == len(ids) else samples.select(current)
        ids, packed = view.values(["id", FIELD]) if current else ([], [])
    return {
        sample_id: Fingerprint.unpack(array) for sample_id, array in zip(ids, packed, strict=True) if array is not None
    }


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
