"""Reads what drift is looked for in: batches, the reference, and what of their samples can be compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import fiftyone as fo
import numpy as np
from fiftyone.core.collections import SampleCollection

from loupe.brain.core import registry
from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.slicing.columns import Column
from loupe.brain.slicing.drift import MAX_SAMPLES, Samples, drawn
from loupe.brain.slicing.factors import Factor
from loupe.brain.slicing.shifts import Classes, Numbers, Quantity, indicator
from loupe.brain.store import columns
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import root
from loupe.brain.store.drift.batches import batches, ids_and_groups, reference_names, without
from loupe.brain.store.drift.batches import described as described_as
from loupe.brain.store.drift.fields import Reading, vectors_of
from loupe.brain.store.factors import Place, place
from loupe.brain.store.fields import CHECKED, FAILURES, QUALITY, UNKNOWN

#: samples of all batches together that are held in memory
_MAX_HELD = 1_000_000
_MIN_EACH = 1_000
_LABELS = (fo.Classification, fo.Classifications, fo.Detections)
_OWN = {FAILURES, UNKNOWN}


@dataclass(frozen=True)
class Wanted:
    """What is to be compared; None: whatever both sides have.

    Attributes:
        embeddings: the field of vectors; empty: none
        scores: fields of numbers
        labels: fields of labels
        factors: field paths and factors
        predictions: the field of the predictions whose confidence is compared
        ground_truth: the field of the right classes, or of whether the prediction is right
        groups: the fields whose values are kept together
    """

    embeddings: str | None = None
    scores: Sequence[str] | None = None
    labels: Sequence[str] | None = None
    factors: Sequence[str | Factor] | None = None
    predictions: str | None = None
    ground_truth: str | None = None
    groups: Sequence[str] | None = None


@dataclass(frozen=True, eq=False)
class Compared:
    """What is compared.

    Attributes:
        samples: of the reference and of all batches, as far as they are compared
        reference: the places of those of the reference
        batches: of each batch by name
        counts: how many samples each batch has
        n_reference: how many the reference has
        described: what the reference is
        by: what makes the batches; empty: nothing
        where: the database's query of each batch by name, where there is one
        fitted: the factors and labels that are compared, by name, with the edges of their bins
        groups: the fields whose values are kept together
        left_out: how many samples are in no batch
        notes: what else is to be said
    """

    samples: Samples
    reference: np.ndarray
    batches: Mapping[str, np.ndarray]
    counts: Mapping[str, int]
    n_reference: int
    described: str
    by: str
    where: Mapping[str, Mapping[str, Any]]
    fitted: Mapping[str, Factor]
    groups: tuple[str, ...]
    left_out: int
    notes: tuple[str, ...]


def read(
    samples: SampleCollection,
    reference: SampleCollection | str | Sequence[str],
    by: str | Factor | None,
    wanted: Wanted,
    seed: int = 0,
    step: Callable[[str], None] = lambda _: None,
) -> Compared:
    """Reads all that is compared.

    Of more samples of a batch than are compared, those are drawn first, and only their fields are read.

    Raises:
        UnknownName: no such field or batch; the nearest name is suggested
        InputError: a field of another kind, nothing but the reference itself, or vectors that cannot be compared
    """
    step("reading the batches")
    made = batches(samples, by)
    parts = [samples] if isinstance(reference, (str, list, tuple)) else [samples, reference]
    ids, keys, groups = ids_and_groups(parts, wanted.groups)
    n, shared = len(ids[0]), 0
    names, chosen, described = list(made.names), np.zeros(0, dtype=np.int64), ""
    if isinstance(reference, (str, list, tuple)):
        wanted_names = reference_names(made, [reference] if isinstance(reference, str) else list(reference))
        described = f"{made.by} {', '.join(wanted_names)}"
        codes = [names.index(name) for name in wanted_names]
        chosen = np.flatnonzero(np.isin(made.of, codes))
        names = [name for name in names if name not in wanted_names]
        if not names:
            raise InputError(f"expected a batch to compare with the reference, got none: {made.by} has no other value")
    else:
        chosen = np.arange(n, n + len(ids[1]))
        described = described_as(reference, samples)
        # a clone has the ids of what it was made of
        if root(reference) is root(samples):
            made, shared = without(made, ids[0], ids[1])
    rng = np.random.default_rng(seed)
    counts = {name: int((made.of == made.names.index(name)).sum()) for name in names}
    limit = min(MAX_SAMPLES, max(_MIN_EACH, _MAX_HELD // max(len(names), 1)))
    rows = {name: drawn(np.flatnonzero(made.of == made.names.index(name)), keys, limit, rng) for name in names}
    kept_reference = drawn(chosen, keys, MAX_SAMPLES, rng)

    every = np.unique(np.concatenate([kept_reference, *rows.values()]))
    again = {name: np.searchsorted(every, own) for name, own in rows.items()}
    reference_rows = np.searchsorted(every, kept_reference)
    step("reading what is compared")
    flat = [sample_id for part in ids for sample_id in part]
    reading = Reading(
        [
            (part, [flat[at] for at in every.tolist() if (at >= n) == bool(number)], len(ids[number]))
            for number, part in enumerate(parts)
        ]
    )
    notes = _notes(parts, shared)
    content, fitted, more = _content(reading, wanted, keys[every], made.by, [reference_rows, *again.values()], rng)
    return Compared(
        samples=content,
        reference=reference_rows,
        batches=again,
        counts=counts,
        n_reference=len(chosen),
        described=described,
        by=made.by,
        where=made.where,
        fitted=fitted,
        groups=groups,
        left_out=int((made.of < 0).sum()) - shared,
        notes=(*notes, *more),
    )


def _notes(parts: Sequence[SampleCollection], shared_samples: int) -> list[str]:
    if len(parts) < 2:
        return []
    if root(parts[0]) is root(parts[1]):
        return [f"{shared_samples:,} of the samples are the reference, and in no batch."] if shared_samples else []
    with database_errors():
        own, other = (set(part.values("filepath")) for part in parts)
    shared = len(own & other)
    return [f"{shared:,} files stand on both sides: they show no difference to themselves."] if shared else []


def _content(
    reading: Reading,
    wanted: Wanted,
    groups: np.ndarray,
    by: str,
    sides: Sequence[np.ndarray],
    rng: np.random.Generator,
) -> tuple[Samples, dict[str, Factor], list[str]]:
    notes: list[str] = []
    quantities: list[Quantity] = [*_scores(reading, wanted.scores)]
    confidence, right = _predictions(reading, wanted.predictions, wanted.ground_truth)
    if confidence is not None:
        quantities.append(Numbers(f"{wanted.predictions} confidence", "confidence", confidence))
    if confidence is not None and right is not None:
        quantities.append(Numbers(f"{wanted.predictions} over-confidence", "over-confidence", confidence - right))
    labels = dict(_labels(reading, wanted.labels, notes))
    factors = dict(_factors(reading, wanted.factors, by, notes))
    quantities += [Classes(factor.name, "labels", column) for factor, column in labels.items()]
    quantities += [Classes(factor.name, "factor", column) for factor, column in factors.items()]
    fitted = {factor.name: factor for factor in (*labels, *factors)}
    ids = reading.ids()
    name, stacked, vector_of = vectors_of(reading, wanted.embeddings, ids, groups, sides, rng, notes)
    if not quantities and stacked is None:
        raise InputError(
            "expected something to compare that both sides have: run loupe.check or loupe.embed on both, or name "
            "fields (scores=, labels=, factors=, predictions=)"
        )
    content = Samples(
        ids=ids,
        groups=groups,
        quantities=quantities,
        factors={factor.name: column for factor, column in factors.items()},
        vectors=stacked,
        vector_of=vector_of,
        confidence=confidence,
        right=right,
        vectors_name=name,
    )
    return content, fitted, notes


def _scores(reading: Reading, given: Sequence[str] | None) -> list[Quantity]:
    numeric = (fo.FloatField, fo.IntField)
    schema = reading.schema()
    paths = (
        list(given)
        if given is not None
        else [path for path, kind in schema.items() if path.startswith(f"{QUALITY}.") and isinstance(kind, numeric)]
    )
    for path in paths:
        reading.require(path)
        if not isinstance(schema[path], numeric):
            raise InputError(f"expected a field of numbers, but {path!r} is a {type(schema[path]).__name__}")
    outputs = [(spec.name, spec.outputs) for spec in registry.checks().values()]
    outputs += [(spec.name, spec.outputs) for spec in registry.sets().values()]
    check_of = {f"{QUALITY}.{output.name}": name for name, own in outputs for output in own}
    checks = sorted({check_of[path] for path in paths if path in check_of}) if reading.has(CHECKED) else []
    asked = [{"$gt": [f"${CHECKED}.{check}", None]} for check in checks]
    table = reading.numbers([*paths, *asked])
    made: list[Quantity] = []
    for at, path in enumerate(paths):
        values = table[:, at]
        made.append(Numbers(path, "score", values))
        check = check_of.get(path)
        if check in checks:
            looked = table[:, len(paths) + checks.index(check)] == 1
            unknown = indicator(f"{path} unknown", "unknown", looked, ~np.isfinite(values))
            # what is always known, or never, cannot differ
            if 0 < np.nansum(unknown.values) < looked.sum():
                made.append(unknown)
    return made


def _predictions(
    reading: Reading, predictions: str | None, ground_truth: str | None
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Returns the confidence of each sample's prediction, the mean of several, and whether it is right."""
    if predictions is None:
        if ground_truth is not None:
            raise InputError(
                f"expected the predictions that {ground_truth!r} is the truth of (predictions=...), got none"
            )
        return None, None
    reading.require(predictions)
    kind = reading.schema()[predictions]
    document = getattr(kind, "document_type", None)
    if document not in (fo.Classification, fo.Detections):
        raise InputError(
            f"expected a field of a classification or of detections as predictions, but {predictions!r} is none"
        )
    single = document is fo.Classification
    path = f"{predictions}.confidence" if single else f"{predictions}.detections.confidence"
    (values,) = reading.values(path)
    confidence = np.array([_mean(value) for value in values], dtype=np.float64)
    return confidence, None if ground_truth is None else _right(reading, predictions, ground_truth)


