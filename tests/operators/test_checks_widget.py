"""The form of ``check``: presets, how long they take, and model files that are fetched from it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from operator_calls import form, messages, operator, problems
from small_weights import entry

from loupe.brain.core import presets, registry
from loupe.brain.perception import weights, weights_table
from loupe.brain.perception.weights_table import Url

pytestmark = pytest.mark.database


@pytest.fixture
def nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """No model file lies here; what stands in the returned dict by name can be downloaded."""
    monkeypatch.setenv("LOUPE_WEIGHTS", str(tmp_path / "cache"))
    for name in ("LOUPE_WEIGHTS_DIRS", "LOUPE_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.setenv(name, "")
    contents = {name: name.encode() * 200_000 for name in weights_table.TABLE}
    served = dict(contents)
    table = {
        name: entry(name, Url(f"https://example.org/{name}"), content=content) for name, content in contents.items()
    }
    monkeypatch.setattr(weights_table, "TABLE", table)

    @contextmanager
    def download(address: str) -> Iterator[io.BytesIO]:
        name = address.rpartition("/")[2]
        if name not in served:
            raise OSError(f"no route to {name}")
        yield io.BytesIO(served[name])

    monkeypatch.setattr(weights, "_download", download)
    return served


def _called(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Returns what ``check`` is called with, once it is."""
    seen: dict[str, Any] = {}

    class Stop(Exception):
        pass

    def verb(samples: Any, checks: Any = None, **given: Any) -> Any:
        seen.update(checks=checks, **given)
        raise Stop

    verb.__doc__ = registry.__doc__
    from loupe.brain.verbs.check import check

    verb.__wrapped__ = check  # type: ignore[attr-defined]
    verb.__doc__ = check.__doc__
    monkeypatch.setattr(type(operator("check")), "function", lambda self: verb)
    return seen


@pytest.mark.parametrize("preset", presets.PRESETS)
def test_a_preset_is_what_the_verb_is_called_with(filled: Any, monkeypatch: pytest.MonkeyPatch, preset: str) -> None:
    inputs = form("check", filled, {"checks__preset": preset})
    assert "checks" not in inputs, "the list is there for one's own choice only"
    names = presets.members(preset, registry.checkable())
    assert all(
        registry.checkable()[name].title().partition(":")[0] in inputs["checks__titles"].default for name in names
    )
    assert not problems(inputs)
    seen = _called(monkeypatch)
    messages("check", filled, {"checks__preset": preset, "checks": ["hands"]}, app=True)
    assert seen["checks"] == (None if preset == "quick" else preset)


def test_a_preset_leaves_out_what_has_no_field_and_keeps_settings(scenes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    scenes.clear_sample_field("prompt")
    inputs = form("check", scenes, {"checks__preset": "generated"})
    assert inputs["checks__absent_prompt"].view.label == "Left out, for no sample here has a prompt: composition, text."
    seen = _called(monkeypatch)
    messages("check", scenes, {"checks__preset": "generated", "checks__hands__vlm": "mine"}, app=True)
    names = {spec.name for spec in seen["checks"]}
    assert names == set(presets.members("generated", registry.checkable())) - {"text", "composition"}
    assert next(spec for spec in seen["checks"] if spec.name == "hands").vlm == "mine"


def test_a_preset_that_is_none_is_refused(filled: Any) -> None:
    for wrong in ("photo", 3, ["all"]):
        assert (
            "expected one of quick, photos"
            in problems(form("check", filled, {"checks__preset": wrong}))["checks__preset"]
        )


def test_how_long_it_takes_is_told_before(filled: Any) -> None:
    def words_of(preset: str, **params: Any) -> str:
        text: str = form("check", filled, {"checks__preset": preset, **params})["checks__time"].view.label
        return text

    assert words_of("quick").startswith("About ")
    assert "(by the sizes of 11 of them, 0.003 megapixels)" in words_of("quick"), "one file is no image"
    assert "12 images" in words_of("quick")
    assert "most of it for text" in words_of("quick")
    assert "for overlay" in words_of("photos")
    assert "most of it" not in words_of("own", checks=["exposure"])


def test_missing_model_files_are_named_and_fetched_from_the_form(
    filled: Any, nothing_here: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {"checks__preset": "own", "checks": ["faces", "skin"]}
    inputs = form("check", filled, own)
    assert "faces, skin will be left out: 3 model files" in inputs["checks__absent_weights"].view.label
    table = inputs["checks__weights"].default
    for text in ("face\\_landmark", "iris\\_landmark", "MB", "Apache\\-2.0"):
        assert text in table
    assert "checks__time" not in inputs, "what is left out takes no time"

    inputs = form("check", filled, {**own, "checks__get_weights": True})
    assert "will be downloaded first" in inputs["checks__absent_weights"].view.label
    assert "checks__time" in inputs
    _called(monkeypatch)
    sent = messages("check", filled, {**own, "checks__get_weights": True}, app=True)
    assert not weights.absent(["face_landmark", "iris_landmark", "face_detection_full_range_sparse"])
    assert sent
    assert "checks__absent_weights" not in form("check", filled, own)


def test_without_the_tick_nothing_is_fetched_and_what_cannot_be_had_is_said(
    filled: Any, nothing_here: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    del nothing_here["iris_landmark"]
    own = {"checks__preset": "own", "checks": ["faces", "file"]}
    seen = _called(monkeypatch)
    messages("check", filled, own, app=True)
    assert seen["checks"], "the verb leaves out what it lacks"
    assert len(weights.absent(["face_landmark", "iris_landmark"])) == 2
    seen.clear()
    last = messages("check", filled, {**own, "checks__get_weights": True}, app=True)[-1]
    assert "no route to iris_landmark" in last["error_message"]
    assert not seen


def test_a_download_tells_how_much_has_come_and_can_be_stopped(nothing_here: dict[str, bytes]) -> None:
    from loupe.brain.core.errors import Stopped
    from loupe.brain.core.records import Progress
    from loupe.operators.checks_widget import fetch

    file = weights_table.TABLE["face_landmark"]
    steps: list[Progress] = []

    def stop(step: Progress) -> None:
        steps.append(step)
        if len(steps) == 3:
            raise Stopped("enough")

    with pytest.raises(Stopped, match="enough"):
        fetch(file, 0, 2, stop)
    assert weights.absent([file.name])
    assert steps[-1].message == "downloading face_landmark (2 of 2.6 MB)"
    fetch(file, 0, 2, steps.append)
    assert not weights.absent([file.name])
    assert (steps[-1].done, steps[-1].total) == (1, 2)
