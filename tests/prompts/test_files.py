"""Prompt lists, files and templates: what comes out, and where and why a bad one is refused."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from loupe.brain.core.errors import PromptError
from loupe.brain.prompts.files import MAX_CHARACTERS, RESERVED, Prompt, read, with_negative_prompt

TEMPLATE = 'a {color} sign that says "{text}" at {time}'
FACTORS = {"color": ["red", "blue"], "text": range(10, 20), "time": ["day", "night"]}


def put(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_list_of_strings_and_mappings() -> None:
    prompts = read(["a cat", {"prompt": " a dog ", "time": "night", "lens": 35, "seed": 7, "negative_prompt": "blur"}])
    assert prompts == (Prompt("a cat"), Prompt("a dog", {"time": "night", "lens": "35"}, "blur", 7))
    assert read(prompts) == prompts
    assert read([{"prompt": "x", "factors": {"time": "day"}}]) == (Prompt("x", {"time": "day"}),)


def test_braces_in_a_list_are_drawn_as_they_stand() -> None:
    assert read(["a {color} sign"])[0].prompt == "a {color} sign"
    assert read("one prompt, ends in .txt")[0].prompt == "one prompt, ends in .txt"
    assert read("a set {{1, 2}}")[0].prompt == "a set {1, 2}"


def test_a_text_file(tmp_path: Path) -> None:
    text = "\ufeff# a comment\n\n#1 dad on a mug\r\nкот в шляпе\n  a 猫\u2028猫  \n"
    prompts = read(put(tmp_path, "p.txt", text))
    assert [prompt.prompt for prompt in prompts] == ["#1 dad on a mug", "кот в шляпе", "a 猫\u2028猫"]
    assert read(str(tmp_path / "p.txt")) == prompts


def test_a_table_and_json_lines_say_the_same(tmp_path: Path) -> None:
    table = put(
        tmp_path,
        "p.csv",
        'prompt,time,negative_prompt,seed\n"a sign that says ""42"", big",night,blur,3\n\na\u00e9,,,\n',
    )
    tabs = put(
        tmp_path,
        "p.tsv",
        'prompt\ttime\tnegative_prompt\tseed\r\n"a sign that says ""42"", big"\tnight\tblur\t3\r\na\u00e9\t\t\t\r\n',
    )
    rows = [
        {"prompt": 'a sign that says "42", big', "time": "night", "negative_prompt": "blur", "seed": 3},
        {"prompt": "a\u00e9", "time": None},
    ]
    lines = put(tmp_path, "p.jsonl", "\n".join(map(json.dumps, rows)))
    wanted = (Prompt('a sign that says "42", big', {"time": "night"}, "blur", 3), Prompt("a\u00e9"))
    assert read(table) == read(tabs) == read(lines) == wanted


def test_a_template_becomes_a_grid() -> None:
    prompts = read(TEMPLATE, factors=FACTORS)
    wanted = [
        (f'a {color} sign that says "{text}" at {time}', {"color": color, "text": str(text), "time": time})
        for color, text, time in itertools.product(*FACTORS.values())
    ]
    assert [(prompt.prompt, dict(prompt.factors)) for prompt in prompts] == wanted


def test_a_sample_has_no_repeats_and_grows_without_starting_over() -> None:
    whole = read(TEMPLATE, factors=FACTORS)
    small, large = (read(TEMPLATE, factors=FACTORS, sample=n, seed=3) for n in (7, 25))
    assert large[:7] == small
    assert len({prompt.prompt for prompt in large}) == 25
    assert {prompt.prompt for prompt in large} < {prompt.prompt for prompt in whole}
    assert read(TEMPLATE, factors=FACTORS, sample=7, seed=4) != small
    assert sorted(p.prompt for p in read(TEMPLATE, factors=FACTORS, sample=40)) == sorted(p.prompt for p in whole)
    assert len(read(["a", "b", "c"], sample=2)) == 2


def test_a_sample_of_a_huge_grid_is_uniform_and_quick() -> None:
    factors = {name: range(1000) for name in ("a", "b", "c", "d")}
    prompts = read("{a} {b} {c} {d}", factors=factors, sample=2000)
    mean = sum(int(prompt.factors["a"]) for prompt in prompts) / 2000
    assert 470 < mean < 530  # 499.5 with a standard error of 6.5
    with pytest.raises(PromptError, match=r"1,000,000,000,000: pass sample="):
        read("{a} {b} {c} {d}", factors=factors)


def test_doubled_braces_in_a_template() -> None:
    assert read("{{x}} {x}", factors={"x": 1})[0].prompt == "{x} 1"


def test_a_value_is_not_a_template() -> None:
    assert read("{a} {b}", factors={"a": "{b.__class__}", "b": "x"})[0].prompt == "{b.__class__} x"


@pytest.mark.parametrize(
    ("name", "text", "line", "reason"),
    [
        ("p.txt", b"a cat\na \xff dog\n", 2, "expected UTF-8"),
        ("p.txt", "a cat\na \0 dog", 2, r"U\+0000 at character 3"),
        ("p.txt", "a cat\na \x1b[31m dog", 2, r"U\+001B"),
        ("p.txt", "a" * (MAX_CHARACTERS + 1), 1, "at most 4,000 characters, got 4,001"),
        ("p.csv", "text,time\na,b\n", 1, "expected the column 'prompt', got 'text', 'time'"),
        ("p.csv", "Prompt,time\na,b\n", 1, "Rename 'Prompt'"),
        ("p.csv", "prompt,time,time\na,b,c\n", 1, "'time' twice"),
        ("p.csv", "prompt,time\na,b\nc\n", 3, "expected 2 cells .prompt, time., got 1"),
        ("p.csv", 'prompt,time\n"a\nb",c\nd,e,f\n', 4, "got 3"),
        ("p.csv", "prompt,time\na,b\n  ,night\n", 3, "got an empty one"),
        ("p.csv", 'prompt,time\n"a" b,c\n', 2, "quote"),
        ("p.csv", "prompt,my time\na,b\n", 1, "letters, digits and _ .*got 'my time'"),
        ("p.csv", "prompt,to_mongo\na,b\n", 1, "'to_mongo' is taken"),
        ("p.csv", "prompt,id\na,b\n", 1, "'id' is taken"),
        ("p.csv", "prompt,_x\na,b\n", 1, "got '_x'"),
        ("p.csv", "prompt,a.b\na,b\n", 1, r"got 'a\.b'"),
        ("p.csv", "prompt,seed\na,1\nb,-1\n", 3, "seed to be an integer"),
        ("p.csv", "prompt,seed\na,1.5\n", 2, "seed to be an integer"),
        ("p.tsv", "prompt\ttime\na\n", 2, "expected 2 cells"),
        ("p.jsonl", '{"prompt": "a"}\n{"prompt": "b"\n', 2, "expected a JSON object"),
        ("p.jsonl", '{"prompt": "a"}\n["b"]\n', 2, "got list"),
        ("p.jsonl", '{"text": "a"}\n', 1, "expected the key 'prompt', got 'text'"),
        ("p.jsonl", '{"prompt": 3}\n', 1, "prompt to be text, got int"),
        ("p.jsonl", '{"prompt": ""}\n', 1, "got an empty one"),
        ("p.jsonl", '{"prompt": "a\\u0000"}\n', 1, r"U\+0000"),
        ("p.jsonl", '{"prompt": "a\\ud800"}\n', 1, r"U\+D800"),
        ("p.jsonl", '{"prompt": "a", "time": ["x"]}\n', 1, "'time' to be text or a number, got list"),
        ("p.jsonl", '{"prompt": "a", "time": "x", "factors": {"time": "y"}}\n', 1, "'time' twice"),
        ("p.jsonl", '{"prompt": "a", "seed": true}\n', 1, "seed to be an integer"),
        ("p.jsonl", "[" * 100_000 + "\n", 1, "expected a JSON object"),
    ],
)
def test_a_bad_file_is_refused_with_its_line(
    tmp_path: Path, name: str, text: str | bytes, line: int, reason: str
) -> None:
    path = put(tmp_path, name, text)
    with pytest.raises(PromptError, match=reason) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("p.txt", "# only this\n\n", "at least one prompt, got none"),
        ("p.csv", "prompt,time\n", "at least one prompt, got none"),
        ("p.csv", "", "at least one prompt, got none"),
        ("p.png", "x", "ending in .txt"),
    ],
)
def test_a_file_of_no_prompts(tmp_path: Path, name: str, text: str, reason: str) -> None:
    with pytest.raises(PromptError, match=reason):
        read(put(tmp_path, name, text))


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match="No such file"):
        read(str(tmp_path / "nothing.txt"))
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(PromptError, match="readable prompt file"):
        read(tmp_path / "folder.csv")


@pytest.mark.parametrize(
    ("template", "factors", "reason"),
    [
        ("a {color} sign", {"time": ["day"]}, r"values for the placeholder \{color\}"),
        ("a {color} sign", {"color": ["red"], "time": ["day"]}, r"the placeholder \{time\}"),
        ("a {color.__class__} sign", {"color": ["red"]}, "expected placeholders such as"),
        ("a {color[0]} sign", {"color": ["red"]}, "expected placeholders such as"),
        ("a {color!r} sign", {"color": ["red"]}, "expected placeholders such as"),
        ("a {color:>9999999999} sign", {"color": ["red"]}, "expected placeholders such as"),
        ("a {} sign", {"color": ["red"]}, "expected placeholders such as"),
        ("a {0} sign", {"color": ["red"]}, "expected placeholders such as"),
        ("a {color sign", {"color": ["red"]}, "for a brace as such"),
        ("a {color} sign", {"color": []}, "at least one value"),
        ("a {color} sign", {"color": ["red", "red"]}, "'red' twice"),
        ("a {color} sign", {"color": [""]}, "got an empty one"),
        ("a {color} sign", {"color": [None]}, "got NoneType"),
        ("a {color} sign", {"color": {"red": 1}}, "list of values, got dict"),
        ("a {color} sign", {"color": ["re\0d"]}, r"U\+0000"),
        ("a {id} sign", {"id": ["1"]}, "'id' is taken"),
        ("{a}" * 3, {"a": ["x" * 2000]}, "at most 4,000 characters, got 6,000"),
        (["a {color} sign"], {"color": ["red"]}, "expected a template string"),
        ("a {color} sign", ["color"], "expected factors to map"),
    ],
)
def test_a_bad_template_is_refused(template: object, factors: object, reason: str) -> None:
    with pytest.raises(PromptError, match=reason):
        read(template, factors=factors)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("prompts", "reason"),
    [
        ([], "at least one prompt"),
        ("a {color} sign", "factors for the placeholders color"),
        (["ok", ""], r"prompts\[1\]: .*empty"),
        (["ok", 3], r"prompts\[1\]: .*got int"),
        ([{"text": "x"}], "the key 'prompt'"),
        ({"prompt": "x"}, "got dict"),
        (3, "got int"),
        (["x" * 10_000], "at most 4,000 characters, got 10,000"),
        ([{"prompt": "x", 3: "y"}], "got 3"),
    ],
)
def test_bad_prompts_are_refused(prompts: object, reason: str) -> None:
    with pytest.raises(PromptError, match=reason):
        read(prompts)  # type: ignore[arg-type]


@pytest.mark.parametrize("sample", [0, -1, 41, 1.5, True])
def test_a_sample_that_cannot_be_drawn(sample: int) -> None:
    with pytest.raises(PromptError, match="from 1 to 40"):
        read(TEMPLATE, factors=FACTORS, sample=sample)


def test_the_negative_prompt_of_the_call_goes_to_those_without_one() -> None:
    prompts = with_negative_prompt(read(["a", {"prompt": "b", "negative_prompt": ""}]), "fog")
    assert [prompt.negative_prompt for prompt in prompts] == ["fog", ""]
    with pytest.raises(PromptError, match="negative_prompt"):
        with_negative_prompt(prompts, "x\0")


@pytest.mark.database
def test_every_name_that_a_document_takes_is_reserved(database: str) -> None:
    import fiftyone as fo

    taken = {name for name in dir(fo.DynamicEmbeddedDocument()) if not name.startswith("_")}
    assert taken <= RESERVED
