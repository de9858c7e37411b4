"""Tables as other programs write them, for prompts and for imports alike."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from loupe.brain.core.errors import PromptError
from loupe.brain.prompts.files import Prompt, of_image, read
from loupe.brain.prompts.tables import read_table

TABLE = 'file,prompt,time\r\na.png,"a sign\r\nsays ""HI""",night\r\nb.png,é 猫\u2028x,\r\n'
ROWS = [{"file": "a.png", "prompt": 'a sign\r\nsays "HI"', "time": "night"}, {"file": "b.png", "prompt": "é 猫\u2028x"}]


def put(folder: Path, name: str, data: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("t.csv", TABLE.encode()),
        ("t.csv", TABLE.encode("utf-8-sig")),
        ("t.csv", TABLE.encode("utf-16")),
        ("t.csv", b"\xfe\xff" + TABLE.encode("utf-16-be")),
        ("t.csv", TABLE.encode("utf-16-le")),
        ("t.csv", TABLE.encode("utf-32")),
        ("t.csv", TABLE.replace(",", ";").encode()),
        ("t.csv", b"sep=;\r\n" + TABLE.replace(",", ";").encode("utf-8")),
        ("t.csv", TABLE.replace(",", "\t").encode()),
        ("t.tsv", TABLE.replace(",", "\t").encode()),
        ("t.tsv", TABLE.encode()),
        ("t.csv", TABLE.replace(",", "|").encode()),
        ("t.csv", re.sub("(time|night|x,)\r\n", "\\1,,\r\n", TABLE).encode()),
        ("t.CSV", ("\r\n , , \r\n" + TABLE + ",,\r\n").encode()),
        ("t.jsonl", "\n".join(map(json.dumps, ROWS)).encode()),
        ("t.jsonl", ("\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS) + "\r\n\r\n").encode("utf-8-sig")),
        ("t.json", json.dumps(ROWS, indent=1).encode()),
    ],
)  # fmt: skip
def test_the_same_table_in_every_form(tmp_path: Path, name: str, data: bytes) -> None:
    table = read_table(put(tmp_path, name, data), ("file", "prompt"))
    assert [dict(row.values) for row in table.rows] == ROWS


def test_a_row_knows_the_line_that_it_begins_at(tmp_path: Path) -> None:
    table = read_table(put(tmp_path, "t.csv", TABLE), ("file",))
    assert [row.where.rsplit(":", 1)[1] for row in table.rows] == ["2", "4"]
    assert table.where.endswith(":1")
    marked = read_table(put(tmp_path, "t.csv", "sep=;\r\n" + TABLE.replace(",", ";")), ("file",))
    assert [row.where.rsplit(":", 1)[1] for row in marked.rows] == ["3", "5"]


def test_a_separator_in_a_prompt_is_none(tmp_path: Path) -> None:
    path = put(tmp_path, "p.csv", 'prompt\n"a cat; a dog, a\tcup | x"\n')
    assert read(path) == (Prompt("a cat; a dog, a\tcup | x"),)
    assert read(put(tmp_path, "p.tsv", "prompt\ttime\na cat, red\tnight\n")) == (
        Prompt("a cat, red", {"time": "night"}),
    )


@pytest.mark.parametrize(
    ("name", "data", "where", "reason"),
    [
        ("t.csv", "prompt,prompt\na,b\n", ":1: ", "each column once, got 'prompt' twice"),
        ("t.csv", ",prompt\n0,a\n", ":2: ", "a name for each column .* column 1"),
        ("t.csv", "name;text\na;b\n", ":1: ", "the column 'prompt', got 'name;text'"),
        ("t.csv", "PROMPT\na\n", ":1: ", "Rename 'PROMPT' to 'prompt'"),
        ("t.csv", 'prompt\na\n"open\nb\n', ":3: ", "quote"),
        ("t.csv", 'prompt\n"' + "a" * 200_000 + '"\n', ":2: ", "at most 131,072 characters"),
        ("t.csv", "prompt\n" + "a" * 5000 + "\n", ":2: ", "at most 4,000 characters, got 5,000"),
        ("t.csv", "prompt\na\0b\n", ":2: ", r"U\+0000 at character 2"),
        ("t.csv", b"prompt\na\n\xe9t\xe9\n", ":3: ", "expected UTF-8 text, got the byte 0xe9"),
        ("t.csv", b"\xff\xfep\x00r\x00", ":1: ", "expected the column 'prompt', got 'pr'"),
        ("t.csv", b"\xff\xfep\x00\x00\xd8a\x00", ":1: ", "expected UTF-8 text"),
        ("t.csv", "prompt,seed\na," + "9" * 5000 + "\n", ":2: ", "seed to be an integer"),
        ("t.jsonl", '{"prompt": "a", "seed": ' + "9" * 5000 + "}\n", ":1: ", "a number of 5,000 digits"),
        ("t.jsonl", '{"prompt": "a", "n": Infinity}\n', ":1: ", "Infinity is no number"),
        ("t.jsonl", '{"prompt": "a", "prompt": "b"}\n', ":1: ", "'prompt' stands in it twice"),
        ("t.jsonl", '{"prompt": "a"}\n{"prompt": "b\\udc00"}\n', ":2: ", r"U\+DC00"),
        ("t.jsonl", '{"prompt": "a", "x": ' + "[" * 100_000 + "]" * 100_000 + "}\n", ":1: ", "nested too deeply"),
        ("t.jsonl", '{"prompt": "a", "x": {"y": 1}}\n', ":1: ", "'x' to be text or a number, got dict"),
        ("t.json", '{"prompt": "a"}', ": ", "a JSON list of objects, got dict"),
        ("t.json", '[{"prompt": "a"}, "b"]', ": row 2: ", "a JSON object, got str"),
        ("t.json", "[" * 100_000, ": ", "nested too deeply"),
        ("t.json", "", ": ", "a JSON list of objects"),
    ],
)
def test_a_bad_table_is_refused_with_its_row(
    tmp_path: Path, name: str, data: str | bytes, where: str, reason: str
) -> None:
    path = put(tmp_path, name, data)
    with pytest.raises(PromptError, match=reason) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}{where}")


