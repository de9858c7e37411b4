"""What tools write around the words of a prompt is no part of it, and what it excludes is excluded."""

from __future__ import annotations

import json
import random

import pytest
from effort import calls

from loupe.brain.prompts.cleaned import cleaned, prompt_text
from loupe.brain.prompts.parse import parse
from loupe.brain.prompts.requested_overlays import requested_overlays
from loupe.brain.prompts.requested_text import requested_text


def names(prompt: str) -> list[tuple[str, int | None]]:
    return [(requested.name, requested.count) for requested in parse(prompt).objects]


@pytest.mark.parametrize(
    ("prompt", "text", "excluded"),
    [
        ("a cup --ar 16:9 --no plants --style raw", "a cup", ("plants",)),
        ("a cup --no plants, green trees,people --v 6.1", "a cup", ("plants", "green trees", "people")),
        ("a cup --NO plants", "a cup", ("plants",)),
        ("a cup --niji 5 --s 250 --chaos 10 --tile --seed 7", "a cup", ()),
        ("a cup --sref https://a.b/c.png 77 --sw 30", "a cup", ()),
        ("a cup --unheard 5 --of", "a cup", ()),
        ("a cup —ar 3:2 —v 6", "a cup", ()),
        ("a cup --ar 3:2\na dog", "a cup a dog", ()),
        ("a cup --no plants\na dog", "a cup a dog", ("plants",)),
        ("https://s.mj.run/x https://a.b/c.png a cup --iw 2", "a cup", ()),
        ("a cup::2 a dog::1", "a cup. a dog", ()),
        ("a field:: red flowers::-.5", "a field", ("red flowers",)),
        ("a cup\nNegative prompt: dogs, (hats:1.4)\nSteps: 20, Sampler: Euler a, Seed: 1", "a cup", ("dogs", "hats")),
        ("a cup Negative prompt: dogs Steps: 20, Sampler: Euler", "a cup", ("dogs",)),
        ("a cup\nSteps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7\nTemplate: x", "a cup", ()),
        ("a cup\nNegative prompt: ", "a cup", ()),
        ("a [red] cup, {big} dog", "a red cup, big dog", ()),
        ("a [dog:cat:0.5] on a mat", "a cat on a mat", ()),
        (r"a knight \(armor\)", "a knight (armor)", ()),
        ("a cup BREAK a dog", "a cup. a dog", ()),
        ("a cat AND a dog", "a cat. a dog", ()),
        ("<lora:x:0.8>a cup, embedding:easy", "a cup,", ()),
        ('a 4" nail and a 6\'2" man', "a nail and a man", ()),
        ("a 19.5'' screen", "a screen", ()),
        ('{"prompt": "a cup", "negative_prompt": "dogs", "steps": 20}', "a cup", ("dogs",)),
        ('{"subject": "a cup", "scene": {"place": "a kitchen"}, "seed": 3}', "a cup, a kitchen", ()),
        ('["a cup", "a dog"]', "a cup, a dog", ()),
        ("['a cup', 'a dog']", "a cup, a dog", ()),
        ("{'prompt': 'a cup', 'negative_prompt': ['dogs', 'hats']}", "a cup", ("dogs", "hats")),
        ('{"steps": 20}', "", ()),
        ("a cup &amp; a dog", "a cup & a dog", ()),
    ],
)
def test_marks_are_taken_out(prompt: str, text: str, excluded: tuple[str, ...]) -> None:
    clean = cleaned(prompt)
    assert (" ".join(clean.text.split()), clean.excluded) == (text, excluded)


@pytest.mark.parametrize(
    "prompt",
    [
        "a quiet street, no people",
        'a sign that says "--no parking"',
        "a sign that says “Steps: 20, Sampler: x”",
        'a sign that says "stop --no parking"',
        'a sign that says "push::-1 pull"',
        'a page that says "to do: Steps: 20, Sampler: x"',
        'a page that says "my negative prompt: dogs"',
        'a door that says "[push] {pull}"',
        "a poster that says TAKE A BREAK on a wall",
        "a sign that says SALT AND PEPPER",
        "a well-known actor -- in a hat",
        "a man — no hat",
        "the '60s diner",
        "a creature with 3 feet",
        'a sign that says "24" and a sign that says "6\'"',
        "red|blue cup",
        "{a cat",
    ],
)
def test_what_is_no_mark_stays(prompt: str) -> None:
    assert cleaned(prompt).text == prompt
    assert cleaned(prompt).excluded == ()


