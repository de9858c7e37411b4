"""Styles of prompts: what stands in them, and that more begin with the fewer."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from loupe.brain.core.errors import InputError, PromptError, UnknownName
from loupe.brain.prompts import styles
from loupe.brain.prompts.styles import KNOWN, Style

SIGNS = {"template": 'a {color} sign that says "{class}", {time}', "factors": {"color": ["red", "blue"], "time": "day"}}


def texts(style: Style, n: int, **given: Any) -> list[str]:
    return [each.prompt for each in styles.prompts(style, "n01", "tench", n, **given)]


def test_names_templates_and_styles_of_ones_own() -> None:
    named = styles.read(["class", "varied", "a sketch of a {class}"])
    assert [style.name for style in named] == ["class", "varied", "a sketch of a {class}"]
    own = styles.read({"signs": SIGNS, "two": ["a {class}", "the {class}"], "mine": "caption", "plain": "a {class}"})
    assert [(style.name, len(style.templates)) for style in own] == [
        ("signs", 1),
        ("two", 2),
        ("mine", 0),
        ("plain", 1),
    ]
    assert own[0].factors == {"color": ("red", "blue"), "time": ("day",)}
    assert texts(own[1], 3) == ["a tench", "the tench", "a tench"]
    assert styles.read("class") == (KNOWN["class"],)


def test_every_combination_comes_before_any_comes_again() -> None:
    varied = KNOWN["varied"]
    every = {
        f"a photo of a tench, {view}, {light}, {place}"
        for view, light, place in product(*(varied.factors[name] for name in ("view", "light", "place")))
    }
    made = texts(varied, len(every) + 7)
    assert set(made[: len(every)]) == every
    assert made[len(every) :] == made[:7]


def test_more_begin_with_the_fewer_and_a_seed_decides_the_order() -> None:
    varied = KNOWN["varied"]
    assert texts(varied, 40)[:9] == texts(varied, 9)
    assert texts(varied, 40) != texts(varied, 40, seed=1)
    two = styles.read({"two": ["a {class}", "the {class}"]})[0]
    assert texts(two, 5)[:4] == texts(two, 4)


def test_captions_are_the_prompts_and_come_again() -> None:
    captions = ["a fish on ice", "two fish"]
    made = texts(KNOWN["caption"], 5, captions=captions)
    assert sorted(made[:2]) == sorted(captions)
    assert made[2:4] == made[:2]
    with pytest.raises(PromptError, match="expected captions of real pictures of 'n01', got none"):
        texts(KNOWN["caption"], 2)


def test_braces_and_quotes_in_a_class_are_drawn_as_they_stand() -> None:
    odd = 'a {b} "c" $d <e> 🦉'
    (made,) = styles.prompts(KNOWN["class"], odd, odd, 1)
    assert made.prompt == f"a photo of a {odd}"


def test_an_image_has_one_seed_whatever_draws_it() -> None:
    own = {
        styles.seed_of(seed, style, label, "p", at) for seed, style, label, at in product((0, 1), "ab", "cd", (0, 1))
    }
    assert len(own) == 16
    assert all(0 <= seed < 2**53 for seed in own)


@pytest.mark.parametrize(
    ("given", "kind", "says"),
    [
        (["klass"], UnknownName, "Did you mean 'class'"),
        (["a photo"], UnknownName, "unknown prompt style"),
        (["a {thing} of {class}"], PromptError, "expected factors with values for {thing}, got none"),
        (["a {class"], PromptError, "expected a template with {class} in it"),
        (["a {class} {"], PromptError, "expected {name} placeholders"),
        ([], InputError, "at least one style, got none"),
        ({}, InputError, "at least one style, got none"),
        (["class", "class"], InputError, "each style once, got 'class' twice"),
        (3, InputError, "expected styles to be names, templates"),
        ({"a": {"tempplate": "a {class}"}}, UnknownName, "Did you mean 'template'"),
        ({"a": {"template": "a {class}", "factors": {"x": [1]}}}, PromptError, "expected the placeholder {x}"),
        ({"a": {"template": "a {class} {x}", "factors": {"x": []}}}, PromptError, "expected values for the factor 'x'"),
        ({"a": {"template": "a {class}", "factors": {"arm": ["b"]}}}, PromptError, "the factor name 'arm' is taken"),
        ({"a": {"template": "a {class}", "factors": ["b"]}}, InputError, "expected factors to map names"),
        ({"a": 3}, InputError, "expected a template with {class}, or some"),
        ({"a": []}, InputError, "expected a template with {class}, or some"),
        ({" ": "a {class}"}, InputError, "expected a name of a style"),
    ],
)
def test_what_is_no_style_is_said(given: Any, kind: type[Exception], says: str) -> None:
    with pytest.raises(kind) as raised:
        styles.read(given)
    assert says in str(raised.value)
