"""Every kind of samples that FiftyOne has, for verbs that are given whatever somebody has in hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scenes import scene

N = 24
CLASSES = ("cat", "dog")


def fill(dataset: Any, folder: Path, seed: int = 0) -> Any:
    """Adds 24 pictures with all that any verb asks for: prompts, scenarios, labels, boxes, vectors, splits, scores."""
    import fiftyone as fo

    import loupe

    folder.mkdir(parents=True, exist_ok=True)
    rng, samples = np.random.default_rng(seed), []
    for at in range(N):
        path = folder / f"{at:02}.png"
        Image.fromarray(
            (scene(at + 1000 * seed).astype(np.float32) * (0.1 if at % 6 == 0 else 1)).astype(np.uint8)
        ).save(path)
        label = CLASSES[at % 2]
        box = fo.Detection(label=label, bounding_box=[0.25, 0.25, 0.5, 0.5])
        samples.append(
            fo.Sample(
                filepath=str(path),
                tags=["train" if at % 3 else "test"],
                prompt=f"a {label}, number {at}",
                scenario=fo.DynamicEmbeddedDocument(time="day" if at % 4 < 2 else "night"),
                generation=fo.DynamicEmbeddedDocument(model="a" if at % 2 else "b"),
                ground_truth=fo.Classification(label=label),
                model=fo.Classification(label="cat", confidence=0.6),
                boxes=fo.Detections(detections=[box]),
                boxes_of_model=fo.Detections(
                    detections=[fo.Detection(label=label, bounding_box=[0.3, 0.25, 0.5, 0.5], confidence=0.8)]
                ),
                embeddings=rng.normal(size=8).astype(np.float32),
            )
        )
    dataset.add_samples(samples, dynamic=True, progress=False)
    dataset.add_sample_field("embeddings", fo.VectorField)
    loupe.check(dataset, ["exposure"])
    return dataset


def _film(folder: Path) -> Any:
    """Returns a dataset of one video of eight frames."""
    import cv2
    import fiftyone as fo

    folder.mkdir(parents=True, exist_ok=True)
    path = str(folder / "film.avi")
    writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*"MJPG"), 4, (160, 120))
    for at in range(8):
        writer.write(scene(at))
    writer.release()
    made = fo.Dataset()
    sample = fo.Sample(filepath=path, tags=["train"], ground_truth=fo.Classification(label="cat"))
    for at in range(1, 9):
        sample.frames[at] = fo.Frame(kind=fo.Classification(label="cat"))
    sample["events"] = fo.TemporalDetections(detections=[fo.TemporalDetection(label="x", support=[1, 4])])
    made.add_sample(sample)
    made.compute_metadata(progress=False)
    return made


def _frames(folder: Path) -> Any:
    return _film(folder).to_frames(sample_frames=True, output_dir=str(folder / "frames"), progress=False)


def _grouped(pictures: Any) -> Any:
    import fiftyone as fo

    made = fo.Dataset()
    made.add_group_field("group", default="left")
    samples, samples_of = [], list(pictures)
    for left, right in zip(samples_of[::2], samples_of[1::2], strict=True):
        group = fo.Group()
        for side, sample in (("left", left), ("right", right)):
            facts = {name: sample[name] for name in ("prompt", "ground_truth", "boxes", "embeddings", "tags")}
            samples.append(fo.Sample(filepath=sample.filepath, group=group.element(side), **facts))
    made.add_samples(samples, progress=False)
    return made


def _points(folder: Path) -> Any:
    import fiftyone as fo

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "points.pcd"
    path.write_text("# .PCD v0.7\nVERSION 0.7\nFIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nCOUNT 1 1 1\nWIDTH 1\nHEIGHT 1\n")
    made = fo.Dataset()
    made.add_sample(fo.Sample(filepath=str(path), tags=["train"]))
    return made


def _deleted(pictures: Any) -> Any:
    view = pictures.view()
    pictures.delete()
    return view


def _filtered(pictures: Any) -> Any:
    from fiftyone import ViewField

    return pictures.filter_labels("boxes", ViewField("label") == "cat")


def _saved(pictures: Any) -> Any:
    pictures.save_view("mine", pictures.skip(1))
    return pictures.load_saved_view("mine")


def _odd(pictures: Any) -> Any:
    import fiftyone as fo

    odd = {"größe & gewicht": 1.5, "класс": "кот", '"quoted"': 2.0, "a b": "x", "class": "cat", "{x}": True, "<b>": "y"}
    for name, value in odd.items():
        pictures.add_sample_field(name, {float: fo.FloatField, str: fo.StringField, bool: fo.BooleanField}[type(value)])
        pictures.set_values(name, [value, type(value)()] * (N // 2))
    return pictures


def _without_fields(pictures: Any) -> Any:
    import fiftyone as fo

    made = fo.Dataset()
    made.add_samples([fo.Sample(filepath=path) for path in pictures.values("filepath")], progress=False)
    return made


@dataclass(frozen=True)
class Kind:
    """A kind of samples.

    Attributes:
        make: makes it of a dataset that ``fill`` has filled, and of an empty folder
        refused: what stands in the reason why no verb takes it; empty: verbs do
    """

    make: Callable[[Any, Path], Any]
    refused: str = ""


KINDS: dict[str, Kind] = {
    "clone": Kind(lambda pictures, _: pictures.clone()),
    "saved view": Kind(lambda pictures, _: _saved(pictures)),
    "labels filtered": Kind(lambda pictures, _: _filtered(pictures)),
    "twice the same": Kind(lambda pictures, _: pictures.limit(8).concat(pictures.limit(4))),
    "one sample": Kind(lambda pictures, _: pictures.limit(1)),
    "odd names": Kind(lambda pictures, _: _odd(pictures)),
    "no fields": Kind(lambda pictures, _: _without_fields(pictures)),
    "slice of groups": Kind(lambda pictures, _: _grouped(pictures).select_group_slices("left")),
    "frames that are a dataset": Kind(lambda _, folder: _frames(folder).clone()),
    "empty view": Kind(lambda pictures, _: pictures.limit(0), "at least one"),
    "empty dataset": Kind(lambda pictures, _: pictures.limit(0).clone(), "at least one"),
    "patches": Kind(lambda pictures, _: pictures.to_patches("boxes"), "patches"),
    "grouped by": Kind(lambda pictures, _: pictures.group_by("scenario.time"), "group"),
    "grouped dataset": Kind(lambda pictures, _: _grouped(pictures), "group"),
    "grouped view": Kind(lambda pictures, _: _grouped(pictures).match_tags("train"), "group"),
    "videos": Kind(lambda _, folder: _film(folder), "video"),
    "frames": Kind(lambda _, folder: _frames(folder), "frames"),
    "clips": Kind(lambda _, folder: _film(folder).to_clips("events"), "clips"),
    "points": Kind(lambda _, folder: _points(folder), "point-cloud"),
    "deleted": Kind(lambda pictures, _: _deleted(pictures), "deleted"),
}
