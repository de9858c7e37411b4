"""The rules of outcomes, against the sentences of docs/architecture.md written out one sample at a time."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from loupe.brain.core.errors import InputError
from loupe.brain.slicing.outcomes import FAILURE_RULE, UNLESS_ASKED, Fact, Outcome, State, states_of

BLUR = Outcome(
    "blur",
    {
        "scored": Fact("quality.blur", "number"),
        "labelled": Fact("labels", "any", ("blur",)),
        "flagged": Fact("labels", "set"),
        "checked": Fact("checked", "key", ("sharpness",)),
    },
    FAILURE_RULE,
)


def state_of(score: float | None, labels: list[str] | None, checked: dict[str, str | None] | None) -> State:
    """What the fields of one sample say of "blur"."""
    if score is None or score != score:
        return State.UNKNOWN if (checked or {}).get("sharpness") is not None else State.UNCHECKED
    if labels is None:
        return State.UNCHECKED
    return State.FAILED if "blur" in labels else State.PASSED


def test_every_combination_of_fields_leads_to_the_state_that_the_documentation_gives_it() -> None:
    scores = [None, float("nan"), 0.0, -1.5, float("inf")]
    labels = [None, [], ["blur"], ["dark"], ["dark", "blur"], [None], [None, "blur"]]
    checked = [None, {}, {"sharpness": "k"}, {"sharpness": None}, {"exposure": "k"}]
    rows = list(itertools.product(scores, labels, checked))
    columns = dict(zip(("quality.blur", "labels", "checked"), zip(*rows, strict=True), strict=True))
    states = BLUR.states(columns)
    assert states.dtype == np.int8
    assert states.tolist() == [state_of(*row) for row in rows]
    assert set(states.tolist()) == set(State)


def test_what_is_asked_for_is_unknown_whatever_the_score_and_nothing_else_changes() -> None:
    outcome = Outcome("blur", {**BLUR.facts, "asked": Fact("asked", "any", ("blur",))}, UNLESS_ASKED)
    scores, labels, checked = [None, 0.5], [None, [], ["blur"]], [None, {"sharpness": "k"}]
    asked = [None, [], [None], ["dark"], [None, "blur"]]
    rows = list(itertools.product(scores, labels, checked, asked))
    columns = dict(zip(("quality.blur", "labels", "checked", "asked"), zip(*rows, strict=True), strict=True))
    expected = [
        State.UNKNOWN if score is not None and "blur" in (words or ()) else state_of(score, own, by)
        for score, own, by, words in rows
    ]
    assert outcome.states(columns).tolist() == expected


def test_a_field_that_is_not_there_holds_nothing() -> None:
    assert BLUR.states({"quality.blur": [0.5, None]}).tolist() == [State.UNCHECKED] * 2
    assert BLUR.states({"checked": [{"sharpness": "k"}]}).tolist() == [State.UNKNOWN]
    assert BLUR.states({"labels": [["blur"]]}).tolist() == [State.UNCHECKED]  # by somebody else: nothing was measured


def test_outcomes_share_columns_and_keep_apart() -> None:
    dark = Outcome("dark", {**BLUR.facts, "labelled": Fact("labels", "any", ("dark",))}, FAILURE_RULE)
    columns = {"quality.blur": [0.1] * 4, "labels": [["dark"], ["blur"], ["blur", "dark"], []]}
    states = states_of([BLUR, dark], columns, 4)
    assert states["blur"].tolist() == [State.PASSED, State.FAILED, State.FAILED, State.PASSED]
    assert states["dark"].tolist() == [State.FAILED, State.PASSED, State.FAILED, State.PASSED]
    assert states_of([], columns, 4) == {}
    assert states_of([BLUR], {}, 2)["blur"].tolist() == [State.UNCHECKED] * 2


def test_an_outcome_that_a_field_holds() -> None:
    review = Outcome.field("review.status", failed=["rejected", "broken"], unknown=["unsure"], name="review")
    values = ["rejected", "broken", "unsure", "fine", "", None]
    assert review.name == "review"
    assert review.states({"review.status": values}).tolist() == [
        State.FAILED, State.FAILED, State.UNKNOWN, State.PASSED, State.PASSED, State.UNCHECKED,
    ]  # fmt: skip
    # a value that says both is a failure
    both = Outcome.field("status", failed=["bad"], unknown=["bad", "unsure"])
    assert both.states({"status": ["bad", "unsure"]}).tolist() == [State.FAILED, State.UNKNOWN]
    assert both.name == "status"
    # lists: any of their items
    assert both.states({"status": [["fine", "bad"], ["unsure", "fine"], []]}).tolist() == [
        State.FAILED, State.UNKNOWN, State.PASSED,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (FAILURE_RULE[:-1], "got none"),
        ((*FAILURE_RULE, (State.UNKNOWN, {"checked": True})), "'UNKNOWN'"),
        ((), "got none"),
    ],
)
def test_a_rule_that_leaves_a_sample_open_or_decides_it_twice_is_refused(rule: tuple, message: str) -> None:
    with pytest.raises(InputError, match=f"one line of the rule of 'blur' .*{message}"):
        Outcome("blur", BLUR.facts, rule)
