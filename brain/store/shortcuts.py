"""Reads what may give a label away: scores, folders, sizes, formats, generators, factors; and the order of samples."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import fiftyone as fo
import numpy as np

from loupe.brain.core.errors import InputError
from loupe.brain.core.splits import TEST_NAMES, TRAIN_NAMES, VAL_NAMES
from loupe.brain.imaging.files import printable
from loupe.brain.labels.shortcuts import Property
from loupe.brain.slicing.columns import Column, shown
from loupe.brain.slicing.factors import Factor
from loupe.brain.store import columns, plain, splits
from loupe.brain.store import vectors as store_vectors
from loupe.brain.store.datasets import Samples
from loupe.brain.store.fields import QUALITY
from loupe.brain.store.sets import require_vectors

_NUMBERS = (fo.FloatField, fo.IntField)
#: samples that are asked for by their ids at once
_AT_ONCE = 100_000
_METADATA = {
    "metadata.width": "width",
    "metadata.height": "height",
    "metadata.size_bytes": "file size",
    "metadata.num_channels": "channels",
}
#: what ``generate`` keeps that is of one picture, and says nothing of how it was made
_OF_ONE = {
    *("generation.seed", "generation.key", "generation.seconds", "generation.raw", "generation.unknown"),
    *("generation.job", "generation.prompt_part"),
}
#: scores that are made of the labels themselves, and of the splits
_OF_LABELS = {f"{QUALITY}.{name}_issue" for name in ("label", "box", "mask")}
_OF_SPLITS = {f"{QUALITY}.leak"}
_SPLITS = TEST_NAMES | VAL_NAMES | TRAIN_NAMES
#: the stored order of a dataset or view
STORED = "the stored order"


@dataclass(frozen=True, eq=False)
class Read:
    """What is known of N samples.

    Attributes:
        ids: the samples
        label: what the label is called
        codes: (N,) int64: the class of each as a place in ``classes``, -1 for none
        classes: their names
        is_split: whether the classes are splits
        properties: what may give them away; constant ones are left out
        notes: what was left out, and why
    """

    ids: list[str]
    label: str
    codes: np.ndarray
    classes: list[str]
    is_split: bool
    properties: list[Property]
    notes: list[str]


def read(samples: Samples, label: str | Factor, by: Sequence[str | Factor]) -> Read:
    """Returns the labels and the properties of N samples, whole columns at a time.

    Raises:
        UnknownName: no such field; the nearest name is suggested
        InputError: numbers as labels, or several of a sample
    """
    name, column = _label(samples, label)
    classes = [shown(value) for value in column.values if value is not None]
    codes = np.where(np.isin(column.codes, _missing(column)), -1, column.codes)
    is_split = name in ("split", "splits") or ({each.casefold() for each in classes} <= _SPLITS and bool(classes))
    ids, files, properties, notes = _own(samples, name, _OF_SPLITS if is_split else _OF_LABELS)
    if len(ids) != column.n:
        raise InputError("the samples were changed while they were read: call again")
    properties += _factors(samples, by, name)
    named = [shown(column.values[code]) if code >= 0 else None for code in codes.tolist()]
    properties += _of_files(files, named, any(each.name == "format" for each in properties))
    kept: list[Property] = []
    constant: list[Property] = []
    empty: list[Property] = []
    for each in _with_missing(properties):
        distinct = np.unique(each.values[each.known])
        (kept if len(distinct) > 1 else constant if len(distinct) else empty).append(each)
    notes += [f"the same on all samples: {_listed(constant)}"] if constant else []
    notes += [f"without any value: {_listed(empty)}"] if empty else []
    return Read(ids, name, codes, classes, is_split, kept, notes)


def _listed(properties: Sequence[Property]) -> str:
    names = [each.name for each in properties]
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _missing(column: Column) -> list[int]:
    return [at for at, value in enumerate(column.values) if value is None]


def _label(samples: Samples, label: str | Factor) -> tuple[str, Column]:
    if isinstance(label, str) and samples.has_field(label) and isinstance(samples.get_field(label), fo.FloatField):
        raise InputError(
            f"expected classes, but {label!r} holds numbers: put them into bins first, "
            f"label=loupe.Factor.field({label!r}, bins=4)"
        )
    ((name, column),) = _single(columns.read(samples, label, failures=[]).factors, label)
    if len(column.samples) != column.n:
        raise InputError(f"expected one class a sample, but {name!r} holds several on some: give a field of one")
    return name, column


def _single(read_columns: Mapping[str, Column], label: Any) -> list[tuple[str, Column]]:
    made = list(read_columns.items())
    if len(made) != 1:
        raise InputError(f"expected one field or factor as the label, got {label!r}")
    return made


def _own(samples: Samples, label: str, made_of_it: set[str]) -> tuple[list[str], list[str], list[Property], list[str]]:
    """Returns the ids, the files, what Loupe and the metadata know of each picture, and notes."""
    schema = samples.get_field_schema(flat=True)
    numbers = [
        path
        for path, kind in schema.items()
        if isinstance(kind, _NUMBERS)
        and path.split(".")[0] in (QUALITY, "generation")
        and path not in _OF_ONE | made_of_it
    ]
    numbers += [path for path in _METADATA if path in schema]
    texts = [
        path for path, kind in schema.items() if path.startswith("generation.") and isinstance(kind, fo.StringField)
    ]
    texts = [path for path in texts if path not in _OF_ONE]
    texts += ["metadata.mime_type"] if "metadata.mime_type" in schema else []
    (ids, files, *held), table = plain.read(samples, [plain.ID, "filepath", *texts], numbers)
    made = [Property(_METADATA.get(path, path), "number", _finite(table[:, at])) for at, path in enumerate(numbers)]
    # what was never read is said once, and not for each part
    made = [each for each in made if each.known.any() or each.name not in _METADATA.values()]
    by_name = {each.name: each.values for each in made}
    notes = []
    if "width" in by_name and "height" in by_name:
        height = np.where(by_name["height"] > 0, by_name["height"], np.nan)
        made.append(Property("aspect", "number", by_name["width"] / height))
    else:
        notes.append("sizes of files and pictures are not known: dataset.compute_metadata() reads them")
    named = {"metadata.mime_type": "format"}
    made += [_category(named.get(path, path), values) for path, values in zip(texts, held, strict=True)]
    made = [each for each in made if each.name != label and (each.name != "format" or each.known.any())]
    return ids, files, made, notes


def _finite(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, np.nan)


def _category(name: str, values: Sequence[Any]) -> Property:
    column = Column.of([value if isinstance(value, str) else None for value in values])
    missing = _missing(column)
    codes = column.codes.astype(np.float64)
    codes[np.isin(column.codes, missing)] = np.nan
    return Property(name, "category", codes, tuple(shown(value) for value in column.values if value is not None))


def _of_files(files: Sequence[str], labels: Sequence[str | None], has_format: bool) -> list[Property]:
    """Returns the folder of each file, and its format where the metadata knows none.

    A part of the path that is the label itself is how labels are stored, and no shortcut: it is taken out.
    """
    folders: list[str] = []
    for path, label in zip(files, labels, strict=True):
        parts = [part for part in path.replace("\\", "/").split("/")[:-1] if part]
        own = _plain(label) if label is not None else None
        folders.append("/".join(part for part in parts if own is None or _plain(part) != own))
    # what all of them begin with names none of them
    shared = posixpath.commonpath(folders) if all(folders) else ""
    made = [_category("folder", [folder[len(shared) :].strip("/") or "." for folder in folders])]
    if not has_format:
        made.append(
            _category("file format", [PurePosixPath(printable(path)).suffix.casefold() or "none" for path in files])
        )
    return made


def _plain(name: str) -> str:
    return "".join(each for each in name.casefold() if each.isalnum()) or name


def _factors(samples: Samples, by: Sequence[str | Factor], label: str) -> list[Property]:
    """Returns what was asked for beside: numbers as they are; of several values a sample each by itself."""
    numbers = [
        path
        for path in by
        if isinstance(path, str) and samples.has_field(path) and isinstance(samples.get_field(path), _NUMBERS)
    ]
    made = []
    if numbers:
        _, table = plain.read(samples, [plain.ID], numbers)
        made += [Property(path, "number", _finite(table[:, at])) for at, path in enumerate(numbers)]
    others = [each for each in by if each not in numbers]
    read_columns = columns.read(samples, others, failures=[]).factors if others else {}
    for name, column in read_columns.items():
        if len(column.samples) == column.n:
            codes = np.where(np.isin(column.codes, _missing(column)), np.nan, column.codes.astype(np.float64))
            names = tuple(shown(value) for value in column.values if value is not None)
            made.append(Property(name, "category", codes, names))
            continue
        for code, value in enumerate(column.values):
            if value is not None:
                has = np.zeros(column.n)
                has[column.samples[column.codes == code]] = 1
                made.append(Property(f"{name}={shown(value)}", "category", has, ("no", "yes")))
    return [each for each in made if each.name != label]


def _with_missing(properties: Iterable[Property]) -> Iterable[Property]:
    """Yields each property, and whether it has no value where some samples have one and some have none."""
    for own in properties:
        yield own
        known = own.known
        if known.any() and not known.all():
            yield Property(own.name, "missing", (~known).astype(np.float64))


def positions(samples: Samples, order: str | None, n: int) -> np.ndarray:
    """Returns the place of each of N samples: as they are stored, or by a field; NaN where it has none.

    Raises:
        UnknownName, InputError: as for ``splits.times``
    """
    return np.arange(n, dtype=np.float64) if order is None else splits.times(samples, order)


def vectors(samples: Samples, path: str, ids: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Returns (M, D) float32 vectors of unit length of some samples, and their places in ``ids``: (M,) int64.

    Raises:
        UnknownName: no such field; the nearest name is suggested
        InputError: a field of another kind
    """
    require_vectors(samples, path)
    # the ids are part of the question, which is no longer than 16 MB
    asked = samples.select(list(ids)) if len(ids) <= _AT_ONCE else samples
    made = store_vectors.of_ids(asked, path, ids)
    return made.unit, made.index
