"""Images that came from elsewhere become samples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import fiftyone as fo

from loupe.brain.store import fields
from loupe.brain.store.connection import database_errors
from loupe.brain.store.inserting import insert


def known_paths(dataset: fo.Dataset) -> set[str]:
    """Returns the files that the dataset has already."""
    with database_errors():
        return set(dataset.values("filepath"))


def prepare(dataset: fo.Dataset, factors: Iterable[str]) -> None:
    """Declares ``prompt`` and, for each factor, ``scenario.<factor>``.

    Raises:
        InputError: the dataset has a field of that name that is the user's own; nothing was written
    """
    fields.declare(dataset, fields.of_images(sorted(set(factors))), images=True)


def add(dataset: fo.Dataset, images: Sequence[tuple[str, str | None, dict[str, str]]]) -> None:
    """Adds a sample for each (path, prompt, factors), whose fields ``prepare`` has declared."""
    with database_errors():
        samples = [
            fo.Sample(
                filepath=path,
                prompt=prompt,
                **({"scenario": fo.DynamicEmbeddedDocument(**factors)} if factors else {}),
            )
            for path, prompt, factors in images
        ]
        insert(dataset, "filepath", [(sample.filepath, sample) for sample in samples])