def test_a_number_of_many_digits_from_python_is_refused() -> None:
    for row in ({"prompt": "a", "seed": 10**5000}, {"prompt": "a", "lens": 10**5000}):
        with pytest.raises(PromptError, match=r"prompts\[0\]: .*got a number of more than"):
            read([row])


def test_nan_is_no_value(tmp_path: Path) -> None:
    nan = float("nan")
    assert read([{"prompt": "a", "time": nan, "seed": nan, "negative_prompt": nan}]) == (Prompt("a"),)
    assert read(put(tmp_path, "p.jsonl", '{"prompt": "a", "time": NaN}')) == (Prompt("a"),)


def test_prompts_in_utf_16(tmp_path: Path) -> None:
    assert read(put(tmp_path, "p.txt", "# x\r\na cat\r\né 猫\r\n".encode("utf-16"))) == (
        Prompt("a cat"),
        Prompt("é 猫"),
    )


def test_what_an_image_was_asked_for() -> None:
    row = {"prompt": " a ", "seed": 3, "time": "", "lens": None, "factors": {"color": "red"}, "negative_prompt": "x"}
    assert of_image(row, "t.csv:2") == ("a", {"color": "red", "seed": "3", "negative_prompt": "x"})
    assert of_image({}, "t.csv:2") == (None, {})
    assert of_image({"prompt": "a" * 50_000}, "t.csv:2")[0] == "a" * 50_000
    for bad in ({"id": "x"}, {"my time": "x"}, {"prompt": 3}, {"prompt": "a" * 100_001}, {"x": ["y"]}, {"x": "\ud800"}):
        with pytest.raises(PromptError, match=r"^t.csv:2: expected|^t.csv:2: the factor name"):
            of_image(bad, "t.csv:2")


def test_an_object_by_file_is_a_table_of_files_and_none_of_prompts(tmp_path: Path) -> None:
    path = put(tmp_path, "t.json", '{"a.png": {"p": "x"}, "b.png": {"p": "y", "file": "b.png"}}')
    rows = read_table(path, ("file",)).rows
    assert [dict(row.values) for row in rows] == [{"file": "a.png", "p": "x"}, {"file": "b.png", "p": "y"}]
    assert rows[0].where == f"{path}: 'a.png'"
    with pytest.raises(PromptError, match="a JSON list of objects, got dict"):
        read_table(path, ("prompt",))
    for text, reason in (
        ('{"a.png": 3}', "a JSON list of objects, got dict"),
        ('{"a.png": {"file": "b"}}', "one name"),
    ):
        with pytest.raises(PromptError, match=reason):
            read_table(put(tmp_path, "t.json", text), ("file",))
