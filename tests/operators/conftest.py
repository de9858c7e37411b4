"""Datasets that operators are run on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from operator_calls import ALL
from PIL import Image


def _add_scenes(dataset: Any, folder: Path) -> None:
    import fiftyone as fo

    rng = np.random.default_rng(1)
    samples = []
    for index in range(12):
        pixels = rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)
        path = folder / f"{index}.png"
        Image.fromarray(pixels * 0 if index in (7, 9) else pixels).save(path)
        if index == 11:
            path.write_bytes(b"no image")
        time_of_day = "evening" if index % 2 else "day"
        scenario = fo.DynamicEmbeddedDocument(time=time_of_day)
        samples.append(fo.Sample(filepath=str(path), prompt=f"noise by {time_of_day}", scenario=scenario))
    dataset.add_samples(samples, dynamic=True, progress=False)


@pytest.fixture
def scenes(dataset: Any, tmp_path: Path) -> Any:
    """Twelve images: half by day, half in the evening; two of those are black, and one file is no image."""
    _add_scenes(dataset, tmp_path)
    return dataset


@pytest.fixture
def checked(scenes: Any) -> Any:
    """The same with scores and failures."""
    import loupe

    loupe.check(scenes, ["exposure", "sharpness"])
    return scenes


@pytest.fixture(scope="module")
def filled(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The same with all that any operator asks for: splits, labels, vectors, another dataset. Tests only look at it."""
    import fiftyone as fo

    import loupe

    made, other = fo.Dataset(), fo.Dataset()
    _add_scenes(made, tmp_path_factory.mktemp("scenes"))
    other.add_sample(fo.Sample(filepath=made.first().filepath))
    loupe.check(made, ["exposure", "sharpness"])
    made.set_values("split", ["train", "test"] * 6)
    for name, labels in (("ground_truth", ["cat", "dog"] * 6), ("model", ["cat"] * 12)):
        made.add_sample_field(name, fo.EmbeddedDocumentField, embedded_doc_type=fo.Classification)
        made.set_values(name, [fo.Classification(label=label, confidence=0.5) for label in labels])
    for name, confidence in (("boxes", None), ("boxes_of_model", 0.5)):
        box = fo.Detection(label="cat", bounding_box=[0.1, 0.1, 0.5, 0.5], confidence=confidence)
        made.add_sample_field(name, fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections)
        made.set_values(name, [fo.Detections(detections=[box.copy()]) for _ in range(12)])
    made.add_sample_field("embeddings", fo.VectorField)
    vectors = np.random.default_rng(2).normal(size=(12, 4)).astype(np.float32)
    made.set_values("embeddings", list(vectors))
    yield made
    made.delete()
    other.delete()


@pytest.fixture
def needed(filled: Any, tmp_path: Path) -> dict[str, dict[str, Any]]:
    """For each operator what has to be filled in before it runs: for most of them the form proposes something."""
    return {
        **{name: {} for name in ALL},
        "find_copies": {"path": filled.first().filepath},
        "find_words": {"words": "day, night"},
        "generate": {"prompts": "a cup"},
        "import_images": {"folder": str(tmp_path)},
    }
