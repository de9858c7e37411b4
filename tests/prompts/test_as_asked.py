"""What a prompt asks for is no failure: which words count, and which do not."""

from __future__ import annotations

import pytest

from loupe.brain.core.taxonomy import FAILURE_MODES
from loupe.brain.prompts.as_asked import as_asked, rows


@pytest.mark.parametrize(
    ("prompt", "failure", "words"),
    [
        ("a red sign, night, rain", "dark", "night"),
        ("A castle at MIDNIGHT", "dark", "MIDNIGHT"),
        ("a harbor in thick fog", "low_contrast", "fog"),
        ("a misty lake at dawn", "blur", "misty"),
        ("the silhouette of a tree at sunset", "dark", "silhouette"),
        ("a candle-lit dinner", "dark", "candle lit"),
        ("a face lit by a single candle", "dark", "lit by a single candle"),
        ("low-key portrait of an old man", "dark", "low key"),
        ("a high key fashion photo", "bright", "high key"),
        ("a perfume bottle on a plain white background", "bright", "on a plain white background"),
        ("a field covered in snow", "bright", "snow"),
        ("minimalist poster of a mountain", "low_information", "minimalist poster"),
        ("a cup, plain blue background", "low_information", "plain blue background"),
        ("a dog, shallow depth of field", "local_blur", "shallow depth"),
        ("a tilt-shift view of a town", "blur", "tilt shift"),
        ("a runner, motion blur", "motion_blur", "motion blur"),
        ("long-exposure shot of a waterfall", "motion_blur", "long exposure"),
        ("soft focus portrait", "blur", "soft focus"),
        ("a person out of focus", "blur", "out of focus"),
        ("a black-and-white photo of a cat", "grayscale", "black and white photo"),
        ("a street in black & white", "grayscale", "in black & white"),
        ("portrait of a man, black and white", "grayscale", "black and white"),
        ("monochrome beach", "grayscale", "monochrome"),
        ("a pencil sketch of a horse", "grayscale", "pencil sketch"),
        ("sepia photograph of a train", "grayscale", "sepia"),
        ("pixel art of a knight", "aliasing", "pixel art"),
        ("a mosaic of a fish", "tiling", "mosaic"),
        ("a seamless floral pattern", "tiling", "floral pattern"),
        ("a collage of travel photos", "seam", "collage"),
        ("split-screen of a city in summer and winter", "seam", "split screen"),
        ("a comic page about a cat", "seam", "comic page"),
        ("twins in red coats", "repeated_subject", "twins"),
        ("a woman in front of a mirror", "repeated_subject", "in front of a mirror"),
        ("kaleidoscope of flowers", "symmetric_face", "kaleidoscope"),
        ("a cubist portrait", "face_malformed", "cubist"),
        ("a six-fingered hand", "hand_malformed", "six fingered"),
        ("a four-fingered alien hand waving", "hand_malformed", "four fingered"),
        ("a hand with 6 fingers", "hand_malformed", "6 fingers"),
        ("a hand with an extra finger", "hand_malformed", "extra finger"),
        ("a portrait of a man with polydactyly", "hand_malformed", "polydactyly"),
        ("a cartoon mouse in white gloves", "hand_malformed", "cartoon"),
        ("a child with a prosthetic hand", "hand_malformed", "prosthetic hand"),
        ("a runner with a leg prosthesis", "limb_malformed", "prosthesis"),
        ("a veteran with a missing leg", "limb_malformed", "missing leg"),
        # what is excluded beside it does not take it away
        ("a street, no people at night", "dark", "night"),
        ("no people, foggy street", "low_contrast", "foggy"),
        ("not only at night", "dark", "night"),
        ("a street without cars but in fog", "low_contrast", "fog"),
        ("a lighthouse in fog --no people --ar 16:9", "low_contrast", "fog"),
        (["a lighthouse", "night"], "dark", "night"),
    ],
)
def test_what_is_asked_for(prompt: object, failure: str, words: str) -> None:
    assert as_asked(prompt).get(failure) == words


@pytest.mark.parametrize(
    "prompt",
    [
        "a sunny meadow with a red barn",
        # words as parts of other words, and in which they mean something else
        "a knight and a nightingale, overnightstay",
        "a nightstand beside a night stand with a night light",
        "a snow leopard and a snow globe, Jon Snow",
        "fog lights on a car",
        "the frog and the mistake",
        "a black and white cat",
        "two men in black and white suits",
        "a twin bed",
        "a colored pencil drawing of a parrot",
        # excluded
        "a street, no fog",
        "a street without fog or mist",
        "no fog, mist or haze, a clear street",
        "a fog-free valley",
        "free of fog",
        "never at night",
        "not blurry, not monochrome",
        "rather than at night",
        "instead of night",
        "a street --no night, fog",
        "a street. Negative prompt: night, blurry, grayscale",
        "1girl, park\nNegative prompt: monochrome, motion blur\nSteps: 20, Sampler: Euler",
        "a street::2 night::-1",
        # written, not shown
        'a sign that says "NIGHT FOG"',
        "a book titled “Snow in Black and White”",
        # nothing is asked for
        "",
        None,
        7,
        {"steps": 20},
    ],
)
def test_what_is_not_asked_for(prompt: object) -> None:
    assert as_asked(prompt) == {}


def test_the_table_names_failure_modes_and_words_that_a_prompt_can_have() -> None:
    listed = list(rows())
    assert {mode for modes, _, _ in listed for mode in modes} <= FAILURE_MODES.keys()
    for _, asking, apart in listed:
        for parts in (*asking, *apart):
            assert all(word == "." or word.isalnum() for part in parts for word in part), parts
    assert sum(len(asking) for _, asking, _ in listed) > 200


def test_every_phrase_asks_for_its_failure_modes_when_it_stands_alone() -> None:
    for modes, asking, _ in rows():
        for parts in asking:
            words = [min(part) for part in parts]
            prompt = " ".join(words).replace(" . ", " , ").strip(". ")
            assert set(modes) <= as_asked(prompt).keys(), prompt


@pytest.mark.timeout(20)
def test_it_takes_linear_time() -> None:
    for prompt in ("night " * 20_000, "no fog, " * 20_000, "no " * 20_000 + "fog", "black and white " * 20_000):
        as_asked(prompt)
