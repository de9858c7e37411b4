"""What a request brings beside texts, and which model takes it."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image

from loupe.brain.core.conditioning import KINDS
from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Request
from loupe.brain.core.specs import GeneratorSession

PICTURE, OTHER = Image.new("RGB", (16, 8), "red"), Image.new("RGB", (16, 8), "blue")
MASK = Image.new("L", (16, 8), 255)


def session(**given: Any) -> GeneratorSession:
    return GeneratorSession({"model": "m"}, lambda requests: [], 1, **given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"control": Image.new("L", (8, 8))}, "an RGB picture as control, got mode 'L': convert it"),
        ({"control": Image.new("RGBA", (8, 8))}, "an RGB picture as control, got mode 'RGBA'"),
        ({"reference": Image.new("P", (8, 8))}, "an RGB picture as reference, got mode 'P'"),
        ({"reference": Image.new("RGB", (0, 8))}, "a picture with pixels as reference, got 0 x 8"),
        ({"image": Image.new("RGB", (8, 0))}, "a picture with pixels as image, got 8 x 0"),
        (
            {"image": PICTURE, "control": PICTURE.resize((8, 8))},
            "a control of the size of the picture to begin with, 16 x 8, got 8 x 8: scale it",
        ),
        ({"size": (32, 8), "control": PICTURE}, "a control of the image's size, 32 x 8, got 16 x 8"),
    ],
)
def test_pictures_that_do_not_fit_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Request("a cup", 1, **given)


def test_each_picture_counts_in_the_inputs_as_itself() -> None:
    every = Request("a cup", 1, image=PICTURE, mask=MASK, control=OTHER, reference=OTHER.resize((5, 5)))
    assert every.inputs().keys() == {*KINDS, "strength"}
    assert Request("a cup", 1, control=PICTURE).inputs().keys() == {"control"}
    assert Request("a cup", 1, reference=PICTURE).inputs().keys() == {"reference"}
    same = [Request("a cup", 1, **{name: PICTURE}).inputs() for name in ("control", "reference")]
    assert same[0]["control"] == same[1]["reference"] != Request("a cup", 1, control=OTHER).inputs()["control"]
    assert Request("a cup", 1, size=(16, 8), control=PICTURE).to_dict()["control"] == same[0]["control"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"control": PICTURE}, "a model with a ControlNet, but m takes no control: .*controlnet= of the generator"),
        ({"reference": PICTURE}, "a model with an IP-Adapter, but m takes no reference: .*ip_adapter= of the gen"),
        (
            {"image": PICTURE, "mask": MASK},
            "a model for inpainting, but m takes no image and no mask: name another model$",
        ),
        ({"image": PICTURE, "control": PICTURE}, "m takes no image and no control"),
    ],
)
def test_a_model_takes_what_it_says_and_nothing_else(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        session().require([Request("a cup", 1), Request("a cup", 1, **given)])
    session(takes=tuple(KINDS)).require([Request("a cup", 1, **given)])


@pytest.mark.parametrize(
    ("needs", "message"),
    [
        (
            ("control",),
            "expected control beside the prompt, got none: m is a model with a ControlNet, which draws noth",
        ),
        (("reference", "control"), "expected control and reference beside the prompt, got none"),
    ],
)
def test_a_model_needs_what_it_says(needs: tuple[str, ...], message: str) -> None:
    own = session(takes=("control", "reference"), needs=needs)
    with pytest.raises(InputError, match=message):
        own.require([Request("a cup", 1)])
    own.require([Request("a cup", 1, control=PICTURE, reference=OTHER)])


def test_a_model_that_only_inpaints_takes_no_picture_without_a_mask() -> None:
    own = session(takes=("mask",))
    own.require([Request("a cup", 1, image=PICTURE, mask=MASK)])
    with pytest.raises(InputError, match="a model for image-to-image, but m takes no image"):
        own.require([Request("a cup", 1, image=PICTURE)])
