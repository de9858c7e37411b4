"""Reads what a reference's pictures are: their captions, their classes, and their scenario."""

from __future__ import annotations

from collections.abc import Sequence

import fiftyone as fo

from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.labels.cells import short
from loupe.brain.slicing.columns import shown
from loupe.brain.slicing.factors import Factor
from loupe.brain.store import columns
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples

#: where the texts of a reference are looked for
_TEXTS = ("caption", "captions", "prompt")
_SCENARIO = "scenario."


def texts_of(reference: Samples, captions: str | None, ids: Sequence[str]) -> dict[str, str]:
    """Returns the captions or prompts of some pictures by their ids.

    Raises:
        UnknownName: no such field
        InputError: a field of something else than texts
    """
    kinds = reference.get_field_schema()
    if captions is not None:
        if captions not in kinds:
            raise UnknownName("field", captions, [name for name in kinds if isinstance(kinds[name], fo.StringField)])
        if not isinstance(kinds[captions], fo.StringField):
            raise InputError(f"expected a field of texts, but {captions!r} is a {type(kinds[captions]).__name__}")
    path = captions or next((name for name in _TEXTS if isinstance(kinds.get(name), fo.StringField)), None)
    if path is None or not ids:
        return {}
    with database_errors():
        own = reference.select(list(ids)).values(["id", path])
    return {sample_id: text for sample_id, text in zip(*own, strict=True) if isinstance(text, str) and text.strip()}


def classes_of(reference: Samples, label: str | Factor | None) -> dict[str, list[str]]:
    """Returns the classes of a reference's pictures by their ids, where it has the field of classes; else nothing."""
    path = label.path if isinstance(label, Factor) else label
    if path is None or not reference.has_field(path):
        return {}
    column = columns.read(reference, path, failures=[]).factors[path]
    with database_errors():
        ids = reference.values("id")
    made: dict[str, list[str]] = {}
    for at, code in zip(column.samples.tolist(), column.codes.tolist(), strict=True):
        if column.values[code] is not None:
            made.setdefault(ids[at], []).append(str(column.values[code]))
    return made


def scenes_of(reference: Samples, ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """Returns the scenario of some pictures by their ids, as far as it is known: its values by their short names."""
    paths = [path for path in columns.sliceable(reference) if path.startswith(_SCENARIO)]
    if not paths or not ids:
        return {}
    with database_errors():
        known, *held = reference.select(list(ids)).values(["id", *paths])
    made: dict[str, dict[str, str]] = {}
    for path, values in zip(paths, held, strict=True):
        for sample_id, value in zip(known, values, strict=True):
            if value is not None and value != "":
                made.setdefault(sample_id, {})[short(path)] = shown(value)
    return made
