"""What blending leaves behind, what is asked for, and what makes a line a watermark: the pure parts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from leaves import leaves

from loupe.brain.measures.overlays import drawing
from loupe.brain.measures.overlays.features import crowded, features, likelihood, owned, posted
from loupe.brain.measures.overlays.finding import LineCandidate, evened, mates, slant
from loupe.brain.measures.overlays.ink import Ink, crispness, ink_of
from loupe.brain.measures.overlays.watermark import WEIGHTS, watermark_kind, watermark_likelihood
from loupe.brain.perception.ocr.regions import Region
from loupe.brain.prompts.requested_overlays import requested_overlays

SHAPE = (480, 640)
SCENE = leaves(6, 640, 480, 120)


def region(left: float, top: float, width: float, height: float) -> Region:
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) + np.float32([left, top])
    return Region(corners, 0.9)


def candidate(place: Region, text: str = "abcdefgh", twins: int = 0, ink: Ink | None = None) -> LineCandidate:
    return LineCandidate(place, False, ink, None, twins, 0, text, 0.95)


# blending


@pytest.mark.parametrize("opacity", [0.3, 0.5, 0.8])
@pytest.mark.parametrize("color", [(255, 255, 255), (0, 0, 0)])
def test_the_opacity_of_a_blend_is_measured(opacity: float, color: tuple[float, float, float]) -> None:
    # a ground that changes slowly, as behind the strokes it has to be guessed from beside them
    y, x = np.mgrid[:480, :640]
    ground = (120 + 60 * np.sin(x / 90) * np.cos(y / 70))[..., None] * np.array([1.0, 0.9, 0.8])
    line = drawing.lettering("LUMEN ARTS STUDIO", 44)
    mask = np.zeros(SHAPE, np.float32)
    drawing.put(mask, line, 100, 300)
    made = drawing.blended(ground.astype(np.uint8), mask, color, opacity)
    ink = ink_of(made, region(98, 298, line.shape[1] + 4, line.shape[0] + 4))
    assert ink is not None
    assert (ink.contrast > 0) == (color[0] == 255)
    assert ink.opacity == pytest.approx(opacity, abs=0.15)
    assert ink.misfit < 0.2


def test_ink_with_its_own_light_fits_no_blend() -> None:
    line = drawing.lettering("LUMEN ARTS STUDIO", 44)
    mask = np.zeros(SHAPE, np.float32)
    drawing.put(mask, line, 100, 300)
    ground = np.full((*SHAPE, 3), 90, np.uint8)
    x = np.arange(640)
    shaded = np.repeat(((180 + 60 * np.sin(x / 25))[None, :, None]), 480, 0) * np.ones(3)
    made = (ground * (1 - mask[..., None]) + shaded * mask[..., None]).astype(np.uint8)
    place = region(98, 298, line.shape[1] + 4, line.shape[0] + 4)
    flat, uneven = ink_of(drawing.blended(ground, mask, (200, 200, 200), 1), place), ink_of(made, place)
    assert flat is not None
    assert uneven is not None
    assert flat.spread < 0.1 < uneven.spread
    assert math.isnan(flat.opacity), "an even ground does not tell"


def test_no_contrast_and_no_room_are_no_ink() -> None:
    assert ink_of(np.full((100, 100, 3), 80, np.uint8), region(10, 10, 60, 20)) is None
    assert ink_of(SCENE, region(10, 10, 60, 2)) is None
    assert ink_of(SCENE[:4, :4], region(0, 0, 4, 4)) is None


def test_faint_lettering_stands_out_once_the_contrast_is_even() -> None:
    mask = np.zeros(SHAPE, np.float32)
    drawing.put(mask, drawing.lettering("SAMPLE", 60), 60, 200)
    dim = np.full((*SHAPE, 3), 60, np.uint8)
    made = drawing.blended(dim, mask, (255, 255, 255), 0.05)
    assert int(made.max()) - int(made.min()) <= 10
    gray = evened(made)
    assert gray.shape == made.shape
    assert gray.dtype == np.uint8
    ink, ground = gray[mask > 0.9].mean(), gray[:100].mean()
    assert ink - ground > 20


def test_what_is_written_in_is_crisper_than_what_a_lens_has_seen() -> None:
    mask = np.zeros(SHAPE, np.float32)
    drawing.put(mask, drawing.lettering("MILL LANE", 40), 100, 200)
    drawn = drawing.blended(np.full((*SHAPE, 3), 90, np.uint8), mask, (240, 240, 240), 1)
    place = region(96, 196, 220, 40)
    values = [crispness(drawn, place)]
    for sigma in (0.8, 1.6, 3.2):
        y = np.arange(-12, 13)
        kernel = np.exp(-((y / sigma) ** 2) / 2) / np.exp(-((y / sigma) ** 2) / 2).sum()
        soft = np.apply_along_axis(np.convolve, 0, mask, kernel, mode="same")
        soft = np.apply_along_axis(np.convolve, 1, soft, kernel, mode="same")
        values.append(crispness(drawing.blended(np.full((*SHAPE, 3), 90, np.uint8), soft, (240, 240, 240), 1), place))
    assert values == sorted(values, reverse=True)
    assert values[0] > 2 * values[-1] > 0
    faint = drawing.blended(np.full((*SHAPE, 3), 90, np.uint8), mask, (150, 150, 150), 1)
    assert crispness(faint, place) == pytest.approx(values[0], abs=0.1), "it is over the contrast"
    assert crispness(np.full((100, 100, 3), 80, np.uint8), region(10, 10, 60, 20)) == 0
    assert crispness(drawn, region(10, 10, 60, 2)) == 0


# a line


def test_print_on_an_even_ground_is_less_of_a_watermark_than_a_blend_over_a_lively_one() -> None:
    place = region(120, 190, 400, 90)
    opaque, blend = Ink(180, 0.1, 0.05, 1.0, 0.1, 0.3, 0.1), Ink(60, 0.3, 0.7, 0.4, 0.1, 0.3, 0.1)
    scores = [watermark_likelihood(candidate(place, "GARDEN", ink=ink), SHAPE) for ink in (opaque, blend)]
    assert scores[0] < 0.5 < scores[1]
    assert features(candidate(place, ink=opaque), SHAPE, True)["printed"] > 0.9
    assert features(candidate(place, ink=blend), SHAPE, True)["printed"] < 0.1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("STOP", True),
        ("speed limit", True),
        ("NO PARKING", True),
        ("Mill Lane", True),
        ("St. Mary Ave.", True),
        ("Harlow 12", True),
        ("EXIT 21A", True),
        ("SAMPLE", False),
        ("Stop the car now", False),
        ("© 2021 Iris", False),
        ("2021-03-04 12:30", False),
        ("a " * 5000, False),
        ("", False),
    ],
)
def test_what_signs_say(text: str, expected: bool) -> None:
    assert posted(text) == expected


def test_corners_owners_and_rows_weigh() -> None:
    middle, corner = candidate(region(260, 200, 120, 16)), candidate(region(500, 456, 120, 16))
    assert watermark_likelihood(corner, SHAPE) > watermark_likelihood(middle, SHAPE)
    for text in ("© Ann Lee", "www.pixa.net"):
        own = candidate(region(500, 456, 120, 16), text)
        assert watermark_likelihood(own, SHAPE) > watermark_likelihood(corner, SHAPE)
    assert watermark_kind(corner, SHAPE) == "corner"
    assert watermark_kind(candidate(region(100, 200, 440, 80), "SAMPLE"), SHAPE) == "band"


def test_slanted_lines_of_one_size_are_rows() -> None:
    turn = np.array([[0.87, 0.5], [-0.5, 0.87]], np.float32)
    places = [
        Region((region(0, 0, 100, 18).corners @ turn + np.float32([x, y])).astype(np.float32), 0.9)
        for x in (60, 220, 380)
        for y in (60, 180, 300)
    ]
    counts = mates(places)
    assert counts == [8] * 9
    assert mates([*places, region(10, 10, 100, 18)])[-1] == 0
    assert mates([]) == []
    row, alone = (LineCandidate(places[4], False, None, None, 0, count, "SAMPLE", 0.9) for count in (8, 0))
    assert watermark_likelihood(row, SHAPE) > watermark_likelihood(alone, SHAPE)
    assert watermark_kind(row, SHAPE) == "rows"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Copyright 2009 Michael Peters", True),
        ("www.harborview.org", True),
        ("MILITARY-TODAY.COM", True),
        ("@ann", True),
        ("FRESH BREAD", False),
        ("Compass", False),
        ("221F550", False),
        ("", False),
    ],
)
def test_what_owners_write(text: str, expected: bool) -> None:
    assert owned(text) == expected


def test_every_number_is_in_its_bounds_wherever_the_line_lies() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        corners = rng.uniform(-50, 700, (4, 2)).astype(np.float32)
        line = LineCandidate(Region(corners, float(rng.random())), bool(rng.integers(2)), None, None, 3, 2, "x", 0.2)
        values = features(line, SHAPE, True)
        assert all(0 <= value <= 1 for value in values.values()), values
        assert all(set(weights) - {""} <= set(values) for weights in WEIGHTS.values())
        assert 0 <= watermark_likelihood(line, SHAPE) <= 1
        assert -90 < slant(line.region) <= 90


def test_a_likelihood_does_not_overflow() -> None:
    assert likelihood({"a": 1.0}, {"": 1e6, "a": 1e6}) == pytest.approx(1)
    assert likelihood({"a": 1.0}, {"": -1e6}) == pytest.approx(0)


def test_a_page_is_crowded_and_rows_of_a_word_are_not() -> None:
    lines = [candidate(region(20, 16 * row, 500, 12)) for row in range(28)]
    assert crowded(lines, SHAPE)
    assert not crowded(lines[:3], SHAPE)
    assert not crowded([candidate(line.region, twins=9) for line in lines], SHAPE)


# what is asked for


@pytest.mark.parametrize(
    ("prompt", "watermark", "interface"),
    [
        (None, False, False),
        ("", False, False),
        (3, False, False),
        ("a dog", False, False),
        ("a dog, no watermark, no logo", False, False),
        ("a dog without any text, watermark, signature", False, False),
        ("watermark-free photo", False, False),
        ("a photo with a watermark", True, False),
        ("the company's logo on a mug", True, False),
        ("a screenshot of a mail app", False, True),
        ("a film still with subtitles", False, True),
        ("VHS footage of a party", False, True),
        ("a poster for a jazz concert", False, True),
        ("happy people", False, False),
        ("a shirt with buttons on a desktop", False, False),
        ("a video player with a play button", False, True),
        ("犬の写真、透かしなし", False, False),
        ("ロゴ入りのマグカップ", True, False),
        ("字幕付きの映画の一場面", False, True),
        ("没有水印的照片", False, False),
        ("x" * 20_000 + " no watermark", False, False),
    ],
)
def test_which_kinds_a_prompt_asks_for(prompt: object, watermark: bool, interface: bool) -> None:
    asked = requested_overlays(prompt)
    assert (asked.watermark, asked.interface) == (watermark, interface)


def test_a_line_that_was_asked_for_is_known_though_it_is_misread() -> None:
    asked = requested_overlays('a shop with the sign "OPEN DAILY" and "Mama\'s Kitchen"')
    for text in ("OPEN", "0PEN DA1LY", "mamas kitchen", "OPENDAILY", "Kitchem"):
        assert asked.wants(text), text
    for text in ("© Ann Lee", "SAMPLE", "", "..."):
        assert not asked.wants(text), text
    assert not requested_overlays("a dog").wants("OPEN")
    assert len(requested_overlays(", ".join(f'"word{at}"' for at in range(40))).words) == 40
    assert requested_overlays("a street with shop signs").lettering
