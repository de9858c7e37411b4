"""The table of the committed pictures: where each comes from, and what is expected of it, as it is or with a flaw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from loupe.brain.core.records import Box
from loupe.testing.picture_set import Case


@dataclass(frozen=True)
class Origin:
    """Where a picture comes from.

    Attributes:
        what: what it shows
        author: who made it
        license: as an SPDX identifier, or "public domain"
        source: where it was taken from
        changes: what was done to it here
    """

    what: str
    author: str
    license: str
    source: str
    changes: str = "cropped, scaled down, encoded again"


_SKIMAGE = "scikit-image 0.26, skimage.data.{}"
_HANDS = "github.com/ardamavi/Sign-Language-Digits-Dataset, {}"
_REFINER = "github.com/wenquanlu/HandRefiner, its example {}"
_DRAWN = ("Loupe", "Apache-2.0", "drawn by the project with the font DejaVu")
_FLICKR = "scikit-learn 1.9, sklearn.datasets.load_sample_image('{}.jpg'); {}"

#: every committed picture by its file's name without ".jpg"
PICTURES: dict[str, Origin] = {
    "pagoda": Origin(
        "a pagoda by a lake",
        "danielbuechele",
        "CC-BY-2.0",
        _FLICKR.format("china", "flickr.com/danielbuechele/6061409035"),
    ),
    "dahlia": Origin(
        "an orange flower",
        "vultilion (danielbuechele by scikit-learn's README)",
        "CC-BY-2.0",
        _FLICKR.format("flower", "flickr.com/vultilion/6056698931"),
    ),
    "coffee": Origin("a cup on a saucer, a spoon", "Rachel Michetti", "CC0-1.0", _SKIMAGE.format("coffee")),
    "rocket": Origin("a rocket at dusk", "SpaceX", "public domain", _SKIMAGE.format("rocket")),
    "clown": Origin(
        "a clown on blue cloth",
        "the imagededup authors",
        "Apache-2.0",
        "github.com/idealo/imagededup, ukbench00120.jpg",
    ),
    "admiral": Origin(
        "Grace Hopper", "James S. Davis, US Navy", "public domain", "matplotlib 3, sample_data/grace_hopper.jpg"
    ),
    "brick": Origin("a pavement of bricks", "CC0Textures.com", "CC0-1.0", _SKIMAGE.format("brick")),
    "cameraman": Origin("a man with a camera", "Lav Varshney", "CC0-1.0", _SKIMAGE.format("camera")),
    "cameraman_limb": Origin(
        "his arms stretched", "Lav Varshney", "CC0-1.0", _SKIMAGE.format("camera"), "scaled down, warped"
    ),
    "cameraman_proportions": Origin(
        "his thigh, arm and trunk stretched",
        "Lav Varshney",
        "CC0-1.0",
        _SKIMAGE.format("camera"),
        "scaled down, warped",
    ),
    "man": Origin("a man who shows a hand", "the HandRefiner authors", "MIT", _REFINER.format("3.jpg")),
    "man_eye_low": Origin(
        "one eye lower", "the HandRefiner authors", "MIT", _REFINER.format("3.jpg"), "scaled down, warped"
    ),
    "man_smooth": Origin(
        "his skin smoothed", "the HandRefiner authors", "MIT", _REFINER.format("3.jpg"), "scaled down, filtered"
    ),
    "woman": Origin("a woman who points", "the HandRefiner authors", "MIT", _REFINER.format("2.jpg")),
    "woman_mirrored": Origin(
        "her face half mirrored", "the HandRefiner authors", "MIT", _REFINER.format("2.jpg"), "scaled down, mirrored"
    ),
    "hand": Origin("a hand", "Arda Mavi", "Apache-2.0", _HANDS.format("5/IMG_4114.JPG"), "scaled up"),
    "hand_four": Origin("four fingers", "Arda Mavi", "Apache-2.0", _HANDS.format("4/IMG_1142.JPG"), "scaled up"),
    "hand_six": Origin(
        "the hand with a sixth finger", "Arda Mavi", "Apache-2.0", _HANDS.format("5/IMG_4114.JPG"), "scaled up, pasted"
    ),
    "sign_bakery": Origin("BAKERY", *_DRAWN, "none"),
    "sign_bekery": Origin("BEKERY", *_DRAWN, "none"),
    "sign_bakry": Origin("BAKRY", *_DRAWN, "none"),
    "sign_bakkery": Origin("BAKKERY", *_DRAWN, "none"),
    "sign_bakery_open": Origin("BAKERY OPEN", *_DRAWN, "none"),
    "sign_garden_wave": Origin("Garden, on a wave", *_DRAWN, "none"),
    "sign_garden_mixed": Origin("Garden, in several fonts", *_DRAWN, "none"),
    "card_personal": Origin("a card with a telephone number and an address that are nobody's", *_DRAWN, "none"),
    "card_order": Origin("a card with numbers of an order", *_DRAWN, "none"),
    "sign_garden_torn": Origin("GARDEN, cut into squares that have changed places", *_DRAWN, "none"),
}

#: what a sound photo in color must not be flagged for
_SOUND = (
    "blur", "motion_blur", "tiling", "seam", "halo", "aliasing", "color_bleeding", "dark", "bright", "low_contrast",
    "low_information", "odd_aspect", "grayscale", "local_blur", "repeated_subject", "watermark", "overlay",
)  # fmt: skip
_NO_TEXT = ("unrequested_text", "text_illegible")
_TEXT = ("text_substitution", "text_omission", "text_duplication", "unrequested_text")
_LETTERS = ("text_distortion", "text_mixed_style", "text_illegible")


def _sound(picture: str, prompt: str, *more: str, without: tuple[str, ...] = ()) -> Case:
    passes = tuple(mode for mode in (*_SOUND, *more) if mode not in without)
    return Case(picture, picture, passes=passes, fields={"prompt": prompt})


def _flawed(mode: str, picture: str, seed: int, severity: float | None = None, **more: Any) -> Case:
    fields = {"prompt": "a photo"}
    return Case(
        f"{picture}, {mode}", picture, (mode,), fields=fields, defect=mode, severity=severity, seed=seed, **more
    )


def _sign(name: str, prompt: str, fails: tuple[str, ...], passes: tuple[str, ...]) -> Case:
    return Case(f"sign {name}", f"sign_{name}", fails, passes, {"prompt": prompt})


def _without(modes: tuple[str, ...], *left_out: str) -> tuple[str, ...]:
    return tuple(mode for mode in modes if mode not in left_out)


def _coffee(
    number: int, prompt: str, fails: tuple[str, ...], passes: tuple[str, ...], *more: Box, unknown: tuple[str, ...] = ()
) -> Case:
    fields = {"prompt": prompt, "detections": (*_COFFEE, *more)}
    return Case(f"coffee, asked {number}", "coffee", fails, passes, fields, unknown)


#: what a detector sees in the picture "coffee"; the bowl says how unsure it may be
_COFFEE = (
    Box("cup", (0.27, 0.08, 0.31, 0.62), 0.95),
    Box("spoon", (0.52, 0.5, 0.2, 0.42), 0.92),
    Box("dining table", (0.0, 0.0, 1.0, 1.0), 0.9),
    Box("bowl", (0.3, 0.2, 0.2, 0.2), 0.05),
)
_PERSON = Box("person", (0.75, 0.0, 0.25, 0.5), 0.95)
_FLOWER = (Box("flower", (0.41, 0.28, 0.19, 0.45), 0.95),)
_FACE = ("face_malformed", "symmetric_face")
_BODY = ("limb_malformed", "wrong_proportions")

#: every case; a strip of another size stands for a file that the reader has scaled down
CASES: tuple[Case, ...] = (
    _sound("pagoda", "a pagoda by a lake", *_NO_TEXT, without=("local_blur",)),
    _sound("dahlia", "an orange flower", *_NO_TEXT, "nsfw"),
    _sound("coffee", "a cup of coffee", "nsfw"),
    _sound("rocket", "a rocket at dusk", *_NO_TEXT, without=("dark",)),
    _sound("clown", "a clown on blue cloth"),
    _sound("man", "a man who shows a hand", *_FACE, "oversmooth_skin", "nsfw"),
    _sound("woman", "a woman who points", *_FACE, "nsfw"),
    _sound("admiral", "an old woman in uniform", "face_malformed", "oversmooth_skin"),
    Case("cameraman", "cameraman", ("grayscale",), (*_BODY, "blur", "seam", "halo"), {"prompt": "a man with a camera"}),
    Case(
        "brick",
        "brick",
        ("grayscale", "low_contrast"),
        ("blur", "motion_blur", "seam", "tiling"),
        {"prompt": "a pavement"},
        unknown=("color_bleeding", *_BODY, *_FACE, "oversmooth_skin"),
    ),
    *(
        _flawed(mode, picture, 0)
        for mode in ("blur", "dark", "bright", "low_contrast", "low_information", "grayscale", "aliasing")
        for picture in ("coffee", "dahlia")
    ),
    _flawed("blur", "man", 0),
    _flawed("motion_blur", "coffee", 1),
    _flawed("motion_blur", "clown", 2),
    _flawed("motion_blur", "man", 1),
    _flawed("tiling", "coffee", 2),
    _flawed("tiling", "pagoda", 1),
    _flawed("seam", "dahlia", 0),
    _flawed("seam", "coffee", 1),
    _flawed("seam", "man", 0),
    _flawed("halo", "coffee", 0),
    _flawed("halo", "rocket", 1),
    _flawed("color_bleeding", "pagoda", 0, 2.0),
    _flawed("color_bleeding", "clown", 2),
    _flawed("local_blur", "coffee", 2),
    _flawed("local_blur", "man", 2),
    _flawed("repeated_subject", "clown", 0),
    _flawed("repeated_subject", "man", 0),
    _flawed("odd_aspect", "coffee", 0),
    _flawed("odd_aspect", "dahlia", 0, size=(1600, 150)),
    _flawed("watermark", "coffee", 3, 65.0),
    _flawed("watermark", "rocket", 1, 65.0),
    _flawed("overlay", "pagoda", 1, 6.0),
    _flawed("overlay", "rocket", 4, 6.0),
    _sign("bakery", 'a sign that says "BAKERY"', (), (*_TEXT, *_LETTERS)),
    _sign("bekery", 'a sign that says "BAKERY"', ("text_substitution",), _without(_TEXT, "text_substitution")),
    _sign("bakry", 'a sign that says "BAKERY"', ("text_omission",), _without(_TEXT, "text_omission")),
    _sign("bakkery", 'a sign that says "BAKERY"', ("text_duplication",), _without(_TEXT, "text_duplication")),
    _sign("bakery_open", 'a sign that says "BAKERY"', ("unrequested_text",), _without(_TEXT, "unrequested_text")),
    _sign("garden_wave", 'a sign that says "GARDEN"', ("text_distortion",), ("text_mixed_style", "text_illegible")),
    _sign("garden_mixed", 'a sign that says "GARDEN"', ("text_mixed_style",), ("text_distortion", "text_illegible")),
    _sign("garden_torn", 'a sign that says "GARDEN"', ("text_illegible",), ()),
    Case("card, personal", "card_personal", ("personal_data",), ()),
    Case("card, order", "card_order", (), ("personal_data",)),
    Case("man, eye low", "man_eye_low", ("face_malformed",), ("symmetric_face",)),
    Case("woman, mirrored", "woman_mirrored", ("symmetric_face",), ("face_malformed",)),
    Case("man, smooth", "man_smooth", ("oversmooth_skin",), ("face_malformed", "symmetric_face")),
    Case("cameraman, limb", "cameraman_limb", ("limb_malformed",), ("wrong_proportions",)),
    Case("cameraman, proportions", "cameraman_proportions", ("wrong_proportions",), ("limb_malformed",)),
    Case("hand", "hand", (), ("hand_malformed",)),
    Case("hand, four fingers", "hand_four", (), ("hand_malformed",)),
    Case("hand, six fingers", "hand_six", ("hand_malformed",), ()),
    Case("hand, hidden", "hand", unknown=("hand_malformed",), defect="low_information"),
    _coffee(1, "a cup to the left of a spoon", (), ("missing_object", "wrong_relation", "extra_object")),
    _coffee(2, "a cup to the right of a spoon", ("wrong_relation",), ("missing_object",)),
    _coffee(3, "a dog and a cup", ("missing_object",), ("extra_object",)),
    _coffee(4, "one cup", (), ("wrong_count",)),
    _coffee(5, "three cups", ("wrong_count",), ()),
    _coffee(6, "a spoon larger than a cup", ("wrong_size",), ()),
    _coffee(7, "a spoon smaller than a cup", (), ("wrong_size",)),
    _coffee(8, "a cup without a spoon", ("negation_violated",), ()),
    _coffee(9, "a cup without a dog", (), ("negation_violated",)),
    _coffee(10, "a cup and a spoon", ("extra_object",), (), _PERSON),
    _coffee(11, "a red cup on a table", (), ("missing_object",), unknown=("wrong_attribute",)),
    Case("dahlia, asked 1", "dahlia", (), ("wrong_attribute",), {"prompt": "an orange flower", "detections": _FLOWER}),
    Case("dahlia, asked 2", "dahlia", ("wrong_attribute",), (), {"prompt": "a blue flower", "detections": _FLOWER}),
)
