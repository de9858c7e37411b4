"""Vectors of objects: where they stand, what FiftyOne makes of them, resume, and bad input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from loupe.brain.core.errors import InputError, Stopped, UnknownName
from loupe.brain.core.records import Progress
from loupe.brain.core.specs import Embedder, param
from loupe.brain.imaging.batches import ImageBatch

pytestmark = [pytest.mark.database, pytest.mark.filterwarnings("ignore:no map was drawn")]

LEFT, RIGHT, NONE = (0.0, 0.0, 0.5, 1.0), (0.5, 0.0, 0.5, 1.0), (0.5, 0.5, 0.0, 0.1)
GREEN = [10, 200, 10]


@dataclass(frozen=True)
class Means(Embedder):
    """Mean colors."""

    name = "means"
    version = 1
    reference = "this test"
    license = "Apache-2.0"
    power: int = param(1, "Raises them", low=1, high=3)

    def load(self, device: str) -> Callable[[ImageBatch], torch.Tensor]:
        def embed(batch: ImageBatch) -> torch.Tensor:
            means = batch.pixels.float().mean((2, 3)) ** self.power
            return torch.nn.functional.normalize(means, dim=1)

        return embed


@pytest.fixture
def halves(dataset: Any, tmp_path: Path) -> Any:
    """Six pictures: left halves of six colors, right ones all green, a box without area; and one that is broken."""
    import fiftyone as fo

    samples = []
    for at in range(6):
        pixels = np.full((40, 60, 3), GREEN, np.uint8)
        pixels[:, :30] = [250 - 40 * at, 20, 40 * at + 20]
        Image.fromarray(pixels).save(tmp_path / f"{at}.png")
        labels = [fo.Detection(label=str(bounds[0]), bounding_box=list(bounds)) for bounds in (LEFT, RIGHT, NONE)]
        samples.append(fo.Sample(filepath=str(tmp_path / f"{at}.png"), gt=fo.Detections(detections=labels)))
    (tmp_path / "broken.png").write_bytes(b"\x89PNG")
    labels = [fo.Detection(label="0", bounding_box=list(LEFT))]
    samples.append(fo.Sample(filepath=str(tmp_path / "broken.png"), gt=fo.Detections(detections=labels)))
    dataset.add_samples(samples, progress=False)
    return dataset


def _vectors(dataset: Any, field: str = "embeddings") -> list[Any]:
    return list(dataset.values(f"gt_objects.detections.{field}"))


def test_each_object_has_the_vector_of_its_crop(halves: Any) -> None:
    import loupe

    before = list(halves._sample_collection.find({}, ["gt"]))
    run = loupe.embed(halves, embedder=Means(), objects="gt", visualize="pca")
    assert (run.n, run.errors, run.unknown, run.params["n_objects"]) == (7, 0, {"embed": 7}, 19)
    assert list(halves._sample_collection.find({}, ["gt"])) == before
    for at, (left, right, none) in enumerate(_vectors(halves)[:6]):
        color = np.array([250 - 40 * at, 20, 40 * at + 20])
        assert left == pytest.approx(color / np.linalg.norm(color), abs=1e-5)
        assert right == pytest.approx(np.array(GREEN) / np.linalg.norm(GREEN), abs=1e-5)
        assert none is None
    assert _vectors(halves)[6] == [None]
    assert halves.first().gt_objects.detections[2].unknown == ["embed:embeddings: its box has no area"]
    assert halves.last().gt_objects.detections[0].unknown[0].startswith("embed:embeddings: unreadable: ")
    assert not halves.has_field("embeddings")


def test_fiftyone_takes_them_as_vectors_of_patches(halves: Any) -> None:
    import loupe

    loupe.embed(halves, embedder=Means(), objects="gt", visualize="pca")
    drawn = halves.load_brain_results("gt_objects_embeddings_pca")
    assert drawn.config.patches_field == "gt_objects"
    assert drawn.points.shape == (12, 2)
    patches = halves.to_patches("gt_objects")
    query = halves.first().gt_objects.detections[1].id
    nearest = patches.sort_by_similarity(query, k=6, brain_key="gt_objects_embeddings_similarity")
    assert nearest.values("gt_objects.label") == ["0.5"] * 6


def test_only_what_is_new_or_changed_is_embedded(halves: Any) -> None:
    import loupe

    loupe.embed(halves, embedder=Means(), objects="gt", visualize="pca")
    again = loupe.embed(halves, embedder=Means(), objects="gt", visualize="pca")
    assert (again.n, again.skipped) == (0, 7)
    # checks beside it leave the vectors alone
    loupe.check(halves, ["cut"], objects="gt")
    assert loupe.embed(halves, embedder=Means(), objects="gt", visualize="pca").n == 0
    assert sum(value is not None for own in _vectors(halves) for value in own) == 12
    sample = halves.first()
    sample.gt.detections[0].bounding_box = list(RIGHT)
    sample.save()
    assert loupe.embed(halves, embedder=Means(), objects="gt", visualize="pca").n == 1
    assert _vectors(halves)[0][0] == pytest.approx(_vectors(halves)[0][1])
    drawn = halves.load_brain_results("gt_objects_embeddings_pca")
    points = dict(zip(drawn.label_ids.tolist(), drawn.points, strict=True))
    ids = [each.id for each in halves.first().gt_objects.detections]
    assert points[ids[0]] == pytest.approx(points[ids[1]])
    # another embedder embeds all anew
    assert loupe.embed(halves, embedder=Means(power=2), objects="gt", visualize=None).n == 7


def test_vectors_are_read_only_where_something_is_made_of_them(halves: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import loupe
    from loupe.brain.store.objects import vectors as object_vectors

    loupe.embed(halves, embedder=Means(), objects="gt", visualize="pca")
    assert object_vectors.signature(halves, "gt", "embeddings")[1] == 12
    assert object_vectors.signature(halves.limit(1), "gt", "embeddings")[1] == 12
    monkeypatch.setattr(object_vectors, "read", lambda *args: pytest.fail("read"))
    loupe.embed(halves, embedder=Means(), objects="gt", visualize="pca")


def test_a_field_that_was_deleted_is_embedded_anew(halves: Any) -> None:
    import loupe

    loupe.embed(halves, embedder=Means(), objects="gt", visualize=None)
    halves.delete_sample_field("gt_objects.detections.embeddings")
    assert loupe.embed(halves, embedder=Means(), objects="gt", visualize=None).n == 7
    assert sum(value is not None for own in _vectors(halves) for value in own) == 12


def test_auto_goes_on_with_what_is_there(halves: Any) -> None:
    import loupe

    loupe.embed(halves.limit(2), embedder="hog", objects="gt", visualize=None)
    with pytest.warns(UserWarning, match="no basis"):
        run = loupe.embed(halves.limit(3), objects="gt", visualize=None)
    assert run.params["embedder"]["name"] == "hog"
    assert run.n == 1
    with pytest.raises(InputError, match="vectors of another embedder outside this view"):
        loupe.embed(halves.limit(1), embedder=Means(), objects="gt", visualize=None)
    assert loupe.embed(halves, embedder=Means(), objects="gt", visualize=None).n == 7


def test_stopping_keeps_what_was_done(halves: Any) -> None:
    import loupe

    def stop(progress: Progress) -> None:
        if progress.done >= 2:
            raise Stopped("stopped")

    with pytest.raises(Stopped):
        loupe.embed(halves, embedder=Means(), objects="gt", batch_size=1, progress=stop)
    done = sum(value is not None for value in halves.values("gt_objects.inputs"))
    assert 0 < done < 7
    assert loupe.embed(halves, embedder=Means(), objects="gt", visualize=None).n == 7 - done


def test_too_few_objects_for_a_map_are_said(halves: Any) -> None:
    import loupe

    with pytest.warns(UserWarning, match="UMAP needs at least 5 vectors, 'embeddings' has 2"):
        run = loupe.embed(halves.limit(1), embedder=Means(), objects="gt")
    assert run.messages == {"umap": "no map was drawn: UMAP needs at least 5 vectors, 'embeddings' has 2"}


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"objects": "filepath"}, InputError, "expected a field of detections"),
        ({"objects": "g"}, UnknownName, "unknown field of detections 'g'"),
        ({"objects": "gt", "field": "sharpness"}, InputError, "'sharpness' of an object is something else"),
        ({"objects": "gt", "field": "label"}, InputError, "'label' of an object is something else"),
        ({"objects": "gt", "field": "a b"}, InputError, "made of letters, digits and _"),
        ({"objects": "gt", "visualize": "tsne"}, InputError, "expected visualize"),
    ],
)
def test_bad_input_is_refused(halves: Any, given: dict[str, Any], error: type[Exception], message: str) -> None:
    import loupe

    with pytest.raises(error, match=message):
        loupe.embed(halves, embedder=Means(), **given)
    assert not halves.has_field("gt_objects")
