"""Forms that ask for objects: only where there are boxes, with the checks that know crops, and their own scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from operator_calls import form, messages, problems, result, untouched
from pasted import fill
from PIL import Image

from loupe.brain.core import registry

pytestmark = pytest.mark.database

ON_OBJECTS = ("check", "embed", "find_duplicates", "find_leaks", "flag", "slice")


@pytest.fixture
def boxes(dataset: Any, tmp_path: Path) -> Any:
    """Eight pictures with an object inside and one that touches the border."""
    import fiftyone as fo

    rng = np.random.default_rng(0)
    samples = []
    for at in range(8):
        path = tmp_path / f"{at}.png"
        Image.fromarray(rng.integers(0, 256, (120, 160, 3), dtype=np.uint8)).save(path)
        labels = [
            fo.Detection(label=name, bounding_box=box)
            for name, box in (("it's <b>", [0.2, 0.2, 0.5, 0.5]), ("cut", [0.0, 0.2, 0.5, 0.5]))
        ]
        samples.append(fo.Sample(filepath=str(path), gt=fo.Detections(detections=labels)))
    dataset.add_samples(samples, progress=False)
    return dataset


@pytest.mark.parametrize("name", ON_OBJECTS)
def test_objects_are_asked_for_only_where_there_are_boxes(boxes: Any, name: str) -> None:
    assert "objects" in form(name, boxes)
    boxes.delete_sample_field("gt")
    assert "objects" not in form(name, boxes)


def test_a_field_of_loupes_own_is_not_offered(boxes: Any) -> None:
    import loupe

    loupe.check(boxes, ["cut"], objects="gt")
    offered = [choice.value for choice in form("check", boxes)["objects"].view.choices]
    assert offered == ["(the whole pictures)", "gt"]


def test_the_form_of_objects_offers_the_checks_that_know_crops(boxes: Any) -> None:
    inputs = form("check", boxes, {"objects": "gt"})
    assert not problems(inputs)
    names = [choice.value for choice in inputs["objects__checks"].view.choices]
    assert names == list(registry.of_objects())
    assert {"cut", "tiny", "sharpness"} <= set(inputs["objects__checks"].default)
    assert "checks__preset" not in inputs
    wrong = form("check", boxes, {"objects": "gt", "objects__checks": ["faces"]})
    assert "unknown check 'faces'" in problems(wrong)["objects__checks"]
    assert (
        "expected at least one"
        in problems(form("check", boxes, {"objects": "gt", "objects__checks": []}))["objects__checks"]
    )
    assert "one of gt" in problems(form("check", boxes, {"objects": "nope"}))["objects"]


def test_a_run_over_objects_says_what_came_of_it(boxes: Any) -> None:
    body = result("check", boxes, untouched("check", boxes, {"objects": "gt", "objects__checks": ["cut", "tiny"]}))
    assert body["message"].startswith("Checked 16 objects of 8 images")
    assert "Cut off" in body["summary"]
    assert "gt_objects" in body["summary"].replace("\\", "")
    assert boxes.first().gt_objects.detections[1].failures == ["cut"]
    assert not boxes.has_field("quality")


def test_thresholds_of_objects_move_by_sliders_of_their_own(boxes: Any) -> None:
    import loupe

    loupe.check(boxes, ["cut", "tiny"], objects="gt")
    inputs = form("flag", boxes, {"objects": "gt"})
    assert not problems(inputs)
    assert inputs["thresholds__cut"].view.label == "Cut off: 8 of 16 fail below 1"
    assert "thresholds__blur" not in inputs
    body = result("flag", boxes, untouched("flag", boxes, {"objects": "gt", "thresholds__tiny": 500.0}))
    assert "8 samples' objects in gt, 1 thresholds moved" in body["message"]
    assert boxes.first().gt_objects.detections[0].failures == ["tiny"]
    assert "no_scores" in form("flag", boxes)


def test_what_the_prompt_asks_for_is_not_counted_beside_the_slider(boxes: Any) -> None:
    import loupe

    boxes.set_values("prompt", ["a house at night"] * 4 + ["a house"] * 4)
    for sample in boxes:
        Image.new("RGB", (160, 120), (9, 9, 9)).save(sample.filepath)
    loupe.check(boxes, ["dark"], objects="gt")
    assert form("flag", boxes, {"objects": "gt"})["thresholds__dark"].view.label.startswith("Dark: 8 of 8 fail")


def test_rates_of_objects_by_class(boxes: Any) -> None:
    import loupe

    loupe.check(boxes, ["cut"], objects="gt")
    body = result("slice", boxes, {"objects": "gt", "by": ["gt"], "failure": "cut"})
    assert {rate["slice"]["values"]["gt"]: rate["failures"] for rate in body["rates"]} == {"it's <b>": 0, "cut": 8}
    assert all(rate["groups"] == 8 for rate in body["rates"])
    offered = [choice.value for choice in form("slice", boxes, {"objects": "gt"})["by"].view.choices]
    assert {"gt", "gt size", "gt position"} <= set(offered)
    assert not any(name.startswith("gt_objects") for name in offered)


def test_vectors_of_objects_from_the_form(boxes: Any) -> None:
    body = result("embed", boxes, {"objects": "gt", "embedder": "hog", "visualize": "pca"})
    assert body["run"]["params"]["n_objects"] == 16
    assert body["message"].startswith("Embedded 16 objects of 8 images")
    assert "duplicates" not in body["summary"]
    assert "gt_objects_embeddings_pca" in boxes.list_brain_runs()


@pytest.fixture
def pasted(dataset: Any, tmp_path: Path) -> Any:
    return fill(dataset, tmp_path)


def test_duplicates_of_objects_from_the_form(pasted: Any) -> None:
    inputs = form("find_duplicates", pasted, {"objects": "gt", "settings": True})
    assert "embeddings" not in inputs
    assert "embeddings" in form("find_duplicates", pasted, {"settings": True})
    one_picture = pasted.limit(1)._serialize()
    assert "one_sample" in form("find_duplicates", pasted, view=one_picture)
    assert "one_sample" not in form("find_duplicates", pasted, {"objects": "gt"}, view=one_picture)
    body = result("find_duplicates", pasted, untouched("find_duplicates", pasted, {"objects": "gt"}))
    assert body["message"].endswith("in 1 group of 4 objects")
    text = body["summary"]
    assert "the same in the middle alone" in text
    assert "with two classes" in text
    assert "van&lt;" not in text or "<b>" not in text
    assert "4 of 10 objects could not be compared" in text
    assert "Next: open the saved view **Duplicate objects of gt**" in text
    assert body["view"] in pasted.list_saved_views()
    assert body["pairs"][0]["sample_a"] in pasted.values("id")


def test_leaks_of_objects_from_the_form(pasted: Any) -> None:
    body = result("find_leaks", pasted, untouched("find_leaks", pasted, {"objects": "gt", "splits": "split"}))
    assert body["message"] == "4 pairs of objects across splits"
    assert "filter it by `failures`: `leak`" in body["summary"]
    clean = pasted[4:].clone()
    body = result("find_leaks", clean, untouched("find_leaks", clean, {"objects": "gt", "splits": "split"}))
    assert body["summary"].startswith("No object stands in two splits.")
    body = result("find_duplicates", clean, untouched("find_duplicates", clean, {"objects": "gt"}))
    assert body["summary"].startswith("No duplicates were found.")
    assert "Next" not in body["summary"]


def test_an_error_of_objects_ends_in_a_dialog(boxes: Any) -> None:
    sent = messages("slice", boxes, {"objects": "gt"}, app=True)
    assert "one of" in sent[-1]["error_message"]
