"""Images that came from elsewhere become samples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import fiftyone as fo

from loupe.brain.media.addresses import address_of
from loupe.brain.store import fields, generated
from loupe.brain.store.connection import database_errors
from loupe.brain.store.inserting import insert

#: beside what ``generate`` writes, the fields of ``generation``
_FIELDS: dict[str, tuple[type[fo.Field], str]] = {
    "tool": (fo.StringField, "The program that made it"),
    "tool_version": (fo.StringField, "Its version"),
    "model_hash": (fo.StringField, "Hash of the model's file, as the tool wrote it"),
    "noise_schedule": (fo.StringField, "How the noise falls from step to step"),
    "distilled_guidance": (fo.FloatField, "The guidance that a distilled model was told"),
    "denoise": (fo.FloatField, "How much of the picture it began from was drawn anew, 0 to 1"),
    "loras": (fo.StringField, "LoRAs with their weights"),
    "upscaler": (fo.StringField, "What enlarged it"),
    "job": (fo.StringField, "The tool's own id of it"),
    "prompt_part": (fo.StringField, "What the file's name keeps of the prompt"),
    "digital_source_type": (fo.StringField, "IPTC's type: what the file itself says of how it came about"),
    "read_from": (fo.StringField, "Where the values stood"),
    "unknown": (fo.StringField, "What cannot be known, and why"),
    "raw": (fo.StringField, "The metadata as they stood, as JSON, cut after 16,000 characters"),
}


@dataclass(frozen=True)
class Imported:
    """An image that lies where it lay.

    Attributes:
        path: the file
        prompt: what it was asked for
        factors: the scenario
        generation: what goes to ``generation``
    """

    path: str
    prompt: str | None = None
    factors: Mapping[str, str] = field(default_factory=dict)
    generation: Mapping[str, Any] = field(default_factory=dict)


def known_paths(dataset: fo.Dataset) -> set[str]:
    """Returns the files that the dataset has already."""
    with database_errors():
        return set(dataset.values("filepath"))


def require(dataset: fo.Dataset, factors: Iterable[str], *, generation: bool) -> None:
    """Raises an error where a field of the user's own stands where the images' will be written; writes nothing.

    Raises:
        InputError: the dataset has a field of that name that is the user's own
    """
    fields.require(dataset, _own(factors, generation))


def prepare(dataset: fo.Dataset, factors: Iterable[str], *, generation: bool) -> None:
    """Declares ``prompt``, ``scenario.<factor>`` for each factor, and with ``generation`` its parts.

    Raises:
        InputError: the dataset has a field of that name that is the user's own; nothing was written
    """
    fields.declare(dataset, _own(factors, generation), images=True)


def _own(factors: Iterable[str], generation: bool) -> list[fields.OwnField]:
    parts = [*generated.parts(), *((name, kind, text) for name, (kind, text) in _FIELDS.items())]
    own = fields.of_images(sorted(set(factors)), parts if generation else ())
    remedy = "give metadata=False"
    return [replace(each, remedy=remedy) if each.path.split(".")[0] == "generation" else each for each in own]


def add(dataset: fo.Dataset, images: Sequence[Imported]) -> None:
    """Adds a sample for each image, whose fields ``prepare`` has declared."""
    with database_errors():
        samples = [
            _sample(
                image.path,
                prompt=image.prompt,
                **({"generation": fo.DynamicEmbeddedDocument(**image.generation)} if image.generation else {}),
                **({"scenario": fo.DynamicEmbeddedDocument(**image.factors)} if image.factors else {}),
            )
            for image in images
        ]
        insert(dataset, "filepath", [(sample.filepath, sample) for sample in samples])


def _sample(path: str, **values: Any) -> fo.Sample:
    if not address_of(path):
        return fo.Sample(filepath=path, **values)
    # FiftyOne makes a path below the working folder of an address as a sample is created, and tells what it is by its
    # ending, which an address that is signed has not
    sample = fo.Sample(filepath="image.png", **values)
    sample._doc.set_field("filepath", path)
    return sample
