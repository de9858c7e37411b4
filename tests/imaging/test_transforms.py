"""What a device makes of pixels for a network is what torchvision makes of a picture, to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms as peer

from loupe.brain.imaging import scaling
from loupe.brain.imaging.transforms import on_device

BICUBIC, BILINEAR = peer.InterpolationMode.BICUBIC, peer.InterpolationMode.BILINEAR


def pixels(seed: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def usual(side: int = 64, cut: int = 56, interpolation: Any = BICUBIC) -> Any:
    normal = peer.Normalize((0.48, 0.46, 0.41), (0.27, 0.26, 0.28))
    return peer.Compose([peer.Resize(side, interpolation), peer.CenterCrop(cut), peer.ToTensor(), normal])


def transforms_in_use() -> list[Any]:
    made = [usual(), usual(65, 64)]
    open_clip = pytest.importorskip("open_clip.transform")
    made.append(open_clip.image_transform_v2(open_clip.PreprocessCfg(size=(64, 64)), is_train=False))
    timm = pytest.importorskip("timm")
    for share in (0.9, 1.0):
        settings = {"input_size": (3, 64, 64), "interpolation": "bicubic", "crop_pct": share}
        made.append(timm.data.create_transform(**settings, is_training=False))
    return made


@pytest.mark.parametrize("shape", [(300, 211), (130, 500), (64, 64), (64, 90), (40, 50), (65, 64)])
def test_the_numbers_are_the_same(shape: tuple[int, int]) -> None:
    pictures = [pixels(seed, *shape) for seed in range(2)]
    for transform in transforms_in_use():
        expected = torch.stack([transform(Image.fromarray(picture)) for picture in pictures])
        inputs = on_device(transform)
        assert inputs is not None
        assert torch.equal(inputs(torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)), expected)


@pytest.mark.parametrize("seed", range(8))
def test_scaling_as_pillow_does(seed: int) -> None:
    rng = np.random.default_rng(seed)
    height, width = (int(side) for side in rng.integers(1, 300, 2))
    down, across = (
        max(1, round(side * 2 ** rng.uniform(0, 1) * (0.3, 1.2)[seed // 2 % 2])) for side in (height, width)
    )
    picture = pixels(seed, height, width)
    if seed % 2:
        picture = np.where(picture > 127, 255, 0).astype(np.uint8)
    expected = np.asarray(Image.fromarray(picture).resize((across, down), Image.Resampling.BICUBIC))
    made = scaling.scaled(torch.from_numpy(picture).permute(2, 0, 1), (down, across), as_pillow=True)
    np.testing.assert_array_equal(made.permute(1, 2, 0).numpy(), expected)


def test_what_is_another_transform_is_left_to_the_cpu() -> None:
    normal = peer.Normalize((0.5,) * 3, (0.5,) * 3)
    others = [
        usual(interpolation=BILINEAR),
        usual(56, 64),  # would be filled up
        peer.Compose([peer.Resize((64, 64), BICUBIC), peer.CenterCrop(64), peer.ToTensor(), normal]),
        peer.Compose([peer.Resize(64, BICUBIC), peer.CenterCrop(64), peer.Grayscale(3), peer.ToTensor(), normal]),
        peer.Compose([peer.Resize(64, BICUBIC), peer.ToTensor(), normal]),
        lambda picture: picture,
    ]
    assert [on_device(transform) for transform in others] == [None] * len(others)
