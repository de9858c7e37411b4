"""``compare_to_real`` and ``test_transfer`` as the App runs them: what the form offers, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import real_and_synthetic as made
from operator_calls import context, form, operator, problems, result, untouched

from loupe.brain.core.errors import InputError, UnknownName

pytestmark = [pytest.mark.database, pytest.mark.slow]


@pytest.fixture
def sides(database: str, tmp_path: Path) -> Iterator[dict[str, Any]]:
    drawn = {"synthetic": (1, 120), "train": (2, 160), "test": (3, 120), "pool": (4, 160)}
    own = {name: made.dataset(tmp_path / name, seed, n) for name, (seed, n) in drawn.items()}
    yield own
    for dataset in own.values():
        dataset.delete()


def _of(dataset: Any) -> str:
    return f"dataset: {dataset.name}"


def test_comparing_says_what_sets_them_apart_and_what_to_do(sides: dict[str, Any]) -> None:
    synthetic, real = sides["synthetic"], sides["train"]
    labels = synthetic.values("ground_truth.label")
    # half of what is called a cat is a dog
    synthetic.set_values(
        "ground_truth.label", ["cat" if name == "dog" else name for name in labels[:100]] + labels[100:]
    )
    params = untouched("compare_to_real", synthetic, {"real": _of(real), "label": "ground_truth", "settings": True})
    body = result("compare_to_real", synthetic, {**params, "spectra": False})
    assert body["message"].startswith("120 synthetic images compared: ")
    assert body["realism"]["n_real"] == 160
    assert "120 synthetic images against 160 real images." in body["summary"]
    assert "| embeddings | recall | " in body["summary"]
    assert "| embeddings | alignment | " in body["summary"]
    assert "Labels fit less well than real ones (1 is as well): **cat** 0." in body["summary"]
    assert "Next: color or filter by **realism**" in body["summary"]
    assert None not in synthetic.values("realism.real_distance")
    assert None not in real.values("realism.covered")


def test_training_says_what_the_set_is_worth(sides: dict[str, Any]) -> None:
    synthetic = sides["synthetic"]
    given = {"real_train": _of(sides["train"]), "real_test": _of(sides["test"]), "label": "ground_truth"}
    body = result("test_transfer", synthetic, untouched("test_transfer", synthetic, given))
    assert body["message"].startswith("Utility ")
    assert "| S→R | 120 | 120 | " in body["summary"]
    assert body["transfer"]["retrieved"] == []
    pool = {**given, "settings": True, "pool": _of(sides["pool"]), "learner": "logistic"}
    body = result("test_transfer", synthetic, untouched("test_transfer", synthetic, pool))
    assert [arm["n_train"] for arm in body["transfer"]["retrieved"] if arm["name"] == "S→R"] == [120]
    assert body["transfer"]["learner"] == "logistic"


def test_saved_views_of_the_same_dataset_can_be_the_others(sides: dict[str, Any]) -> None:
    both = sides["train"]
    both.save_view("test", both[:60])
    both.save_view("train", both[60:110])
    stages = both[110:]._serialize()
    inputs = form("test_transfer", both, view=stages)
    assert inputs["real_train"].type.values[:2] == ["saved view: test", "saved view: train"]
    given = {"real_train": "saved view: train", "real_test": "saved view: test", "label": "ground_truth"}
    body = result("test_transfer", both, {**given, "view_target": "CURRENT_VIEW"}, view=stages)
    arms = {arm["name"]: arm for arm in body["transfer"]["matrix"]}
    assert (arms["all S→R"]["n_train"], arms["S→R"]["n_test"]) == (50, 60)


def test_what_is_missing_is_said_in_the_form_with_what_to_do(dataset: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    dataset.add_sample(fo.Sample(filepath=str(tmp_path / "a.png")))
    dataset.save_view("all", dataset.view())  # whatever else is there: there is something to compare with
    for name in ("compare_to_real", "test_transfer"):
        reported = problems(form(name, dataset, {"settings": True}))
        assert any("embed images" in text for text in reported.values()), (name, reported)
    assert "A field of one class a sample" in problems(form("test_transfer", dataset))["no_label"]


@pytest.mark.parametrize(
    ("name", "params", "error", "says"),
    [
        ("compare_to_real", {"k": 0}, InputError, "Nearest neighbors (k): expected a whole number from 1 to 20, got 0"),
        ("compare_to_real", {"embeddings": []}, InputError, "Field of vectors: expected at least one, got none"),
        ("compare_to_real", {"embeddings": ["embedding"]}, UnknownName, "Did you mean 'embeddings'?"),
        ("compare_to_real", {"real": "dataset: nowhere"}, UnknownName, "unknown dataset 'nowhere'"),
        ("test_transfer", {"real_test": "saved view: nowhere"}, UnknownName, "unknown saved view 'nowhere'"),
        (
            "test_transfer",
            {"learner": "logistics"},
            InputError,
            "What is trained: expected one of discriminant",
        ),
        ("test_transfer", {"pool": "dataset: nowhere"}, UnknownName, "unknown dataset 'nowhere'"),
    ],
)
def test_what_does_not_fit_is_refused(
    filled: Any, name: str, params: dict[str, Any], error: type[Exception], says: str
) -> None:
    given = {**untouched(name, filled), "settings": True, **params}
    with pytest.raises(error) as raised:
        list(operator(name).execute(context(name, filled, given)))
    assert says in str(raised.value)
    assert any(says.casefold() in text.casefold() for text in problems(form(name, filled, given)).values())
