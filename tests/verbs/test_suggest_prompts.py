"""What is suggested lands in the cell that it was asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loupe.brain.core.errors import InputError, OutputError

pytestmark = pytest.mark.database

N = 240


@pytest.fixture
def signs(database: str, tmp_path: Path) -> Any:
    """Red and blue signs by day and by night; hardly any red one by night."""
    import fiftyone as fo

    rng = np.random.default_rng(0)
    dataset = fo.Dataset()
    samples = []
    for number in range(N):
        color = ["red", "blue"][int(rng.random() < 0.5)]
        time = "night" if rng.random() < (0.01 if color == "red" else 0.5) else "day"
        samples.append(
            fo.Sample(
                filepath=str(tmp_path / f"{number}.png"),
                prompt=f'a {color} sign that says "{number}", {time}, clear',
                scenario=fo.DynamicEmbeddedDocument(color=color, time=time, text=str(number)),
                level=float(rng.random()),
                failed=bool(color == "blue" and time == "night"),
            )
        )
    dataset.add_samples(samples, dynamic=True, progress=False)
    yield dataset
    dataset.delete()


@pytest.mark.slow
def test_generated_samples_land_in_the_thin_cell(signs: Any, tmp_path: Path) -> None:
    import loupe

    made = loupe.coverage(signs, ["scenario.time"], label="scenario.color", groups=())
    cell = made.below[0]
    assert cell.where == "red × time=night"
    before = cell.n
    prompts = loupe.suggest_prompts(made, signs, target=before + 3)
    rows = [row for row in prompts if row["factors"]["color"] == "red"]
    assert len(rows) == 3
    assert all(row["prompt"].startswith("a red sign that says") and ", night, clear" in row["prompt"] for row in rows)
    assert all(row["factors"]["text"] in row["prompt"] for row in rows)
    loupe.generate(signs, prompts, steps=1, output_dir=tmp_path / "drawn")
    again = loupe.coverage(signs, ["scenario.time"], label="scenario.color", groups=())
    counts = dict(zip(again.tables[0].rows, again.tables[0].counts, strict=True))
    assert counts["red"][again.tables[0].columns.index("night")] == before + 3


def test_without_a_target_as_many_as_independence_would_put_there(signs: Any) -> None:
    import loupe

    made = loupe.coverage(signs, ["scenario.time"], label="scenario.color", groups=())
    prompts = loupe.suggest_prompts(made)
    assert len(prompts) == int(np.ceil(made.below[0].expected)) - made.below[0].n
    assert prompts[0] == {"prompt": "a photo of a red, night", "factors": {"color": "red", "time": "night"}}
    thin = loupe.coverage(signs, ["scenario.time"], label="scenario.color", groups=(), min_samples=100).thin_cells
    few = next(cell for cell in thin if not cell.far)
    alone = loupe.suggest_prompts([few])
    assert (len(alone), "give target=" in alone.notes[0]) == (0, True), "nothing says how many there should be"
    assert len(loupe.suggest_prompts([few], target=few.n + 2)) == 2
    assert loupe.suggest_prompts(made.below[0], template="{color} by {time}")[0]["prompt"] == "red by night"


def test_the_dataset_itself_is_asked_for_what_was_found_last(signs: Any) -> None:
    import loupe

    with pytest.raises(InputError, match=r"call loupe\.coverage"):
        loupe.suggest_prompts(signs)
    loupe.coverage(signs, ["scenario.time", "level"], label="scenario.color", groups=(), min_samples=60)
    prompts = loupe.suggest_prompts(signs)
    assert prompts[0]["prompt"].startswith("a red sign")
    assert any("no word says level" in note for note in prompts.notes)


def test_slices_that_fail_are_asked_for_in_their_own_words(signs: Any) -> None:
    import loupe

    outcome = loupe.Outcome.field("failed", failed=[True])
    result = loupe.discover_slices(signs, outcome=outcome, by=["scenario.color", "scenario.time"], min_samples=10)
    assert result.findings
    prompts = loupe.suggest_prompts(result, signs, each=4)
    assert len(prompts) == 4 * len(result.by_slice())
    assert all("night" in row["prompt"] for row in prompts)
    assert len({row["prompt"] for row in prompts}) >= 4


def test_holes_are_described_by_their_captions_or_their_class() -> None:
    import loupe
    from loupe.brain.core.holes import Hole, Holes
    from loupe.brain.stats.intervals import Proportion

    share = Proportion.of(5, 100)
    hole = Hole(1, 5, share, 5.0, 0.01, ("a",), texts=("a tram by night",))
    named = Hole(2, 5, share, 5.0, 0.01, ("b",), mostly=(("bus", 0.8),))
    dumb = Hole(3, 5, share, 5.0, 0.01, ("c",))
    prompts = loupe.suggest_prompts(Holes(share, 0.9, 0.5, 5, (hole, named, dumb)), each=2)
    assert [row["prompt"] for row in prompts] == ["a tram by night"] * 2 + ["a photo of a bus"] * 2
    assert prompts.notes == (
        "no prompt for hole 3: its pictures have no captions, and no class or scenario in common: give captions=",
    )


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_file_of_them_reads_back(signs: Any, tmp_path: Path, ending: str) -> None:
    import loupe
    from loupe.brain.prompts import files

    made = loupe.coverage(signs, ["scenario.time"], label="scenario.color", groups=())
    file = tmp_path / f"prompts.{ending}"
    prompts = loupe.suggest_prompts(made, signs, path=file)
    assert files.read(file) == files.read(prompts)
    with pytest.raises(OutputError, match="new file"):
        loupe.suggest_prompts(made, path=file)
    with pytest.raises(OutputError, match="folder"):
        loupe.suggest_prompts(made, path=tmp_path / "no" / "prompts.csv")
    with pytest.raises(InputError, match="csv"):
        loupe.suggest_prompts(made, path=tmp_path / "prompts.txt")
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_bad_input_is_one_clear_error(signs: Any) -> None:
    import loupe

    for source in ("signs", [3], 7):
        with pytest.raises(InputError):
            loupe.suggest_prompts(source)
    made = loupe.coverage(signs, ["scenario.time"], label="scenario.color")
    for given in ({"target": 0}, {"each": 0}, {"each": True}, {"template": "{nothing}"}):
        with pytest.raises(InputError):
            loupe.suggest_prompts(made, **given)
