"""Views become rows, with what has already been judged left out."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any

import fiftyone as fo
import numpy as np
from fiftyone.core.odm import BaseEmbeddedDocument

from loupe.brain.core.errors import NoSamples, UnknownName
from loupe.brain.core.hashes import json_hash
from loupe.brain.core.records import Box
from loupe.brain.core.specs import Spec
from loupe.brain.engine.reader import Row
from loupe.brain.media import fetching
from loupe.brain.store import plain
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import require_images
from loupe.brain.store.fields import CHECKED

__all__ = ["CHECKED"]


def require_samples(samples: fo.Dataset | fo.DatasetView) -> None:
    """Raises an error unless there is at least one sample.

    Raises:
        NoSamples: there is none
    """
    # a dataset's len() is an estimate, and 0 after mongod was killed; a view's is counted
    if not len(samples.limit(1)):
        raise NoSamples("expected at least one sample, got an empty view: clear its filters, or add samples first")


def pending_rows(
    samples: fo.Dataset | fo.DatasetView, specs: Sequence[Spec], *, needs: Sequence[str] = (), resume: bool = True
) -> tuple[list[Row], int]:
    """Returns the rows that some spec has still to judge, and how many samples were left out because none has.

    A sample's key covers the spec with its parameters, the needed fields, and the file's size and time of change:
    whatever of it changes, the sample is judged again.
    """
    require_images(samples)
    present = [name for name in needs if samples.has_field(name)]
    paths = ["id", "filepath", *present]
    with database_errors():
        columns = samples.values(paths)
        done = samples.values(CHECKED) if resume and samples.has_field(CHECKED) else [None] * len(columns[0])
    fetching.ask(columns[1])
    absent = dict.fromkeys(set(needs) - set(present))
    rows = []
    spec_keys = {spec.name: spec.key for spec in specs}
    for sample_id, path, *values, checked in zip(*columns, done, strict=True):
        fields = {**absent, **{name: _plain(value) for name, value in zip(present, values, strict=True)}}
        inputs = inputs_key(path, fields)
        keys = {name: f"{key}:{inputs}" for name, key in spec_keys.items()}
        pending = frozenset(name for name, key in keys.items() if (checked or {}).get(name) != key)
        if pending:
            rows.append(Row(sample_id, path, fields, pending, keys))
    return rows, len(columns[0]) - len(rows)


def _plain(value: Any) -> Any:
    """Returns a field's value without FiftyOne's documents: detections as boxes, other documents as dicts."""
    if isinstance(value, fo.Detections):
        return tuple(_box(detection) for detection in value.detections)
    if isinstance(value, fo.Detection):
        return (_box(value),)
    if isinstance(value, BaseEmbeddedDocument):
        return {name: _plain(value[name]) for name in value.field_names}
    return value


def _box(detection: fo.Detection) -> Box:
    left, top, width, height = detection.bounding_box or (math.nan,) * 4
    return Box(str(detection.label), (left, top, width, height), detection.confidence)


def inputs_key(path: str, fields: dict[str, Any]) -> str:
    """Returns what changes when the file's size or time of change, or one of the fields, does.

    Of a file that lies elsewhere it is what its store says of its version, see ``loupe.brain.media.fetching.ask``.
    """
    file = fetching.version(path)
    if file is None:
        try:
            status = os.stat(path)
            file = [status.st_size, status.st_mtime_ns]
        # no file, or a name that none can have; the reader says which
        except (OSError, ValueError):
            file = []
    return json_hash([file, fields], 6, default=str)


def column(samples: fo.Dataset | fo.DatasetView, path: str) -> np.ndarray:
    """Returns a (N,) float32 array of a number field in sample order, NaN where a sample has none.

    Raises:
        UnknownName: no such field; the nearest name is suggested
    """
    return columns(samples, [path])[path]


def columns(samples: fo.Dataset | fo.DatasetView, paths: Sequence[str]) -> dict[str, np.ndarray]:
    """Returns some number fields, as ``column`` does each, in one pass over the database.

    Raises:
        UnknownName: no such field; the nearest name is suggested
    """
    for path in paths:
        if not samples.has_field(path):
            raise UnknownName("field", path, samples.get_field_schema(flat=True))
    _, table = plain.read(samples, (), paths)
    return {path: table[:, at].astype(np.float32) for at, path in enumerate(paths)} if paths else {}
