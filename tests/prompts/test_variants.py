"""Variants and wildcards: which texts they give, how often, that a seed decides, and bad input."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from itertools import permutations
from pathlib import Path

import pytest

from loupe.brain.core.errors import PromptError
from loupe.brain.prompts.files import read
from loupe.brain.prompts.variants import doubled, expanded
from loupe.brain.prompts.wildcards import Wildcards


def texts(prompt: str, n: int = 300, wildcards: Wildcards | None = None) -> Counter[str]:
    return Counter(expanded(prompt, 0, number, wildcards).text for number in range(n))


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a {red|blue} cup", {"a red cup", "a blue cup"}),
        ("{a|{b|c}}", {"a", "b", "c"}),
        ("{{rose|yellow} gold|platinum}", {"rose gold", "yellow gold", "platinum"}),
        ("{2$$a|b|c}", {", ".join(pair) for pair in permutations("abc", 2)}),
        ("{2$$ and $$a|b}", {"a and b", "b and a"}),
        ("{1-2$$a|b}", {"a", "b", "a, b", "b, a"}),
        ("{2-$$a|b}", {"a, b", "b, a"}),
        ("x{-1$$a|b}", {"x", "xa", "xb"}),
        ("{0::a|b}", {"b"}),
        ("a{|b}", {"a", "ab"}),
        ('a sign that says "{OPEN|SHUT}"', {'a sign that says "OPEN"', 'a sign that says "SHUT"'}),
    ],
)
def test_every_option_comes_and_no_other(prompt: str, expected: set[str]) -> None:
    assert set(texts(prompt)) == expected


@pytest.mark.parametrize(
    "prompt", ["a {wooden} box", "A|B store sign", "P(A|B)", '{"prompt": "a|b"}', "____", "x__y__z", "{a"]
)
def test_what_is_no_variant_stays(prompt: str) -> None:
    assert expanded(prompt, 0).text == prompt


def test_how_often_an_option_comes() -> None:
    n = 4000
    for prompt, probability in [("{a|b|c|d}", 0.25), ("{3::a|b}", 0.75), ("{0.5::a|0.1::b|0.4::c}", 0.5)]:
        share = texts(prompt, n)["a"] / n
        assert abs(share - probability) < 4 * math.sqrt(probability * (1 - probability) / n)
    # one after the other without repetition, by brute force: a first 1/2, then b before c 2/3
    pairs = texts("{2$$4::a|2::b|2::c}", n)
    assert abs(pairs["a, b"] / n - 0.25) < 4 * math.sqrt(0.25 * 0.75 / n)
    assert abs(pairs["b, a"] / n - 0.25 * 2 / 3) < 4 * math.sqrt(0.17 * 0.83 / n)


def test_prompt_seed_and_number_decide_and_nothing_else() -> None:
    prompt = "a {red|blue|green|black|white} {cup|box|car}"
    alone = [expanded(prompt, 3, number).text for number in range(20)]
    expanded("{a|b|c} __x__", 3, 0, Wildcards({"x": ["1", "2"]}))
    assert [expanded(prompt, 3, number).text for number in range(20)] == alone
    assert [expanded(prompt, 4, number).text for number in range(20)] != alone
    # kept: another version of Loupe draws the same
    assert alone[:3] == KEPT


KEPT = ["a red cup", "a blue box", "a red cup"]


def test_wildcards_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "clothes").mkdir()
    (tmp_path / "animal.txt").write_text("# animals\ncat\n\n{big|small} dog\n", encoding="utf-8")
    (tmp_path / "clothes" / "hat.txt").write_text("a hat\nno __clothes/hair__\n", encoding="utf-8")
    (tmp_path / "clothes" / "hair.txt").write_text("hair\n", encoding="utf-8")
    folder = Wildcards(tmp_path)
    assert set(texts("__animal__ with __clothes/hat__", wildcards=folder)) == {
        f"{animal} with {hat}" for animal in ("cat", "big dog", "small dog") for hat in ("a hat", "no hair")
    }
    made = expanded("__animal__ and __animal__ with __clothes/hat__", 0, 0, folder)
    assert set(made.chosen) == {"hat"}, "what is used twice has no single value"
    assert set(texts("{2$$__animal__}", wildcards=Wildcards({"animal": ["x", "y"]}))) == {"x, y", "y, x"}


@pytest.mark.parametrize("name", ["../secret", "..", "a/../../secret", "/etc/passwd", "link", "folder/../../secret"])
def test_a_wildcard_stays_inside_its_folder(tmp_path: Path, name: str) -> None:
    inside = tmp_path / "wildcards"
    inside.mkdir()
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    (inside / "link.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(PromptError) as caught:
        Wildcards(inside).values(name)
    assert "outside" in str(caught.value) or "got none" in str(caught.value)
    # in a prompt such a name is no wildcard, or it is refused
    for prompt in (f"a __{name}__", f"{{__{name}__|__{name}__}}"):
        try:
            assert "secret\n" not in expanded(prompt, 0, 0, Wildcards(inside)).text
        except PromptError:
            continue


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"a": ["x", "__a__"]}, "__a__ leads to itself: a → a"),
        ({"a": ["x", "{y|__b__}"], "b": ["__c__"], "c": ["__b__", "z"]}, "b → c → b"),
        ({"a": ["__nothing__"]}, "__nothing__: there are a"),
        ({"a": []}, "at least one value"),
        ({"a": ["y", "x{" + "|" * 5]}, "expected }"),
        (
            {chr(97 + at): [f"__{chr(98 + at)}__ __{chr(98 + at)}__"] for at in range(24)} | {"y": ["xx"]},
            "10,000 in one prompt",
        ),
    ],
)
def test_wildcards_that_do_not_end(values: dict[str, list[str]], match: str) -> None:
    wildcards = Wildcards(values)
    with pytest.raises(PromptError, match=match):
        expanded("__a__", 0, 0, wildcards)


@pytest.mark.parametrize(
    ("prompt", "match"),
    [
        ("{a|b", "expected } for the { at character 1"),
        ("{2$$a", "expected } for the {"),
        ("{1000000$$a}", "at most 1 of 1 options, got 1000000"),
        ("{99999999999999999999$$a|b}", "at most 2 of 2"),
        ("{3-1$$a|b|c}", "at most 3 of 3"),
        ("{nan::a|b}", "a number of at least 0, got nan"),
        ("{1e999::a|b}", "got 1e999"),
        ("{-1::a|b}", "got -1"),
        ("{1.2.3::a|b}", "got 1.2.3"),
        ("{0::a|0::b}", "at most 0 of 0"),
        ("a __cat__", "expected wildcards= for __cat__"),
        ("{a|b}\0", r"U\+0000"),
        ("{a|b}\udc00", r"U\+DC00"),
        ("{a|" * 100 + "b" + "}" * 100, "at most 50 inside of one another"),
        ("{a|b}" * 20_000, "10,000 in one prompt"),
    ],
)
def test_what_cannot_be_expanded(prompt: str, match: str) -> None:
    with pytest.raises(PromptError, match=match) as caught:
        expanded(prompt, 0)
    assert len(str(caught.value)) < 500


def test_bad_sources_of_wildcards(tmp_path: Path) -> None:
    for bad in (tmp_path / "nowhere", {"a": 3}, {"a": "cat"}, 7):
        with pytest.raises(PromptError, match="expected"):
            Wildcards(bad)  # type: ignore[arg-type]
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(PromptError, match=r"bytes\.txt"):
        Wildcards(tmp_path).values("bytes")


def test_variants_in_a_template() -> None:
    prompts = read("a {red|blue} {animal} with {{braces}}", factors={"animal": ["cat", "dog"]})
    assert [prompt.prompt for prompt in prompts] == [
        f"a {{red|blue}} {name} with {{braces}}" for name in ("cat", "dog")
    ]
    assert read("a {red|blue} cup")[0].prompt == "a {red|blue} cup"
    assert read("{{rose|pink} gold|{animal}}", factors={"animal": ["cat"]})[0].prompt == "{{rose|pink} gold|cat}"
    assert doubled("{2$$a|b} {c}") == "{{2$$a|b}} {c}"
    with pytest.raises(PromptError, match="expected factors for the placeholders animal"):
        read("a {red|blue} {animal}")


SLOW: dict[str, Callable[[int], str]] = {
    "open": lambda n: "{" * n + "|",
    "literal": lambda n: "{" * n + "a" + "}" * n + "{a|b}",
    "deep": lambda n: "{a|" * n + "}" * n,
    "many": lambda n: "{a|b}" * n,
    "options": lambda n: "{" + "a|" * n + "}",
    "closed": lambda n: "{a|b}" + "}" * n,
    "underscores": lambda n: "__" * n,
    "all of many": lambda n: f"{{{n}$$" + "a|" * n + "b}",
    "half open": lambda n: "{" * n + "{a|b}" * n,
}


@pytest.mark.parametrize("name", SLOW)
def test_linear_time(name: str) -> None:
    def seconds(n: int) -> float:
        best = 9.0
        for _ in range(3):
            started = time.process_time()
            with suppress(PromptError):
                expanded(SLOW[name](n), 0, 1)
            best = min(best, time.process_time() - started)
        return best

    assert seconds(8000) < 10 * seconds(2000) + 0.02
