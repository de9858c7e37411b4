"""Reads many fields of many samples in one pass, without making a Python value of each: answers, numbers, texts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import fiftyone as fo
import numpy as np
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from fiftyone.core.collections import SampleCollection

from loupe.brain.slicing.outcomes import Fact
from loupe.brain.store import plain, raw
from loupe.brain.store.connection import database_errors
from loupe.brain.store.raw import Batch, Irregular, Values

#: so many documents are asked for at once; the database sends at most 16 MB of them
_BATCH = 1_000_000
_RAW = CodecOptions(document_class=RawBSONDocument)


@dataclass(frozen=True)
class Answers:
    """What is known of N samples, in their order.

    Attributes:
        n: how many samples there are
        facts: for each fact a (N,) bool array
        values: for each path or expression asked for N values, or lists of them
    """

    n: int
    facts: Mapping[Fact, np.ndarray]
    values: list[list[Any]]


def read(
    samples: SampleCollection,
    facts: Mapping[Fact, str],
    values: Sequence[str | Mapping[str, Any]] = (),
) -> Answers:
    """Returns what is asked of the samples.

    Args:
        samples: a dataset or view
        facts: the facts, and which path is read for each
        values: paths of plain fields, or "id", or expressions of the database that give a text, a number, or null

    Raises:
        Irregular: the samples hold what cannot be read this way
        DatabaseGone: the database does not answer
    """
    paths = ["_id" if path == plain.ID else path if isinstance(path, str) else "" for path in values]
    computed = {f"loupe_{at}": dict(path) for at, path in enumerate(values) if not isinstance(path, str)}
    paths = [path or f"loupe_{at}" for at, path in enumerate(paths)]
    asked = {
        fact: [f"{path}.{key}" for key in fact.values] if fact.test == "key" else [path] for fact, path in facts.items()
    }
    collected = _Collected(list(facts), len(paths))
    listed = list(dict.fromkeys(path for own in [*asked.values(), paths] for path in own))
    if not listed:
        return Answers(samples.count(), {}, [])
    for batch in _batches(samples, _projection(samples, listed), computed):
        read_values = batch.read(listed)
        held: dict[str, _Held] = {}
        for fact, own in asked.items():
            if fact.test == "any":
                (path,) = own
                if path not in held:
                    held[path] = _Held.of(batch, read_values[path])
                collected.facts[fact].append(held[path].any(fact.values))
            else:
                collected.facts[fact].append(_answer(batch, fact, [read_values[path] for path in own]))
        for at, path in enumerate(paths):
            collected.values[at] += _objects(batch, read_values[path])
        collected.n += batch.n
    return collected.done()


@dataclass
class _Collected:
    asked: list[Fact]
    width: int
    n: int = 0
    facts: dict[Fact, list[np.ndarray]] = field(init=False)
    values: list[list[Any]] = field(init=False)

    def __post_init__(self) -> None:
        self.facts = {fact: [] for fact in self.asked}
        self.values = [[] for _ in range(self.width)]

    def done(self) -> Answers:
        none = np.zeros(0, dtype=bool)
        return Answers(
            self.n, {fact: np.concatenate([none, *parts]) for fact, parts in self.facts.items()}, self.values
        )


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
        batch = Batch(asked(start), "firstBatch", orders)
        try:
            yield batch
            while batch.cursor:
                batch = Batch(
                    asked({"getMore": batch.cursor, "collection": collection.name, **size}), "nextBatch", orders
                )
                yield batch
        finally:
            if batch.cursor:  # whoever reads has left
                collection.database.command(
                    {"killCursors": collection.name, "cursors": [batch.cursor]}, session=session
                )


def _projection(samples: SampleCollection, paths: Sequence[str]) -> list[str]:
    """Returns which paths to ask for, so that none lies within another one; what is read is in them.

    Raises:
        Irregular: a name that a projection cannot have
    """
    if any(name.startswith("$") or not name for path in paths for name in path.split(".")):
        raise Irregular("names that the database takes for its own")
    kept = []
    for path in paths:
        if path.startswith("loupe_"):
            continue
        below = [other for other in paths if other.startswith(f"{path}.")]
        # a list is there, or is not, whatever is asked of its elements
        if below and isinstance(samples.get_field(path), fo.ListField):
            continue
        if not any(path.startswith(f"{other}.") and other in kept for other in paths):
            kept.append(path)
            kept = [other for other in kept if not other.startswith(f"{path}.")]
    return kept


def _answer(batch: Batch, fact: Fact, own: Sequence[Values]) -> np.ndarray:
    """Returns the answer to a fact for each sample: (N,) bool."""
    if fact.test == "key":
        holds = np.zeros(batch.n, dtype=bool)
        for values in own:
            _require_single(values)
            holds |= _stands(values)
        return holds
    (values,) = own
    _require_single(values)
    return _stands(values) if fact.test == "set" else ~np.isnan(batch.numbers(values))


def _require_single(values: Values) -> None:
    if values.listed:
        raise Irregular("a list on the way to a value")


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
    lists = values.kinds == raw.ARRAY
    if not values.listed and not lists.any():
        return batch.objects(values)
    items = batch.items(values)
    objects = batch.objects(items)
    made: list[Any] = [[] for _ in range(batch.n)]
    for owner, value in zip(items.owners.tolist(), objects, strict=True):
        made[owner].append(value)
    for owner in [] if values.listed else values.owners[~lists].tolist():
        made[owner] = made[owner][0]
    return made
