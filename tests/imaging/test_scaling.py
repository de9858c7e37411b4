"""What a device makes of a picture is what the CPU makes of it: tried on the CPU by the device's own way."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from loupe.brain.core import registry
from loupe.brain.imaging import luma, scaling
from loupe.testing.cases import CASES
from loupe.testing.picture_set import batch, by_shape

NEEDS_NO_MODEL = [
    name
    for name, check in registry.checks().items()
    if not check().weights()
    and not check().absent()
    and name not in ("composition", "overlay", "personal_data", "text")
]


@pytest.mark.parametrize("seed", range(12))
def test_it_gives_the_pixels_of_the_8_bit_path(seed: int) -> None:
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 700, 2)
    shape = (int(rng.integers(-(-height // 12), height + 1)), int(rng.integers(-(-width // 12), width + 1)))
    levels = rng.integers(0, 256, (2, 3, height, width), dtype=np.uint8)
    for planes in (torch.from_numpy(levels), torch.from_numpy(np.where(levels > 127, 255, 0).astype(np.uint8))):
        expected = interpolate(planes, shape, mode="bicubic", antialias=True)
        assert torch.equal(scaling.scaled(planes, shape), expected)


def test_along_one_axis_only() -> None:
    planes = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (1, 1, 40, 90), dtype=np.uint8))
    for shape in ((40, 30), (13, 90), (40, 90)):
        expected = interpolate(planes, shape, mode="bicubic", antialias=True)
        assert torch.equal(scaling.scaled(planes, shape), expected)


def _as_on_a_device(planes: torch.Tensor, long_side: int) -> torch.Tensor:
    height, width = planes.shape[-2:]
    scale = long_side / max(height, width)
    return scaling.scaled(planes, (max(1, round(height * scale)), max(1, round(width * scale))))


@pytest.mark.parametrize("name", NEEDS_NO_MODEL)
def test_checks_say_the_same_without_opencv(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What they do on a device, on the CPU; a device adds floats up in another order beside."""
    check = registry.checks()[name]()
    score = check.load("cpu")
    expected = [score(batch(group)) for group in by_shape(CASES)]
    monkeypatch.setattr(luma, "by_opencv", lambda values: False)
    monkeypatch.setattr(luma, "scaled", _as_on_a_device)
    for group, known in zip(by_shape(CASES), expected, strict=True):
        again = score(batch(group))
        assert again.reasons == known.reasons
        for output in known:
            torch.testing.assert_close(again[output], known[output], rtol=1e-5, atol=5e-5, equal_nan=True)
