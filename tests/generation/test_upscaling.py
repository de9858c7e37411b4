"""The second pass: tiles cover the whole, and are put together without a border."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from PIL import Image

from loupe.brain.core.records import Request
from loupe.brain.generation import upscaling
from loupe.brain.generation.upscaling import Upscale


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.mark.parametrize("tile", [(96, 32), (64, 64), (8, 8), (33, 17)])
@pytest.mark.parametrize("factor", [1.01, 1.25, 1.5, 2, 2.5, 3, 4])
def test_tiles_cover_every_pixel_and_overlap(tile: tuple[int, int], factor: float) -> None:
    whole = round(tile[0] * factor), round(tile[1] * factor)
    covered = np.zeros((whole[1], whole[0]), int)
    corners = upscaling.corners(whole, tile)
    assert len(set(corners)) == len(corners)
    for x, y in corners:
        assert 0 <= x <= whole[0] - tile[0]
        assert 0 <= y <= whole[1] - tile[1]
        covered[y : y + tile[1], x : x + tile[0]] += 1
    assert covered.min() == 1
    xs = sorted({x for x, _ in corners})
    assert all(after - before <= np.ceil(0.75 * tile[0]) + 1 for before, after in itertools.pairwise(xs))


def test_tiles_of_a_picture_are_that_picture_again() -> None:
    picture = noise(150, 80)
    tiles = [picture.crop((x, y, x + 64, y + 48)) for x, y in upscaling.corners(picture.size, (64, 48))]
    assert upscaling.merged(tiles, picture.size).tobytes() == picture.tobytes()


def test_one_tile_fades_into_the_other() -> None:
    white, black = Image.new("RGB", (40, 8), (255,) * 3), Image.new("RGB", (40, 8))
    assert upscaling.corners((60, 8), (40, 8)) == [(0, 0), (20, 0)]
    row = np.asarray(upscaling.merged([white, black], (60, 8)))[4, :, 0].astype(int)
    assert (row[:20] == 255).all()
    assert (row[40:] == 0).all()
    steps = -np.diff(row[18:42])
    assert (steps >= 0).all()
    assert steps.max() < 60, "no border"


def test_the_tiles_are_asked_for_with_what_was_asked_for() -> None:
    image, control, reference = noise(64, 32), noise(64, 32, 1), noise(20, 20, 2)
    first = Request(
        "a cup", 7, negative_prompt="blur", image=noise(64, 32, 3), strength=0.9, control=control, reference=reference
    )
    asked = upscaling.requests(image, first, Upscale(2.0, 0.25))
    assert len(asked) == len(upscaling.corners((128, 64), (64, 32))) == 9
    large, layout = image.resize((128, 64), Image.Resampling.LANCZOS), control.resize((128, 64))
    for request, (x, y) in zip(asked, upscaling.corners((128, 64), (64, 32)), strict=True):
        assert (request.prompt, request.negative_prompt, request.strength) == ("a cup", "blur", 0.25)
        assert request.image is not None
        assert request.control is not None
        assert request.image.tobytes() == large.crop((x, y, x + 64, y + 32)).tobytes()
        assert request.control.tobytes() == layout.crop((x, y, x + 64, y + 32)).tobytes()
        assert request.reference is reference
        assert request.mask is None
    assert len({request.seed for request in asked}) == 9
    other: Any = upscaling.requests(image, Request("a cup", 8), Upscale(2.0, 0.25))
    assert {request.seed for request in other}.isdisjoint({request.seed for request in asked})
