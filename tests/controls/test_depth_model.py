"""Depth by a model of transformers, with random weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from loupe.brain.controls import depth, make
from loupe.brain.core.errors import ModelError


def build(folder: Path, **config: object) -> Path:
    from transformers import DPTConfig, DPTForDepthEstimation, DPTImageProcessor

    torch.manual_seed(0)
    settings = DPTConfig(
        hidden_size=16,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=32,
        patch_size=8,
        backbone_out_indices=[0, 1, 2, 3],
        neck_hidden_sizes=[8, 8, 8, 8],
        fusion_hidden_size=8,
        reassemble_factors=[4, 2, 1, 0.5],
        is_hybrid=False,
        **config,
    )
    DPTForDepthEstimation(settings).save_pretrained(folder)
    DPTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)


def test_depth_is_what_the_model_says_stretched(tmp_path: Path, picture: np.ndarray) -> None:
    from transformers import AutoModelForDepthEstimation, DPTImageProcessor

    folder = build(tmp_path / "dpt")
    made = make.maker("depth", "cpu", str(folder))(picture, (48, 32))
    inputs = DPTImageProcessor.from_pretrained(folder)(images=Image.fromarray(picture), return_tensors="pt")
    with torch.no_grad():
        values = AutoModelForDepthEstimation.from_pretrained(folder)(**inputs).predicted_depth[0].numpy()
    assert np.asarray(made).tolist() == depth.draw(values, (48, 32)).tolist()
    assert np.asarray(made).max() > np.asarray(made).min()


def test_a_model_of_meters_is_turned_around(tmp_path: Path, picture: np.ndarray) -> None:
    near = make.maker("depth", "cpu", str(build(tmp_path / "near")))(picture, (48, 32))
    far = make.maker("depth", "cpu", str(build(tmp_path / "far", depth_estimation_type="metric")))(picture, (48, 32))
    total = np.asarray(near).astype(int) + np.asarray(far)
    assert (abs(total - 255) <= 1).all()


def test_what_is_no_depth_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    pickled = build(tmp_path / "pickled")
    torch.save({}, pickled / "pytorch_model.bin")
    (pickled / "model.safetensors").unlink()
    broken = build(tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"{}")
    for folder in (tmp_path / "empty", pickled, broken):
        with pytest.raises(ModelError, match="a depth-estimation model of transformers with safetensors weights"):
            make.maker("depth", "cpu", str(folder))
    for name in ("~nobody-of-this-name/depth", "a/" * 3000, "\ud800"):
        with pytest.raises(ModelError, match="cannot be loaded as one"):
            make.maker("depth", "cpu", name)
