"""What duplicates leave on samples: quality fields, the group they belong to, and why some could not be judged."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import fiftyone as fo
import numpy as np
from bson import ObjectId
from pymongo import UpdateOne

from loupe.brain.reader import Row
from loupe.brain.specs import SetMeasure
from loupe.brain.store import rows as store_rows
from loupe.brain.store import scores as store_scores
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
    groups: Mapping[str, str],
    reasons: Mapping[str, str],
) -> None:
    """Writes the result of a whole set, in bulks of a thousand.

    Args:
        samples: a dataset or view
        spec: the set measure
        found: the N samples
        columns: (N,) scores by output name, NaN as unknown
        groups: the group by sample id; a sample without one loses an older one
        reasons: why a sample could not be judged, by its id
    """
    dataset = root(samples)
    store_scores.declare(samples, [output for output in spec.outputs if output.name in columns])
    with database_errors():
        if not dataset.has_field(GROUP):
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
                    GROUP: groups.get(row.id),
                }
                for output, scores in columns.items():
                    score = float(scores[index])
                    values[f"{store_scores.QUALITY}.{output}"] = None if math.isnan(score) else score
                operations.append(UpdateOne({"_id": ObjectId(row.id)}, {"$set": values}))
            dataset._bulk_write(operations, ids=[row.id for row in part])
