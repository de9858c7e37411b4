"""What a repair's attempts keep to: the control picture of the crop that is drawn."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from loupe.brain.controls import edges, skeleton
from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Points
from loupe.brain.core.specs import GeneratorSession
from loupe.brain.generation.guided import Guide, kind_for, require
from loupe.brain.generation.region import Frame

#: an arm that goes from the left of a picture to a hand at its right
HAND = Points("hand", tuple((0.6 + 0.018 * at, 0.3 + 0.4 * (at % 2)) for at in range(21)))
ARM = Points("body", tuple((0.05 + 0.05 * at, 0.5) for at in range(18)))
CONTROLLED = GeneratorSession({"model": "m"}, lambda requests: [], 1, ("mask", "control"), ("control",), (64, 64))


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (100, 200, 3), dtype=np.uint8)


def guide(*figures: Points, control: str | None = None) -> Guide:
    made = Guide(control, "cpu")  # type: ignore[arg-type]
    made._find = lambda picture: list(figures)
    return made


def test_the_pose_lies_where_the_crop_shows_it(picture: np.ndarray) -> None:
    crop = Frame(100, 20, 200, 80, 320, 192)
    made = np.asarray(guide(HAND, ARM).control("pose", picture, crop))
    assert made.shape == (192, 320, 3)
    for x, y in HAND.points:
        place = (x * 200 - 100) / 100 * 320, (y * 100 - 20) / 60 * 192
        assert made[int(place[1]), int(place[0])].tolist() == [0, 0, 255]
    # the forearm comes in from outside of the crop, as it would be cut out of the whole picture
    whole = skeleton.draw([ARM], (640, 320))[64:256, 320:]
    assert made[:, :20].any()
    both = np.asarray(guide(ARM).control("pose", picture, crop)).any(2) == whole.any(2)
    assert both.mean() > 0.97


def test_edges_are_those_of_the_crop(picture: np.ndarray) -> None:
    crop = Frame(100, 20, 200, 80, 200, 120)
    made = np.asarray(Guide("edges", "cpu").control("edges", picture, crop))
    part = Image.fromarray(picture[20:80, 100:200]).resize((200, 120), Image.Resampling.LANCZOS)
    assert made.tolist() == edges.draw(np.asarray(part)).tolist()


def test_what_a_model_looks_at_is_made_for_it_alone(picture: np.ndarray) -> None:
    crop = Frame(100, 0, 200, 100, 64, 64)
    plain = GeneratorSession({}, lambda requests: [], 1, ("image", "mask"))
    assert guide(HAND).beside(plain, "hand_malformed", picture, crop) == {}
    made = guide(HAND).beside(CONTROLLED, "hand_malformed", picture, crop)
    assert made.keys() == {"control"}
    assert made["control"].size == (64, 64)
    # an image that begins with noise has the original's shape, and as many pixels as the model draws
    assert guide(HAND).beside(CONTROLLED, "hand_malformed", picture, None)["control"].size == (88, 48)
    look = GeneratorSession({}, lambda requests: [], 1, ("reference",), ("reference",))
    assert np.array_equal(guide().beside(look, "blur", picture, crop)["reference"], picture)


def test_nobody_in_the_crop_is_said(picture: np.ndarray) -> None:
    with pytest.raises(InputError, match="a person, a hand or a face to draw a pose of, got none"):
        guide(HAND).beside(CONTROLLED, "hand_malformed", picture, Frame(0, 0, 100, 100, 64, 64))


def test_a_pose_is_for_malformed_people() -> None:
    takes = ("mask", "control")
    for failure in ("hand_malformed", "face_malformed", "limb_malformed", "wrong_proportions"):
        assert kind_for(None, failure, takes) == "pose"
    assert kind_for("edges", "hand_malformed", takes) == "edges"
    assert kind_for("pose", "blur", takes) == "pose"
    assert kind_for(None, "blur", ("mask",)) is None
    with pytest.raises(InputError, match="say what it keeps to, control='pose' or control='edges'"):
        kind_for(None, "blur", takes)


def test_a_control_needs_a_controlnet_and_is_a_kind() -> None:
    require(None, (), "m")
    require("pose", ("control",), "m")
    with pytest.raises(InputError, match="a model with a ControlNet beside control='pose', got m: leave control out"):
        require("pose", ("image", "mask"), "m")
    with pytest.raises(InputError, match="a control out of pose, edges, got 'depth'"):
        require("depth", ("control",), "m")