def _right(reading: Reading, predictions: str, ground_truth: str) -> np.ndarray:
    """Returns whether each sample's prediction is right: 1 or 0, NaN where that is not known."""
    reading.require(ground_truth)
    if isinstance(reading.schema()[ground_truth], fo.BooleanField):
        return np.asarray(reading.numbers([{"$toInt": f"${ground_truth}"}])[:, 0])
    single = getattr(reading.schema()[predictions], "document_type", None) is fo.Classification
    if not single or getattr(reading.schema()[ground_truth], "document_type", None) is not fo.Classification:
        raise InputError(
            "expected fields of one classification each to tell what is right, got "
            f"{predictions!r} and {ground_truth!r}: give a field of classifications or of yes and no, or leave it out"
        )
    labels, truths = reading.values(f"{predictions}.label", f"{ground_truth}.label")
    right = [
        np.nan if label is None or truth is None else float(label == truth)
        for label, truth in zip(labels, truths, strict=True)
    ]
    return np.array(right, dtype=np.float64)


def _mean(value: Any) -> float:
    numbers = [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, (int, float))]
    return float(np.mean(numbers)) if numbers else float("nan")


def _labels(reading: Reading, given: Sequence[str] | None, notes: list[str]) -> Iterable[tuple[Factor, Column]]:
    offered = given if given is not None else label_fields(reading.schema())
    for path in offered:
        reading.require(path)
        yield from _read(reading, Factor.label(path), given is not None, notes)


