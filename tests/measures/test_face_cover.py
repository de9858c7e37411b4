"""A face is covered where nose and mouth have not the color of the forehead; a shadow and red lips cover nothing."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from people import made_face

from loupe.brain.measures.anatomy import face_cover, face_shape
from loupe.brain.perception.landmarks.face import Face

SKINS = ((224, 188, 164), (150, 105, 80), (70, 48, 38))


def _drawn(skin: tuple[int, ...], below: tuple[int, ...] | None = None) -> np.ndarray:
    """A head of one color on blue, with something of another below the eyes."""
    pixels = np.full((400, 400, 3), (60, 90, 140), np.uint8)
    cv2.ellipse(pixels, (200, 200), (85, 120), 0, 0, 360, skin, -1)
    if below is not None:
        pixels[195:320, 100:300] = below
    return pixels


def _face() -> Face:
    """A face whose points lie where those of an upright face do."""
    face = made_face(np.random.default_rng(0))
    places = {10: (0, -100), 151: (0, -80), 9: (0, -55), 104: (-45, -70), 333: (45, -70), 117: (-45, -8), 346: (45, -8)}
    places |= {
        4: (0, 20),
        195: (0, 8),
        205: (-35, 30),
        425: (35, 30),
        164: (0, 45),
        2: (0, 32),
        207: (-42, 45),
        427: (42, 45),
    }
    for number, place in places.items():
        face.points[number] = np.array(place) + 200
    return face


@pytest.mark.parametrize("skin", SKINS)
@pytest.mark.parametrize(
    ("below", "covered"),
    [(None, False), ((120, 170, 205), True), ((190, 40, 50), True), ((20, 120, 60), True)],
)
def test_cloth_of_a_color_covers_and_bare_skin_does_not(
    skin: tuple[int, ...], below: tuple[int, ...] | None, covered: bool
) -> None:
    face = _face()
    assert face_shape.unit(face_shape.solid(face)) == pytest.approx(100, rel=0.1)
    chroma, lightness = face_cover.differences(face, _drawn(skin, below))
    assert face_cover.is_covered(chroma, lightness) == covered


@pytest.mark.parametrize("skin", SKINS)
def test_what_happens_to_bare_faces_covers_nothing(skin: tuple[int, ...]) -> None:
    face, bare = _face(), _drawn(skin)
    shade = np.linspace(1.0, 0.5, 400)[:, None, None]
    lips, side, gray = bare.copy(), bare.copy(), cv2.cvtColor(bare, cv2.COLOR_RGB2GRAY)
    lips[245:265, 170:230] = (190, 40, 50)
    side[:, 200:] = side[:, 200:] // 2
    for picture in (lips, side, (bare * shade).astype(np.uint8), np.repeat(gray[..., None], 3, 2)):
        assert not face_cover.is_covered(*face_cover.differences(face, picture))
