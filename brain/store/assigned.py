"""Values that Loupe gives samples to be sliced by: clusters, words. One field of strings each."""

from __future__ import annotations

from collections.abc import Sequence

import fiftyone as fo

from loupe.brain.core.errors import InputError
from loupe.brain.engine.reader import Row
from loupe.brain.slicing import prompt_facts
from loupe.brain.store import fields, updates
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples, root
from loupe.brain.store.fields import PROMPT, OwnField

_CHUNK = 1000
_SCENARIO = "scenario."


def rows(samples: Samples) -> list[Row]:
    """Returns a row for each sample."""
    with database_errors():
        ids, paths = samples.values(["id", "filepath"])
    return [Row(sample_id, path, {}, frozenset(), {}) for sample_id, path in zip(ids, paths, strict=True)]


def require(samples: Samples, field: str, description: str) -> None:
    """Raises an error where the values cannot be written to that field. Nothing is written.

    Raises:
        InputError: no name of a field, or a field that Loupe did not make
    """
    if not field.isidentifier() or field.startswith("_"):
        raise InputError(f"expected a field name made of letters, digits and _, got {field!r}")
    own, dataset = _own(field, description), root(samples)
    fields.require(samples, [own])
    present = dataset.get_field(field)
    if present is not None and (present.info or {}).get("made_by") != "loupe":
        raise InputError(f"{field!r} is a field that Loupe did not make: give another field= to keep it")


def write(samples: Samples, field: str, description: str, rows: Sequence[Row], values: Sequence[str | None]) -> None:
    """Declares the field, and writes each sample's value, or that it has none, in bulks of a thousand."""
    fields.declare(samples, [_own(field, description)])
    with database_errors():
        for start in range(0, len(rows), _CHUNK):
            part = rows[start : start + _CHUNK]
            given = zip(part, values[start : start + _CHUNK], strict=True)
            operations = [updates.update(row.id, {field: value}, {}) for row, value in given]
            updates.write(samples, operations, [row.id for row in part])


def known_words(samples: Samples) -> list[set[str]]:
    """Returns what is known of each sample in words: those of its prompt, and the values of its scenario."""
    schema = samples.get_field_schema(flat=True)
    texts = [path for path, kind in schema.items() if isinstance(kind, fo.StringField)]
    scenario = [path for path in texts if path.startswith(_SCENARIO)]
    prompts = [PROMPT.path] if PROMPT.path in texts else []
    with database_errors():
        columns = samples.values(["id", *prompts, *scenario])
    words = []
    for _, *facts in zip(*columns, strict=True):
        own = set(prompt_facts.words(facts.pop(0))) if prompts and isinstance(facts[0], str) else set()
        words.append(own | {value.lower() for value in facts if isinstance(value, str)})
    return words


def _own(field: str, description: str) -> OwnField:
    return OwnField(field, fo.StringField, description, remedy="give another field=")
