"""The form of generate where it draws from pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from operator_calls import form, problems, result, untouched
from PIL import Image

pytestmark = pytest.mark.database

SHOWN = "what the grid shows"


@pytest.fixture
def signs(dataset: Any, tmp_path: Path) -> Any:
    """Three pictures of a sign's size with boxes, and prompts of their own."""
    import fiftyone as fo

    rng = np.random.default_rng(0)
    samples = []
    for at in range(3):
        path = tmp_path / f"{at}.png"
        Image.fromarray(rng.integers(0, 256, (32, 96, 3), dtype=np.uint8)).save(path)
        box = fo.Detection(label="text", bounding_box=[0.25, 0.25, 0.5, 0.5])
        samples.append(
            fo.Sample(
                filepath=str(path),
                prompt=f'a red sign that says "{at}", day, clear',
                boxes=fo.Detections(detections=[box]),
                heat=fo.Heatmap(map=np.eye(4)),
                points=fo.Keypoints(keypoints=[fo.Keypoint(points=[[0.5, 0.5]])]),
            )
        )
    dataset.add_samples(samples, progress=False)
    return dataset


def values(made: Any) -> list[str]:
    return list(made.type.values)


def test_fields_are_offered_by_what_they_hold(signs: Any) -> None:
    alone = form("generate", signs)
    assert values(alone["source"])[:3] == ["(the prompts alone)", SHOWN, "a file or a folder"]
    assert not {"image", "mask", "strength", "control", "reference"} & set(alone)
    assert "upscale" in alone
    assert "own" not in values(alone["prompts__source"])
    inputs = form("generate", signs, {"source": SHOWN})
    assert values(inputs["mask"]) == ["(all of the picture)", "boxes", "filepath"]
    assert values(inputs["control"]) == ["(none)", "edges", "pose", "depth", "heat", "points", "filepath"]
    assert values(inputs["image"]) == ["(as needed)", "filepath"]
    assert "own" in values(inputs["prompts__source"])
    assert "the selected samples" not in values(inputs["source"])
    chosen = form("generate", signs, {"source": SHOWN}, selected=signs.values("id")[:1])
    assert "the selected samples" in values(chosen["source"])


def test_it_says_how_many_images_come_of_it(signs: Any, tmp_path: Path) -> None:
    own: dict[str, Any] = {"source": SHOWN, "prompts__source": "own"}
    counted = form("generate", signs, own)["count"].view.label
    assert counted == "3 pictures × 1 = 3 images, each with its own prompt. "
    assert "2 pictures × 1 = 2 images" in form("generate", signs, {**own, "sample": 2})["count"].view.label
    view = signs.limit(2)._serialize()
    assert (
        "2 pictures × 4 = 8 images" in form("generate", signs, {**own, "per_prompt": 4}, view=view)["count"].view.label
    )
    chosen = {"prompts": "a\nb", "source": "the selected samples"}
    counted = form("generate", signs, chosen, selected=signs.values("id")[:1])["count"].view.label
    assert counted.startswith("2 prompts × 1 picture × 1 = 2 images. ")
    files = {"prompts": "a", "source": "a file or a folder", "image": str(tmp_path)}
    assert "1 prompt × 3 pictures × 1 = 3 images" in form("generate", signs, files)["count"].view.label
    assert "1 prompt × 1 = 1 image." in form("generate", signs, {"prompts": "a"})["count"].view.label


@pytest.mark.parametrize(
    ("params", "key", "says"),
    [
        ({"source": SHOWN, "control": "edges"}, "control__lacks", "A control needs a ControlNet. Show the settings"),
        ({"source": SHOWN, "reference": "filepath"}, "reference__lacks", "A reference needs an IP-Adapter"),
        ({"controlnet": "some/net", "settings": True}, "no_control", "The model with a ControlNet needs a control"),
        ({"source": SHOWN, "mask": "boxes", "upscale": 2}, "bad_pictures", "Expected upscale without a mask"),
        ({"source": SHOWN, "strength": 3}, "bad_prompts", "How much to change: expected a number from 0 to 1, got 3"),
        ({"source": SHOWN, "mask": "hands"}, "bad_prompts", "What to draw anew: expected one of"),
        ({"source": SHOWN, "control": "depth"}, "bad_prompts", "Picture to keep to: expected a value, got nothing"),
        (
            {"source": "the selected samples"},
            "bad_prompts",
            "Pictures to draw from: expected selected",
        ),
        ({"source": "a file or a folder"}, "bad_pictures", "Expected a file or a folder to draw from"),
        ({"source": "saved view: gone"}, "bad_prompts", "gone"),
        ({"upscale": 9}, "bad_prompts", "How much to enlarge: expected a number from 1 to 4"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_the_form(signs: Any, params: dict[str, Any], key: str, says: str) -> None:
    reported = problems(form("generate", signs, {"prompts": "a cup", **params}))
    assert says in reported[key], reported


def test_a_hosted_service_draws_from_prompts_alone(signs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    inputs = form("generate", signs, {"prompts": "a", "source": SHOWN, "model__drawn_by": "openai", "settings": True})
    assert not {"source", "image", "mask", "control", "upscale", "upscale_strength", "controlnet"} & set(inputs)
    assert "draws from prompts alone" in inputs["prompts_alone"].view.label
    assert "own" not in values(inputs["prompts__source"])


@pytest.mark.slow
def test_a_run_in_boxes(signs: Any) -> None:
    before = signs.values("id")
    params = untouched("generate", signs, {"source": SHOWN})
    params |= {"prompts__source": "own", "mask": "boxes", "steps": 4, "settings": True}
    assert "Generated 3 images" in result("generate", signs, params)["message"]
    made = signs.exclude(before)
    assert sorted(made.values("generation.source")) == sorted(before)
    assert made.distinct("generation.conditioning") == ["image, mask"]
    assert sorted(made.values("prompt")) == sorted(signs.select(before).values("prompt"))
