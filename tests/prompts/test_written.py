"""Prompts as people write them: what is a mark and what is English, what a prompt asks for, and bad input."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from loupe.brain.core.errors import PromptError
from loupe.brain.core.written import KINDS, PromptSyntax
from loupe.brain.prompts.parse import parse
from loupe.brain.prompts.requested_text import requested_text
from loupe.brain.prompts.written import _written, written

#: as written → its words
MARKED = {
    "a (red hat:1.3)": "a red hat",
    "a (red hat: 1.3)": "a red hat",
    "((masterpiece)), (sitting) cat, [ugly]": "masterpiece, sitting cat, ugly",
    "(((two dogs)))": "two dogs",
    "a (b (c:1.3) d:1.2)": "a b c d",
    "a [cat|dog] on a sofa": "a cat on a sofa",
    "a [red:blue:0.5] sofa": "a blue sofa",
    "a [cat::0.3] on a mat": "a on a mat",
    "a [hat:0.7] on a mat": "a hat on a mat",
    "a cat, BREAK, a dog": "a cat, a dog",
    "a cat BREAK\na dog": "a cat,\na dog",
    "a cat :1.2 AND a (dog:1.1)": "a cat, a dog",
    "a <lora:felt:0.8> cat": "a cat",
    "<hypernet:old:1>, a cat": "a cat",
    "<lora:two words:0.5:0.7> a cat": "a cat",
    r"saber \(fate\), a sword": "saber (fate), a sword",
    "embedding:easynegative, a cat": "a cat",
    "a cat, (embedding:soft:1.2)": "a cat",
    "a cat --ar 16:9 --v 6 --style raw": "a cat",
    "a cat, --no dogs, birds": "a cat",
    "https://a.b/c.png https://d.e/f.jpg a cat --iw 2": "a cat",
    "a cat::2 a dog::1": "a cat, a dog",
    "a cat::2 mud::-1": "a cat",
    "a cat\nNegative prompt: bad (hands:1.4)\nSteps: 20, Sampler: Euler a, Seed: 12, Size: 512x768": "a cat",
    "a cat —ar 3:2": "a cat",
}
#: English, and what is to be written: nothing of it is a mark
ENGLISH = [
    "a cat (sitting)",
    "a cat (sitting) and a dog [asleep]",
    "a photo in the ratio 3:4, taken at 10:30",
    "a frame (3:4) on a wall (Genesis 1:1)",
    "a page [10:30] of a diary (chapter: 3), (Room:12)",
    "A|B store sign",
    'a sign that says "(SALE:1.5) [A|B] --no parking <lora:x:1>"',
    "a neon sign that says 'BREAK AND (ENTER)'",
    "std::vector in a book about C++",
    "a smiling face :) and a sad :(",
    "P(A|B) on a blackboard",
    "a dog -- not a cat -- on a mat",
    "a dog—no cat in sight",
    "TAKE A BREAK AND EAT on a banner",
    "a man AND his dog",
    "a {wooden} box",
    "an array a[0] on a screen",
    "a room, 4' x 6', 100% wool",
    "<b>bold</b> text on a page",
    "ein Hund (braun) für 3:2",
    "一只猫（坐着）",
    "¯\\_(ツ)_/¯ on a shirt",
    r"a path C:\(x86) on a screen",
]


@pytest.mark.parametrize(("raw", "plain"), MARKED.items())
def test_the_words_of_a_prompt(raw: str, plain: str) -> None:
    made = written(raw)
    assert made.plain == plain
    assert made.text == plain
    assert made.raw == raw
    assert made.dropped or made.resolved
    # its words are words: there is nothing more to take out
    assert written(made.plain).plain == made.plain


@pytest.mark.parametrize("prompt", ENGLISH)
def test_english_is_left_as_it_is(prompt: str) -> None:
    made = written(prompt)
    assert (made.plain, made.text) == (prompt, prompt)
    assert (made.dropped, made.resolved, made.weights, made.negative, made.odd) == ((), (), (), "", ())


@pytest.mark.parametrize(
    "raw",
    [
        "two (red cups:1.3) to the left of a ((wooden box)), <lora:x:1> --ar 16:9 --no people",
        "a [blue] dog beside a (cat:1.2) BREAK, three birds --seed 5",
        "embedding:x, two dogs under a table, (a lamp:0.8) --v 6",
        "a [red|blue] cup on a [wooden:metal:0.5] table <lora:x:1>",
    ],
)
def test_what_is_asked_for_is_that_of_the_plain_prompt(raw: str) -> None:
    made = written(raw)
    as_written, as_words = parse(raw), parse(made.plain + (f" --no {made.negative}" if made.negative else ""))
    assert as_written.objects == as_words.objects
    assert as_written.relations == as_words.relations
    assert as_written.excluded == as_words.excluded
    words = {part for spec in (as_written, as_words) for part in spec.unparsed}
    assert not any(mark in part for part in words for mark in ("lora", "1.3", "ar", "16", "embedding", "seed"))


def test_what_is_to_be_written_is_that_of_the_plain_prompt() -> None:
    raw = '(a neon sign that says "OPEN (24:7)":1.3), <lora:neon:0.8> --ar 3:2'
    assert written(raw).plain == 'a neon sign that says "OPEN (24:7)"'
    assert requested_text(raw).texts == requested_text(written(raw).plain).texts == ("OPEN (24:7)",)


def test_what_is_kept_of_a_prompt() -> None:
    made = written(
        "https://a.b/c.png (a cat:1.3), <lora:felt:0.8:1> <hypernet:h:0.5> embedding:e --ar 16:9 --seed 7 --no x, y"
    )
    assert [(mark.kind, mark.text) for mark in made.dropped] == [
        ("link", "https://a.b/c.png"),
        ("weight", "(a cat:1.3)"),
        ("lora", "<lora:felt:0.8:1>"),
        ("hypernetwork", "<hypernet:h:0.5>"),
        ("embedding", "embedding:e"),
    ]
    assert [mark.kind for mark in made.resolved] == ["size", "seed", "negative"]
    assert [(own.kind, own.name, own.weight) for own in made.adapters] == [
        ("lora", "felt", 0.8),
        ("hypernetwork", "h", 0.5),
        ("embedding", "e", 1.0),
    ]
    assert (made.aspect, made.size, made.seed, made.negative) == ((16.0, 9.0), None, 7, "x, y")
    assert {mark.kind for mark in made.dropped + made.resolved} <= set(KINDS)


def test_the_settings_below_a_prompt() -> None:
    made = written(next(raw for raw in MARKED if "Sampler" in raw))
    assert (made.seed, made.size, made.negative) == (12, (512, 768), "bad hands")
    assert {mark.kind for mark in made.dropped} == {"setting", "weight"}
    assert written("a cat --width 640 --height 480").size == (640, 480)
    alone = written("a cat --width 640")
    assert (alone.size, [mark.kind for mark in alone.dropped]) == (None, ["flag"])


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("a (red hat:1.3) on", [("red hat", 1.3)]),
        ("((a)) b", [("a", 1.21)]),
        ("[a] (b:1.5)", [("a", 0.909091), ("b", 1.5)]),
        ("(a (b:1.3) c:1.2)", [("a ", 1.2), ("b", 1.56), (" c", 1.2)]),
        ("(a:0) (b:-1) (c:1.0)", [("a", 0.0), ("b", -1.0)]),
        ("a cat::2 dog::0.5", [("a cat", 2.0), (" dog", 0.5)]),
    ],
)
def test_weights_by_span(raw: str, expected: list[tuple[str, float]]) -> None:
    made = written(raw)
    spans = [(made.plain[weight.start : weight.end], weight.weight) for weight in made.weights]
    assert [(text.strip(", "), value) for text, value in spans] == [(text.strip(), value) for text, value in expected]


def _reference(text: str) -> list[tuple[str, float]]:
    """The weight of each letter, by recursion over the brackets: slow, and for balanced texts without escapes."""
    made: list[tuple[str, float]] = []

    def read(at: int, factor: float) -> int:
        start = len(made)
        while at < len(text):
            character = text[at]
            if character == "(":
                at = read(at + 1, factor)
            elif character == ")":
                weight = 1.1
                colon = text.rfind(":", 0, at)
                inner = text[colon + 1 : at]
                if colon >= 0 and inner.replace(".", "", 1).isdigit():
                    weight = float(inner)
                    del made[len(made) - (at - colon) :]
                made[start:] = [(letter, own * weight) for letter, own in made[start:]]
                return at + 1
            else:
                made.append((character, 1.0))
                at += 1
        return at

    at = 0
    while at < len(text):
        at = read(at, 1.0)
    return made


def test_weights_are_those_of_a_recursion() -> None:
    rng = random.Random(4)

    def grown(depth: int) -> str:
        parts = []
        for _ in range(rng.randrange(1, 4)):
            inner = grown(depth - 1) if depth and rng.random() < 0.6 else rng.choice("abcdef")
            parts.append(rng.choice([inner, f"({inner})", f"({inner}:1.{rng.randrange(10)})"]))
        return "".join(parts)

    for _ in range(300):
        raw = grown(3) + "(z:1.5)"
        made = written(raw)
        own = [1.0] * len(made.plain)
        for weight in made.weights:
            own[weight.start : weight.end] = [weight.weight] * (weight.end - weight.start)
        expected = _reference(raw)
        assert made.plain == "".join(letter for letter, _ in expected)
        assert own == pytest.approx([value for _, value in expected], rel=1e-4)


def test_what_a_generator_reads_stays_in_its_text() -> None:
    made = written("a (cat:1.3) <lora:x:1> --ar 2:1", keep=("weight", "lora"))
    assert (made.text, made.plain) == ("a (cat:1.3) <lora:x:1>", "a cat")
    assert [mark.kind for mark in made.kept] == ["weight", "lora"]
    assert not made.dropped
    with pytest.raises(ValueError, match="weigth"):
        PromptSyntax(reads=("weigth",))  # type: ignore[arg-type]


def test_a_dialect_that_is_known_reads_single_brackets() -> None:
    assert written("a cat (sitting) [asleep]", dialect="a1111").plain == "a cat sitting asleep"
    assert written("a cat (sitting) [asleep]", dialect="comfyui").plain == "a cat sitting [asleep]"
    assert written("a cat:: a dog", dialect="midjourney").plain == "a cat, a dog"
    with pytest.raises(PromptError, match="dialect"):
        written("a cat", dialect="latin")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("raw", "match"),
    [
        ("a (cat:1e999)", "a weight from -10 to 10, got 1e999"),
        ("a (cat:nan)", "got nan"),
        ("a (cat:-inf)", "got -inf"),
        ("a (cat:99.5)", "got 99.5"),
        ("<lora:x:1e999> a", "got 1e999"),
        ("<lora:x:1.2.3> a", "a number as a weight"),
        ("[a:b:1e999]", "got 1e999"),
        ("a::1e999 b", "got 1e999"),
        ("a --ar 0:9", "--ar as width:height"),
        ("a --ar 1000:1", "at most 16:1"),
        ("a --ar wide", "--ar as width:height"),
        ("a --seed -4", "--seed as a whole number"),
        (f"a --seed {2**63}", "--seed as a whole number"),
        ("a --seed ١", "--seed as a whole number"),
        ("a\nSteps: 20, Size: 0x99999", "a size from 1 to 8192"),
        ("a\0b (c:1.2)", "U+0000"),
        ("a \ud800 (c:1.2)", "U+D800"),
        ("a" * 100_001, "at most 100,000 characters"),
        ("(" * 5000 + "a" + ")" * 5000, "5,000 brackets in one another"),
    ],
)
def test_what_cannot_be_read(raw: str, match: str) -> None:
    with pytest.raises(PromptError, match=match.replace("+", r"\+")) as caught:
        written(raw)
    assert len(str(caught.value)) < 500


def test_a_bracket_without_a_partner_is_left_and_said() -> None:
    made = written("a (red cat:1.3 and a (dog:1.2)")
    assert made.plain == "a (red cat:1.3 and a dog"
    assert made.odd == ("'(' at character 3 has no partner",)
    assert written("a (red cat:1.3").odd
    assert not written("1) a cat").odd


SLOW: dict[str, Callable[[int], str]] = {
    "nested": lambda n: "(" * n + "a" + ")" * n,
    "alternations": lambda n: "[a|" * n + "b" + "]" * n,
    "schedules": lambda n: "[a:" * n + "b:0.5]" * n,
    "weights": lambda n: "(" * n + "".join(f"a:0.9{i % 1000})" for i in range(n)),
    "open": lambda n: "(a:1.2)" + "(" * n,
    "mixed": lambda n: "([" * n + "(a:1.2)" + ")]" * n,
    "escaped": lambda n: r"\(" * n,
    "negative prompts": lambda n: "Negative prompt: a\n" * n,
    "flags": lambda n: "--no a " * n,
    "colons": lambda n: "a::1 " * n,
    "blanks": lambda n: "(a:1.2)" + " " * 3 * n + "x",
    "tags": lambda n: "<lora:a:1>" * n,
    "half tags": lambda n: "<lora:" * n,
    "quotations": lambda n: '"(a:1.2)" ' * n,
    "apostrophes": lambda n: "'(a:1.2) " * n,
    "parts": lambda n: "(a:1.2) AND BREAK, " * n,
}


@pytest.mark.parametrize("name", SLOW)
def test_linear_time(name: str) -> None:
    def seconds(n: int) -> float:
        best = 9.0
        for _ in range(3):
            _written.cache_clear()
            text = SLOW[name](n)[:100_000]
            started = time.process_time()
            with suppress(PromptError):
                written(text)
            best = min(best, time.process_time() - started)
        return best

    # four times the length: quadratic would be sixteen times
    assert seconds(4000) < 10 * seconds(1000) + 0.02