def label_fields(schema: Mapping[str, fo.Field]) -> list[str]:
    """Returns the paths of the fields of classes that are the user's own."""
    return [
        path
        for path, kind in schema.items()
        if getattr(kind, "document_type", None) in _LABELS
        and path not in _OWN
        and (kind.info or {}).get("made_by") is None
    ]


def _factors(
    reading: Reading, given: Sequence[str | Factor] | None, by: str, notes: list[str]
) -> Iterable[tuple[Factor, Column]]:
    offered: Sequence[str | Factor] = given or []
    if given is None:
        # what stands inside of labels is compared as labels
        labels = {path for path, kind in reading.schema().items() if getattr(kind, "document_type", None) in _LABELS}
        few = columns.factors(reading.parts[0][0])
        offered = [path for path in few if path.rpartition(".")[0] not in labels]
    for item in offered:
        factor = Factor.field(item) if isinstance(item, str) else item
        # what makes the batches differs between them by itself
        if factor.name != by and factor.path != by and factor.source != "product":
            yield from _read(reading, factor, given is not None, notes)


def _read(reading: Reading, factor: Factor, required: bool, notes: list[str]) -> Iterable[tuple[Factor, Column]]:
    """Yields a factor with its bins' edges, and its column; nothing where it cannot be read and nobody asked for it."""
    try:
        places: list[Place] = [place(part, factor) for part, _, _ in reading.parts]
    except (UnknownName, InputError):
        if required:
            raise
        return
    if len({own.kind for own in places}) > 1:
        notes.append(f"{factor.name} is left out: it holds different kinds of values on the two sides.")
        return
    items: list[Any] = []
    for own, part in zip(places, reading.parts, strict=True):
        items += own.values(Reading([part]).values(own.read)[0])
    fitted = factor.of_kind(places[0].kind).fitted(items)
    yield fitted, fitted.column(items)
