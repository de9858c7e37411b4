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
        ("p.csv", "file,prompt\n../../etc/passwd,x\n", "inside"),
        ("p.csv", "prompt\nx\n", "'file'"),
        ("p.csv", "file,prompt\n0.png,x,y\n", ":2: expected 2 columns"),
        ("p.csv", "file,prompt,bad name\n0.png,x,y\n", "factor names"),
        ("p.jsonl", '{"file": "0.png"\n', ":1: expected a JSON object"),
        ("p.xlsx", "", "a .jsonl, .csv or .tsv file"),
    ],
)
def test_bad_tables_are_refused_before_anything_is_added(
    dataset: Any, folder: Path, tmp_path: Path, name: str, text: str, reason: str
) -> None:
    import loupe
    from loupe import errors

    (tmp_path / name).write_text(text)
    with pytest.raises(errors.PromptError, match=reason):
        loupe.import_images(dataset, folder, prompts=tmp_path / name)
    assert len(dataset) == 0


def test_bad_folders_are_refused(dataset: Any, tmp_path: Path) -> None:
    import loupe
    from loupe import errors

    with pytest.raises(errors.InputError, match="got nothing at"):
        loupe.import_images(dataset, tmp_path / "nowhere")
    with pytest.raises(errors.NoSamples, match="expected images"):
        loupe.import_images(dataset, tmp_path)
