"""What a check reads of a sample beside its pixels, and the points it leaves there, through FiftyOne's documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from PIL import Image

import loupe
from loupe.brain.core.errors import MissingWeights
from loupe.brain.core.records import Box, Output, Points, Scores
from loupe.brain.core.specs import Check
from loupe.brain.imaging.batches import ImageBatch

pytestmark = pytest.mark.database


@dataclass(frozen=True)
class Seer(Check):
    """Seer: keeps what it is given."""

    name: ClassVar[str] = "seer"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "none"
    license: ClassVar[str] = "Apache-2.0"
    points_field: ClassVar[str | None] = "seen"
    outputs: ClassVar[tuple[Output, ...]] = (Output("seer", "boxes", False, (0.0, 100.0), "How many boxes."),)
    got: ClassVar[list[Any]] = []

    wants: str = ""

    def reads(self) -> tuple[str, ...]:
        return ("found", "spec")

    def weights(self) -> tuple[str, ...]:
        return (self.wants,) if self.wants else ()

    def load(self, device: str) -> Callable[[ImageBatch], Scores]:
        def score(batch: ImageBatch) -> Scores:
            Seer.got.extend(zip(batch.fields["found"], batch.fields["spec"], strict=True))
            counts = torch.tensor([float(len(boxes or ())) for boxes in batch.fields["found"]])
            points = tuple(
                tuple(Points("box", ((box.bounds[0], box.bounds[1]),), 0.5, {"said": box.label}) for box in boxes or ())
                for boxes in batch.fields["found"]
            )
            return Scores({"seer": counts}, points=points)

        return score


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[Any]:
    import fiftyone as fo

    dataset = fo.Dataset()
    for index in range(3):
        path = tmp_path / f"{index}.png"
        Image.fromarray(np.full((8, 8, 3), index * 40, np.uint8)).save(path)
        dataset.add_sample(fo.Sample(filepath=str(path)))
    dataset.add_sample_field("spec", fo.DictField)
    first, second, _ = dataset
    first["found"] = fo.Detections(
        detections=[
            fo.Detection(label="cat", bounding_box=[0.1, 0.2, 0.3, 0.4], confidence=0.9),
            fo.Detection(label="dog", bounding_box=[0.5, 0.5, 0.2, 0.2]),
        ]
    )
    first["spec"] = {"prompt": "a cat", "objects": [{"name": "cat"}]}
    first.save()
    second["found"] = fo.Detections()
    second.save()
    Seer.got.clear()
    yield dataset
    dataset.delete()


def test_detections_come_as_boxes_and_points_go_as_keypoints(dataset: Any) -> None:
    run = loupe.check(dataset, [Seer()])
    assert (run.n, run.errors) == (3, 0)
    boxes = (Box("cat", (0.1, 0.2, 0.3, 0.4), 0.9), Box("dog", (0.5, 0.5, 0.2, 0.2)))
    assert (boxes, {"prompt": "a cat", "objects": [{"name": "cat"}]}) in Seer.got
    assert ((), None) in Seer.got
    assert (None, None) in Seer.got
    seen = dataset.first()["seen"].keypoints
    assert [(notice.label, notice.points, notice.confidence, notice.said, notice.check) for notice in seen] == [
        ("box", [[0.1, 0.2]], [0.5], "cat", "seer"),
        ("box", [[0.5, 0.5]], [0.5], "dog", "seer"),
    ]
    # nothing has changed: nothing is done; another box is another question
    assert loupe.check(dataset, [Seer()]).n == 0
    sample = dataset.first()
    sample["found"].detections.pop()
    sample.save()
    assert loupe.check(dataset, [Seer()]).n == 1
    assert len(dataset.first()["seen"].keypoints) == 1


def test_a_check_without_its_model_files_is_left_out_and_said(
    dataset: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("LOUPE_WEIGHTS", "LOUPE_WEIGHTS_DIRS"):
        monkeypatch.setenv(variable, str(tmp_path / "empty"))
    run = loupe.check(dataset, [Seer("iris_landmark"), "file"])
    assert "left out" in run.messages["seer"]
    assert run.messages["seer"].endswith("loupe weights get iris_landmark")
    assert (run.n, run.errors) == (3, 0)
    assert not Seer.got
    with pytest.raises(MissingWeights, match="loupe weights get iris_landmark"):
        loupe.check(dataset, [Seer("iris_landmark")])


def test_where_the_users_detections_are_to_be_taken_nothing_else_is_missed() -> None:
    from loupe.brain.checks.composition import Composition

    check = Composition(detector="field", backend="open_vocabulary", detections="objects")
    assert check._detector("cpu") == "the sample has no detections in the field 'objects'"
