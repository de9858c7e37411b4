"""What set measures leave on samples: quality fields, groups, and why some could not be judged; and splits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import fiftyone as fo
import numpy as np
from bson import ObjectId
from pymongo import UpdateOne

from loupe.brain.errors import InputError
from loupe.brain.reader import Row
from loupe.brain.specs import SetMeasure
from loupe.brain.store import rows as store_rows
from loupe.brain.store import scores as store_scores
from loupe.brain.store.columns import require_single, require_sliceable
from loupe.brain.store.connection import database_errors
from loupe.brain.store.rows import CHECKED
from loupe.brain.store.runs import root

#: the sample field that duplicates share: the id of their group's representative
GROUP = "duplicate_group"
_CHUNK = 1000

_Samples: TypeAlias = fo.Dataset | fo.DatasetView


def rows(samples: _Samples, spec: SetMeasure) -> list[Row]:
    """Returns a row for each sample. All of them: a new sample can be a duplicate of any old one.

    Raises:
        NoSamples: the view is empty
    """
    store_rows.require_images(samples)
    with database_errors():
        ids, paths = samples.values(["id", "filepath"])
    return [
        Row(sample_id, path, {}, frozenset({spec.name}), {spec.name: f"{spec.key}:{store_rows.inputs_key(path, {})}"})
        for sample_id, path in zip(ids, paths, strict=True)
    ]


def write(
    samples: _Samples,
    spec: SetMeasure,
    found: Sequence[Row],
    columns: Mapping[str, np.ndarray],
    reasons: Mapping[str, str],
    groups: Mapping[str, str] | None = None,
) -> None:
    """Writes the result of a whole set, in bulks of a thousand.

    Args:
        samples: a dataset or view
        spec: the set measure
        found: the N samples
        columns: (N,) scores by output name, NaN as unknown
        reasons: why a sample could not be judged, by its id
        groups: the group of duplicates by sample id, where there are groups; a sample without one loses an older one
    """
    dataset = root(samples)
    store_scores.declare(samples, [output for output in spec.outputs if output.name in columns])
    with database_errors():
        if groups is not None and not dataset.has_field(GROUP):
            dataset.add_sample_field(GROUP, fo.StringField, description="Duplicates of each other share it")
        for start in range(0, len(found), _CHUNK):
            part = found[start : start + _CHUNK]
            unknown = store_scores.unknown_after(samples, spec.name, {row.id: reasons.get(row.id) for row in part})
            operations = []
            for index, row in enumerate(part, start):
                values: dict[str, Any] = {
                    f"{store_scores.QUALITY}._cls": "DynamicEmbeddedDocument",
                    f"{CHECKED}.{spec.name}": row.keys[spec.name],
                    store_scores.UNKNOWN: unknown[row.id],
                }
                if groups is not None:
                    values[GROUP] = groups.get(row.id)
                for output, scores in columns.items():
                    score = float(scores[index])
                    values[f"{store_scores.QUALITY}.{output}"] = None if math.isnan(score) else score
                operations.append(UpdateOne({"_id": ObjectId(row.id)}, {"$set": values}))
            dataset._bulk_write(operations, ids=[row.id for row in part])


def splits_of(samples: _Samples, splits: str | Sequence[str]) -> dict[str, str]:
    """Returns the split of each sample by its id; a sample that is in none is left out.

    Args:
        samples: a dataset or view
        splits: a field path with the split's name on each sample, or at least two sample tags

    Raises:
        UnknownName: no such field
        InputError: a field of another kind, a sample with two of the tags, or fewer than two splits
    """
    with database_errors():
        if isinstance(splits, str):
            require_sliceable(samples, splits)
            ids, values = samples.values(["id", splits])
            require_single(splits, values)
            names = [None if value is None else str(value) for value in values]
        else:
            ids, tags = samples.values(["id", "tags"])
            names = _split_by_tags(tags, list(splits))
    found = {sample_id: name for sample_id, name in zip(ids, names, strict=True) if name is not None}
    there = sorted(set(found.values()))
    if len(there) < 2:
        raise InputError(f"expected at least two splits on these samples, got {', '.join(there) or 'none'}")
    return found


def _split_by_tags(tags: Sequence[Sequence[str] | None], splits: Sequence[str]) -> list[str | None]:
    found = []
    for own in tags:
        named = [name for name in splits if name in (own or ())]
        if len(named) > 1:
            raise InputError(f"expected each sample in one split, got one with the tags {' and '.join(named)}")
        found.append(named[0] if named else None)
    return found
