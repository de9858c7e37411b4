"""Where a picture is drawn anew, and how what was drawn is put back: outside of the region it stays to the last bit."""

from __future__ import annotations

import numpy as np
import pytest

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Box, Points
from loupe.brain.generation import evidence, region
from loupe.brain.generation.candidates import plan, plans, requests


def mask(size: tuple[int, int], *box: int) -> np.ndarray:
    made = np.zeros((size[1], size[0]), dtype=bool)
    made[box[1] : box[3], box[0] : box[2]] = True
    return made


def test_boxes_are_grown_and_cut_to_the_picture() -> None:
    made = region.of_boxes([(0.4, 0.4, 0.2, 0.2)], (100, 100), grow=0.5)
    assert np.array_equal(made, mask((100, 100), 30, 30, 70, 70))
    made = region.of_boxes([(-0.5, 0.9, 0.6, 0.6)], (100, 50), grow=0)
    assert np.array_equal(made, mask((100, 50), 0, 45, 10, 50))


@pytest.mark.parametrize(
    "box", [(1.2, 0.2, 0.1, 0.1), (0.2, 0.2, 0.0, 0.5), (float("nan"), 0, 1, 1), (0.1, 0.1, float("inf"), 0.1)]
)
def test_a_box_outside_of_the_picture_or_of_no_area_is_no_region(box: tuple[float, float, float, float]) -> None:
    assert not region.of_boxes([box], (40, 30)).any()


