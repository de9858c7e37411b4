"""Means of rectangles: torch's own, to the bit, whatever the picture's shape and however it lies in memory."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import adaptive_avg_pool2d

from loupe.brain.imaging.areas import area_means

SHAPES = [(64, 64), (65, 64), (97, 401), (612, 816), (700, 33), (1, 500), (500, 1), (1, 1)]


def interleaved(n: int, height: int, width: int) -> torch.Tensor:
    """As the reader gives pictures."""
    levels = np.random.default_rng(height * width).integers(0, 256, (n, height, width, 3), np.uint8)
    return torch.from_numpy(levels).permute(0, 3, 1, 2)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("n", [1, 3])
def test_as_torch_has_them(shape: tuple[int, int], n: int) -> None:
    pixels, of = interleaved(n, *shape), (min(shape[0], 64), min(shape[1], 64))
    expected = adaptive_avg_pool2d(pixels.contiguous().float(), of)
    assert expected.std() > 1 or shape == (1, 1), "there is something to see"
    for given in (pixels, pixels.contiguous()):
        means = area_means(given, of)
        assert means.dtype == torch.float32
        assert torch.equal(means, expected)


def test_a_white_photo_of_24_megapixels_stays_white() -> None:
    """Its sums are larger than 32 bits hold."""
    white = torch.full((1, 4000, 6000, 3), 255, dtype=torch.uint8).permute(0, 3, 1, 2)
    assert (area_means(white, (64, 64)) == 255).all()
    assert (area_means(white, (1, 64)) == 255).all()
