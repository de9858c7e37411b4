"""The plan of an experiment as a file: what does not fit is said with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loupe.brain.core.errors import InputError, UnknownName

pytestmark = pytest.mark.database

HEAD = 'dataset = "made"\nreal_train = "a"\nreal_test = {dataset = "b", tag = "test"}\nlabel = "kind"\n'
WHOLE = """# a plan
dataset = "made"
real_train = {dataset = "digits", view = "train"}
real_test = {dataset = "digits", tag = "test"}
label = "digit"
models = ["tiny-signs", {model = "own", steps = 10}]
guidance = ["own", 1, 7.5]
seeds = [0, 1]
per_class = 30
checks = false
report = "out/page.html"
output_dir = "drawn"

[styles]
class = "class"

[styles.signs]
template = 'a {color} sign that says "{class}"'
factors = {color = ["red", "blue"]}

[names]
7 = "seven"

[options]
seed = 3
"""


def read(folder: Path, text: str) -> dict[str, Any]:
    from loupe.brain.store.experiment import plan_file as experiment_file

    file = folder / "plan.toml"
    file.write_text(text, encoding="utf-8")
    return experiment_file.read(file)


def test_a_whole_plan_as_arguments(database: str, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    made = read(tmp_path, WHOLE)
    assert made["models"] == ["tiny-signs", {"model": str(tmp_path / "own"), "steps": 10}]
    assert made["guidance"] == [None, 1, 7.5]
    assert made["checks"] is None
    assert (made["report"], made["output_dir"]) == (tmp_path / "out/page.html", tmp_path / "drawn")
    assert list(made["styles"]) == ["class", "signs"]
    assert made["names"] == {"7": "seven"}


def test_its_keys_are_those_of_the_verb(database: str) -> None:
    import inspect

    from loupe.brain.store.experiment import plan_file as experiment_file
    from loupe.brain.verbs.experiment import experiment

    asked = set(inspect.signature(experiment).parameters)
    assert asked - {"dry_run", "measure", "progress"} == set(experiment_file._KEYS)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (HEAD + "per_clas = 3\n", "plan.toml:5: unknown key 'per_clas'. Did you mean 'per_class'?"),
        (HEAD + '\n\nper_class = "30"\n', "plan.toml:7: expected per_class to be a whole number, got '30'"),
        (HEAD + "[options]\nper_class = 3\n[sytles]\na = 1\n", "plan.toml:7: unknown key 'sytles'. Did you mean"),
        (HEAD + "guidance = 3\n", "plan.toml:5: expected guidance to be a list of numbers"),
        (HEAD + 'guidance = ["none"]\n', 'or "own" for the model'),
        (HEAD + "models = []\n", "plan.toml:5: expected models to be a list of models"),
        (HEAD + "checks = true\n", "plan.toml:5: expected checks to be a preset"),
        (HEAD + "names = ['x']\n", "plan.toml:5: expected names to be a table"),
        (HEAD + "seeds = [true]\n", "plan.toml:5: expected seeds to be a list of whole numbers"),
        (HEAD.replace('label = "kind"\n', ""), "expected the keys dataset, real_train, real_test, label, got no label"),
        (HEAD.replace("tag", "tga"), "plan.toml:3: unknown key of real_test 'tga'. Did you mean 'tag'?"),
        (
            HEAD.replace("tag =", 'view = "x", tag ='),
            "plan.toml:3: expected real_test to have a dataset, and a view",
        ),
        (HEAD.replace('"test"', "3"), "plan.toml:3: expected names in real_test"),
        (HEAD + "x = = 3\n", "(at line 5, column 5)"),
        (HEAD + "label = 'x'\n", "line 5"),
        ("", "expected the keys dataset"),
    ],
)
def test_what_does_not_fit_is_said_with_its_line(database: str, tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InputError) as raised:
        read(tmp_path, text)
    assert says in str(raised.value)


def test_a_file_that_is_none(database: str, tmp_path: Path) -> None:
    from loupe.brain.store.experiment import plan_file as experiment_file

    with pytest.raises(InputError, match=r"expected a plan, a \.toml file, got .*nowhere\.toml: No such file"):
        experiment_file.read(tmp_path / "nowhere.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="expected TOML in UTF-8"):
        experiment_file.read(tmp_path / "bytes.toml")
    (tmp_path / "large.toml").write_bytes(b"#" * 1_000_001)
    with pytest.raises(InputError, match="at most 1,000,000 bytes"):
        experiment_file.read(tmp_path / "large.toml")


def test_its_datasets_are_opened_views_and_tags_too(database: str, tmp_path: Path) -> None:
    import fiftyone as fo

    from loupe.brain.store.experiment import plan_file as experiment_file

    real = fo.Dataset("real of a plan")
    real.add_samples([fo.Sample(filepath=str(tmp_path / f"{at}.png"), tags=["test"] * (at > 2)) for at in range(5)])
    real.save_view("first", real.limit(2))
    plan: dict[str, Any] = {"dataset": "made by a plan"}
    plan |= {"real_train": {"dataset": real.name, "view": "first"}, "real_test": {"dataset": real.name, "tag": "test"}}
    dataset, train, test = experiment_file.opened(plan, stays=False)
    assert (len(train), len(test)) == (2, 2)
    assert not fo.dataset_exists("made by a plan"), "where only a plan is made, nothing is left behind"
    dataset, train, _ = experiment_file.opened({**plan, "real_train": real.name}, stays=True)
    assert (dataset.name, dataset.persistent, len(train)) == ("made by a plan", True, 5)
    for place, kind in (("real of a plna", "dataset"), ({"dataset": real.name, "view": "fisrt"}, "saved view of")):
        with pytest.raises(UnknownName, match=f"unknown {kind}"):
            experiment_file.opened({**plan, "real_train": place}, stays=False)
    with pytest.raises(UnknownName, match="Did you mean 'test'"):
        experiment_file.opened({**plan, "real_test": {"dataset": real.name, "tag": "tset"}}, stays=False)
    for made in (dataset, real):
        made.delete()