@pytest.mark.parametrize("seed", range(5))
def test_a_frame_holds_its_region_has_the_models_shape_and_lies_in_the_picture(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(200):
        width, height = (int(v) for v in rng.integers(40, 3000, 2))
        left, top = int(rng.integers(0, width - 4)), int(rng.integers(0, height - 4))
        right, bottom = int(rng.integers(left + 1, width)), int(rng.integers(top + 1, height))
        own = mask((width, height), left, top, right, bottom)
        made = region.frame(own, (1024, 768), 16)
        assert 0 <= made.left <= left
        assert right <= made.right <= width
        assert 0 <= made.top <= top
        assert bottom <= made.bottom <= height
        assert made.width % 16 == made.height % 16 == 0
        # about as many pixels as the model draws: no more memory than it takes
        assert made.width * made.height <= 1024 * 768 * 1.3


def test_a_small_region_is_drawn_larger_than_it_is() -> None:
    made = region.frame(mask((2000, 1500), 900, 700, 960, 750), (1024, 1024), 8)
    assert made.right - made.left < 400
    assert (made.width, made.height) == (1024, 1024)


def test_a_region_of_most_of_a_picture_is_the_whole_picture() -> None:
    made = region.frame(mask((96, 32), 30, 2, 50, 30), (96, 32), 8)
    assert (made.box, made.width, made.height) == ((0, 0, 96, 32), 96, 32)


def test_outside_of_the_mask_nothing_changes_and_deep_inside_all_does() -> None:
    rng = np.random.default_rng(0)
    original = rng.integers(0, 256, (90, 120, 3), dtype=np.uint8)
    own = mask((120, 90), 40, 30, 80, 70)
    where = region.frame(own, (64, 64), 8, whole=0.9)
    drawn = np.full((where.height, where.width, 3), 200, np.uint8)
    made = region.pasted(original, drawn, where, own)
    assert np.array_equal(made[~own], original[~own])
    assert (made[40:60, 50:70] == 200).all()
    # it fades in: at the edge most of the original is seen
    edge = made[45:55, 40].astype(int) - original[45:55, 40]
    assert np.abs(edge).max() < 100


def test_a_region_at_the_pictures_edge_is_not_faded_there() -> None:
    weight = region.fade(mask((60, 60), 0, 0, 30, 60))
    assert (weight[:, 0] == 1).all()
    assert (weight[:, 29] < 1).all()
    assert (weight[:, 30:] == 0).all()
    assert (region.fade(np.ones((4, 4), bool)) == 1).all()


def test_an_empty_region_is_refused() -> None:
    with pytest.raises(InputError, match="something in it"):
        region.frame(np.zeros((9, 9), bool), None, 8)
    with pytest.raises(InputError, match="outside of the picture, or is empty"):
        plan(None, np.zeros((9, 9), bool), (9, 9), ("image", "mask"), None)


def located(failure: str, *boxes: Box, points: tuple[Points, ...] = (), unknown: bool = False) -> np.ndarray | None:
    return evidence.located(failure, boxes, points, None, (100, 50), unknown=unknown)


def test_evidence_is_that_of_the_failure() -> None:
    wrong, right = Box("substitution", (0, 0, 0.2, 0.4)), Box("as wanted", (0.5, 0.5, 0.2, 0.2))
    own = located("text_substitution", right, wrong)
    assert own is not None
    assert own[:20, :20].all()
    assert not own[:, 40:].any()
    assert located("text_substitution", right) is None
    assert located("text_omission", Box("omission", (0.0, 0.0, 1.0, 1.0))) is None
    unclear = Box("unknown", (0.5, 0.5, 0.2, 0.2))
    assert located("text_substitution", unclear) is None
    assert located("text_substitution", unclear, unknown=True) is not None


def test_landmarks_and_maps_are_evidence_too() -> None:
    hand = Points("hand", ((0.2, 0.2), (0.4, 0.6)), None, {"verdict": "malformed"})
    sound = Points("hand", ((0.7, 0.2), (0.9, 0.6)), None, {"verdict": "sound"})
    own = located("hand_malformed", points=(hand, sound))
    assert own is not None
    assert own[10:30, 20:40].all()
    assert not own[:, 60:].any()
    heat = np.zeros((5, 10), np.float32)
    heat[:2, :3] = 1
    made = evidence.located("local_blur", (), (), heat, (100, 50))
    assert made is not None
    assert made[:15, :25].all()
    assert not made[:, 50:].any()


def test_the_method_follows_from_place_and_model() -> None:
    own = mask((100, 100), 10, 10, 20, 20)
    assert plan(None, own, (100, 100), ("image", "mask"), (64, 64)).method == "inpaint"
    assert plan(None, own, (100, 100), ("image",), (64, 64)).method == "image_to_image"
    assert plan(None, None, (100, 100), ("image", "mask"), (64, 64)).method == "image_to_image"
    assert plan(None, own, (100, 100), (), (64, 64)).method == "redraw"
    assert plan("redraw", own, (100, 100), ("image", "mask"), (64, 64)).mask.all()
    with pytest.raises(InputError, match="takes no mask: choose another model, or method='redraw'"):
        plan("inpaint", own, (100, 100), ("image",), (64, 64))


def test_a_request_draws_the_crop_at_the_models_size() -> None:
    picture = np.zeros((400, 400, 3), np.uint8)
    picture[100:120, 100:120] = 255
    how = plan("inpaint", mask((400, 400), 100, 100, 120, 120), (400, 400), ("image", "mask"), (128, 128))
    made = requests(picture, how, "a cup", "blur", [1, 2], 0.5)
    assert [each.seed for each in made] == [1, 2]
    assert made[0].image is not None
    assert made[0].mask is not None
    assert made[0].image.size == made[0].mask.size == (128, 128)
    share = np.asarray(made[0].mask).mean() / 255
    assert 0.1 < share < 0.45
    assert np.asarray(made[0].image)[np.asarray(made[0].mask) == 255].mean() > 150


def test_attempts_are_alike_or_come_by_turns() -> None:
    mask = np.zeros((64, 64), dtype=bool)
    mask[20:40, 20:40] = True
    given = (mask, (64, 64), ("image", "mask"), (64, 64))
    assert [each.method for each in plans("mixed", 4, *given)] == ["inpaint", "redraw", "inpaint", "redraw"]
    assert [each.method for each in plans(None, 2, *given)] == ["inpaint", "inpaint"]
    assert [each.method for each in plans("mixed", 3, None, (64, 64), ("image",), None)] == [
        *("image_to_image", "redraw", "image_to_image")
    ]
    assert {each.method for each in plans("mixed", 3, None, (64, 64), (), None)} == {"redraw"}
