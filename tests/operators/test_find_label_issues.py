"""The form of label issues asks for what labels of that kind need, and for nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from operator_calls import form, problems, result, untouched

pytestmark = pytest.mark.database

OF_CLASSES = {"embeddings", "probabilities", "groups", "folds", "seed"}
OF_BOXES = {"predictions", "overlap"}
ONLY_OF_BOXES = {"overlap"}


def test_what_is_asked_for_depends_on_the_kind_of_the_labels(filled: Any) -> None:
    name = "find_label_issues"
    of_classes = form(name, filled, {"settings": True})
    assert of_classes["label"].default == "ground_truth"
    assert of_classes.keys() >= OF_CLASSES
    assert ONLY_OF_BOXES.isdisjoint(of_classes)
    # of classes predictions are one way of three
    assert [choice.value for choice in of_classes["predictions"].view.choices] == ["(judge by the vectors)", "model"]
    assert of_classes["predictions"].default == "(judge by the vectors)"
    of_boxes = form(name, filled, {"settings": True, "label": "boxes"})
    assert of_boxes.keys() >= OF_BOXES
    assert OF_CLASSES.isdisjoint(of_boxes)
    assert of_boxes["predictions"].default == "boxes_of_model"
    assert [choice.value for choice in of_boxes["predictions"].view.choices] == ["boxes_of_model"]
    assert not problems(of_boxes)


def test_a_form_looks_for_the_fields_of_labels_once(filled: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from loupe.brain.store.labels import given as labels

    asked: list[str] = []
    real = labels.fields_of
    monkeypatch.setattr(labels, "fields_of", lambda samples, kind="class": asked.append(kind) or real(samples, kind))
    form("find_label_issues", filled, {"settings": True})
    assert sorted(asked) == ["boxes", "class", "classes", "mask", "prompt"]


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


def test_several_classes_and_prompts_are_offered_and_run(filled: Any) -> None:
    import fiftyone as fo
    import numpy as np

    own = filled.clone()
    try:
        animals = ["cat", "dog"] * 6
        own.set_values("prompt", [f"a photo of a {animal}" for animal in animals])
        own.set_values("embeddings", list(np.eye(2)[[animals.index(animal) for animal in animals]] + 0.01))
        own.add_sample_field("several", fo.EmbeddedDocumentField, embedded_doc_type=fo.Classifications)
        given = [*animals[:-1], "cat"]
        own.set_values(
            "several", [fo.Classifications(classifications=[fo.Classification(label=animal)]) for animal in given]
        )
        choices = form("find_label_issues", own, {})["label"].view.choices
        assert {"several", "prompt"} <= {choice.value for choice in choices}
        offered = form("find_label_issues", own, {"label": "several", "settings": True})
        assert offered.keys() >= OF_CLASSES
        assert "predictions" not in form("find_label_issues", own, {"label": "prompt", "settings": True})
        done = result("find_label_issues", own, untouched("find_label_issues", own, {"label": "several"}))
        assert "samples have a class in several that is probably wrong, or lack one" in str(done)
        asked = result("find_label_issues", own, untouched("find_label_issues", own, {"label": "prompt"}))
        assert "0 samples of 12" in str(asked)
        # what the run itself has written is no label of the user's
        choices = form("find_label_issues", own, {})["label"].view.choices
        assert {"failures", "unknown", "label_issues"}.isdisjoint(choice.value for choice in choices)
    finally:
        own.delete()
