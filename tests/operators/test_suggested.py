"""What is suggested leads on: the result's button opens the form of generate, which offers what was suggested last."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from operator_calls import context, form, operator, problems, result

pytestmark = pytest.mark.database


@pytest.fixture
def lacking(database: str) -> Iterator[Any]:
    """A dataset that was told to lack a bus by night."""
    import fiftyone as fo

    from loupe.brain.core.holes import Hole, Holes
    from loupe.brain.core.proportions import Proportion
    from loupe.brain.core.realism import Realism
    from loupe.brain.store.realism import sides as realism

    dataset = fo.Dataset()
    dataset.add_samples([fo.Sample(filepath=f"/nowhere/{at}.png") for at in range(3)], progress=False)
    share = Proportion.of(5, 100)
    hole = Hole(
        1, 5, share, 3.2, 0.01, ("a",), mostly=(("bus", 0.8),), label="kind", scenario=(("time", "night", 0.9),)
    )
    made = Realism(100, 90, 0, {}, (), holes=Holes(share, 0.9, 0.5, 5, (hole,)))
    facts = {**made.to_dict(), "cloud": _CLOUD, "factor": None}
    realism.keep(dataset, "realism", {"real": "photos", "by": None}, facts)
    yield dataset
    dataset.delete()


_CLOUD = {"synthetic": [], "synthetic_at": [], "real": [], "real_at": [], "covered": [], "share": 0.5}


def test_suggested_prompts_are_offered_and_drawn(lacking: Any) -> None:
    assert "report" not in form("suggest_prompts", lacking), "the comparison with real images has looked"
    sources = form("generate", lacking)["prompts__source"].view.choices
    assert [each.value for each in sources] == ["list", "template", "file", "suite"], "nothing was suggested yet"
    made = result("suggest_prompts", lacking)
    assert made["n"] == 4
    assert made["prompts"][0] == {"prompt": "a photo of a bus, night", "factors": {"kind": "bus", "time": "night"}}
    assert "Next: **Loupe: generate images**" in made["summary"]

    params = {"prompts__source": "suggested"}
    inputs = form("generate", lacking, params)
    assert [each.value for each in inputs["prompts__source"].view.choices][-1] == "suggested"
    assert "prompts" not in inputs
    assert "4 prompts × 1 = 4 images. The first prompt: a photo of a bus, night" in str(inputs["count"].view.to_json())
    from loupe.operators.forms import Form

    own = operator("generate")
    given = own.arguments(Form(context("generate", lacking, params), lacking, None))
    assert given["prompts"] == [{"prompt": "a photo of a bus, night", "factors": {"kind": "bus", "time": "night"}}] * 4


def test_what_was_suggested_and_is_gone_is_said(lacking: Any) -> None:
    inputs = form("generate", lacking, {"prompts__source": "suggested"})
    assert "expected one of list, template, file" in str(problems(inputs))


def test_the_result_has_a_button_that_leads_on(lacking: Any) -> None:
    from loupe.operators import dialog
    from loupe.operators.suggest_prompts import GENERATE
    from loupe.operators.summary import Summary

    ctx = context("suggest_prompts", lacking)
    shown = dialog.finished(ctx, "x", Summary("", "", following=GENERATE)).to_json_line()
    assert "Generate these images" in shown
    assert "@loupe/loupe/generate" in shown
    assert "Generate these images" not in dialog.finished(ctx, "x", Summary("", "")).to_json_line()
