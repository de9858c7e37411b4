"""Reads what coverage is told by, keeps what was found, and finds the samples of a cell or a hole again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import fiftyone as fo
import numpy as np
from fiftyone.core.collections import SampleCollection

from loupe.brain.core.alike import MoreLike
from loupe.brain.core.errors import InputError
from loupe.brain.core.findings import Finding
from loupe.brain.core.holes import Hole
from loupe.brain.labels.cells import Cell
from loupe.brain.labels.coverage import Coverage
from loupe.brain.labels.covering import Part, combined
from loupe.brain.similarity.gathered import Vectors
from loupe.brain.slicing.factors import Factor, listed
from loupe.brain.slicing.groups import together
from loupe.brain.store import columns, fields, findings, updates
from loupe.brain.store import runs as store_runs
from loupe.brain.store import vectors as store_vectors
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples, require_stored, root
from loupe.brain.store.factors import place
from loupe.brain.store.fields import OwnField
from loupe.brain.store.sets import require_vectors

#: the key that the last coverage is kept under
KEY = "loupe_coverage"
_CHUNK = 5000

_By = str | Factor | Iterable[str | Factor]


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of N samples.

    Attributes:
        ids: the samples
        label: their classes; None where no field of classes was named
        contexts: their contexts
        groups: (N,) int64 from 0: the group of each; None where each is one of its own
        declared: the classes that the dataset names for the label
        objects: the classes, sizes and places of the boxes of a field of detections, and the group of each
        notes: what was left out, and why
    """

    ids: list[str]
    label: Part | None
    contexts: tuple[Part, ...]
    groups: np.ndarray | None
    declared: tuple[str, ...]
    objects: tuple[Part, tuple[Part, ...], np.ndarray] | None
    notes: list[str]


def read(samples: Samples, by: _By, label: str | Factor | None, groups: Sequence[str]) -> Known:
    """Returns what is known of the samples.

    Args:
        samples: a dataset or view
        by: the factors; a product is one factor of its own
        label: the field of classes
        groups: fields whose values tie samples together; those that are not there are left out

    Raises:
        UnknownName: no such field; the nearest name is suggested
        InputError: a field that nothing can be sliced by, or samples that came or went meanwhile
    """
    items: list[str | Factor] = listed(by, "by")
    for item in [*items, *([] if label is None else [label])]:
        if not isinstance(item, (str, Factor)):
            raise InputError(f"expected field paths or factors, got {item!r}")
    own = None if label is None else Factor.field(label) if isinstance(label, str) else label
    factors = [Factor.field(item) if isinstance(item, str) else item for item in items]
    table = columns.read(samples, [*([own] if own is not None else []), *factors], failures=[])
    fitted = {factor.name: factor for factor in table.by}
    notes: list[str] = []
    ties = [path for path in groups if samples.has_field(path)]
    with database_errors():
        ids, *keys = samples.values(["id", *ties])
    n = len(ids)
    if any(column.n != n for column in table.factors.values()):
        raise InputError("samples came or went while they were read: call again")
    kept = [key for path, key in zip(ties, keys, strict=True) if findings.ties_together(path, key, notes)]
    tied = together(n, kept) if kept else None
    if tied is not None and int(tied.max(initial=-1)) + 1 == n:
        tied = None
    parts: dict[str, Part] = {}
    for factor in [*([own] if own is not None else []), *factors]:
        names = [part.name for part in factor.parts()]
        facts = tuple(fitted[name].to_dict() for name in names)
        if len(names) == 1:
            parts[factor.name] = Part(factor.name, table.factors[names[0]], facts)
        else:
            parts[factor.name] = combined(factor.name, {name: table.factors[name] for name in names}, facts, n)
    mine = None if own is None else parts.pop(own.name)
    if own is not None and own.source == "product":
        raise InputError(f"expected a field of classes, got the product {own.name!r}: give it in by=")
    declared: tuple[str, ...] = ()
    objects = None
    if own is not None:
        dataset = root(samples)
        declared = tuple((dataset.classes or {}).get(own.path) or ())
        objects = _objects(samples, own, tied)
    return Known(ids, mine, tuple(parts.values()), tied, declared, objects, notes)


