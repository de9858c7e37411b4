"""``loupe experiment plan.toml``: a plan before, a table after, and errors of one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import experimenting as made
import pytest

from loupe.brain import cli

pytestmark = [pytest.mark.database, pytest.mark.slow]


@pytest.fixture
def plan(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A plan of a generator of the tests' own, known by its name."""
    from loupe.brain.core import registry

    known = registry.generators()
    monkeypatch.setattr(registry, "generators", lambda: {**known, "marks": made.Marks})
    sides = {"train": made.real(tmp_path / "a", 1, 90), "test": made.real(tmp_path / "b", 2, 90)}
    file = tmp_path / "plan.toml"
    file.write_text(
        f"""dataset = "plan of marks"
real_train = "{sides["train"].name}"
real_test = "{sides["test"].name}"
label = "kind"
models = ["marks"]
guidance = [1, 5]
styles = ["class"]
per_class = 12
checks = ["sharpness"]
embedder = "hog"
output_dir = "drawn"
report = "page.md"
""",
        encoding="utf-8",
    )
    yield file
    import fiftyone as fo

    for dataset in (*sides.values(), *(fo.load_dataset(n) for n in fo.list_datasets() if n == "plan of marks")):
        dataset.delete()


def test_a_plan_a_table_and_a_page(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import fiftyone as fo

    assert cli.main(["experiment", str(plan), "--dry-run", "--quiet"]) == 0
    out = capsys.readouterr().out
    assert "2 arms × 3 classes × 12 = 72 images: how long drawing takes is not known; no cost" in out
    assert "marks · class · guidance 5" in out
    assert not fo.dataset_exists("plan of marks")
    assert not (plan.parent / "drawn").exists()

    assert cli.main(["experiment", str(plan), "--dry-run", "--measure", "2", "--quiet"]) == 0
    assert "72 images, 4 of them drawn already: " in capsys.readouterr().out

    assert cli.main(["experiment", str(plan), "--quiet"]) == 0
    printed = capsys.readouterr()
    assert "72 images, 4 of them drawn already" in printed.err
    assert "2 arms by utility, against 90 real samples" in printed.out
    assert "the report: " in printed.err
    assert "fiftyone app launch 'plan of marks'" in printed.err
    assert "# Which images train best?" in (plan.parent / "page.md").read_text(encoding="utf-8")
    # again: the same, and nothing is drawn anew
    assert cli.main(["experiment", str(plan), "--quiet"]) == 0
    again = capsys.readouterr()
    assert again.out == printed.out
    assert "nothing is left to draw" in again.err


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("per_class", "per_clas", ":8: unknown key 'per_clas'. Did you mean 'per_class'?"),
        ("label = ", "label == ", "expected TOML"),
        ('"kind"', '"knid"', "Did you mean 'kind'?"),
        ('"marks"]', '"nobody/nothing"]', "expected an arm that can be drawn, got none"),
        ('"page.md"', '"page.pdf"', "expected a path that ends in .html, .htm, .md"),
        ("dataset = ", "# ", "got no dataset"),
    ],
)
def test_what_does_not_fit_is_one_line(
    plan: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, says: str
) -> None:
    plan.write_text(plan.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    assert cli.main(["experiment", str(plan), "--quiet"]) == 1
    error = capsys.readouterr().err
    assert says in error
    assert "loupe experiment: " in error
    assert "Traceback" not in error


def test_no_file(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["experiment", "nowhere.toml"]) == 1
    assert "loupe experiment: expected a plan, a .toml file, got nowhere.toml" in capsys.readouterr().err


def test_help_names_it(capsys: pytest.CaptureFixture[Any]) -> None:
    assert cli.main([]) == 2
    assert "experiment" in capsys.readouterr().out
