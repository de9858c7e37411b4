"""Reads many fields of many samples in one pass, without making a Python value of each: answers, numbers, texts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import fiftyone as fo
import numpy as np
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from fiftyone.core.collections import SampleCollection
from pymongo.errors import AutoReconnect, ServerSelectionTimeoutError

from loupe.brain.slicing.outcomes import Fact
from loupe.brain.store import raw
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import count
from loupe.brain.store.raw import Batch, Irregular, Values

#: so many documents are asked for at once; the database sends at most 16 MB of them
_BATCH = 1_000_000
#: the fields that an expression of the database is put into
_COMPUTED = "loupe_"
_ID = "id"
_RAW = CodecOptions(document_class=RawBSONDocument)


@dataclass(frozen=True)
class Answers:
    """What is known of N samples, in their order.

    Attributes:
        n: how many samples there are
        facts: for each fact a (N,) bool array
        values: for each path or expression asked for N values, or lists of them
        numbers: (N, K) float64: NaN where there is no number
    """

    n: int
    facts: Mapping[Fact, np.ndarray]
    values: list[list[Any]]
    numbers: np.ndarray


def read(
    samples: SampleCollection,
    facts: Mapping[Fact, str],
    values: Sequence[str | Mapping[str, Any]] = (),
    numbers: Sequence[str] = (),
) -> Answers:
    """Returns what is asked of the samples.

    Args:
        samples: a dataset or view of N samples
        facts: the facts, and which path is read for each
        values: paths of plain fields, or "id", or expressions of the database that give a text, a number, or null
        numbers: K paths of fields that hold numbers

    Raises:
        Irregular: the samples hold what cannot be read this way
        DatabaseGone: the database does not answer
    """
    computed = {f"{_COMPUTED}{at}": dict(path) for at, path in enumerate(values) if not isinstance(path, str)}
    own = [path if isinstance(path, str) else f"{_COMPUTED}{at}" for at, path in enumerate(values)]
    asked = {fact: [f"{path}.{key}" for key in fact.values or ()] for fact, path in facts.items() if fact.test == "key"}
    asked |= {fact: [path] for fact, path in facts.items() if fact.test != "key"}
    paths = list(dict.fromkeys(path for listed in [*asked.values(), own, numbers] for path in listed))
    if not paths:
        return Answers(count(samples), {}, [], np.zeros((count(samples), 0)))
    n = 0
    columns: list[list[Any]] = [[] for _ in own]
    answers: dict[Fact, list[np.ndarray]] = {fact: [np.zeros(0, dtype=bool)] for fact in facts}
    table = [np.zeros((0, len(numbers)))]
    for batch, stands in batches(samples, paths, computed):
        n += batch.n
        held: dict[str, _Held] = {}
        for fact, listed in asked.items():
            answers[fact].append(_answer(batch, fact, {path: stands[path] for path in listed}, held))
        for column, path in zip(columns, own, strict=True):
            column += _objects(batch, stands[path])
        singles = [batch.numbers(_single(stands[path])) for path in numbers]
        table.append(np.stack(singles, axis=1) if singles else np.zeros((batch.n, 0)))
    joined = {fact: np.concatenate(parts) for fact, parts in answers.items()}
    return Answers(n, joined, columns, np.concatenate(table))


def batches(
    samples: SampleCollection, paths: Sequence[str], computed: Mapping[str, Any] | None = None
) -> Iterator[tuple[Batch, dict[str, Values]]]:
    """Yields the samples by the batch, and what stands at each path; "id" is the sample's.

    Raises:
        Irregular: the samples hold what cannot be read this way
        DatabaseGone: the database does not answer
    """
    stored = {path: "_id" if path == _ID else path for path in paths}
    for batch in _batches(samples, _projection(samples, list(stored.values())), computed or {}):
        values = batch.read(list(stored.values()))
        yield batch, {path: values[at] for path, at in stored.items()}


def _batches(samples: SampleCollection, projection: Collection[str], computed: Mapping[str, Any]) -> Iterator[Batch]:
    project: dict[str, Any] = {**dict.fromkeys(projection, True), **computed}
    pipeline = samples._pipeline(pipeline=[{"$project": {"_id": "_id" in projection, **project}}])
    collection = samples._dataset._sample_collection
    orders: dict[str, list[bytes]] = {}
    # a driver's cursor makes an object of each document; the reply as it came is one piece
    with database_errors(), collection.database.client.start_session() as session:

        def asked(command: dict[str, Any]) -> bytes:
            return collection.database.command(command, codec_options=_RAW, session=session)["cursor"].raw

        size = {"batchSize": _BATCH}
        start = {"aggregate": collection.name, "pipeline": pipeline, "cursor": size, "allowDiskUse": True}
        try:
            first = asked(start)
        except ServerSelectionTimeoutError:
            raise
        except AutoReconnect:  # as the driver's own cursors do: once more
            first = asked(start)
        batch = Batch(first, "firstBatch", orders)
        try:
            yield batch
            while batch.cursor:
                batch = Batch(
                    asked({"getMore": batch.cursor, "collection": collection.name, **size}), "nextBatch", orders
                )
                yield batch
        except (GeneratorExit, Irregular):  # whoever reads has left
            if batch.cursor:
                collection.database.command(
                    {"killCursors": collection.name, "cursors": [batch.cursor]}, session=session
                )
            raise


def _projection(samples: SampleCollection, paths: Sequence[str]) -> list[str]:
    """Returns which paths to ask for, so that none lies within another one; what is read is in them.

    Raises:
        Irregular: a name that a projection cannot have
    """
    if any(name.startswith("$") or not name for path in paths for name in path.split(".")):
        raise Irregular("names that the database takes for its own")
    kept = []
    for path in paths:
        if path.startswith(_COMPUTED):
            continue
        below = [other for other in paths if other.startswith(f"{path}.")]
        # a list is there, or is not, whatever is asked of its elements
        if below and isinstance(samples.get_field(path), fo.ListField):
            continue
        if not any(path.startswith(f"{other}.") and other in kept for other in paths):
            kept.append(path)
            kept = [other for other in kept if not other.startswith(f"{path}.")]
    return kept


def _answer(batch: Batch, fact: Fact, own: Mapping[str, Values], held: dict[str, _Held]) -> np.ndarray:
    """Returns the answer to a fact for each sample: (N,) bool. ``held`` is what was looked through already."""
    if fact.test == "key":
        return np.any([np.zeros(batch.n, dtype=bool), *(_stands(_single(values)) for values in own.values())], axis=0)
    ((path, values),) = own.items()
    if fact.test == "any":
        if path not in held:
            held[path] = _Held.of(batch, values)
        return held[path].any(fact.values)
    return _stands(_single(values)) if fact.test == "set" else ~np.isnan(batch.numbers(_single(values)))


def _single(values: Values) -> Values:
    if values.lists is not None:
        raise Irregular("a list on the way to a value")
    return values


def _stands(values: Values) -> np.ndarray:
    return (values.kinds != raw.MISSING) & (values.kinds != raw.NULL)


@dataclass(frozen=True, eq=False)
class _Held:
    """Which of the samples hold each value that occurs, be it in a list."""

    n: int
    owners: np.ndarray
    codes: np.ndarray
    code_of: Mapping[Any, int]

    @classmethod
    def of(cls, batch: Batch, values: Values) -> _Held:
        items = batch.items(values)
        if (items.kinds == raw.DOCUMENT).any():
            raise Irregular("documents, of which the names are looked at")
        objects = batch.objects(items)
        code_of = {value: code for code, value in enumerate(dict.fromkeys(objects))}
        codes = np.fromiter(map(code_of.__getitem__, objects), np.int64, len(objects))
        return cls(batch.n, items.owners, codes, code_of)

    def any(self, wanted: Sequence[Any]) -> np.ndarray:
        holds = np.zeros(self.n, dtype=bool)
        for value in wanted:
            if value is not None and value in self.code_of:
                holds[self.owners[self.codes == self.code_of[value]]] = True
        return holds


def _objects(batch: Batch, values: Values) -> list[Any]:
    """Returns for each sample its value, or a list where there are lists."""
    items = batch.items(values)
    objects = batch.objects(items)
    if items.lists is None:
        return objects
    made: list[Any] = [None] * batch.n
    for owner in items.lists.tolist():
        made[owner] = []
    for owner, value in zip(items.owners.tolist(), objects, strict=True):
        if made[owner] is None:
            made[owner] = value
        else:
            made[owner].append(value)
    return made
