"""Reads the vectors and classes of a synthetic and a real set, and writes what is known of each sample."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import reduce
from operator import mul
from typing import Any, Literal, TypeAlias

import fiftyone as fo
import numpy as np

from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.realism.blocks import Labeled
from loupe.brain.slicing.columns import combine
from loupe.brain.slicing.factors import Factor
from loupe.brain.store import columns, factors, fields, runs, splits, updates
from loupe.brain.store import vectors as store_vectors
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples
from loupe.brain.store.drift.batches import GROUPS as GROUPS
from loupe.brain.store.fields import GROUP, OwnField
from loupe.brain.store.labels import given as labels

PATH = "realism"
#: between the values of a product
PRODUCT = " × "
#: of ``GROUPS``, which tell which samples belong together, what no training and test set may share. A prompt they may:
#: "a photo of a cat" is of all cats
COPIES = (GROUP,)
What: TypeAlias = Literal["realism", "transfer"]
_CHUNK = 2000
#: name → type and description, of synthetic samples and of real ones
_SYNTHETIC: dict[str, tuple[type[fo.Field], str]] = {
    "among_real": (fo.BooleanField, "Lies in the ball of a real sample: what precision counts"),
    "nearest_real": (fo.StringField, "The id of the nearest real sample"),
    "real_distance": (fo.FloatField, "How far that is"),
    "authentic": (fo.BooleanField, "Its nearest real sample has a real one nearer to it"),
}
_REAL: dict[str, tuple[type[fo.Field], str]] = {
    "covered": (fo.BooleanField, "A synthetic sample lies in its ball: what coverage counts"),
    "nearest_synthetic": (fo.StringField, "The id of the nearest synthetic sample"),
    "synthetic_distance": (fo.FloatField, "How far that is"),
}
_BOTH: dict[str, tuple[type[fo.Field], str]] = {
    "domain_probability": (fo.FloatField, "How probable a classifier that has not seen it takes it for synthetic"),
    "high_frequency": (fo.FloatField, "The share of the picture's power at or above half the finest detail"),
    "alignment": (fo.FloatField, "How probable its label is to a classifier of real samples that has not seen it"),
}


@dataclass(frozen=True, eq=False)
class Side:
    """The usable vectors of a set.

    Attributes:
        ids: (N,) of the samples that have one
        vectors: (N, D) float32, finite
        index: (N,) int64: their places among all samples
        reasons: why the others have none, by id
    """

    ids: list[str]
    vectors: np.ndarray
    index: np.ndarray
    reasons: dict[str, str]


def require_apart(synthetic: Samples, real: Samples) -> None:
    """Raises an error where a sample is on both sides.

    Raises:
        InputError: it says how many are
    """
    with database_errors():
        shared = len(set(synthetic.values("id")) & set(real.values("id")))
    if shared:
        raise InputError(
            f"expected synthetic and real samples, got {shared:,} that are both: give two datasets, or two views that "
            "share no sample"
        )


def read(field: str, sides: Mapping[str, Samples]) -> list[Side]:
    """Returns the vectors of each side; they are read once.

    Args:
        field: of vectors
        sides: what the samples are, e.g. ``"synthetic"``, and the samples

    Raises:
        UnknownName: a side has no such field
        InputError: a field of another kind, or vectors of two embedders or of two sizes
    """
    names = list(sides)
    makers = {name: store_vectors.made_by(side, field) for name, side in sides.items()}
    known = [name for name in names if makers[name] is not None]
    for name in known[1:]:
        if makers[name] != makers[known[0]]:
            raise InputError(
                f"the vectors in {field!r} are of two embedders, {json.dumps(makers[known[0]])} on the {known[0]} side "
                f"and {json.dumps(makers[name])} on the {name} one, and cannot be compared: embed all with the same one"
            )
    held = [_vectors(side, field, name) for name, side in sides.items()]
    sizes = [own.vectors.shape[1] if len(own.ids) else 0 for own in held]
    first = int(np.argmax(np.array(sizes) > 0))
    for name, size in zip(names, sizes, strict=True):
        if size and size != sizes[first]:
            raise InputError(
                f"the vectors in {field!r} have {sizes[first]} numbers on the {names[first]} side and {size} on the "
                f"{name} one: embed all with the same embedder"
            )
    return held


def require_enough(read: Mapping[str, Sequence[Side]], minimum: int) -> None:
    """Raises an error where a side has too few vectors, which says what those lack that cannot be used.

    Args:
        read: by the field of vectors: the synthetic side and the real one
        minimum: vectors that a side needs

    Raises:
        InputError: a side has fewer
    """
    for path, sides in read.items():
        for name, side in zip(("synthetic", "real"), sides, strict=True):
            if len(side.ids) >= minimum:
                continue
            reasons = Counter(side.reasons.values()).most_common(1)
            why = f" ({len(side.reasons):,} have none that can be used: {reasons[0][0]})" if reasons else ""
            n = len(sides[0].ids), len(sides[1].ids)
            raise InputError(
                f"expected at least {minimum} vectors on each side, got {n[1]:,} real and {n[0]:,} synthetic in "
                f"{path!r}: INSUFFICIENT_DATA. Too few {name} ones{why}: add samples, or embed them"
            )


def _vectors(samples: Samples, field: str, name: str) -> Side:
    """Returns the vectors of a side that can be used; they are held once."""
    if not samples.has_field(field):
        schema = samples.get_field_schema()
        named = [path for path, kind in schema.items() if isinstance(kind, fo.VectorField)]
        raise UnknownName(
            f"field of vectors on the {name} side", field, named, "loupe.embed makes one, of both sides alike"
        )
    kind = samples.get_field(field)
    if not isinstance(kind, (fo.VectorField, fo.ArrayField, fo.ListField)):
        raise InputError(f"expected a field of vectors, but {field!r} is a {type(kind).__name__}")
    ids, known = store_vectors.gather(samples, field, unit=False)
    reasons = {ids[at]: why for at, why in known.reasons.items()}
    return Side([ids[at] for at in known.index.tolist()], known.unit, known.index, reasons)


def drawn(side: Side, maximum: int, seed: int) -> Side:
    """Returns at most so many of a side's vectors, by chance; the reasons of the others are none."""
    n = len(side.ids)
    if n <= maximum:
        return side
    chosen = np.sort(np.random.default_rng(seed).choice(n, maximum, replace=False))
    return replace(
        side, ids=[side.ids[at] for at in chosen.tolist()], vectors=side.vectors[chosen], index=side.index[chosen]
    )


