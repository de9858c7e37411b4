"""The text check on pictures that are drawn here, with the real recognizer."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys
from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from loupe.brain.checks.text import Text
from loupe.brain.core.records import Scores
from loupe.brain.imaging.batches import ImageBatch

pytestmark = pytest.mark.slow

COUNTS = ("text_substitution", "text_omission", "text_duplication", "unrequested_text")
Scorer = Callable[[ImageBatch], Scores]


@pytest.fixture(scope="module")
def score() -> Scorer:
    return Text(threads=1).load("cpu")


def drawn(
    *lines: str, size: int = 32, width: int = 300, height: int = 96, ink: str = "black", paper: str = "white"
) -> Image.Image:
    picture = Image.new("RGB", (width, height), paper)
    pen = ImageDraw.Draw(picture)
    for row, line in enumerate(lines):
        pen.text((16, 16 + row * 1.3 * size), line, fill=ink, font=ImageFont.load_default(size))
    return picture


def batch(pictures: list[Image.Image], prompts: list[object]) -> ImageBatch:
    pixels = torch.from_numpy(np.stack([np.asarray(picture) for picture in pictures])).permute(0, 3, 1, 2)
    ids = tuple(str(index) for index in range(len(pictures)))
    return ImageBatch(ids, pixels, tuple(picture.size for picture in pictures), {"prompt": tuple(prompts)})


def counts(score: Scorer, picture: Image.Image, prompt: object) -> tuple[dict[str, float], Scores]:
    scores = score(batch([picture], [prompt]))
    return {name: float(scores[name][0]) for name in COUNTS}, scores


@pytest.mark.parametrize(
    ("lines", "prompt", "expected"),
    [
        (["COFFEE SHOP"], 'a sign "COFFEE SHOP"', {}),
        (["COFFEE", "SHOP"], 'a sign "Coffee Shop!"', {}),
        (["COFFEE CHOP"], 'a sign "COFFEE SHOP"', {"text_substitution": 1}),
        (["COFFE SHOP"], 'a sign "COFFEE SHOP"', {"text_omission": 1}),
        (["COFFEEE SHOP"], 'a sign "COFFEE SHOP"', {"text_duplication": 1}),
        (["OPEN", "OPEN"], 'a sign "OPEN"', {"text_duplication": 4}),
        (["OPEN", "SALE"], 'a sign "OPEN"', {"unrequested_text": 4}),
        (["OPEN"], 'a sign "OPEN" and a sign "BAKERY"', {"text_omission": 6}),
        (["Room 427"], 'a door that says "Room 437"', {"text_substitution": 1}),
    ],
)
def test_edits_of_drawn_text(score: Scorer, lines: list[str], prompt: str, expected: dict[str, int]) -> None:
    values, scores = counts(score, drawn(*lines, height=128), prompt)
    assert values == {name: float(expected.get(name, 0)) for name in COUNTS}, scores.reasons
    assert not any(scores.reasons)
    right = not expected or set(expected) == {"unrequested_text"}
    assert (float(scores["text_cer"][0]) == 0.0) is right
    assert (float(scores["text_ned"][0]) == 1.0) is right
    assert (float(scores["text_word_accuracy"][0]) == 1.0) is right
    assert float(scores["text_sentence_accuracy"][0]) == float(right)
    assert float(scores["text_illegible"][0]) < 0.2
    assert float(scores["text_distortion"][0]) < 0.04
    assert float(scores["text_mixed_style"][0]) < 4.5


def test_a_box_says_what_was_read_and_wanted_and_where(score: Scorer) -> None:
    _, scores = counts(score, drawn("COFFEEE", height=128), 'a sign "COFFEE"')
    (box,) = scores.boxes[0]
    assert (box.label, box.attributes["read"], box.attributes["wanted"]) == ("duplication", "COFFEEE", "coffee")
    assert box.attributes["edit"] == "duplication '' -> 'e'"
    assert float(box.attributes["distortion"]) < 0.04
    x, y, width, height = box.bounds
    assert 0 < x < 0.1
    assert 0.4 < width < 0.8
    assert 0.05 < y < 0.2
    assert 0.15 < height < 0.5
    assert box.confidence is not None
    assert box.confidence > 0.9


def test_a_small_sign_is_read(score: Scorer) -> None:
    sign = (
        drawn("427", size=24, width=96, height=32, ink="white", paper="darkgreen").crop((0, 6, 96, 38)).resize((96, 32))
    )
    right, _ = counts(score, sign, 'a green sign that says "427" at night')
    wrong, scores = counts(score, sign, 'a green sign that says "497" at night')
    assert right == dict.fromkeys(COUNTS, 0.0)
    assert wrong["text_substitution"] == 1.0, scores.reasons


@pytest.mark.parametrize("prompt", [None, "", "  ", 7])
def test_no_prompt_is_unknown(score: Scorer, prompt: object) -> None:
    values, scores = counts(score, drawn("OPEN"), prompt)
    assert all(math.isnan(value) for value in values.values())
    assert scores.reasons == ("the sample has no prompt",)


def test_a_spec_wins_over_the_prompt(score: Scorer) -> None:
    prompted = batch([drawn("OPEN")] * 3, ['a sign "SHUT"'] * 3)
    specs = ({"prompt": "", "texts": ["OPEN"]}, None, {"texts": 3})
    scores = score(dataclasses.replace(prompted, fields={**prompted.fields, "spec": specs}))
    assert scores["text_substitution"][0] == scores["text_omission"][0] == 0
    assert scores["text_substitution"][1] + scores["text_omission"][1] > 0
    assert math.isnan(scores["text_substitution"][2])
    assert "spec cannot be used" in str(scores.reasons[2])


def test_where_no_text_is_asked_for_only_unrequested_text_is_judged(score: Scorer) -> None:
    values, scores = counts(score, drawn("OPEN"), "a dog on a beach")
    assert values.pop("unrequested_text") == 4.0
    assert all(math.isnan(value) for value in values.values())
    assert scores.reasons == ("the prompt asks for no text",)
    assert counts(score, drawn(), "a dog, no text")[0]["unrequested_text"] == 0.0


def test_lettering_without_saying_which_is_unknown(score: Scorer) -> None:
    values, scores = counts(score, drawn("OPEN"), "a bar with a neon sign")
    assert math.isnan(values["unrequested_text"])
    assert "without saying which" in str(scores.reasons[0])


@pytest.mark.parametrize("word", ["ОТКРЫТО", "مفتوح", "เปิด", "열림"])
def test_a_script_that_the_recognizer_does_not_know_is_unknown(score: Scorer, word: str) -> None:
    values, scores = counts(score, drawn("OPEN"), f'a sign "{word}"')
    assert all(math.isnan(value) for value in values.values())
    assert "does not know" in str(scores.reasons[0])


def lost(word: str, *letters: str) -> Image.Image:
    """The word with a box in place of some of its letters: what is left of them where the recognizer drops them."""
    picture = drawn("".join("\u25a0" if letter in letters else letter for letter in word), size=40, height=128)
    return picture


@pytest.mark.parametrize(
    "word", ["CAF\u00c9", "\u00c9COLE", "Stra\u00dfe", "\u0110ông", "M\u00dcNCHEN", "\u00c6thelred"]
)
def test_a_letter_that_the_recognizer_is_not_sure_of_is_no_edit(score: Scorer, word: str) -> None:
    strange = [letter for letter in word if not letter.isascii()]
    values, scores = counts(score, lost(word, *strange), f'a sign that says "{word}"')
    assert not any(value > 0 for value in values.values()), scores.boxes
    assert any(math.isnan(value) for value in values.values())
    assert set(strange) & set(str(scores.reasons[0]).removeprefix("the recognizer is not sure of the letters ").split())
    assert math.isnan(float(scores["text_cer"][0]))
    assert "unknown" in [box.label for box in scores.boxes[0]]


def test_a_plain_letter_beside_it_is_an_edit(score: Scorer) -> None:
    values, _ = counts(score, lost("CAF\u00c9 CHOP", "\u00c9"), 'a sign that says "CAF\u00c9 SHOP"')
    assert values["text_substitution"] == 1.0
    assert counts(score, drawn(), 'a sign that says "CAF\u00c9"')[0]["text_omission"] == 4.0
    assert counts(score, drawn("CAFE"), 'a sign that says "CAF\u00c9"')[0] == dict.fromkeys(COUNTS, 0.0)


@pytest.mark.parametrize(
    ("prompt", "line"),
    [
        ("a book titled The Harbor on a desk", "THE HARBOR"),
        ("a jar labeled Honey", "HONEY"),
        ("a bakery called Luigi's", "LUIGI'S"),
        ("a Starbucks cup on a table", "STARBUCKS"),
        ('a sign "OPEN" and a jar labeled HONEY', "OPEN HONEY"),
        ('{"prompt": "a sign that says \\"OPEN\\"", "steps": 20}', "OPEN"),
        ('a sign that says "OPEN" --ar 16:9 --no "CLOSED"', "OPEN"),
        ("a photo of a sign, it says OPEN", "OPEN"),
    ],
)
def test_what_the_prompt_names_without_quotes_is_not_unrequested(score: Scorer, prompt: str, line: str) -> None:
    values, scores = counts(score, drawn(line, size=36, width=420), prompt)
    assert not values["unrequested_text"] > 0, scores.boxes
    assert not values["text_omission"] > 0, scores.boxes


def test_a_list_of_strings_is_a_prompt(score: Scorer) -> None:
    assert counts(score, drawn("OPEN"), ["a street", 'a sign "OPEN"'])[0] == dict.fromkeys(COUNTS, 0.0)


@pytest.mark.parametrize("prompt", [{"steps": 3}, ["a", 3], "--ar 16:9", '{"steps": 3}', b"a"])
def test_what_is_no_prompt_is_unknown(score: Scorer, prompt: object) -> None:
    assert counts(score, drawn("OPEN"), prompt)[1].reasons == ("the sample has no prompt",)


def test_a_japanese_text_that_is_not_there(score: Scorer) -> None:
    values, _ = counts(score, drawn("OPEN", height=128), "「営業中」と書かれた看板")
    assert (values["text_omission"], values["unrequested_text"]) == (3.0, 4.0)


def test_a_blank_picture_lacks_the_text_and_a_faint_one_is_unknown(score: Scorer) -> None:
    assert counts(score, drawn(), 'a sign "OPEN"')[0]["text_omission"] == 4.0
    faint = drawn()
    ImageDraw.Draw(faint).ellipse((30, 30, 90, 60), fill="#fafafa")
    values, scores = counts(score, faint, 'a sign "OPEN"')
    assert math.isnan(values["text_omission"])
    assert "contrast" in str(scores.reasons[0])


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (8, 8)])
def test_a_tiny_picture_is_unknown(score: Scorer, shape: tuple[int, int]) -> None:
    values, scores = counts(score, Image.new("RGB", shape), 'a sign "OPEN"')
    assert all(math.isnan(value) for value in values.values())
    assert "smaller than" in str(scores.reasons[0])


@pytest.mark.slow
@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_turned_text_is_read(score: Scorer, turn: int) -> None:
    picture = drawn("COFFEE SHOP", height=128).rotate(turn, expand=True)
    assert counts(score, picture, 'a sign "COFFEE SHOP"')[0] == dict.fromkeys(COUNTS, 0.0)


def test_a_blurred_number_is_not_read_upside_down(score: Scorer) -> None:
    picture = drawn("606", size=26, width=96, height=48).filter(ImageFilter.GaussianBlur(3.5))
    assert counts(score, picture, 'a sign that says "686"')[0]["text_substitution"] == 1


def test_lettering_that_cannot_be_read_is_neither_missing_nor_wrong(score: Scorer) -> None:
    # three words on top of each other: nobody can say whether one of them is a number
    layers = [np.asarray(drawn(word, size=26, width=96, height=48)) for word in ("KLLZ", "EMBK", "YRHZ")]
    ink = 255 - np.mean(layers, axis=0)
    picture = Image.fromarray((255 - np.clip(1.5 * ink, 0, 255)).astype(np.uint8))
    values, scores = counts(score, picture, 'a sign that says "427"')
    assert math.isnan(values["text_omission"])
    assert math.isnan(values["text_substitution"])
    assert scores.reasons[0] == "there is lettering that could not be read"
    blank = drawn("", width=96, height=48)
    assert counts(score, blank, 'a sign that says "427"')[0]["text_omission"] == 3


def test_letters_that_stand_alone_are_no_omission(score: Scorer) -> None:
    values, _ = counts(score, drawn(*"HOTEL", width=160, height=256), 'a sign "HOTEL"')
    assert not values["text_omission"] > 0


QUALITY = ("text_distortion", "text_mixed_style", "text_illegible")


def quality(scores: Scores) -> dict[str, float]:
    return {name: float(scores[name][0]) for name in QUALITY}


def waved(picture: Image.Image, height: float = 8) -> Image.Image:
    y, x = np.mgrid[: picture.height, : picture.width].astype(np.float32)
    shifted = (y + height * np.sin(x / 14)).astype(np.float32)
    pixels = cv2.remap(np.asarray(picture), x, shifted, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return Image.fromarray(pixels)


def test_a_wave_is_a_distortion_though_every_letter_can_be_read(score: Scorer) -> None:
    picture = drawn("BREAKFAST", size=40, height=128)
    before, after = (quality(counts(score, shown, 'a sign "BREAKFAST"')[1]) for shown in (picture, waved(picture)))
    assert before["text_distortion"] < 0.04 < 0.08 < after["text_distortion"]
    assert after["text_illegible"] < 0.3
    values, scores = counts(score, waved(picture), 'a sign "BREAKFAST"')
    assert values == dict.fromkeys(COUNTS, 0.0)
    (box,) = scores.boxes[0]
    assert box.label == "distortion"
    assert (box.attributes["read"], box.attributes["wanted"], box.attributes["edit"]) == ("BREAKFAST", "breakfast", "")


def test_heavy_letters_among_light_ones_are_a_mixed_style(score: Scorer) -> None:
    font, picture, x = ImageFont.load_default(40), Image.new("RGB", (360, 128), "white"), 20.0
    for at, letter in enumerate("BREAKFAST"):
        ImageDraw.Draw(picture).text((x, 40), letter, fill="black", font=font, stroke_width=2 * (at in (2, 5)))
        x += font.getlength(letter) + 5
    measured = quality(counts(score, picture, 'a sign "BREAKFAST"')[1])
    assert measured["text_mixed_style"] > 5
    assert measured["text_distortion"] < 0.05


def test_signs_that_nobody_can_read(score: Scorer) -> None:
    line = np.asarray(drawn("BREAKFASTS", size=48, width=340, height=96).crop((16, 24, 326, 69)))
    tiles = [line[y : y + 15, x : x + 15] for y in range(0, 45, 15) for x in range(0, 300, 15)]
    order = np.random.default_rng(3).permutation(len(tiles))
    rows = [np.hstack([np.rot90(tiles[k], k) for k in order[start : start + 20]]) for start in (0, 20, 40)]
    picture = Image.new("RGB", (420, 160), "white")
    picture.paste(Image.fromarray(np.vstack(rows)), (50, 50))
    _, scores = counts(score, picture, "a poster in a street")
    assert quality(scores)["text_illegible"] > 0.55
    assert math.isnan(quality(scores)["text_distortion"])
    assert "illegible" in [box.label for box in scores.boxes[0]]


def test_without_lettering_nothing_is_illegible_and_no_shape_is_known(score: Scorer) -> None:
    _, scores = counts(score, drawn(), "a dog, no text")
    assert quality(scores)["text_illegible"] == 0.0
    assert math.isnan(quality(scores)["text_distortion"])
    assert scores.reasons == ("the prompt asks for no text",)


@pytest.mark.parametrize("prompt", ['a sign "OPEN"', "", "「営業中」と書かれた看板", 'a sign "مفتوح"', "a dog"])
@pytest.mark.parametrize("upside_down", [False, True])
def test_a_small_picture_and_odd_prompts_give_an_answer_or_a_reason(
    score: Scorer, prompt: str, upside_down: bool
) -> None:
    picture = drawn("OPEN", size=20, width=64, height=64).rotate(180 if upside_down else 0)
    _, scores = counts(score, picture, prompt)
    unknown = [name for name in scores if math.isnan(float(scores[name][0]))]
    assert not unknown or scores.reasons[0]


@pytest.mark.slow
def test_forty_texts(score: Scorer) -> None:
    texts = [f"item {chr(65 + row)}{row + 2}" for row in range(40)]
    picture = Image.new("RGB", (640, 760), "white")
    for row, text in enumerate(texts):
        ImageDraw.Draw(picture).text(
            (40 + 320 * (row % 2), 20 + row // 2 * 36), text, fill="black", font=ImageFont.load_default(26)
        )
    prompt = "a wall with " + ", ".join(f'"{text}"' for text in texts)
    values, scores = counts(score, picture, prompt)
    assert not any(value > 0 for value in values.values()), scores.boxes


@pytest.mark.slow
def test_ten_thousand_characters(score: Scorer) -> None:
    values, _ = counts(score, drawn("OPEN"), 'a sign "' + "OPEN " * 2000 + '"')
    assert values["text_omission"] == 4.0 * 1999
    assert counts(score, drawn("OPEN"), 'a sign "OPEN" ' + "and a dog " * 1000)[0] == dict.fromkeys(COUNTS, 0.0)


def test_a_picture_does_not_depend_on_its_batch(score: Scorer) -> None:
    pictures, prompts = [drawn("OPEN"), drawn("OPIN"), drawn()], ['a sign "OPEN"', 'a sign "OPEN"', None]
    together = score(batch(pictures, prompts))
    for row, (picture, prompt) in enumerate(zip(pictures, prompts, strict=True)):
        alone = score(batch([picture], [prompt]))
        for name in together:
            np.testing.assert_array_equal(together[name][row].numpy(), alone[name][0].numpy())
            assert together[name].dtype == torch.float32


def test_a_failure_stands_only_if_it_is_likelier_than_the_wanted_text() -> None:
    picture = drawn("COFFEE CHOP", height=128)
    values, scores = counts(Text(doubt=50.0, threads=1).load("cpu"), picture, 'a sign "COFFEE SHOP"')
    assert math.isnan(values["text_substitution"])
    assert "readings differ" in str(scores.reasons[0])
    assert values["text_duplication"] == 0.0


@pytest.mark.slow
def test_it_loads_without_a_network_and_prints_nothing() -> None:
    code = """
import socket
def refuse(*args, **kwargs):
    raise OSError("no network")
socket.socket.connect = socket.create_connection = refuse
from loupe.brain.checks.text import Text
Text(threads=1).load("cpu")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True)
    assert (done.stdout, done.stderr) == ("", "")
