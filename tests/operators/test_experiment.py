"""``experiment`` as the App runs it: the form says what will be drawn, and the result which set trains best."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import experimenting as made
import pytest
from operator_calls import context, form, operator, problems, result, untouched

from loupe.brain.core.errors import InputError, UnknownName

pytestmark = pytest.mark.database


@pytest.fixture
def sides(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    import fiftyone as fo

    from loupe.brain.core import registry

    known = registry.generators()
    monkeypatch.setattr(registry, "generators", lambda: {**known, "marks": made.Marks})
    own = {"train": made.real(tmp_path / "a", 1, 90), "test": made.real(tmp_path / "b", 2, 90), "drawn": fo.Dataset()}
    yield own
    for dataset in own.values():
        dataset.delete()


def params(sides: dict[str, Any], tmp_path: Path, **changed: Any) -> dict[str, Any]:
    return {
        "real_train": f"dataset: {sides['train'].name}",
        "real_test": f"dataset: {sides['test'].name}",
        "label": "kind",
        "models": "marks",
        "styles": ["class"],
        "guidance": "1, 5",
        "per_class": 12,
        "settings": True,
        "embedder": "hog",
        "checks": "(none)",
        "output_dir": str(tmp_path / "drawn"),
        **changed,
    }


def test_the_form_says_what_will_be_drawn(sides: dict[str, Any], tmp_path: Path) -> None:
    inputs = form("experiment", sides["drawn"], params(sides, tmp_path))
    assert not problems(inputs)
    label = inputs["count"].view.label
    assert label.startswith("2 arms × 3 classes × 12 = 72 images: how long drawing takes is not known; no cost")
    assert "| marks · class · guidance 5 | 36 | 36 |" in inputs["plan"].default
    # nothing is drawn by looking at the form
    assert len(sides["drawn"]) == 0
    asked = params(
        sides, tmp_path, styles=["class", "caption"], captions="caption", styles__templates="a {class} here\n"
    )
    label = form("experiment", sides["drawn"], asked)["count"].view.label
    assert label.startswith("6 arms × 3 classes × 12 = 216 images")
    asked = params(sides, tmp_path, seeds="0, 1", classes="bar, ring", guidance="own")
    assert form("experiment", sides["drawn"], asked)["count"].view.label.startswith(
        "2 arms × 2 classes × 12 = 48 images"
    )


def test_what_is_named_so_is_proposed(sides: dict[str, Any]) -> None:
    drawn = sides["drawn"]
    for name in ("held out for testing", "mine", "training"):
        drawn.save_view(name, drawn.view())
    inputs = form("experiment", drawn)
    assert inputs["real_train"].default == "saved view: training"
    assert inputs["real_test"].default == "saved view: held out for testing"


def test_what_does_not_fit_is_said_in_the_form_and_when_it_runs(sides: dict[str, Any], tmp_path: Path) -> None:
    train = f"dataset: {sides['train'].name}"
    asked = params(sides, tmp_path, real_test=train)
    assert "samples that are in both" in form("experiment", sides["drawn"], asked)["count"].view.label
    for changed, kind, says in (
        (
            {"guidance": "high"},
            InputError,
            "Guidance of the prompt: expected numbers, or own, with commas between",
        ),
        ({"seeds": "0.5"}, InputError, "Random seeds: expected whole numbers with commas between"),
        ({"styles": ["klass"]}, UnknownName, "Did you mean 'class'"),
        ({"styles__templates": "a {thing} {class}"}, InputError, "expected factors with values for {thing}"),
        ({"per_class": 2}, InputError, "expected a whole number from 5"),
        ({"embedder": "hogg"}, InputError, "Embedder to use: expected one of auto"),
    ):
        bad = params(sides, tmp_path, **changed)
        reported = problems(form("experiment", sides["drawn"], bad))
        assert any(says in text for text in reported.values()), (changed, reported)
        with pytest.raises(InputError) as raised:
            list(operator("experiment").execute(context("experiment", sides["drawn"], bad)))
        assert says in str(raised.value)
        assert isinstance(raised.value, kind)


@pytest.mark.slow
def test_the_result_says_which_set_trains_best(sides: dict[str, Any], tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    asked = untouched("experiment", sides["drawn"], params(sides, tmp_path, report=str(page)))
    body = result("experiment", sides["drawn"], asked)
    assert body["message"].startswith("2 of 2 arms measured: marks · class · guidance 1 first, utility ")
    assert "The most useful" in body["summary"]
    assert "| marks · class · guidance 5 | 36 |" in body["summary"]
    assert body["experiment"]["arms"][0]["name"] == "marks · class · guidance 1"
    assert page.exists()
    assert len(sides["drawn"]) == 72