def classes(samples: Samples, label: str, side: Side) -> list[str | None]:
    """Returns the class of each sample that has a vector; None where it has none.

    Raises:
        UnknownName, InputError: as for ``labels.read``
    """
    given = labels.read(samples, label).given
    return [given[at] for at in side.index.tolist()]


def fitted(real: Samples, by: str | Factor) -> Factor:
    """Returns a factor whose bins are those of the real samples: bins of either side's own would not be the same.

    Raises:
        UnknownName, InputError: as for ``loupe.slice``
    """
    first, *others = (factor for factor, _ in factors.fit(real, by))
    return reduce(mul, others, first)


@dataclass(frozen=True, eq=False)
class Valued:
    """Which samples that have a vector have which value of a factor.

    Attributes:
        places: by value, as a text: where its samples stand among those with a vector
        generators: by value the generator of it: itself, or its part of a product
    """

    places: dict[str, np.ndarray]
    generators: dict[str, str]


def valued(samples: Samples, by: Factor, side: Side, generator: str) -> Valued:
    """Returns which of the samples that have a vector have which value of a factor; of a product of all its parts.

    Args:
        samples: a dataset or view
        by: the factor
        side: its vectors
        generator: the path of the factor whose values are generators
    """
    table = columns.read(samples, [by], failures=[]).factors
    n = next(iter(table.values())).n
    slices = combine(table, n)
    place = np.full(n, -1)
    place[side.index] = np.arange(len(side.index))
    places: dict[str, np.ndarray] = {}
    generators: dict[str, str] = {}
    paths = {part.name: part.path for part in by.parts()}
    order = np.argsort(slices.codes, kind="stable")
    ends = np.searchsorted(slices.codes[order], np.arange(len(slices.values) + 1))
    for code, own in enumerate(slices.values):
        if None in own.values():
            continue
        name = PRODUCT.join(map(str, own.values()))
        at = place[slices.samples[order[ends[code] : ends[code + 1]]]]
        if (at >= 0).any():
            places[name] = np.unique(at[at >= 0])
            named = [str(value) for part, value in own.items() if paths[part] == generator]
            generators[name] = named[0] if named else name
    return Valued(places, generators)