@pytest.mark.parametrize(
    ("prompt", "objects", "excluded"),
    [
        ("a red cup to the left of a blue box --ar 16:9 --no plants --style raw", ["cup", "box"], ("plant",)),
        ("a street with 0 cars, 0 people", ["street"], ("car", "person")),
        ("0 people", [], ("person",)),
        ("a street at 0 degrees", ["street"], ()),
        ("a cat\nNegative prompt: (worst quality:2), extra fingers, bad hands, dogs, blurry cars", ["cat"], ("dog",)),
        ("a cat --no lowres, ugly, zeppelins", ["cat"], ("zeppelin",)),
        ("an 8\" x 10\" card beside a 12'' ruler", ["card", "ruler"], ()),
        ("a dog by the side of a car", ["dog", "car"], ()),
    ],
)
def test_what_is_excluded_is_no_object(prompt: str, objects: list[str], excluded: tuple[str, ...]) -> None:
    spec = parse(prompt)
    assert ([name for name, _ in names(prompt)], spec.excluded) == (objects, excluded)
    assert all(count == 1 for _, count in names(prompt))
    assert spec.prompt == prompt
    assert spec.unparsed == ()


def test_the_number_of_a_row_excludes_nothing() -> None:
    assert parse("0\ta street").excluded == ()


def test_what_is_excluded_and_not_understood_is_said() -> None:
    assert parse("a cat --no a man in a red hat").unparsed == ("no a man in a red hat",)


def test_the_checks_of_text_and_overlays_read_the_same_words() -> None:
    for prompt in ("a bar --no text, watermark", "a bar\nNegative prompt: text, watermark\nSteps: 3, Seed: 1"):
        assert requested_text(prompt).excluded
        assert parse(prompt).text_free
        assert not requested_overlays(prompt).watermark
    assert requested_text('{"prompt": "a sign that says \\"OPEN\\""}').texts == ("OPEN",)
    assert requested_text('a 4" pipe beside a 6" sign that says "OPEN"').texts == ("OPEN",)
    assert requested_text("a 4'' pipe and a 6''x8'' plate").texts == ()
    assert requested_text('a sign "OPEN" --ar 16:9 --no "CLOSED"').texts == ("OPEN",)
    assert requested_overlays('{"prompt": "a screenshot of a mail program"}').interface


@pytest.mark.parametrize(
    "prompt", [None, 7, 2.5, "", "  ", b"a cup", {}, {"prompt": "a"}, [], [1], ["a", 2], "--ar 1:1"]
)
def test_what_is_no_prompt_is_none(prompt: object) -> None:
    assert prompt_text(prompt) is None


def test_a_list_of_strings_is_one_prompt() -> None:
    assert prompt_text(["a cup,", " a dog "]) == "a cup, a dog"
    assert requested_overlays(["a cup", 'a sign "OPEN"']).texts == ("OPEN",)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "prompt",
    [
        '{"a":' * 3000 + "1" + "}" * 3000,
        "[" * 50_000 + "]" * 50_000,
        "['" + "[" * 3000 + "']" * 3000,
        '{"prompt": ' + "9" * 5000 + "}",
        '{"prompt": "\\ud800"}',
        "[]",
        "{}",
        "[null]",
        '{"prompt": null, "text": 5}',
    ],
)
def test_json_of_any_kind_is_no_crash(prompt: str) -> None:
    spec = parse(prompt)
    assert spec.objects == ()
    assert requested_text(prompt).texts == ()


_PIECES = """
a the cup dog --no --ar 16:9 --v 6 ::2 ::-1 BREAK AND ( ) (( )) [ ] { } | : \\( \\) <lora:x:1> " ' “ ” 4" 6'2" , .
Negative\tprompt: Steps:\t20, Sampler:\tx & &amp; https://a.b/c no 0 people — é 犬 "OPEN" labeled X
"""


def test_any_marks_in_any_order_are_read() -> None:
    chance, pieces = random.Random(1), _PIECES.split()
    for _ in range(1500):
        prompt = " ".join(chance.choices(pieces, k=chance.randint(1, 14))).replace("\t", " ")
        clean = cleaned(prompt)
        assert all(any(map(str.isalnum, name)) for name in clean.excluded)
        assert json.dumps(parse(prompt).to_dict())
        requested_overlays(prompt)


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "part", ["[a", "{a}", "--no a ", "::-1 ", "<a", '4" ', "BREAK ", "\\(", "http://a ", "Steps: 1, "]
)
def test_marks_take_linear_time(part: str) -> None:
    shorter, longer = (part * (length // len(part)) for length in (5_000, 20_000))
    assert calls(lambda: cleaned.__wrapped__(longer)) < 5 * calls(lambda: cleaned.__wrapped__(shorter)) + 50


@pytest.mark.parametrize(
    ("prompt", "objects"),
    [
        ("a {cat|dog} on a mat", ["mat"]),
        ("a {red|blue} cup on a table", ["cup", "table"]),
        ("a __animal__ on a mat", ["mat"]),
        ("{2$$a cat|a {b|dog}}, a lamp", ["lamp"]),
        ("a {wooden} box", ["box"]),
    ],
)
def test_what_was_still_to_be_chosen_is_not_asked_for(prompt: str, objects: list[str]) -> None:
    assert [requested.name for requested in parse(prompt).objects] == objects


def test_a_text_that_was_still_to_be_chosen_is_not_asked_for() -> None:
    assert requested_text('a sign that says "{OPEN|SHUT}"').texts == ()
    assert requested_text('a sign that says "A|B"').texts == ("A|B",)
