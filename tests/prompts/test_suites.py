"""Suites by their names: what is read of each one's files, what lands in scenario.*, and what is refused."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from loupe.brain.core.errors import PromptError, UnknownName
from loupe.brain.prompts.parse import parse
from loupe.brain.prompts.suites import VARIABLE, known, prompts_of, read, suites
from loupe.brain.prompts.written import written


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


def test_the_suite_of_signs() -> None:
    prompts = prompts_of("signs")
    assert len(prompts) == len({prompt.prompt for prompt in prompts}) == 240
    assert prompts == prompts_of("signs")
    counts = Counter((prompt.factors["color"], prompt.factors["digits"]) for prompt in prompts)
    assert set(counts.values()) == {12}
    for prompt in prompts:
        (text,) = parse(prompt.prompt).texts
        assert len(text) == int(prompt.factors["digits"])
        assert set(prompt.factors) == {"suite", "color", "time", "weather", "digits"}


def test_a_suite_of_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        {"tag": "counting", "include": [{"class": "cup", "count": 3}], "prompt": "a photo of three cups"},
        {
            "tag": "position",
            "include": [{"class": "dog", "count": 1}, {"class": "tv", "count": 1, "position": ["left of", 0]}],
            "prompt": "a photo of a tv left of a dog",
        },
        {"tag": "colors", "include": [{"class": "cup", "count": 1, "color": "red"}], "prompt": "a photo of a red cup"},
    ]
    below = tmp_path / "geneval"
    below.mkdir()
    (below / "evaluation_metadata.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (tmp_path / "PartiPrompts.tsv").write_text(
        'Prompt\tCategory\tChallenge\tNote\n"a" cat\tAnimals\tBasic\t\nbond\tAbstract\tBasic\tx\n', encoding="utf-8"
    )
    for category in ["color", "shape", "texture", "spatial", "3d_spatial", "numeracy", "non_spatial", "complex"]:
        (tmp_path / f"{category}_val.txt").write_text("one cat and three dogs\n", encoding="utf-8")
    (tmp_path / "drawbench.csv").write_text("Prompts,Category\na cat,Colors\n", encoding="utf-8")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    factors = [dict(prompt.factors) for prompt in read("geneval")]
    assert factors == [
        {"suite": "geneval", "tag": "counting", "objects": "1", "count": "3"},
        {"suite": "geneval", "tag": "position", "objects": "2", "position": "left of"},
        {"suite": "geneval", "tag": "colors", "objects": "1", "color": "red"},
    ]
    assert [prompt.prompt for prompt in read("parti")] == ['"a" cat', "bond"]
    assert read("DrawBench")[0].factors == {"suite": "drawbench", "category": "Colors"}
    assert {prompt.factors["category"]: prompt.factors.get("count") for prompt in read("t2i-compbench")} == {
        name: "3" if name == "numeracy" else None
        for name in ["color", "shape", "texture", "spatial", "3d_spatial", "numeracy", "non_spatial", "complex"]
    }
    listed = {suite.name: suite.prompts for suite in suites()}
    assert listed["geneval"] == 3
    assert listed["oneig"] is None
    assert "not here" in repr(suites())
    assert "LOUPE_SUITES_DIRS" in suites()._repr_html_()
    monkeypatch.delenv(VARIABLE)
    assert len(read(f"geneval:{below}")) == 3


def test_a_sample_of_a_suite() -> None:
    assert read("signs", sample=5, seed=3) == read("signs", sample=50, seed=3)[:5]


@pytest.mark.parametrize("given", ["genevall", "drawbenh", "PartiPrompt", "t2i_compbenc"])
def test_a_name_that_is_nearly_a_suite(given: str) -> None:
    with pytest.raises(UnknownName, match="Did you mean"):
        read(given)


@pytest.mark.parametrize("given", ["bond", "sign", "a sign", "geneval is a suite", "element", ["geneval"], "cat"])
def test_what_is_a_prompt_stays_one(given: str | list[str]) -> None:
    (prompt,) = read(given)
    assert prompt.prompt == (given if isinstance(given, str) else given[0])


@pytest.mark.parametrize("suite", [suite for suite in known() if suite.files], ids=lambda suite: suite.name)
def test_a_suite_that_is_not_here_says_where_to_get_it(suite: object) -> None:
    name, files, source = suite.name, suite.files, suite.source  # type: ignore[attr-defined]
    with pytest.raises(PromptError) as caught:
        read(name)
    assert files[0] in str(caught.value)
    assert source in str(caught.value)
    assert VARIABLE in str(caught.value)


@pytest.mark.parametrize(
    ("file", "name", "text", "match"),
    [
        ("evaluation_metadata.jsonl", "geneval", '{"prompt": "a"}', "GenEval's keys"),
        ("evaluation_metadata.jsonl", "geneval", "{", "a JSON object"),
        ("PartiPrompts.tsv", "partiprompts", "a\tb\n", "the columns Prompt, Category and Challenge"),
        ("PartiPrompts.tsv", "partiprompts", "Prompt\tCategory\tChallenge\nx\n", ":2: expected at least 3 cells"),
        ("PartiPrompts.tsv", "partiprompts", "", "the columns Prompt"),
        ("GenTextEval_en.jsonl", "gentexteval", '{"prompt": 3}', "expected a prompt in 'prompt'"),
        ("OneIG-Bench.csv", "oneig", "prompt\nx\n", "expected the column 'prompt_en'"),
        ("drawbench.txt", "drawbench", "\n", "at least one prompt"),
    ],
)
def test_a_file_that_is_no_suite(tmp_path: Path, file: str, name: str, text: str, match: str) -> None:
    (tmp_path / file).write_text(text, encoding="utf-8")
    with pytest.raises(PromptError, match=match):
        read(f"{name}:{tmp_path}")


def test_no_prompt_of_the_real_suites_is_taken_for_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(__file__).resolve().parents[3] / "shared" / "data" / "8_prompts"
    if not folder.is_dir():
        pytest.skip("needs the shared prompt suites; test_written has sentences of its own")
    monkeypatch.setenv(VARIABLE, ":".join(map(str, (folder, folder / "dalle3_eval", folder / "text_rendering"))))
    for suite in suites():
        for prompt in prompts_of(suite.name):
            assert written(prompt.prompt).plain == prompt.prompt


def test_published_numbers_stand_with_their_source_and_as_the_page_has_them() -> None:
    docs = Path(__file__).resolve().parents[2] / "docs"
    with (docs / "published" / "geneval.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    page = (docs / "suites.md").read_text(encoding="utf-8")
    shown: dict[str, list[str]] = {}
    for row in rows:
        assert row["source"].startswith("https://")
        assert 0 <= float(row["value"]) <= 1
        shown.setdefault(row["model"], []).append(row["value"])
    for model, values in shown.items():
        assert f"| {model} | {' | '.join(values)} |" in page


def test_the_page_lists_the_suites_as_they_are() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "suites.md").read_text(encoding="utf-8")
    for suite in known():
        line = next(line for line in page.splitlines() if line.startswith(f"| `{suite.name}` |"))
        assert ", ".join(suite.factors) in line
        assert suite.license in line
