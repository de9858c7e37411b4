"""What two pictures that look alike on thumbnails differ in: a copy's noise, a logo, or another content."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from scenes import scene

from loupe.brain.similarity import close_look
from loupe.brain.similarity.previews import preview

STRAIGHT = np.eye(2, 3)
Draw = Callable[[int], np.ndarray]


def apart(a: np.ndarray, b: np.ndarray, warp: np.ndarray = STRAIGHT) -> float:
    return close_look.unexplained(preview(np.ascontiguousarray(a)), preview(np.ascontiguousarray(b)), warp)


def photo(seed: int) -> np.ndarray:
    return scene(seed, 360, 480)


def form(seed: int, blank: bool = False) -> np.ndarray:
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (600, 800), "white")
    draw = ImageDraw.Draw(image)
    draw.text((180, 30), "INVOICE", fill="black", font=ImageFont.load_default(44))
    for row in range(9):
        draw.line([(40, 200 + 60 * row), (560, 200 + 60 * row)], fill="gray")
        entry = "" if blank else f"{rng.uniform(10, 99):.2f}"
        draw.text((60, 160 + 60 * row), f"Item {row}   {entry}", fill="black", font=ImageFont.load_default(24))
    return np.asarray(image)


def put_on(picture: np.ndarray, left: float, top: float, wide: float, high: float) -> np.ndarray:
    """A white plate with a word on it, as shares of the sides."""
    height, width = picture.shape[:2]
    made = picture.copy()
    x, y = round(left * width), round(top * height)
    made[y : y + round(high * height), x : x + round(wide * width)] = 250
    place = (x + round(0.08 * wide * width), y + round(0.65 * high * height))
    cv2.putText(made, "LOGO", place, cv2.FONT_HERSHEY_DUPLEX, wide * width / 130, (200, 30, 30), 2, cv2.LINE_AA)
    return made


def jpeg(picture: np.ndarray) -> np.ndarray:
    return cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 30])[1], cv2.IMREAD_COLOR)


COPIES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "encoded": jpeg,
    "a third of the size": lambda x: cv2.resize(x, None, fx=1 / 3, fy=1 / 3, interpolation=cv2.INTER_AREA),
    "enlarged": lambda x: cv2.resize(x, None, fx=1.5, fy=1.5, interpolation=cv2.INTER_CUBIC),
    "darker": lambda x: (x * 0.6).astype(np.uint8),
    "brighter and clipped": lambda x: np.clip(x * 1.3 + 10.0, 0, 255).astype(np.uint8),
    "gray": lambda x: cv2.cvtColor(cv2.cvtColor(x, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB),
    "a small logo": lambda x: put_on(x, 0.02, 0.8, 0.25, 0.17),
    "a logo of a fifth": lambda x: put_on(x, 0.02, 0.55, 0.52, 0.4),
}


@pytest.mark.parametrize("change", COPIES)
@pytest.mark.parametrize("draw", [photo, form])
def test_a_copy_differs_in_nothing_unexplained(change: str, draw: Draw) -> None:
    if draw is form and change == "a logo of a fifth":
        pytest.skip("letters that hide letters on a page are other entries, as far as the picture tells")
    picture = draw(3)
    copy = COPIES[change](picture)
    assert apart(picture, copy) == 0
    assert apart(copy, picture) == 0


def test_a_crop_is_laid_over_its_picture() -> None:
    for picture in (photo(1), form(1)):
        height, width = picture.shape[:2]
        crop = picture[: round(0.92 * height), round(0.08 * width) :]
        # about right is enough: it is registered again
        assert apart(crop, picture, np.array([[0.92, 0, 0.085], [0, 0.92, 0.004]])) == 0


def test_other_entries_in_one_form_are_another_picture() -> None:
    for seed in range(3):
        assert apart(form(seed), form(seed + 10)) > 0.01
        assert apart(form(seed), jpeg(form(seed + 10))) > 0.01
        assert apart(form(seed), form(seed, blank=True)) > 0.01


def test_one_other_number_in_a_scene_is_another_picture() -> None:
    def plate(number: str) -> np.ndarray:
        picture = photo(2).copy()
        picture[150:200, 200:290] = 255
        cv2.putText(picture, number, (206, 188), cv2.FONT_HERSHEY_DUPLEX, 1.3, (0, 0, 0), 3, cv2.LINE_AA)
        return picture

    assert apart(plate("471"), plate("431")) > 0
    assert apart(plate("471"), jpeg(plate("471"))) == 0


def test_another_thing_in_a_scene_is_another_picture_also_in_a_corner() -> None:
    def with_thing(x: int, y: int, kind: int) -> np.ndarray:
        picture = photo(4).copy()
        if kind:
            cv2.circle(picture, (x + 40, y + 40), 38, (230, 210, 40), -1)
        else:
            cv2.rectangle(picture, (x, y), (x + 26, y + 80), (20, 30, 160), -1)
        return picture

    for x, y in ((200, 140), (10, 10), (380, 270)):
        assert apart(with_thing(x, y, 0), with_thing(x, y, 1)) > 0, (x, y)


@pytest.mark.parametrize("hue", [1.0, 2.0, 3.1])
def test_one_thing_in_another_color_of_the_same_brightness_is_another_picture(hue: float) -> None:
    def tinted(angle: float) -> np.ndarray:
        picture = photo(5).astype(np.float32)
        blue, red = 40 * np.cos(angle) / 0.564, 40 * np.sin(angle) / 0.713
        shade = 0.4 * picture[100:260, 160:320].mean(2, keepdims=True) + 70
        picture[100:260, 160:320] = shade + np.array([red, -(0.299 * red + 0.114 * blue) / 0.587, blue])
        return np.clip(picture, 0, 255).astype(np.uint8)

    assert apart(tinted(0), tinted(hue)) > 0
    assert apart(tinted(0), jpeg(tinted(0))) == 0


def test_a_logo_in_the_midst_is_unexplained() -> None:
    picture = photo(6)
    assert apart(picture, put_on(picture, 0.3, 0.3, 0.3, 0.2)) > 0


def test_two_logos_each_in_its_own_corner_are_explained() -> None:
    picture = photo(7)
    low, high = put_on(picture, 0.02, 0.8, 0.25, 0.17), put_on(picture, 0.7, 0.02, 0.25, 0.17)
    assert apart(low, high) == 0


def test_a_caption_is_explained() -> None:
    picture = photo(8)
    captioned = picture.copy()
    captioned[310:] = 15
    cv2.putText(captioned, "on monday again", (30, 345), cv2.FONT_HERSHEY_DUPLEX, 1, (255, 255, 255), 2, cv2.LINE_AA)
    assert apart(picture, captioned) == 0


def test_what_is_hardly_larger_than_a_thumbnail_is_not_looked_at() -> None:
    assert apart(photo(1)[:90, :90], photo(2)[:90, :90]) == 0


def test_maps_go_from_sides_to_pixels_and_back() -> None:
    warp = np.array([[0.9, 0.02, 0.05], [-0.01, 0.95, 0.03]])
    pixels = close_look._in_pixels(warp, (300, 200))
    np.testing.assert_allclose(close_look.in_sides(pixels, (300, 200)), warp, atol=1e-6)
    # the middle of the template: (0.5, 0.5) of the sides is (149.5, 99.5)
    at = pixels @ np.array([149.5, 99.5, 1.0])
    np.testing.assert_allclose((at + 0.5) / (300, 200), warp @ np.array([0.5, 0.5, 1.0]), atol=1e-5)


@pytest.mark.parametrize("sharp_first", [True, False])
def test_the_sharper_of_two_is_made_as_soft_as_the_other(sharp_first: bool) -> None:
    sharp = cv2.cvtColor(form(2), cv2.COLOR_RGB2GRAY).astype(np.float32)
    soft = cv2.GaussianBlur(sharp, (0, 0), 1.5)
    two = (sharp, soft) if sharp_first else (soft, sharp)
    x, y = close_look._same_sharpness(*two)
    edges = [float(np.abs(cv2.Laplacian(each, cv2.CV_32F)).mean()) for each in (x, y)]
    assert max(edges) < 1.5 * min(edges)
    assert float(np.abs(x - y).mean()) < 0.3 * float(np.abs(sharp - soft).mean()), "which is which is kept"


@pytest.mark.parametrize("side", [5, 12, 20, 24, 40])
def test_a_part_may_be_too_small_for_the_inner_edges_of_a_plate(side: int) -> None:
    texture = np.random.default_rng(0).normal(128, 60, (side, side)).astype(np.float32)
    plain = np.full((side, side), 200, np.float32)
    assert not close_look._is_plate(texture, texture)
    assert close_look._is_plate(plain, texture) == (side >= 12)