def _objects(
    samples: Samples, label: Factor, groups: np.ndarray | None
) -> tuple[Part, tuple[Part, ...], np.ndarray] | None:
    """Returns the classes, sizes and places of boxes, an object each; None of a field without boxes.

    The boxes of a picture, and those of pictures that are tied together, are one group.
    """
    field = samples.get_field(label.path)
    if label.source not in ("field", "label") or getattr(field, "document_type", None) is not fo.Detections:
        return None
    makers = (Factor.label(label.path, only=label.only), Factor.box_size(label.path), Factor.box_position(label.path))
    places = [place(samples, factor) for factor in makers]
    with database_errors():
        read_values = samples.values([own.read for own in places])
    owners = [at for at, labels in enumerate(read_values[0]) for _ in labels or ()]
    if not owners:
        return None
    parts = []
    for factor, own, held in zip(makers, places, read_values, strict=True):
        flat = [value for values in held for value in values or ()]
        made = factor.of_kind(own.kind).fitted(flat)
        parts.append(Part(factor.name, made.column(flat), (made.to_dict(),)))
        if len(flat) != len(owners):
            raise InputError("samples came or went while they were read: call again")
    rows = np.array(owners, dtype=np.int64)
    return parts[0], tuple(parts[1:]), rows if groups is None else groups[rows]


# vectors of a reference


def unit_vectors(samples: Samples, field: str, what: str) -> tuple[list[str], Vectors]:
    """Returns the ids of all samples, and those of their vectors that can be compared.

    Raises:
        UnknownName: no such field of vectors
        InputError: none of them can be compared
    """
    require_vectors(samples, field)
    ids, own = store_vectors.gather(samples, field)
    if not len(own.index):
        raise InputError(f"expected vectors in {field!r} of {what}, got none that can be compared: run loupe.embed")
    return ids, own


def require_same_embedder(samples: Samples, reference: Samples, field: str) -> None:
    """Raises an error where the vectors of both are known to be of different embedders, or both share a sample.

    Raises:
        InputError: they are
    """
    made, other = (store_vectors.made_by(each, field) for each in (samples, reference))
    if made is not None and other is not None and made != other:
        raise InputError(
            f"expected vectors of one embedder, got those of {made['name']} for the samples and of {other['name']} for "
            "the reference (or of other settings): embed both alike"
        )
    if root(samples) is root(reference):
        with database_errors():
            shared = set(samples.values("id")) & set(reference.values("id"))
        if shared:
            raise InputError(
                f"expected a reference without the samples themselves, got one with {len(shared):,} of them"
            )


# the samples of a cell or a hole


def view_of(samples: SampleCollection, part: Finding | Cell | Hole | MoreLike) -> fo.DatasetView:
    """Returns the samples of a finding, a cell or a hole; or those of ``more_like``, in order.

    Args:
        samples: the dataset or view that was looked through; for a hole the reference
        part: a finding of ``discover_slices``, a cell or a hole of ``coverage``, or what ``more_like`` returned

    Raises:
        UnknownName, InputError: a field that it was made by is not there any more

    Example::

        worst = loupe.discover_slices(dataset).findings[0]
        session.view = loupe.view_of(dataset, worst)
        session.view = loupe.view_of(dataset, loupe.coverage(dataset, "scenario.time", label="kind").below[0])
    """
    require_stored(samples)
    if isinstance(part, Hole):
        return samples.select(list(part.ids), ordered=True)
    if isinstance(part, (Finding, MoreLike)):
        return findings.view_of(samples, part)
    if not isinstance(part, Cell):
        raise InputError(f"expected a finding, a cell or a hole, got {type(part).__name__}")
    view = samples.view()
    for facts, (_, value) in zip(part.factors, part.values, strict=True):
        factor = Factor.from_dict(facts)
        with database_errors():
            view = view.add_stage(place(samples, factor).stage(factor, factor.value_of(value)))
    return view


# what is kept and written


def keep(samples: Samples, coverage: Coverage) -> None:
    """Keeps the coverage on the dataset, in the place of the last one.

    As a text: classes may be called as the database calls its own things, such as ``$date``.
    """
    store_runs.put(samples, KEY, "coverage", coverage.params, {"coverage": json.dumps(coverage.to_dict())})


def load(samples: Samples) -> Coverage | None:
    """Returns the last coverage; None where there is none, or where it is of a form that nobody can read."""
    text = (store_runs.results(samples, KEY) or {}).get("coverage")
    try:
        return None if text is None else Coverage.from_dict(json.loads(text))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def own_field(path: str) -> list[OwnField]:
    """Returns the field that weights are written to; one of that name with values of the user's own is refused."""
    if not isinstance(path, str) or not path.isidentifier() or path.startswith("_"):
        raise InputError(f"expected a field name made of letters, digits and _, got {path!r}")
    text = "How much the sample counts, so that all classes count alike"
    return [OwnField(path, fo.FloatField, text, proof=f"{path}.made_by_loupe", remedy="give another weights=")]


def write_weights(samples: Samples, field: str, ids: Sequence[str], weights: Mapping[str, float]) -> None:
    """Writes the weight of each sample, and None where it has no class."""
    fields.declare(samples, own_field(field))
    with database_errors():
        for start in range(0, len(ids), _CHUNK):
            part = list(ids[start : start + _CHUNK])
            updates.write(samples, [updates.update(each, {field: weights.get(each)}, {}) for each in part], part)
