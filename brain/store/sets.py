"""What set measures leave on samples: quality fields, groups, and why some could not be judged; and splits."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeAlias

import fiftyone as fo
import numpy as np

from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.core.results import Pair
from loupe.brain.core.specs import SetMeasure
from loupe.brain.engine.reader import Row
from loupe.brain.similarity.gathered import Vectors
from loupe.brain.store import fields, updates
from loupe.brain.store import rows as store_rows
from loupe.brain.store import runs as store_runs
from loupe.brain.store import vectors as store_vectors
from loupe.brain.store.columns import require_single, require_sliceable
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import require_images, root
from loupe.brain.store.duplicates import decided as deduplicated
from loupe.brain.store.fields import CHECKED, GROUP, QUALITY, UNKNOWN

_CHUNK = 1000
#: the run that keeps the compared pairs of a measure
_PAIRS = "loupe_pairs_"
#: and the one that keeps those that are the same picture
SAME = "loupe_pairs_same_"

_Samples: TypeAlias = fo.Dataset | fo.DatasetView


def rows(samples: _Samples, spec: SetMeasure) -> Sequence[Row]:
    """Returns a row for each sample. All of them: a new sample can be a duplicate of any old one.

    Raises:
        NoSamples: the view is empty
    """
    require_images(samples)
    return store_rows.rows_of(samples, spec.name, spec.key)


def write(
    samples: _Samples,
    spec: SetMeasure,
    rows: Sequence[Row],
    columns: Mapping[str, np.ndarray],
    reasons: Mapping[str, str],
    groups: Mapping[str, str] | None = None,
    unchanged: Collection[str] = (),
) -> None:
    """Writes the result of a whole set, in bulks of a thousand.

    Args:
        samples: a dataset or view
        spec: the set measure
        rows: the N samples
        columns: (N,) scores by output name, NaN as unknown
        reasons: why a sample could not be judged, by its id
        groups: the group of duplicates by sample id, where there are groups; a sample without one loses an older one
        unchanged: ids of samples whose files cannot be read for the moment: what is known of them stays
    """
    outputs = [output for output in spec.outputs if output.name in columns]
    fields.declare(samples, fields.of_scores(outputs) if groups is None else fields.of_groups(outputs))
    with database_errors():
        for start in range(0, len(rows), _CHUNK):
            part = rows[start : start + _CHUNK]
            operations = []
            for index, row in enumerate(part, start):
                if row.id in unchanged:
                    continue
                values: dict[str, Any] = {f"{CHECKED}.{spec.name}": row.keys[spec.name]}
                if groups is not None:
                    values[GROUP] = groups.get(row.id)
                for output, scores in columns.items():
                    score = float(scores[index])
                    values[f"{QUALITY}.{output}"] = None if math.isnan(score) else score
                why = {spec.name: reasons[row.id]} if row.id in reasons else {}
                operations.append(updates.update(row.id, values, {UNKNOWN: updates.reasons([spec.name], why)}))
            updates.write(samples, operations, [row.id for row in part])
        if groups is not None:
            # whoever goes through the groups reads their samples, and not every other one
            root(samples).create_index(GROUP)


def load_pairs(samples: _Samples, spec: SetMeasure, of: str = "") -> tuple[set[str], dict[tuple[str, str], float]]:
    """Returns the ids of the samples that were compared with each other before, and the similarities that were found.

    Empty where that was done with other parameters.

    Args:
        samples: a dataset or view
        spec: the set measure
        of: what was compared, where it was not the samples
    """
    results = store_runs.results(samples, f"{_PAIRS}{spec.name}{of}")
    if results is None or results.get("spec") != spec.key:
        return set(), {}
    return set(results["ids"]), {(a, b): similarity for a, b, similarity in results["pairs"]}


def save_pairs(
    samples: _Samples, spec: SetMeasure, compared: Sequence[str], pairs: Mapping[tuple[str, str], float], of: str = ""
) -> None:
    """Keeps which samples were compared with each other, and the similarities that were found, for the next time.

    Args:
        samples: a dataset or view
        spec: the set measure
        compared: their ids
        pairs: the similarities
        of: as for ``load_pairs``
    """
    listed = [[a, b, similarity] for (a, b), similarity in pairs.items()]
    facts = {"spec": spec.key, "ids": list(compared), "pairs": listed}
    store_runs.put(samples, f"{_PAIRS}{spec.name}{of}", "pairs", spec.params(), facts)


def save_same(samples: _Samples, spec: SetMeasure, compared: Sequence[str], pairs: Sequence[Pair]) -> None:
    """Keeps which samples are the same picture, as a measure found, for whoever decides of them.

    What was known of samples that were not compared this time stays.

    Args:
        samples: a dataset or view
        spec: the set measure
        compared: the ids of those that were
        pairs: what it found
    """
    now = set(compared)
    before = [pair for pair in load_same(samples, spec.name) if not (pair.id_a in now and pair.id_b in now)]
    listed = [[pair.id_a, pair.id_b, pair.kind, pair.similarity] for pair in (*before, *pairs)]
    store_runs.put(samples, f"{SAME}{spec.name}", "pairs", spec.params(), {"pairs": listed})


def load_same(samples: _Samples, name: str) -> list[Pair]:
    """Returns which samples are the same picture, as the set measure of that name found."""
    results = store_runs.results(samples, f"{SAME}{name}") or {}
    return [Pair(*facts) for facts in results.get("pairs", ())]


def places_of_same(samples: _Samples, name: str, ids: Sequence[str]) -> list[tuple[int, int]]:
    """Returns which of the samples are nearly the same picture, as the set measure of that name found, by places."""
    place = {sample_id: at for at, sample_id in enumerate(ids)}
    return [
        (place[pair.id_a], place[pair.id_b])
        for pair in load_same(samples, name)
        if pair.kind == "near" and pair.id_a in place and pair.id_b in place
    ]


def distinct_codes(samples: _Samples, ids: Sequence[str]) -> np.ndarray:
    """Returns which of the samples a decision says are no duplicates of each other: (N,) ints, -1 where none does."""
    decided = deduplicated.distinct(samples)
    codes = {key: code for code, key in enumerate(dict.fromkeys(decided.values()))}
    return np.array([codes[decided[each]] if each in decided else -1 for each in ids], dtype=np.int64)


def vectors(samples: _Samples, rows: Sequence[Row], field: str) -> list[np.ndarray | None]:
    """Returns the vector of each sample; None where it has none.

    Raises:
        UnknownName: no such field
        InputError: a field of another kind
    """
    require_vectors(samples, field)
    with database_errors():
        by_id = dict(zip(*samples.values(["id", field]), strict=True))
    return [None if by_id.get(row.id) is None else np.asarray(by_id[row.id], dtype=np.float32) for row in rows]


def comparable(samples: _Samples, rows: Sequence[Row], field: str) -> Vectors:
    """Returns the vectors of the samples that can be compared, by the places of their rows; none is held twice.

    Raises:
        UnknownName: no such field
        InputError: a field of another kind
    """
    require_vectors(samples, field)
    return store_vectors.of_ids(samples, field, (row.id for row in rows))


def require_vectors(samples: _Samples, field: str) -> None:
    """Raises an error where a field cannot hold vectors.

    Raises:
        UnknownName: no such field
        InputError: a field of another kind
    """
    if not samples.has_field(field):
        named = [name for name, kind in samples.get_field_schema().items() if isinstance(kind, fo.VectorField)]
        raise UnknownName("field of vectors", field, named, "loupe.embed(samples) makes one")
    if not isinstance(samples.get_field(field), (fo.VectorField, fo.ArrayField, fo.ListField)):
        raise InputError(f"expected a field of vectors, but {field!r} is a {type(samples.get_field(field)).__name__}")


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
            names = split_by_tags(tags, list(splits))
    split_of = {sample_id: name for sample_id, name in zip(ids, names, strict=True) if name is not None}
    splits_there = sorted(set(split_of.values()))
    if len(splits_there) < 2:
        raise InputError(f"expected at least two splits on these samples, got {', '.join(splits_there) or 'none'}")
    return split_of


def split_by_tags(tags: Sequence[Sequence[str] | None], splits: Sequence[str]) -> list[str | None]:
    """Returns the split that each sample's tags name.

    Raises:
        InputError: a sample with two of them
    """
    split_names = []
    for own in tags:
        named = [name for name in splits if name in (own or ())]
        if len(named) > 1:
            raise InputError(f"expected each sample in one split, got one with the tags {' and '.join(named)}")
        split_names.append(named[0] if named else None)
    return split_names
