"""Reads fields of drawn samples of one or two collections; vectors only of as many as are compared."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import fiftyone as fo
import numpy as np
from fiftyone.core.collections import SampleCollection

from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.slicing.drift import MAX_VECTORS, drawn
from loupe.brain.store import plain, vectors
from loupe.brain.store.connection import database_errors

#: so many ids fit into a query of the database with room to spare
_MAX_SELECTED = 200_000
#: vectors of all batches together that are held in memory
_MAX_HELD = 200_000
_MIN_EACH = 200


@dataclass(frozen=True, eq=False)
class Reading:
    """The drawn samples of one or two collections, in order: the collection, the ids of those drawn, and its size."""

    parts: Sequence[tuple[SampleCollection, Sequence[str], int]]

    def has(self, path: str) -> bool:
        return all(part.has_field(path) for part, _, _ in self.parts)

    def schema(self) -> dict[str, fo.Field]:
        first, *rest = (part.get_field_schema(flat=True) for part, _, _ in self.parts)
        return {path: kind for path, kind in first.items() if all(path in other for other in rest)}

    def require(self, path: str) -> None:
        for part, _, _ in self.parts:
            if not part.has_field(path):
                raise UnknownName("field", path, part.get_field_schema(flat=True))

    def values(self, *paths: Any) -> list[list[Any]]:
        """Returns columns of all drawn samples: in the order of the parts, and of the ids in them."""
        made: list[list[Any]] = [[] for _ in paths]
        for part, ids, n in self.parts:
            view = _chosen(part, ids, n)
            with database_errors():
                own, *columns_of = view.values(["id", *paths])
            place_of = {sample_id: at for at, sample_id in enumerate(own)}
            order = [place_of.get(sample_id) for sample_id in ids]
            for column, values in zip(made, columns_of, strict=True):
                column += [None if at is None else values[at] for at in order]
        return made

    def numbers(self, paths: Sequence[str | Mapping[str, Any]]) -> np.ndarray:
        """Returns (N, K) float64 of number fields, or expressions; NaN where there is none."""
        tables = []
        for part, ids, n in self.parts:
            view = _chosen(part, ids, n)
            (own,), table = plain.read(view, [plain.ID], paths)
            place_of = {sample_id: at for at, sample_id in enumerate(own)}
            gone = np.full((1, len(paths)), np.nan)
            padded = np.concatenate([table, gone])
            tables.append(padded[[place_of.get(sample_id, len(table)) for sample_id in ids]])
        return np.concatenate(tables) if tables else np.zeros((0, len(paths)))

    def ids(self) -> list[str]:
        return [sample_id for _, ids, _ in self.parts for sample_id in ids]


def _chosen(part: SampleCollection, ids: Sequence[str], n: int) -> SampleCollection:
    """Returns what holds the samples of some ids: just those, unless they are so many that all are quicker to read."""
    return part if len(ids) in (0, n) or len(ids) > _MAX_SELECTED else part.select(list(ids))


def vectors_of(
    reading: Reading,
    given: str | None,
    ids: Sequence[str],
    groups: np.ndarray,
    sides: Sequence[np.ndarray],
    rng: np.random.Generator,
    notes: list[str],
) -> tuple[str, np.ndarray | None, np.ndarray | None]:
    name = "embeddings" if given is None else given
    if given == "" or (given is None and not reading.has(name)):
        return name, None, None
    reading.require(name)
    kind = reading.schema()[name]
    if not isinstance(kind, (fo.VectorField, fo.ArrayField, fo.ListField)):
        raise InputError(f"expected a field of vectors, but {name!r} is a {type(kind).__name__}")
    makers = [vectors.made_by(part, name) for part, _, _ in reading.parts]
    if len(makers) == 2 and None not in makers and makers[0] != makers[1]:
        raise InputError(
            f"the vectors of the two sides are of different embedders, {json.dumps(makers[0])} and "
            f"{json.dumps(makers[1])}, and cannot be compared: embed both with the same one"
        )
    held = reading.numbers([{"$gt": [f"${name}", None]}])[:, 0] == 1
    each = min(MAX_VECTORS, max(_MIN_EACH, _MAX_HELD // len(sides)))
    limits = [MAX_VECTORS, *[each] * (len(sides) - 1)]  # the reference comes first
    parts = [drawn(side[held[side]], groups, limit, rng) for side, limit in zip(sides, limits, strict=True)]
    rows = np.unique(np.concatenate(parts))
    at, stacked = [], []
    wanted = set(rows.tolist())
    start = 0
    for part, own_ids, _ in reading.parts:
        own = [(place_of, sample_id) for place_of, sample_id in enumerate(own_ids, start) if place_of in wanted]
        start += len(own_ids)
        if not own:
            continue
        (values,) = Reading([(part, [sample_id for _, sample_id in own], -1)]).values(name)
        for (place_of, _), value in zip(own, values, strict=True):
            if value is not None:
                at.append(place_of)
                stacked.append(np.ravel(np.asarray(value, dtype=np.float32)))
    return name, *_usable(name, at, stacked, sides, len(ids), notes)


def _usable(
    name: str, at: list[int], stacked: list[np.ndarray], sides: Sequence[np.ndarray], n: int, notes: list[str]
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Returns the vectors of the most frequent size without NaN and infinity, and the row of each sample's."""
    if not stacked:
        return None, None
    sizes = np.array([len(vector) for vector in stacked])
    lengths, counts = np.unique(sizes, return_counts=True)
    size = int(lengths[counts.argmax()])
    places = np.array(at)
    own = np.isin(places, sides[0])
    if (sizes[own] != size).all() != (sizes[~own] != size).all() and len(lengths) > 1:
        raise InputError(
            f"the vectors of {name!r} have {', '.join(map(str, lengths))} numbers: those of the reference and of the "
            "batches cannot be compared. Embed both with the same embedder"
        )
    good = np.array([len(vector) == size and bool(np.isfinite(vector).all()) for vector in stacked])
    if not good.all():
        notes.append(f"{int((~good).sum()):,} vectors have NaN, infinity or another size, and were left out.")
    if not good.any():
        return None, None
    vector_of = np.full(n, -1, dtype=np.int64)
    vector_of[places[good]] = np.arange(int(good.sum()))
    return np.stack([vector for vector, fine in zip(stacked, good, strict=True) if fine]), vector_of
