"""The texture of skin on drawn faces: grain, a smoothing brush, blur and compression."""

from __future__ import annotations

import dataclasses
import math

import cv2
import numpy as np
import pytest
from people import made_face

from loupe.brain.measures.anatomy import skin_texture
from loupe.brain.perception.landmarks.face import Face

SIZE = 400


@pytest.fixture
def face() -> Face:
    made = made_face(np.random.default_rng(0))
    points = made.points.copy()
    for number, place in {
        50: (-0.3, 0.1),
        280: (0.3, 0.1),
        205: (-0.25, 0.3),
        425: (0.25, 0.3),
        151: (0, -0.7),
    }.items():
        points[number] = np.array(place) * 100 + 200
    brows = {70: -0.5, 105: -0.35, 107: -0.2, 300: 0.5, 334: 0.35, 336: 0.2}
    for number, x in brows.items():
        points[number] = np.array([x, -0.45]) * 100 + 200
    return dataclasses.replace(made, points=points)


def drawn(face: Face, grain: float, soft: float = 0.0) -> np.ndarray:
    """A face with sharp eyes and brows, and so much grain in its skin, in gray levels."""
    rng = np.random.default_rng(1)
    gray = 150 + cv2.GaussianBlur(rng.normal(0, 1, (SIZE, SIZE)), (0, 0), 0.7) * grain / 0.4
    for number in (33, 133, 362, 263, 70, 105, 107, 300, 334, 336):
        x, y = face.points[number].astype(int)
        cv2.circle(gray, (int(x), int(y)), 4, 20.0, -1)
    if soft:
        gray = cv2.GaussianBlur(gray, (0, 0), soft)
    return np.repeat(np.rint(gray).clip(0, 255).astype(np.uint8)[..., None], 3, 2)


def test_grain_is_texture_and_a_smoothed_face_is_smooth(face: Face) -> None:
    rough = skin_texture.measured(drawn(face, 6), face)
    smooth = skin_texture.measured(drawn(face, 0.5), face)
    assert skin_texture.unknown(rough) is None
    assert skin_texture.unknown(smooth) is None
    assert rough.edges == pytest.approx(smooth.edges, rel=0.2)
    assert skin_texture.score(rough) < 0.4
    assert skin_texture.score(smooth) > 0.6
    assert [patch.name for patch in smooth.patches].count("forehead") == 1
    assert all(0 <= patch.box[0] < patch.box[2] <= SIZE for patch in smooth.patches)


def test_the_texture_is_the_spread_of_the_fine_detail(face: Face) -> None:
    picture = drawn(face, 6)
    skin = skin_texture.measured(picture, face)
    gray = picture[..., 0].astype(np.float64)
    fine = gray - cv2.GaussianBlur(gray, (0, 0), 1.0)
    forehead = next(patch for patch in skin.patches if patch.name == "forehead")
    left, top, right, bottom = forehead.box
    assert forehead.texture == pytest.approx(fine[top:bottom, left:right].std(), rel=0.15)


def test_a_blurred_face_is_unknown(face: Face) -> None:
    assert "not sharp" in str(skin_texture.unknown(skin_texture.measured(drawn(face, 6, soft=3), face)))


def test_strong_compression_is_unknown_and_none_has_no_blocks(face: Face) -> None:
    picture = drawn(face, 3)
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 12])
    packed = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert skin_texture.measured(picture, face).blocks < 1.3
    assert "blocks" in str(skin_texture.unknown(skin_texture.measured(packed, face)))


@pytest.mark.parametrize(("factor", "reason"), [(0.1, "dark"), (0.0, "dark")])
def test_a_dark_face_is_unknown(face: Face, factor: float, reason: str) -> None:
    picture = (drawn(face, 6) * factor).astype(np.uint8)
    assert reason in str(skin_texture.unknown(skin_texture.measured(picture, face)))


def test_a_plain_face_has_no_edges_and_one_outside_no_patches(face: Face) -> None:
    plain = skin_texture.measured(np.full((SIZE, SIZE, 3), 128, np.uint8), face)
    assert skin_texture.unknown(plain) is not None
    outside = skin_texture.measured(
        np.full((SIZE, SIZE, 3), 128, np.uint8), dataclasses.replace(face, points=face.points + 900)
    )
    assert outside.patches == ()
    assert math.isnan(skin_texture.score(outside))
    assert "frame" in str(skin_texture.unknown(outside))


def test_blocks_want_some_pixels() -> None:
    assert skin_texture.blockiness(np.zeros((10, 200), np.float32)) == 1.0
