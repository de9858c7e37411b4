"""The dialog of a run, message by message: progress with the time left, a way to stop, a result or the reason."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from operator_calls import ALL, context, messages, operator, triggered

pytestmark = pytest.mark.database


def shown(message: dict[str, Any]) -> dict[str, Any]:
    """Returns what a message shows in the dialog, by name."""
    assert message["body"]["operator_uri"] == "show_output"
    properties: dict[str, Any] = message["body"]["params"]["outputs"]["type"]["properties"]
    # the App runs "show_output" only with some results
    assert message["body"]["params"]["results"]
    return properties


class _Unforeseen(Exception):
    pass


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("kind", ["LoupeError", "unforeseen"])
def test_a_run_that_fails_ends_with_the_reason_in_the_place_of_its_progress(
    filled: Any, name: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from loupe.brain.core.errors import InputError
    from loupe.operators import run

    error = (
        InputError("expected <this>, got that: run `loupe a_b <c>`") if kind == "LoupeError" else _Unforeseen("a bug")
    )

    def fail(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(type(operator(name)), "call", fail)
    sent = messages(name, filled, app=True)
    (alert,) = shown(sent[-2]).values()
    assert alert["view"]["name"] == "AlertView"
    assert alert["view"]["severity"] == "error"
    text = alert["view"]["description"]
    if kind == "LoupeError":
        assert text == "expected &lt;this&gt;, got that: run `loupe a_b <c>`", "the App reads Markdown"
    else:
        assert (
            text == r"This went wrong: \_Unforeseen: a bug. Try again; where it stays so, the server's log says more."
        )
    # the App says "Operation failed", without the reason, to whatever has an error
    assert not sent[-1].get("error")
    assert sent[-1]["error_message"] == run.explain(error)
    with pytest.raises(type(error)):
        messages(name, filled)


@pytest.mark.parametrize("name", ALL)
def test_a_form_that_breaks_says_so_and_cannot_be_submitted(
    filled: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise _Unforeseen("a bug")

    monkeypatch.setattr(type(operator(name)), "form", fail)
    made = operator(name).resolve_input(context(name, filled)).to_json()["type"]["properties"]
    assert made["error"]["invalid"]
    assert "_Unforeseen: a bug" in made["error"]["error_message"]


def test_the_result_stands_in_the_same_dialog_and_in_no_other(scenes: Any) -> None:
    messages("check", scenes, {"checks": ["sharpness"]}, app=True)
    sent = messages("check", scenes, {"checks": ["exposure"]}, app=True)
    assert set(shown(sent[-2])) == {"summary", "open"}
    assert "Checked 12 images" in sent[-2]["body"]["params"]["results"]["summary"]
    assert {name for name in triggered(sent) if name != "show_output"} == {"reload_dataset"}
    own = operator("check")
    facts = {"operator_uri": "@loupe/loupe/check"}
    assert not own.resolve_output(context("check", scenes, **facts)).type.properties
    # of a job nobody saw a dialog
    assert own.resolve_output(context("check", scenes, delegated=True, **facts)).type.properties


def test_stop_stops_between_batches_and_says_so(scenes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    params = {"checks": ["exposure"], "batch_size": 1}
    asked, call = threading.Event(), type(operator("check")).call

    def once_asked(*args: Any) -> Any:
        assert asked.wait(60)  # on a busy machine it would be done before
        return call(*args)

    monkeypatch.setattr(type(operator("check")), "call", once_asked)
    work = operator("check").execute(context("check", scenes, params, operator_uri="@loupe/loupe/check"))
    first = json.loads(next(work).to_json_line())
    button = shown(first)["stop"]["view"]
    assert (button["name"], button["label"], button["operator"]) == ("Button", "Stop", "@loupe/loupe/stop")
    operator("stop").execute(context("stop", scenes, button["params"]))
    asked.set()
    sent = [json.loads(message.to_json_line()) for message in work]
    (alert,) = shown(sent[-2]).values()
    assert alert["view"]["severity"] == "warning"
    assert "run it again to go on from there" in alert["view"]["description"]
    assert "reload_dataset" in triggered(sent), "what was done so far is there to see"
    scenes.reload()
    assert sum(bool(value) for value in (scenes.values("checked") if scenes.has_field("checked") else [])) < 12

    late = context("stop", scenes, button["params"])
    operator("stop").execute(late)
    assert "notify" in str(late.executor.to_json())
    operator("stop").execute(context("stop", scenes, {"run": {"$ne": 1}}))


def test_stopping_one_run_leaves_the_others_alone() -> None:
    from loupe.operators import run

    with run.stoppable() as first, run.stoppable() as second:
        assert first.id != second.id
        assert run.stop(first.id)
        assert (first.asked, second.asked) == (True, False)
    assert not run.stop(second.id)


def paced(*seconds: float) -> Callable[[int, int, str], str]:
    from loupe.brain.core.records import Progress
    from loupe.operators import run

    pace = run.Pace(iter(seconds).__next__)
    return lambda done, total, message="checking": pace.words(Progress(done, total, message))


def test_the_time_left_is_told_by_what_this_phase_has_done() -> None:
    words = paced(0, 1, 10, 60)
    assert words(100, 400) == "checking: 100 of 400"
    assert words(101, 400) == "checking: 101 of 400", "a second of work is no measure"
    assert words(200, 400) == "checking: 200 of 400 · about 20 s left"
    assert words(250, 400) == "checking: 250 of 400 · about 60 s left"


def test_where_nothing_tells_the_time_left_the_time_taken_stands() -> None:
    words = paced(0, 3, 200, 201, 300, 310)
    assert words(0, 0, "starting") == "starting"
    assert words(0, 0, "starting") == "starting · for 3 s"
    assert words(0, 0, "starting") == "starting · for 3 min"
    assert words(0, 10) == "checking: 0 of 10", "another phase begins anew"
    assert words(0, 10) == "checking: 0 of 10 · for 2 min"
    assert words(10, 10) == "checking: 10 of 10 · for 2 min", "nothing is left"


def test_below_the_result_of_a_check_a_button_opens_the_workspace(scenes: Any) -> None:
    early = context("open_workspace", scenes)
    operator("open_workspace").execute(early)
    assert "notify" in str(early.executor.to_json()), "there is none yet"
    messages("check", scenes, {"checks": ["sharpness"]}, app=True)
    sent = messages("check", scenes, {"checks": ["exposure"]}, app=True)
    button = shown(sent[-2])["open"]["view"]
    assert (button["label"], button["operator"]) == ("Open the workspace", "@loupe/loupe/open_workspace")
    late = context("open_workspace", scenes)
    operator("open_workspace").execute(late)
    (request,) = late.executor.to_json()["requests"]
    assert request["operator_uri"] == "set_spaces"
    assert "overview" in str(request["params"])
    assert "open" not in shown(messages("flag", scenes, app=True)[-2])


@pytest.mark.parametrize("name", ALL)
def test_a_form_that_does_not_fit_any_more_as_it_is_submitted_ends_with_the_reason(
    scenes: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FiftyOne asks for the form once more, and the App shows nowhere that this failed."""
    import asyncio

    from fiftyone.operators.executor import execute_or_delegate_operator

    from loupe.operators import forms

    uri = f"@loupe/loupe/{name}"
    request = {"dataset_name": scenes.name, "view": [], "params": {}, "operator_uri": uri}

    def changed(_: Any, __: Any, inputs: Any) -> None:
        forms.problem(inputs, "gone", "It is gone", "Do <this> instead.")

    asked = {"target": "inputs", "prompt_id": name, "operator_uri": uri}
    before = operator(name).resolve_type(context(name, scenes, **asked), "inputs").type.properties
    monkeypatch.setattr(type(operator(name)), "form", changed)
    again = operator(name).resolve_type(context(name, scenes, **asked), "inputs").type.properties
    if not any(each.invalid for each in before.values()):
        assert list(again) == list(before), "the App asks once more as it is submitted, and shows no other form"
    other = operator(name).resolve_type(context(name, scenes, {"other": 1}, **asked), "inputs").type.properties
    assert other["gone"].invalid
    assert operator(name).resolve_type(context(name, scenes, target="inputs"), "inputs").type.properties["gone"].invalid
    done = asyncio.run(execute_or_delegate_operator(uri, dict(request)))
    sent = [json.loads(message.to_json_line()) for message in done.result]
    (alert,) = shown(sent[-2]).values()
    assert alert["view"]["severity"] == "error"
    assert alert["view"]["description"] == "It is gone. Do &lt;this&gt; instead."
    if operator(name).background:
        scheduled = asyncio.run(execute_or_delegate_operator(uri, {**request, "request_delegation": True}))
        assert scheduled.delegated, "the worker says why it fails"


def test_after_a_first_check_an_open_page_has_the_colors_and_a_button_loads_the_new_sidebar(scenes: Any) -> None:
    import fiftyone as fo

    sent = messages("check", scenes, {"checks": ["exposure"]}, app=True)
    assert set(shown(sent[-2])) == {"summary", "open", "reload_why", "reload"}
    button = shown(sent[-2])["reload"]["view"]
    assert (button["label"], button["href"]) == ("Load the page anew", "?")
    given = {
        each["body"]["operator_uri"]: each["body"]["params"] for each in sent if each.get("body", {}).get("params")
    }
    scenes.reload()
    scheme = scenes.app_config.color_scheme
    assert given["set_color_scheme"] == {
        "color_pool": list(scheme.color_pool),
        "color_by": "value",
        "fields": [dict(each) for each in scheme.fields],
    }
    assert given["set_active_fields"] == {"fields": ["failures"]}

    # what a person has chosen since is not set back, by what another process stores either
    scenes.app_config.color_scheme = fo.ColorScheme(color_by="field")
    scenes.save()
    later = triggered(messages("check", scenes, {"checks": ["sharpness"]}, app=True))
    assert not {"set_color_scheme", "set_active_fields"} & set(later)
