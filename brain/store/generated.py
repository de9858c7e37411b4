"""Generated images become samples: one for each key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import fiftyone as fo
from pymongo import UpdateOne

from loupe.brain.engine.drawing import Generated
from loupe.brain.engine.output_folder import size_of
from loupe.brain.store import fields
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import require_image_dataset
from loupe.brain.store.inserting import insert

#: the fields of ``generation``: type and what stands in it
_FIELDS: dict[str, tuple[type[fo.Field], str]] = {
    "model": (fo.StringField, "Hub id, or the name of the model's folder"),
    "fingerprint": (fo.StringField, "Hash of the model's files, or its revision on the hub"),
    "generator": (fo.StringField, "The generator that drew it"),
    "seed": (fo.IntField, "The seed of its noise"),
    "family": (fo.StringField, "What its kind of model is called"),
    "license": (fo.StringField, "The license of the model; none where that is not known"),
    "steps": (fo.IntField, "Denoising steps"),
    "guidance": (fo.FloatField, "How strongly the prompt was followed"),
    "guidance_kind": (fo.StringField, "classifier-free, distilled (the model has learned it), or none"),
    "changes": (fo.StringField, "What the model was changed by: LoRAs, a scheduler's settings, fewer bits"),
    "width": (fo.IntField, "Pixels"),
    "height": (fo.IntField, "Pixels"),
    "scheduler": (fo.StringField, "The method that took the steps"),
    "dtype": (fo.StringField, "Number format of the weights"),
    "device": (fo.StringField, "Kind of device that drew it"),
    "images_per_call": (fo.IntField, "Images drawn at once"),
    "seconds": (fo.FloatField, "Time it took to draw"),
    "key": (fo.StringField, "Hash of all that decides the pixels"),
    "negative_prompt": (fo.StringField, "What it should not show"),
    "written": (fo.StringField, "The prompt as it was written, where that is not what was drawn"),
    "dropped": (fo.StringField, "What of it the generator does not understand"),
    "prompt_truncated": (fo.BooleanField, "Whether the model read less than the whole prompt"),
    "nsfw": (fo.BooleanField, "Whether the model's safety checker blackened it; none without one"),
    "source": (fo.StringField, "What it was drawn from: the id of the sample, or the file's name"),
    "conditioning": (fo.StringField, "What it was drawn from beside the prompt: image, mask, control, reference"),
    "inputs": (fo.StringField, "Hashes of the files and regions that it was drawn from, as JSON"),
    "strength": (fo.FloatField, "How much of the picture was given up; none: the generator's own number"),
    "upscale": (fo.FloatField, "How many times as wide and high it was drawn again, in tiles"),
    "cost": (fo.FloatField, "What a hosted service took for it, in dollars: as it said, else by its price list"),
    "loupe_version": (fo.StringField, "The version of Loupe that made it"),
}
_KINDS: dict[type[fo.Field], tuple[type, ...]] = {
    fo.StringField: (str,),
    fo.IntField: (int,),
    fo.FloatField: (int, float),
    fo.BooleanField: (bool,),
}


def default_folder(dataset: fo.Dataset) -> Path:
    """Returns the dataset's own folder among FiftyOne's."""
    # the slug is the name without what a path may not hold
    return Path(fo.config.default_dataset_dir).expanduser() / dataset.slug


def prepare(dataset: fo.Dataset, factors: Iterable[str]) -> None:
    """Declares the fields once, so that bulk writes need not infer a schema from every value.

    Raises:
        InputError: it is no dataset of images, or one of the fields is there with another type
    """
    require_image_dataset(dataset)
    # in the order given: the panels begin with the first
    fields.declare(dataset, fields.of_images(factors, parts()), images=True)


def parts() -> list[tuple[str, type[fo.Field], str]]:
    """Returns name, type and description of each field of ``generation``."""
    return [(name, kind, description) for name, (kind, description) in _FIELDS.items()]


def files_by_key(dataset: fo.Dataset) -> dict[str, str]:
    """Returns the file of each generated sample by its key."""
    with database_errors():
        keys, paths = dataset.values(["generation.key", "filepath"])
    return {key: path for key, path in zip(keys, paths, strict=True) if key is not None}


def fill_sizes(dataset: fo.Dataset) -> None:
    """Puts in the size of each file that was away as its sample was added, and is there again."""
    without = {"generation.key": {"$ne": None}, "metadata": {"$ne": None}, "metadata.size_bytes": None}
    with database_errors():
        operations = [
            UpdateOne({"_id": each["_id"]}, {"$set": {"metadata.size_bytes": size}})
            for each in dataset._sample_collection.find(without, ["filepath"])
            if (size := size_of(Path(each["filepath"]))) is not None
        ]
        if operations:
            dataset._bulk_write(operations)


def add(dataset: fo.Dataset, images: Sequence[Generated]) -> None:
    """Adds a sample for each image whose key has none yet, in one bulk."""
    with database_errors():
        # somebody else may have been here since the run began, from another machine or into another folder
        wanted = [image.facts["key"] for image in images]
        known = set(dataset.match(fo.ViewField("generation.key").is_in(wanted)).values("generation.key"))
        new = [image for image in images if image.facts["key"] not in known]
        insert(dataset, "generation.key", [(image.facts["key"], _sample(image)) for image in new])
        # a file that was drawn again may be some bytes longer: its text says how long that took
        again = [image for image in images if image.facts["key"] in known]
        operations = [
            UpdateOne(
                {"generation.key": image.facts["key"], "filepath": str(image.path)},
                {"$set": {"metadata.size_bytes": size_of(image.path)}},
            )
            for image in again
        ]
        if operations:
            dataset._bulk_write(operations)


def _sample(image: Generated) -> fo.Sample:
    # the facts of an adopted file come from the file: only what fits is taken
    return fo.Sample(
        filepath=str(image.path),
        prompt=image.prompt,
        generation=fo.DynamicEmbeddedDocument(**fitting(image.facts)),
        scenario=fo.DynamicEmbeddedDocument(**image.factors),
        metadata=fo.ImageMetadata(
            size_bytes=size_of(image.path),
            mime_type="image/png",
            width=image.facts["width"],
            height=image.facts["height"],
            num_channels=3,
        ),
    )


def fitting(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the parts of ``generation``: each of the facts that has the type which is declared, else None."""
    return {name: facts.get(name) if _fits(name, facts.get(name)) else None for name in _FIELDS}


def _fits(name: str, value: Any) -> bool:
    kinds = _KINDS[_FIELDS[name][0]]
    return value is None or (isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool)))
