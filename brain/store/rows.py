"""Views become rows, with what has already been judged left out."""

from __future__ import annotations

import math
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, overload

import fiftyone as fo
import numpy as np
from fiftyone.core.odm import BaseEmbeddedDocument

from loupe.brain.core.errors import NoSamples, NotReadNow, UnknownName
from loupe.brain.core.hashes import json_hash
from loupe.brain.core.records import Box
from loupe.brain.core.specs import Spec
from loupe.brain.engine.reader import Row
from loupe.brain.imaging.files import PASSING, not_now, printable
from loupe.brain.media import fetching
from loupe.brain.store import bulk, plain
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import require_images
from loupe.brain.store.fields import CHECKED
from loupe.brain.store.raw import Irregular

__all__ = ["CHECKED"]


def require_samples(samples: fo.Dataset | fo.DatasetView) -> None:
    """Raises an error unless there is at least one sample.

    Raises:
        NoSamples: there is none
    """
    # a dataset's len() is an estimate, and 0 after mongod was killed; a view's is counted
    if not len(samples.limit(1)):
        raise NoSamples("expected at least one sample, got an empty view: clear its filters, or add samples first")


class Rows(Sequence[Row]):
    """Rows that are made as they are asked for: a million that wait for twenty checks would take 5 GB.

    Args:
        keys: the key of each spec, by its name: what to remember of a sample is that and its inputs
    """

    def __init__(self, keys: Mapping[str, str]) -> None:
        self._keys = dict(keys)
        self._ids: list[str] = []
        self._paths: list[str] = []
        self._inputs: list[bytes] = []
        self._pending: list[frozenset[str]] = []
        self._fields: dict[str, list[Any]] = {}
        self._sets: dict[frozenset[str], frozenset[str]] = {}

    def add(self, sample_id: str, path: str, inputs: str, pending: frozenset[str], fields: Mapping[str, Any]) -> None:
        """Puts one behind the others; the names of the fields are those of the first one."""
        self._ids.append(sample_id)
        self._paths.append(path)
        self._inputs.append(bytes.fromhex(inputs))
        self._pending.append(self._sets.setdefault(pending, pending))
        for name, value in fields.items():
            self._fields.setdefault(name, []).append(value)

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        inputs = self._inputs[index].hex()
        return Row(
            self._ids[index],
            self._paths[index],
            {name: values[index] for name, values in self._fields.items()},
            self._pending[index],
            {name: f"{key}:{inputs}" for name, key in self._keys.items()},
        )


#: for some samples their ids, their paths, a column for each field, and one for each spec: what is remembered of it
_Part = tuple[Sequence[str], Sequence[str], Sequence[Sequence[Any]], Sequence[Sequence[Any]]]


def pending_rows(
    samples: fo.Dataset | fo.DatasetView, specs: Sequence[Spec], *, needs: Sequence[str] = (), resume: bool = True
) -> tuple[Sequence[Row], int]:
    """Returns the rows that some spec has still to judge, and how many samples were left out because none has.

    A sample's key covers the spec with its parameters, the needed fields, and the file's size and time of change:
    whatever of it changes, the sample is judged again.
    """
    require_images(samples)
    present = [name for name in needs if samples.has_field(name)]
    absent = dict.fromkeys(set(needs) - set(present))
    keys = {spec.name: spec.key for spec in specs}
    judged = list(keys) if resume and samples.has_field(CHECKED) else []
    for read in (_in_bulk, _by_values):
        rows, skipped = Rows(keys), 0
        with suppress(Irregular):
            for part in read(samples, present, judged):
                skipped += _add(rows, part, present, absent, keys, judged)
            break  # all of them could be read this way
    return rows, skipped


def _add(
    rows: Rows,
    part: _Part,
    present: Sequence[str],
    absent: Mapping[str, None],
    keys: Mapping[str, str],
    judged: Sequence[str],
) -> int:
    """Adds the samples of which some spec has still to judge, and returns how many others there are."""
    skipped = 0
    ids, paths, columns, done = part
    fetching.ask(paths)
    for at, (sample_id, path) in enumerate(zip(ids, paths, strict=True)):
        fields = {**absent, **{name: _plain(values[at]) for name, values in zip(present, columns, strict=True)}}
        inputs = inputs_key(path, fields)
        known = {name: values[at] for name, values in zip(judged, done, strict=True)}
        pending = frozenset(name for name, key in keys.items() if known.get(name) != f"{key}:{inputs}")
        if pending:
            rows.add(sample_id, path, inputs, pending, fields)
        else:
            skipped += 1
    return skipped


def _in_bulk(samples: fo.Dataset | fo.DatasetView, needs: Sequence[str], judged: Sequence[str]) -> Iterator[_Part]:
    """Yields the samples some thousands at a time, so that what was remembered of a million is never held.

    Raises:
        Irregular: the samples hold what cannot be read this way
    """
    if not plain.are_plain(samples, needs):
        raise Irregular("fields that FiftyOne makes something else of")
    remembered = [f"{CHECKED}.{name}" for name in judged]
    for batch, stands in bulk.batches(samples, [plain.ID, "filepath", *needs, *remembered]):
        columns = {path: batch.objects(values) for path, values in stands.items()}
        yield (
            columns[plain.ID],
            columns["filepath"],
            [columns[name] for name in needs],
            [columns[path] for path in remembered],
        )


def _by_values(samples: fo.Dataset | fo.DatasetView, needs: Sequence[str], judged: Sequence[str]) -> Iterator[_Part]:
    """Yields all samples at once, whatever they hold."""
    with database_errors():
        ids, paths, *columns = samples.values(["id", "filepath", *needs])
        checked = samples.values(CHECKED) if judged else []
    yield ids, paths, columns, [[(own or {}).get(name) for own in checked] for name in judged]


def rows_of(samples: fo.Dataset | fo.DatasetView, name: str, key: str) -> Rows:
    """Returns a row for each sample, all of which wait for one spec.

    Args:
        samples: a dataset or view
        name: of the spec
        key: of the spec
    """
    rows, pending = Rows({name: key}), frozenset({name})
    (ids, paths), _ = plain.read(samples, [plain.ID, "filepath"])
    fetching.ask(paths)
    for sample_id, path in zip(ids, paths, strict=True):
        rows.add(sample_id, path, inputs_key(path, {}), pending, {})
    return rows


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

    Of a file that lies elsewhere it is what its store says of its version, see ``loupe.brain.media.fetching.ask``. Of
    one that a disk or a network keeps from being looked at now it is what no later key equals: whatever is made of it
    meanwhile counts as made of another file.
    """
    try:
        return known_key(path, fields)
    except NotReadNow:
        return secrets.token_hex(6)


def known_key(path: str, fields: dict[str, Any]) -> str:
    """Returns the same where it is to name what is made of the file, and may be no other one later.

    Raises:
        NotReadNow: a disk or a network keeps the file from being looked at now
    """
    file = fetching.version(path)
    if file is None:
        try:
            status = os.stat(path)
            file = [status.st_size, status.st_mtime_ns]
        # no file, or a name that none can have; the reader says which
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno in PASSING:
                raise not_now(printable(path), error) from error
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
