"""What a prompt asks to be written."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
import suite
from effort import calls

from loupe.brain.prompts.requested_text import RequestedText, requested_text


@pytest.mark.parametrize(
    ("prompt", "texts"),
    [
        ('a sign that says "OPEN"', ("OPEN",)),
        ("a sign that says 'OPEN'", ("OPEN",)),
        ("a sign that says ‘OPEN’", ("OPEN",)),
        ("a sign that says “OPEN”", ("OPEN",)),
        ("ein Schild „Geöffnet“ am Tor", ("Geöffnet",)),
        ("ein Schild „Geöffnet” am Tor", ("Geöffnet",)),
        ("une enseigne « Ouvert »", ("Ouvert",)),
        ("une enseigne «Ouvert»", ("Ouvert",)),
        ("「営業中」と書かれた看板", ("営業中",)),
        ("『ラーメン』の暖簾", ("ラーメン",)),
        ("一本书《红楼梦》在桌上", ("红楼梦",)),
        ('咖啡店的招牌写着"欢迎光临"', ("欢迎光临",)),
        ('"OPEN" and "CLOSED" on two doors', ("OPEN", "CLOSED")),
        ("a bus: \"24\", a tram: '7'", ("24", "7")),
        ('("SALE")', ("SALE",)),
        ('text:"SALE"', ("SALE",)),
        ('a poster "Hello,\n  world!"', ("Hello, world!",)),
    ],
)
def test_quotation_marks(prompt: str, texts: tuple[str, ...]) -> None:
    assert requested_text(prompt).texts == texts


@pytest.mark.parametrize(
    ("prompt", "texts"),
    [
        ("a neon sign for 'Mama's Kitchen & Bakery Co.' at night", ("Mama's Kitchen & Bakery Co.",)),
        ("a mug that says 'Don't Panic!'", ("Don't Panic!",)),
        ("‘Don’t Panic’ on a towel", ("Don’t Panic",)),
        ('the dogs\' bowl says "REX"', ("REX",)),
        ("the dogs' bowl and the cats' bowl", ()),
        ("it's a dog's life, isn't it", ()),
        ("rock 'n' roll band in a '90s diner, the owners' car", ()),
        ("a '60s poster that says 'PEACE'", ("PEACE",)),
        ("a banner 'The dogs' bowl' over a door", ("The dogs' bowl",)),
        ("'OPENS' in the workers' hall", ("OPENS",)),
        ('a 6\'2" man beside a sign "EXIT"', ("EXIT",)),
        ("O'Brien's pub with 'O'Brien's' over its door", ("O'Brien's",)),
    ],
)
def test_an_apostrophe_is_no_quotation_mark(prompt: str, texts: tuple[str, ...]) -> None:
    assert requested_text(prompt).texts == texts


@pytest.mark.parametrize(
    ("prompt", "texts"),
    [
        (r'a sign "say \"hi\" now"', ('say "hi" now',)),
        (r"a sign 'it\'s here'", ("it's here",)),
        (r"a sign that says \"427\" at night", ("427",)),
        (r'a poster "one\ntwo"', ("one two",)),
        ("a page “he said ‘go’ to me”", ("he said ‘go’ to me",)),
        ("a page \"he said 'go' to me\"", ("he said 'go' to me",)),
        ("「彼は「はい」と言った」の本", ("彼は「はい」と言った",)),
    ],
)
def test_escapes_and_nesting(prompt: str, texts: tuple[str, ...]) -> None:
    assert requested_text(prompt).texts == texts


@pytest.mark.parametrize(
    ("prompt", "texts"),
    [
        ("a red sign that says STOP at night", ("STOP",)),
        ("A sign that says Deep Learning", ("Deep Learning",)),
        ("a sign that says Keep off the Grass in a park", ("Keep off the Grass",)),
        ("graffiti spelling BE KIND on white tiles", ("BE KIND",)),
        ("a banner reading Happy Birthday, balloons", ("Happy Birthday",)),
        ("a jar labelled poison on a shelf", ("poison",)),
        ("a bottle labeled XXX", ("XXX",)),
        ("a jersey with the number 7 on it", ("7",)),
        ("a woman reading a book", ()),
        ("a man saying hello to a dog", ()),
        ("a jar labelled with a red cross", ()),
        ("the words of a song, a singer", ()),
        ("a book titled The Great Gatsby on a desk", ("The Great Gatsby",)),
        ("a jar labelled as Poison", ("Poison",)),
        ("a marquee reading Tonight Only, crowds", ("Tonight Only",)),
        ("a cake with the words happy birthday on it", ("happy birthday",)),
        ("a sign with the word LOVE", ("LOVE",)),
        ("a ship with the name TITANIC on its bow", ("TITANIC",)),
        ("a mug emblazoned with NASA", ("NASA",)),
        ("a tombstone marked with RIP", ("RIP",)),
        ("a poster with text SALE in red", ("SALE",)),
        ("a ring engraved with flowers", ()),
        ("a banner with words on it", ()),
        ("a clock reading 10:10", ()),
        ("a man reading Harry Potter", ()),
        ("a book titled war and peace", ()),
        ("a dog named Max", ()),
    ],
)
def test_without_quotation_marks(prompt: str, texts: tuple[str, ...]) -> None:
    assert requested_text(prompt).texts == texts


@pytest.mark.parametrize(
    ("prompt", "names"),
    [
        ("a dog named Max", ("Max",)),
        ("a bakery called Luigi's, bread", ("Luigi's",)),
        ("a boat named serenity on a lake", ("serenity",)),
        ("a Starbucks cup", ("Starbucks",)),
        ("Coca-Cola bottle on a table", ("Coca-Cola",)),
        ("a NASA rocket", ("NASA",)),
        ('a sign "OPEN" and a jar labeled honey', ("honey",)),
        ("a man reading Harry Potter", ("Harry", "Potter")),
        ("Dog on a beach. Red car, two cats", ()),
        ("A Cat On A Mat By The Sea", ()),
        ("A CAT AND A DOG", ()),
        ("a Starbucks cup, no text", ()),
        ("a Starbucks cup --no text", ()),
        ("看板のある通り", ()),
    ],
)
def test_what_may_be_written_and_need_not_be(prompt: str, names: tuple[str, ...]) -> None:
    assert requested_text(prompt).names == names


@pytest.mark.parametrize(
    "prompt",
    [
        "a quiet street, no text",
        "a poster without any words",
        "a text-free cover",
        "a wall, no lettering",
        "一张没有文字的海报",
    ],
)
def test_no_text(prompt: str) -> None:
    assert requested_text(prompt) == RequestedText((), excluded=True, open_ended=False)


def test_no_other_text() -> None:
    assert requested_text('a sign "EXIT", no other text') == RequestedText(("EXIT",), excluded=True)


def test_no_text_inside_quotes_is_a_text() -> None:
    assert requested_text('a sign that says "no text"') == RequestedText(("no text",))


@pytest.mark.parametrize(
    ("prompt", "open_ended"),
    [
        ("a neon sign over a bar", True),
        ("a book with a title", True),
        ("a book titled war and peace", True),
        ("a book titled War and Peace", False),
        ("a man with a newspaper", True),
        ('a newspaper with the headline "WAR"', True),
        ('a neon sign "BAR"', False),
        ("a dog on a beach", False),
        ("a red sign that says STOP", False),
    ],
)
def test_lettering_without_saying_which(prompt: str, open_ended: bool) -> None:
    assert requested_text(prompt).open_ended is open_ended


@pytest.mark.parametrize(
    "prompt", ["", " ", '"', "''", '""', '"   "', "'", "“", "「」", '"!?"', "\\", '\\"', "a \x00 b"]
)
def test_nothing_to_write(prompt: str) -> None:
    assert requested_text(prompt).texts == ()


def test_forty_quoted_strings() -> None:
    words = [f"word {n}" for n in range(40)]
    marks = ["''", '""', "“”", "‘’", "「」", "«»"]
    prompt = "a wall with " + ", ".join(marks[n % 6][0] + word + marks[n % 6][1] for n, word in enumerate(words))
    assert requested_text(prompt).texts == tuple(words)
    assert len(requested_text(prompt).words) == 80


@pytest.mark.parametrize("piece", ["a dog's ", "'a ", '"a ', "「a ", '\\"a', "that says ", "a 'b' ", "the words "])
def test_ten_thousand_characters_take_linear_time(piece: str) -> None:
    shorter, longer = (piece * (length // len(piece)) + ' and a sign "EXIT"' for length in (2_500, 10_000))
    requested = requested_text(longer)
    assert calls(lambda: requested_text(longer)) < 5 * calls(lambda: requested_text(shorter))
    assert piece in ("'a ", '"a ', "「a ", '\\"a') or requested.texts[-1] == "EXIT"


def test_a_style_is_not_written() -> None:
    assert requested_text('a harbour in the style of "Starry Night"').texts == ()
    assert requested_text('a poster of the film "Alien" with the text "RUN"').texts == ("RUN",)


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^\w\s]", "", text).lower().split())


@pytest.mark.parametrize(("prompt", "text"), suite.TEXTS)
def test_prompts_like_those_of_the_suites(prompt: str, text: str) -> None:
    assert _plain(" ".join(requested_text(prompt).texts)) == _plain(text)


@pytest.mark.parametrize(("prompt", "texts"), suite.CHINESE)
def test_chinese_prompts_of_our_own(prompt: str, texts: tuple[str, ...]) -> None:
    assert requested_text(prompt).texts == texts


def test_our_own_prompts_without_text() -> None:
    prompts = [row["prompt"] for row in (*suite.metadata(), *suite.pairs())] + list(suite.PROSE)
    assert [prompt for prompt in prompts if requested_text(prompt).texts] == []


@pytest.mark.parametrize(
    ("file", "column", "min_share"),
    [
        ("flux_text_30/prompts.csv", "expected_text", 59 / 60),
        ("spelling_eval_400/prompts_100.csv", "quoted_text", 399 / 400),
    ],
)
def test_prompt_suites(shared_data: Path, file: str, column: str, min_share: float) -> None:
    with (shared_data / "8_prompts/text_rendering" / file).open(newline="", encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["prompt"]]
    right = sum(_plain(" ".join(requested_text(row["prompt"]).texts)) == _plain(row[column]) for row in rows)
    assert right / len(rows) >= min_share


def test_chinese_prompts(shared_data: Path) -> None:
    lines = (shared_data / "8_prompts/text_rendering/longtext_bench_zh.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    right = sum(_plain(" ".join(requested_text(row["prompt"]).texts)) == _plain(" ".join(row["text"])) for row in rows)
    assert right / len(rows) >= 0.98


def test_prompts_without_text(shared_data: Path) -> None:
    lines = (shared_data / "8_prompts/geneval").rglob("*.txt")
    prompts = [line for path in lines for line in path.read_text("utf-8").splitlines()]
    assert prompts
    assert [prompt for prompt in prompts if requested_text(prompt).texts] == []
