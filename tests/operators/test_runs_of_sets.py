"""Operators on a set as a whole, run as the App runs them: duplicates, leaks, drift, models, shortcuts, groups."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from operator_calls import form, messages, problems, result, triggered
from PIL import Image

pytestmark = [pytest.mark.database, pytest.mark.slow]


def test_clusters_and_words_are_counted(scenes: Any, tmp_path: Path) -> None:
    import fiftyone as fo
    from tiny_clip import tiny_clip

    import loupe

    scenes.add_sample_field("mine", fo.VectorField)
    scenes.set_values("mine", [*(np.eye(2)[index % 2] for index in range(11)), None])
    body = result("find_clusters", scenes, {"n": 2, "embeddings": "mine"})
    assert body["message"] == "2 clusters in cluster"
    assert "| 1: day | 6 |" in body["summary"]
    assert "| 2: evening | 5 |" in body["summary"]
    assert "| no usable vector | 1 |" in body["summary"]
    assert body["clusters"]["counts"] == {"1: day": 6, "2: evening": 5}
    pytest.importorskip("open_clip")
    loupe.embed(scenes, embedder=tiny_clip(tmp_path), visualize=None, similarity=False)
    body = result("find_words", scenes, {"words": "day, night", "margin": 0.2, "embeddings": "embeddings"})
    assert body["message"] == "0 images with a word, 11 unsure"
    assert "| unsure | 11 |" in body["summary"]
    assert scenes.has_field("words")


def test_importing_adds_the_images_once(dataset: Any, pictures: list[Path]) -> None:
    folder = str(pictures[0].parent)
    assert result("import_images", dataset, {"folder": folder})["run"]["n"] == len(pictures)
    assert result("import_images", dataset, {"folder": folder})["run"]["n"] == 0


def test_embedding_without_weights_makes_a_map_and_an_index(scenes: Any) -> None:
    assert not problems(form("embed", scenes, {"embedder": "hog"}))
    assert result("embed", scenes, {"embedder": "hog", "visualize": "pca"})["run"]["n"] == 12
    scenes.reload()
    assert len(scenes.exists("embeddings")) == 11
    assert sorted(scenes.list_brain_runs()) == ["embeddings_pca", "embeddings_similarity"]


def test_outliers_are_found_by_their_vectors(scenes: Any) -> None:
    import fiftyone as fo

    vectors = np.random.default_rng(3).normal(1, 0.01, (12, 4)).astype(np.float32)
    vectors[5] = (1, -1, 1, -1)
    scenes.add_sample_field("mine", fo.VectorField)
    scenes.set_values("mine", [None, *vectors[1:]])
    body = result("find_outliers", scenes, {"field": "mine", "neighbors": 3, "threshold": 5})
    assert body["message"] == "1 outlier among 11 samples"
    assert body["outliers"]["ids"] == [scenes.values("id")[5]]
    assert "1 sample without a usable vector: unknown." in body["summary"]


def test_drift_is_said_with_what_drifted_and_where_to_look(dataset: Any) -> None:
    from drifting import fill

    fill(dataset, 120)
    params = {"by": "taken day", "predictions": "predictions", "ground_truth": "truth"}
    body = result("find_drift", dataset, params)
    assert body["message"] == "1 of 3 batches drifted: 2026-11-04."
    assert "| 2026\\-11\\-04 | 120 | drifted |" in body["summary"]
    assert "shifted in time=night more than elsewhere" in body["summary"]
    assert "open the panel **Drift**" in body["summary"]
    assert body["drift"]["batches"][2]["verdict"] == "drifted"
    failed = messages("find_drift", dataset, {"by": "truth.label", "reference": "batch: cat"}, app=True)[-1]
    assert "unknown batch" in failed["error_message"]


def test_duplicates_are_found_and_counted(scenes: Any) -> None:
    body = result("find_duplicates", scenes, {"near": False})
    ids = scenes.values("id")
    assert [{pair["id_a"], pair["id_b"]} for pair in body["pairs"]] == [{ids[7], ids[9]}]
    assert body["message"] == "1 pair in 1 group of 2 samples"
    assert "| the same bytes | 1 |" in body["summary"]
    assert result("find_duplicates", scenes.limit(5).clone(), {"near": False})["summary"] == "No duplicates were found."


def test_leaks_are_counted_between_splits(scenes: Any) -> None:
    scenes.set_values("split", ["train", "test"] * 4 + ["train"] * 4)
    body = result("find_leaks", scenes, {"splits": "split"})
    assert body["message"] == "1 pair across splits"
    assert body["between"] == {"test, train": 1}
    assert "| test, train | 1 |" in body["summary"]
    params = {"splits": "(sample tags)", "splits__tags": "a, b"}
    failed = messages("find_leaks", scenes, params, app=True)[-1]
    assert "at least two splits" in failed["error_message"]


def test_copies_of_a_reference_set_are_counted(scenes: Any, new_dataset: Callable[[], Any]) -> None:
    import fiftyone as fo

    reference = new_dataset()
    reference.add_samples([fo.Sample(filepath=path) for path in scenes.values("filepath")[:2]], progress=False)
    body = result("find_memorized", scenes, {"reference": reference.name})
    assert body["message"].startswith("2 of 12 samples stand in ")
    assert {pair["id_a"] for pair in body["pairs"]} == set(scenes.values("id")[:2])


def test_copies_of_a_file_are_shown_the_most_alike_first(scenes: Any, tmp_path: Path) -> None:
    ids = scenes.values("id")
    file = tmp_path / "other" / "black.png"
    file.parent.mkdir()
    Image.new("RGB", (64, 48)).save(file)
    sent = messages("find_copies", scenes, {"path": str(file)}, app=True)
    body = sent[-1]["body"]
    assert {pair["id_b"] for pair in body["pairs"]} == {ids[7], ids[9]}
    assert body["message"] == "2 samples with the picture of black.png"
    assert triggered(sent)[-3:] == ["reload_dataset", "set_view", "show_output"]
    view = next(
        each["body"]["params"]["view"] for each in sent if each.get("body", {}).get("operator_uri") == "set_view"
    )
    assert str(ids[7]) in str(view)

    Image.fromarray(np.random.default_rng(9).integers(0, 256, (48, 64, 3), dtype=np.uint8)).save(file)
    sent = messages("find_copies", scenes, {"path": str(file)}, app=True)
    assert sent[-1]["body"]["message"] == "No sample shows black.png"
    assert "set_view" not in triggered(sent)
    file.write_bytes(b"no image")
    assert (
        "expected an image file" in messages("find_copies", scenes, {"path": str(file)}, app=True)[-1]["error_message"]
    )


@pytest.mark.slow
def test_models_are_evaluated_side_by_side_with_their_intervals(dataset: Any) -> None:
    from predicted import detections

    import loupe

    detections(dataset, 30)
    params = {"ground_truth": "ground_truth", "predictions": ["yolo", "detr"], "by": ["time"], "objects": ["size"]}
    sent = messages("evaluate", dataset, {**params, "resamples": 50, "min_samples": 5})
    assert "reload_dataset" not in triggered(sent), "nothing was written"
    body = sent[-1]["body"]
    expected = loupe.evaluate(
        dataset, ["yolo", "detr"], "ground_truth", by=["time"], objects=["size"], resamples=50, min_samples=5
    )
    for name in ("overall", "slices", "disparities", "notes"):
        assert body["evaluation"][name] == expected.to_dict()[name]
    assert body["message"] == "2 models on 30 images, 6 slices"
    row = next(line for line in body["summary"].splitlines() if "size=small" in line and "yolo" in line)
    small = next(each for each in expected.slices if "size=small" in str(each.slice) and each.model == "yolo")
    assert str(small.metrics["recall"]).replace("[", "\\[").replace("]", "\\]") in row
    assert "**How far slices are apart**" in body["summary"]
    assert "Model metrics" in body["summary"]


def test_shortcuts_are_told_with_what_to_do_and_nothing_is_written(scenes: Any) -> None:
    import loupe

    scenes.set_values("kind", ["<b>cat" if at % 2 else "dog" for at in range(len(scenes))])
    scenes.set_values("camera", ["left" if at % 2 else "right" for at in range(len(scenes))])
    before = list(scenes.get_field_schema(flat=True))
    params = {"label": "kind", "by": ["camera"], "settings": True, "min_samples": 5, "groups": []}
    body = result("find_shortcuts", scenes, params)
    made = loupe.find_shortcuts(scenes, "kind", by="camera", min_samples=5, groups=[])
    assert body["message"].startswith("1 shortcut to kind, of ")
    assert body["shortcuts"] == made.to_dict()
    assert body["ids"] == list(made.ids)
    assert "<b>" not in body["summary"]
    assert "loupe.evaluate" in body["summary"].replace("\\", "")
    assert list(scenes.get_field_schema(flat=True)) == before
    small = form("find_shortcuts", scenes, {"label": "kind", "settings": True, "fdr": 0.9})
    assert "fdr" in problems(small)


def test_groups_are_compared_and_nothing_is_written(scenes: Any) -> None:
    import loupe

    scenes.set_values("kind", ["<b>cat" if at % 3 else "dog" for at in range(len(scenes))])
    scenes.set_values("site", ["left" if at % 2 else "right" for at in range(len(scenes))])
    before = list(scenes.get_field_schema(flat=True))
    params = {"by": ["site"], "label": "kind", "settings": True, "min_samples": 2, "groups": []}
    body = result("find_bias", scenes, params)
    assert body["bias"] == loupe.find_bias(scenes, "site", label="kind", min_samples=2, groups=[]).to_dict()
    assert body["message"].endswith("between 2 groups by site")
    assert "<b>" not in body["summary"]
    assert "How far groups are apart" in body["summary"]
    assert list(scenes.get_field_schema(flat=True)) == before
    assert "by" in problems(form("find_bias", scenes, {"by": []}))
