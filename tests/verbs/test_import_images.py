"""A folder becomes samples; prompts come from a table or from text files beside the images."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.database


@pytest.fixture
def folder(tmp_path: Path, pictures: list[Path]) -> Path:
    root = tmp_path / "renders"
    (root / "more").mkdir(parents=True)
    for path in pictures[:3]:
        shutil.copy(path, root / path.name)
    shutil.copy(pictures[3], root / "more" / "Ünïcode 3.PNG")
    (root / "notes.md").write_text("no image")
    (root / "1.txt").write_text('a sign that says "1"\n')
    return root


def test_images_become_samples_once(dataset: Any, folder: Path) -> None:
    import loupe

    run = loupe.import_images(dataset, folder)
    assert (run.n, run.skipped) == (4, 0)
    prompts = dict(zip([Path(path).name for path in dataset.values("filepath")], dataset.values("prompt"), strict=True))
    assert prompts == {"0.png": None, "1.png": 'a sign that says "1"', "2.png": None, "Ünïcode 3.PNG": None}
    again = loupe.import_images(dataset, folder)
    assert (again.n, again.skipped, len(dataset)) == (0, 4, 4)


def test_a_table_gives_prompts_and_factors(dataset: Any, folder: Path, tmp_path: Path) -> None:
    import loupe

    table = tmp_path / "prompts.csv"
    table.write_text("file,prompt,time\n0.png,one,night\nmore/Ünïcode 3.PNG,two,\n", encoding="utf-8")
    loupe.import_images(dataset, folder, prompts=table)
    by_prompt = {sample.prompt: sample for sample in dataset}
    assert by_prompt["one"].scenario.time == "night"
    assert by_prompt["two"].scenario is None or by_prompt["two"].scenario.time is None
    lines = tmp_path / "prompts.jsonl"
    lines.write_text(json.dumps({"file": "2.png", "prompt": "three"}) + "\n")
    other = type(dataset)()
    loupe.import_images(other, folder, prompts=lines, recursive=False)
    assert sorted(prompt for prompt in other.values("prompt") if prompt) == ['a sign that says "1"', "three"]
    other.delete()


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("p.csv", "file,prompt\n../../etc/passwd,x\n", "p.csv:2: expected a file inside"),
        ("p.csv", "prompt\nx\n", "p.csv:1: expected the column 'file', 'file_name', .* or 'image', got 'prompt'"),
        ("p.csv", "file,prompt\n0.png,x,y\n", ":2: expected 2 cells .file, prompt., got 3"),
        ("p.csv", "file,prompt,bad name\n0.png,x,y\n", ":2: expected a factor's name .* got 'bad name'"),
        ("p.csv", "file,prompt,id\n0.png,x,y\n", ":2: the factor name 'id' is taken"),
        ("p.csv", "file,prompt\n,x\n", ":2: expected a file in one of the columns"),
        ("p.csv", "file,prompt\n0\0.png,x\n", r":2: expected the file's name without control .* U\+0000"),
        ("p.csv", "file,prompt\n0.png,a\x07\n", r":2: expected prompt without control characters, got U\+0007"),
        ("p.csv", "file,prompt\n0.png,x\n0.png,x\n0.png,y\n", ":4: expected one row for '0.png', got .*:3"),
        ("p.csv", "file,prompt\n", "at least one row, got none"),
        ("p.csv", "file,prompt\nnone.png,x\n0,y\n", r"got 2 that name none of its 4: .*:2 names 'none.png'"),
        ("p.jsonl", '{"file": "0.png"\n', ":1: expected a JSON object"),
        ("p.jsonl", '{"prompt": "x"}\n', ":1: expected a file in one of the columns"),
        ("p.jsonl", '{"file": 3}\n', ":1: expected a file in one of the columns"),
        ("p.jsonl", '{"file": "0.png", "prompt": "\\ud800"}\n', r":1: .* U\+D800"),
        ("p.jsonl", '{"file": "0.png", "prompt": ["x"]}\n', ":1: expected prompt to be text, got list"),
        ("p.jsonl", '{"file": "0.png", "n": ' + "9" * 5000 + "}\n", ":1: .*a number of 5,000 digits"),
        ("p.jsonl", '{"file": "0.png", "n": ' + "[" * 50_000 + "]" * 50_000 + "}\n", ":1: .*nested too deeply"),
        ("p.xlsx", "", "a .jsonl, .json, .csv, .tsv or .parquet file"),
        ("none/p.csv", None, "expected a readable prompt file"),
    ],
)
def test_bad_tables_are_refused_before_anything_is_added(
    dataset: Any, folder: Path, tmp_path: Path, name: str, text: str | None, reason: str
) -> None:
    import loupe
    from loupe import errors

    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(errors.PromptError, match=reason):
        loupe.import_images(dataset, folder, prompts=tmp_path / name)
    assert len(dataset) == 0
    assert not dataset.has_field("prompt")
    assert dataset.list_runs() == []


def test_bad_folders_are_refused(dataset: Any, tmp_path: Path) -> None:
    import loupe
    from loupe import errors

    with pytest.raises(errors.InputError, match="got nothing at"):
        loupe.import_images(dataset, tmp_path / "nowhere")
    with pytest.raises(errors.NoSamples, match="expected images"):
        loupe.import_images(dataset, tmp_path)


@pytest.mark.parametrize("column", ["file", "file_name", "filename", "filepath", "path", "image"])
def test_the_file_may_be_in_any_of_the_usual_columns(dataset: Any, folder: Path, tmp_path: Path, column: str) -> None:
    import loupe

    table = tmp_path / "metadata.csv"
    table.write_bytes(f'\ufeff{column};prompt\r\n0.png;"a sign\r\nsays ""HI"", \u2028"\r\n'.encode())
    loupe.import_images(dataset, folder, prompts=table)
    assert 'a sign\r\nsays "HI",' in dataset.values("prompt")


def test_rows_that_name_no_image_are_counted(dataset: Any, folder: Path, tmp_path: Path) -> None:
    import loupe

    (tmp_path / "t.csv").write_text("file,prompt\n0.png,x\nnone.png,y\n./2.png,z\n0.png,x\nmore/gone.png,w\n")
    run = loupe.import_images(dataset, folder, prompts=tmp_path / "t.csv")
    assert (run.n, run.errors) == (4, 0)
    (message,) = run.messages.values()
    assert message.startswith("2 of 5 rows name no image here: ")
    assert message.endswith("t.csv:3 names 'none.png'")
    assert sorted(filter(None, dataset.values("prompt"))) == ['a sign that says "1"', "x", "z"]
    (tmp_path / "t.csv").write_text("file,prompt\n0.png,x\n")
    assert loupe.import_images(dataset, folder, prompts=tmp_path / "t.csv").messages == {}


def test_a_name_may_be_spelled_as_other_systems_do(dataset: Any, folder: Path, tmp_path: Path) -> None:
    import unicodedata

    import loupe

    names = ["more\\\\" + unicodedata.normalize("NFD", "Ünïcode 3.PNG"), str(folder / "0.png")]
    rows = [f'{{"file": "{name}", "prompt": "p{at}"}}' for at, name in enumerate(names)]
    (tmp_path / "t.jsonl").write_text("\n".join(rows), encoding="utf-8")
    loupe.import_images(dataset, folder, prompts=tmp_path / "t.jsonl")
    assert {"p0", "p1"} <= set(dataset.values("prompt"))


def test_a_text_beside_an_image_in_utf_16(dataset: Any, folder: Path) -> None:
    import loupe

    (folder / "1.txt").write_text("é 猫\n", encoding="utf-16")
    (folder / "2.txt").write_bytes(b"caf\xe9\n")
    loupe.import_images(dataset, folder)
    assert sorted(filter(None, dataset.values("prompt"))) == ["caf\ufffd", "é 猫"]


def test_a_name_that_no_database_holds_is_an_error_of_that_file(dataset: Any, folder: Path) -> None:
    import os

    import loupe

    os.rename(os.fsencode(folder / "0.png"), os.fsencode(folder) + b"/\xff.png")
    run = loupe.import_images(dataset, folder)
    assert (run.n, run.errors) == (3, 1)
    assert "expected a file name in UTF-8" in str(run.messages)


def test_images_go_into_a_dataset_of_images_only(dataset: Any, folder: Path) -> None:
    import fiftyone as fo

    import loupe
    from loupe import errors

    videos = fo.Dataset()
    videos.add_sample(fo.Sample(filepath=str(folder / "none.mp4")))
    kinds = fo.Dataset()
    kinds.media_type = "video"
    try:
        for target in (videos, videos.view(), videos.name, kinds, dataset.view(), None, 3):
            with pytest.raises(errors.InputError, match="dataset"):
                loupe.import_images(target, folder)
        assert (len(videos), len(kinds), len(dataset)) == (1, 0, 0)
        assert not videos.has_field("prompt")
    finally:
        videos.delete()
        kinds.delete()
