"""Images that came from elsewhere become samples."""

from __future__ import annotations

from collections.abc import Sequence

import fiftyone as fo

from loupe.brain.store.connection import database_errors


def known_paths(dataset: fo.Dataset) -> set[str]:
    """Returns the files that the dataset has already."""
    with database_errors():
        return set(dataset.values("filepath"))


def add(dataset: fo.Dataset, images: Sequence[tuple[str, str | None, dict[str, str]]]) -> None:
    """Adds a sample for each (path, prompt, factors)."""
    with database_errors():
        if not dataset.has_field("prompt"):
            dataset.add_sample_field("prompt", fo.StringField, description="What the image was asked for")
        names = sorted({name for _, _, factors in images for name in factors})
        if names and not dataset.has_field("scenario"):
            dataset.add_sample_field("scenario", fo.EmbeddedDocumentField, embedded_doc_type=fo.DynamicEmbeddedDocument)
        for name in names:
            if not dataset.has_field(f"scenario.{name}"):
                dataset.add_sample_field(f"scenario.{name}", fo.StringField, description=f"The prompt's {name}")
        samples = [
            fo.Sample(
                filepath=path,
                prompt=prompt,
                **({"scenario": fo.DynamicEmbeddedDocument(**factors)} if factors else {}),
            )
            for path, prompt, factors in images
        ]
        dataset.add_samples(samples, expand_schema=False, validate=False, progress=False)
