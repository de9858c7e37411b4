"""The form of label issues asks for what labels of that kind need, and for nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from operator_calls import form, problems, result, untouched

pytestmark = pytest.mark.database

OF_CLASSES = {"embeddings", "probabilities", "groups", "folds", "seed"}
OF_BOXES = {"predictions", "overlap"}


def test_what_is_asked_for_depends_on_the_kind_of_the_labels(filled: Any) -> None:
    name = "find_label_issues"
    of_classes = form(name, filled, {"settings": True})
    assert of_classes["label"].default == "ground_truth"
    assert of_classes.keys() >= OF_CLASSES
    assert OF_BOXES.isdisjoint(of_classes)
    of_boxes = form(name, filled, {"settings": True, "label": "boxes"})
    assert of_boxes.keys() >= OF_BOXES
    assert OF_CLASSES.isdisjoint(of_boxes)
    assert of_boxes["predictions"].default == "boxes_of_model"
    assert [choice.value for choice in of_boxes["predictions"].view.choices] == ["boxes_of_model"]
    assert not problems(of_boxes)


def test_masks_are_asked_for_with_a_models_and_a_map(filled: Any) -> None:
    import fiftyone as fo

    own = filled.clone()
    try:
        for name in ("mask", "mask_of_model"):
            own.add_sample_field(name, fo.EmbeddedDocumentField, embedded_doc_type=fo.Segmentation)
        own.add_sample_field("sure", fo.EmbeddedDocumentField, embedded_doc_type=fo.Heatmap)
        inputs = form("find_label_issues", own, {"settings": True, "label": "mask"})
        assert inputs.keys() >= {"predictions", "probabilities"}
        assert (OF_CLASSES - {"probabilities"} | {"overlap"}).isdisjoint(inputs)
        assert inputs["predictions"].default == "mask_of_model"
        assert [choice.value for choice in inputs["probabilities"].view.choices] == ["(none)", "sure"]
        assert not problems(inputs)
    finally:
        own.delete()


def test_boxes_without_predictions_say_what_to_do(filled: Any) -> None:
    alone = filled.exclude_fields("boxes_of_model").clone()
    try:
        reported = problems(form("find_label_issues", alone, {"label": "boxes"}))
        assert "Add a field of what a model says" in reported["no_predictions"]
    finally:
        alone.delete()


def test_a_run_on_boxes_says_what_was_found(filled: Any) -> None:
    own = filled.clone()
    try:
        sample = own.first()
        sample.boxes.detections[0].bounding_box = [0.4, 0.1, 0.5, 0.5]
        sample.save()
        done = result("find_label_issues", own, untouched("find_label_issues", own, {"label": "boxes"}))
        summary = str(done)
        assert "1 sample of 12 are probably wrong" in summary
        assert "badly located" in summary
        assert "box_issues" in summary
    finally:
        own.delete()
