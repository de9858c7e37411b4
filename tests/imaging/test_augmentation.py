"""Boxes, masks and points are where the pixels are: a colored rectangle is drawn, changed, and looked for again."""

from __future__ import annotations

import numpy as np
import pytest

from loupe.brain.core.errors import UnknownName
from loupe.brain.imaging.augmentation import (
    GEOMETRIC,
    PHOTOMETRIC,
    SAFE,
    Annotated,
    augmented,
    box_mask,
    checked,
    resized_mask,
    whole_mask,
)

H, W = 120, 200
EVERYTHING = (*PHOTOMETRIC, *GEOMETRIC)


def drawn(seed: int) -> Annotated:
    """A green rectangle on noise without green, its box, its mask, and its middle."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(60, 160, (H, W, 3), dtype=np.uint8)
    pixels[..., 1] = 0
    left, top = int(rng.integers(5, 110)), int(rng.integers(5, 60))
    wide, high = int(rng.integers(20, 80)), int(rng.integers(15, 50))
    pixels[top : top + high, left : left + wide] = (0, 230, 0)
    mask = np.zeros((H, W), dtype=np.uint8)
    mask[top : top + high, left : left + wide] = 7
    box = np.array([[left / W, top / H, wide / W, high / H]])
    return Annotated(pixels, box, (mask,), np.array([[(left + wide / 2) / W, (top + high / 2) / H]]))


def green(pixels: np.ndarray) -> np.ndarray:
    whole = pixels.astype(int)
    return np.asarray(whole[..., 1] > whole[..., [0, 2]].max(axis=2) + 40)


def ends(mask: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("names", [("crop",), ("flip",), EVERYTHING])
def test_boxes_masks_and_points_are_where_the_pixels_are(seed: int, names: tuple[str, ...]) -> None:
    picture = drawn(seed)
    made, _ = augmented(picture, names, seed)
    assert made.pixels.shape == picture.pixels.shape
    seen = ends(green(made.pixels))
    x, y, wide, high = made.boxes[0] * [W, H, W, H]
    assert np.abs(np.array(seen) - [x, y, x + wide, y + high]).max() <= 2
    assert np.abs(np.array(ends(made.masks[0] == 7)) - [x, y, x + wide, y + high]).max() <= 1.01
    assert set(np.unique(made.masks[0])) == {0, 7}
    assert (green(made.pixels) == (made.masks[0] == 7)).mean() > 0.97
    px, py = made.points[0] * [W, H]
    assert x <= px <= x + wide
    assert y <= py <= y + high


def test_what_is_drawn_depends_on_the_seed_alone() -> None:
    import torch

    picture = drawn(0)
    first, facts = augmented(picture, EVERYTHING, 5)
    torch.rand(100)
    state = torch.random.get_rng_state()
    second, again = augmented(picture, reversed(EVERYTHING), 5)
    assert (first.pixels == second.pixels).all()
    assert facts == again
    assert (torch.random.get_rng_state() == state).all()
    assert (augmented(picture, EVERYTHING, 6)[0].pixels != first.pixels).any()


def test_a_cut_keeps_every_box_or_is_none() -> None:
    for seed in range(40):
        rng = np.random.default_rng(seed)
        boxes = np.concatenate([rng.random((6, 2)) * 0.9, np.full((6, 2), 0.08)], axis=1)
        made, facts = augmented(Annotated(drawn(seed).pixels, boxes), ["crop"], seed)
        high, wide = facts.get("crop", (0, 0, H, W))[2:]
        areas = made.boxes[:, 2] * made.boxes[:, 3] * (wide / W) * (high / H)
        assert (areas / 0.08**2 >= 0.699).all()
    corners = np.array([[0, 0, 0.01, 0.01], [0.99, 0.99, 0.01, 0.01], [0, 0.99, 0.01, 0.01], [0.99, 0, 0.01, 0.01]])
    made, facts = augmented(Annotated(drawn(0).pixels, corners), ["crop"], 0)
    assert facts == {} or facts["crop"][2:] == [H, W]


def test_boxes_of_no_use_are_said_and_cut_ones_are_cut() -> None:
    nan = float("nan")
    boxes = np.array([[0.9, 0.5, 0.3, 0.2], [1.2, 0, 0.1, 0.1], [0.5, 0.5, 0, 0.1], [nan, 0, 0.1, 0.1]])
    made, _ = augmented(Annotated(drawn(0).pixels, boxes), ["flip"], 3)
    assert made.lost.tolist() == [False, True, True, True]
    assert made.boxes[0] == pytest.approx([0.0, 0.5, 0.1, 0.2]) or made.boxes[0] == pytest.approx([0.9, 0.5, 0.3, 0.2])


def test_light_moves_nothing() -> None:
    picture = drawn(1)
    made, facts = augmented(picture, PHOTOMETRIC, 1)
    assert set(facts) == set(PHOTOMETRIC)
    assert (made.boxes == picture.boxes).all()
    assert (made.masks[0] == picture.masks[0]).all()
    assert 0.75 <= facts["brightness"] <= 1.25
    assert (made.pixels != picture.pixels).any()


def test_masks_of_boxes_and_of_other_sizes() -> None:
    mask = np.zeros((10, 20), dtype=bool)
    mask[:, :10] = True
    whole = whole_mask(mask, np.array([0.25, 0.25, 0.5, 0.5]), (80, 160))
    assert ends(whole) == (40, 20, 80, 60)
    assert (box_mask(whole, np.array([0.25, 0.25, 0.5, 0.5])).mean()) == 0.5
    assert box_mask(whole, np.array([0.999, 0.999, 1e-6, 1e-6])).shape == (1, 1)
    assert whole_mask(mask, np.array([0.9, 0.9, 0.4, 0.4]), (80, 160)).shape == (80, 160)
    colors = np.zeros((4, 4, 3), dtype=np.uint8)
    colors[:2] = 9
    assert resized_mask(colors, (8, 8)).shape == (8, 8, 3)
    wide = np.array([[1000, 70000]], dtype=np.int32)
    made, _ = augmented(Annotated(drawn(0).pixels, masks=(resized_mask(wide, (H, W)),)), ["crop"], 2)
    assert made.masks[0].dtype == np.int32
    assert set(np.unique(made.masks[0])) == {1000, 70000}


def test_names() -> None:
    assert checked(["crop", "brightness", "crop"]) == ("crop", "brightness")
    assert "flip" not in SAFE
    with pytest.raises(UnknownName, match="crop"):
        checked(["crup"])


def test_one_pixel_and_thin_pictures() -> None:
    for shape in ((1, 1), (1, 50), (50, 1), (3, 3)):
        made, _ = augmented(Annotated(np.zeros((*shape, 3), dtype=np.uint8)), EVERYTHING[:4], 0)
        assert made.pixels.shape == (*shape, 3)
        made, _ = augmented(Annotated(np.zeros((*shape, 3), dtype=np.uint8)), GEOMETRIC, 0)
        assert made.pixels.shape == (*shape, 3)


@pytest.mark.filterwarnings("error")
def test_pixels_that_must_not_be_written_to_are_neither_warned_of_nor_changed() -> None:
    import torch

    picture = drawn(0)
    before = picture.pixels.copy()
    picture.pixels.flags.writeable = False
    torch.set_warn_always(True)  # not once a process
    try:
        augmented(picture, EVERYTHING, 0)
    finally:
        torch.set_warn_always(False)
    assert (picture.pixels == before).all()
