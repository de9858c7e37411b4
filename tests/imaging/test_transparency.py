"""What is drawn on a transparent ground can be seen, and ordinary pictures stay on white."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from loupe.brain.engine.reader import read
from loupe.brain.imaging.transparency import background_of


def drawing(color: tuple[int, int, int], seed: int = 0) -> Image.Image:
    image = Image.new("RGBA", (160, 120))
    draw, rng = ImageDraw.Draw(image), np.random.default_rng(seed)
    for _ in range(6):
        draw.line([(int(x), int(y)) for x, y in rng.integers(0, 120, (3, 2))], fill=(*color, 255), width=3)
    return image


def photo() -> Image.Image:
    small = np.random.default_rng(0).integers(0, 256, (15, 20, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((160, 120), Image.Resampling.BICUBIC)


@pytest.mark.parametrize(
    ("color", "expected"),
    [
        ((0, 0, 0), 255),
        ((90, 90, 90), 255),
        ((200, 30, 30), 255),
        ((128, 128, 128), 255),
        ((255, 255, 255), 128),
        ((248, 250, 252), 128),
    ],
)
def test_a_drawing_lies_on_what_shows_it(color: tuple[int, int, int], expected: int) -> None:
    assert background_of(np.asarray(drawing(color))) == expected


def test_black_where_neither_white_nor_gray_shows_it() -> None:
    pixels = np.array(drawing((255, 255, 255)))
    pixels[:60, :, :3] = np.where(pixels[:60, :, 3:] > 0, 128, 0)
    pixels[60:, :, 3] = np.where(pixels[60:, :, 3] > 0, 12, 0)  # too faint to be seen on white or gray
    assert background_of(pixels) == 255, "the gray half is seen on white"
    pixels = np.array(drawing((255, 255, 255)))
    pixels[..., 3] = np.where(pixels[..., 3] > 0, 25, 0)
    assert background_of(pixels) == 0, "a faint white is seen on black only"


def test_a_frame_does_not_hide_that_the_rest_is_gone() -> None:
    image = drawing((255, 255, 255))
    ImageDraw.Draw(image).rectangle((0, 0, 30, 20), outline=(0, 0, 0, 255))
    assert background_of(np.asarray(image)) == 128


def test_ordinary_pictures_stay_on_white(tmp_path: Path) -> None:
    cut = photo().convert("RGBA")
    alpha = Image.new("L", cut.size)
    ImageDraw.Draw(alpha).ellipse((30, 20, 130, 100), fill=255)
    cut.putalpha(alpha)
    page = Image.new("RGBA", (160, 120), (255, 255, 255, 255))
    ImageDraw.Draw(page).text((20, 40), "white paper, black text", fill=(0, 0, 0, 255))
    page.putpixel((0, 0), (255, 255, 255, 0))
    sticker = cut.copy()
    ImageDraw.Draw(sticker).ellipse((28, 18, 132, 102), outline=(255, 255, 255, 255), width=6)
    shade = photo().convert("RGBA")
    shade.putalpha(Image.linear_gradient("L").resize(shade.size))
    empty = Image.new("RGBA", (160, 120), (0, 0, 0, 0))
    for image in (cut, page, sticker, shade, empty, photo().convert("RGBA")):
        assert background_of(np.asarray(image)) == 255
        image.save(tmp_path / "a.png")
        on_white = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
        np.testing.assert_array_equal(read(tmp_path / "a.png").pixels, np.asarray(on_white))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
@pytest.mark.parametrize("kind", ["png", "webp"])
def test_two_white_drawings_are_neither_blank_nor_the_same(tmp_path: Path, kind: str, mode: str) -> None:
    made = []
    for seed in (1, 2):
        image = drawing((255, 255, 255), seed)
        image = image.quantize(4) if mode == "P" else image.convert(mode)
        image.save(tmp_path / f"a.{kind}", lossless=True)
        made.append(read(tmp_path / f"a.{kind}").pixels.astype(int))
    assert all(pixels.std() > 10 for pixels in made)
    assert (made[0] != made[1]).mean() > 0.05


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1)])
def test_a_line_and_a_point_have_a_background(size: tuple[int, int]) -> None:
    assert background_of(np.asarray(Image.new("RGBA", size, (255, 255, 255, 9)))) in (255, 128, 0)