def dates(samples: Samples, given: Mapping[str, str] | str | None, own: Valued, side: Side) -> dict[str, str]:
    """Returns the user's own dates of generators.

    Args:
        samples: the synthetic ones
        given: by generator, or a field of dates
        own: which samples have which value
        side: their vectors

    Raises:
        UnknownName: no such field
        InputError: a field of something else, or two dates of one generator
    """
    if given is None or isinstance(given, Mapping):
        return dict(given or {})
    if not isinstance(given, str):
        raise InputError(f"expected dates by generator, or a field of them, in released, got {given!r}")
    if not samples.has_field(given):
        raise UnknownName("field of dates", given, columns.sliceable(samples))
    with database_errors():
        held = samples.values(given)
    made: dict[str, str] = {}
    for value, places in own.places.items():
        name = own.generators[value]
        every = {_date(held[at]) for at in side.index[places].tolist() if held[at] is not None}
        every |= {made[name]} if name in made else set()
        if len(every) > 1:
            raise InputError(f"expected one date of {name!r} in {given!r}, got {', '.join(sorted(every)[:3])}")
        if every:
            made[name] = every.pop()
    return made


def _date(value: Any) -> str:
    return value.isoformat()[:10] if isinstance(value, date) else str(value)


def groups(samples: Samples, paths: Sequence[str], side: Side) -> np.ndarray:
    """Returns the (N,) int64 group of each sample that has a vector, by fields that it shares a value of."""
    present = [path for path in paths if samples.has_field(path)]
    if not present:
        return np.arange(len(side.ids))
    return np.unique(splits.groups(samples, present)[side.index], return_inverse=True)[1].ravel()


def labeled(samples: Samples, side: Side, codes: np.ndarray, paths: Sequence[str] = COPIES) -> Labeled:
    """Returns the samples of a side whose class is known, with their groups where any has more than one sample.

    Args:
        samples: a dataset or view
        side: its vectors
        codes: (N,) class of each, -1 for none
        paths: the fields that tell which samples belong together
    """
    own = groups(samples, paths, side)
    together = own if len(np.unique(own)) < len(own) else None
    return Labeled(side.vectors, codes, together).take(np.flatnonzero(codes >= 0))


def own_fields(*, synthetic: bool) -> list[OwnField]:
    """Returns the fields that are written to the samples of a side."""
    text = "How it lies to the other set, synthetic or real"
    parts = {**(_SYNTHETIC if synthetic else _REAL), **_BOTH}
    proof = f"{PATH}.domain_probability"
    return [
        OwnField(PATH, fo.EmbeddedDocumentField, text, fo.DynamicEmbeddedDocument, proof),
        *(OwnField(f"{PATH}.{name}", kind, words, proof=proof) for name, (kind, words) in parts.items()),
    ]


def write(
    samples: Samples, ids: Sequence[str], parts: Mapping[str, Sequence[Any] | np.ndarray], *, synthetic: bool
) -> None:
    """Writes what is known of each sample, in bulks; NaN and None are empty.

    Args:
        samples: a dataset or view
        ids: the samples
        parts: by name, a value for each
        synthetic: which side they are
    """
    fields.declare(samples, own_fields(synthetic=synthetic))
    with database_errors():
        for start in range(0, len(ids), _CHUNK):
            part = ids[start : start + _CHUNK]
            operations = []
            for at, sample_id in enumerate(part, start):
                own = {f"{PATH}.{name}": _plain(column[at]) for name, column in parts.items()}
                operations.append(updates.update(sample_id, {**own, f"{PATH}._cls": "DynamicEmbeddedDocument"}, {}))
            updates.write(samples, operations, part)


def _plain(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and not np.isfinite(value) else value


def keep(samples: Samples, what: What, params: Mapping[str, Any], results: Mapping[str, Any]) -> None:
    """Keeps what was found last, for the panel: with the settings, and when."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    runs.put(samples, f"loupe_{what}", what, dict(params), {**results, "params": dict(params), "at": at})


def kept(samples: Samples, what: What) -> dict[str, Any] | None:
    """Returns what ``keep`` was given last; None where nothing was."""
    last = runs.results(samples, f"loupe_{what}")
    return None if last is None else dict(last)
