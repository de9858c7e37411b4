"""What the App is sent: its words are escaped once, at the door, whoever wrote them."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.fuzz import letters
from benchmarks.fuzz.owned import PARTS

pytestmark = pytest.mark.database  # the operators' package is FiftyOne's

NAMES = letters.Names()
HOSTILE = [NAMES.add(*each) for each in PARTS]


def _form(text: str) -> Any:
    from fiftyone.operators import types

    from loupe.operators import forms

    inputs = types.Object()
    forms.note(inputs, "note", f"{text}: 3 samples", severity="warning")
    forms.problem(inputs, "problem", f"No {text}", f"Choose another than {text}.")
    forms.dropdown(inputs, "field", {text: (text, text)}, label=text, description=text, default=text)
    forms.several(inputs, "some", {text: text}, label=text, caption=text)
    inner = inputs.h_stack("inner")
    inner.str("text", label=text, description=text, view=types.TextFieldView(placeholder=text))
    inner.view("press", types.Button(label=text, operator="@loupe/loupe/check"))
    inner.bool("flag", label=text, description=text, view=types.SwitchView())
    return inputs


@pytest.mark.parametrize("text", HOSTILE)
def test_no_word_of_a_form_is_more_than_letters(database: str, text: str) -> None:
    from fiftyone.operators import types

    from loupe.operators.letters import written

    sent = types.Property(written(_form(text))).to_json()
    assert list(letters.app(sent, NAMES)) == []
    # what is sent back is what was given
    assert sent["type"]["properties"]["field"]["view"]["choices"][0]["value"] == text


def test_a_form_that_is_not_escaped_is_noticed(database: str) -> None:
    from fiftyone.operators import types

    wrong = [text for text in HOSTILE if list(letters.app(types.Property(_form(text)).to_json(), NAMES))]
    assert len(wrong) > 10


def test_no_call_in_python_is_sent(database: str) -> None:
    import json

    from fiftyone.operators import types

    from loupe.brain.core.shown import markdown
    from loupe.operators import forms
    from loupe.operators.letters import written

    inputs = types.Object()
    text = "run loupe.embed(samples, field='x') first"
    forms.note(inputs, "note", text)
    inputs.md(f"- {markdown(text)}", name="list")
    inputs.str("field", label="Field", description=text)
    sent = json.dumps(types.Property(written(inputs)).to_json())
    assert "loupe.embed" not in sent
    assert sent.count("Loupe: embed images") >= 3


def test_every_way_to_the_app_goes_through_it(database: str, dataset: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A form, a dialog and a panel: each of them calls ``written``."""
    import fiftyone as fo
    from operator_calls import form, messages
    from panel_session import PanelSession

    from loupe.operators import letters as door
    from loupe.panels.overview.panel import Overview

    calls: list[Any] = []
    real = door.written
    monkeypatch.setattr(door, "written", lambda made: calls.append(made) or real(made))
    dataset.add_sample(fo.Sample("/nowhere/![x](http://127.0.0.1:9/).png"))
    counted = []
    for call in (
        lambda: form("slice", dataset),
        lambda: messages("slice", dataset, {}, app=True),
        lambda: PanelSession(Overview(), dataset),
    ):
        call()
        counted.append(len(calls))
    assert counted[0] >= 1
    assert counted == sorted(set(counted))


def test_an_error_shows_as_letters_in_its_dialog(database: str, dataset: Any) -> None:
    from operator_calls import messages

    name = NAMES.add("![", "](http://127.0.0.1:9/x.png) <img src=x onerror=alert(1)> \x1b[2J")
    sent = messages("import_images", dataset, {"folder": f"/nowhere/{name.replace('/', '|')}"}, app=True)
    params = [(each.get("body") or {}).get("params", {}) for each in sent]
    shown = [each["outputs"] for each in params if "outputs" in each]
    assert "nowhere" in str(shown)
    NAMES.all[-1] = name.replace("/", "|")
    assert [problem for each in shown for problem in letters.app(each, NAMES)] == []
