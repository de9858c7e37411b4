"""The panel "Label issues", run as the App runs it: decisions, undo, neighbors, other reviewers."""

from __future__ import annotations

from typing import Any

import pytest
from corrections_panel import INTO, corrected, decisions, given, item, keys, opened, press, text
from noisy_digits import issues

from loupe.brain.core.review import Decision

pytestmark = [pytest.mark.slow, pytest.mark.database]


def test_what_is_decided_stands_at_once_in_a_field_of_its_own(digits: Any) -> None:
    session, ids, before = opened(digits), issues(digits), given(digits)
    assert item(session) == ids[0]
    first = session.content.item
    assert first.given == before[ids[0]]
    assert not digits.has_field(INTO), "to look is not to write"
    press(session, "1")
    assert item(session) == ids[1]
    now = corrected(digits)
    assert now == {**before, ids[0]: first.suggestion.label}, "all others are copied as they were given"
    press(session, "k")
    press(session, "3")
    press(session, "4")
    now = corrected(digits)
    assert [now[each] for each in ids[:4]] == [first.suggestion.label, before[ids[1]], before[ids[2]], None]
    assert [decisions(digits)[each].status for each in ids[:4]] == ["real", "false_alarm", "unsure", "real"]
    assert given(digits) == before
    assert f"**4 of {len(ids)}** issues decided (2 changed, 1 kept, 1 unsure of all)" in text(session)
    digits.reload()
    import getpass

    stored = digits[ids[0]]
    assert (stored[INTO].how, stored[INTO].by) == ("suggested", getpass.getuser())
    assert stored.review.label_issue.correction == first.suggestion.label


def test_the_verb_says_the_same_as_the_panel(digits: Any) -> None:
    import loupe

    session = opened(digits)
    for key in "11k3a41":
        press(session, key)
    session.call("on_class", value="7")
    before = corrected(digits)
    made = loupe.relabel(digits, "ground_truth")
    assert corrected(digits) == before
    assert made.remaining == session.content.remaining
    counts = session.content.counts
    assert (made.changed, made.kept, made.skipped) == (counts["changed"], counts["kept"], counts["unsure"])
    session.call("on_refresh")
    assert session.content.remaining == made.remaining
    assert session.content.counts == counts
    (result,) = loupe.reviewed(digits, "label_issue")
    assert result.real == counts["changed"]


def test_undo_gives_back_what_stood_there(digits: Any) -> None:
    import loupe

    session, ids, before = opened(digits), issues(digits), given(digits)
    loupe.relabel(digits, "ground_truth", accept=0.0, by="a model")
    accepted = corrected(digits)
    session.call("on_refresh")
    assert "accepted by its score, by a model" in text(session, "stands")
    press(session, "2")
    assert corrected(digits)[ids[0]] == before[ids[0]]
    press(session, "z")
    assert corrected(digits) == accepted
    assert decisions(digits) == {}
    digits.reload()
    assert digits[ids[0]][INTO].by == "a model"
    press(session, "4")  # no class, then another one, then back
    press(session, "ArrowLeft")
    assert corrected(digits)[ids[0]] is None
    session.call("on_class", value="7")
    assert corrected(digits)[ids[0]] == "7"
    press(session, "z")
    assert corrected(digits)[ids[0]] is None
    press(session, "z")
    assert corrected(digits) == accepted
    kept = session.content.remaining
    session.call("on_refresh")
    assert session.content.remaining == kept, "what was counted along is what is read anew"
    assert session.content.counts == {"changed": 0, "kept": 0, "unsure": 0}


def test_another_class_is_one_of_the_neighbors_or_any_by_its_name(digits: Any) -> None:
    session, ids = opened(digits), issues(digits)
    others = [name for name in session.content.answers if name.startswith("is:")]
    assert keys(session) >= {"1", "2", "3", "4"}
    assert len(others) == len(keys(session) & {"5", "6", "7"})
    session.call("on_class", value="<b>$.new")
    assert corrected(digits)[ids[0]] == "<b>$.new"
    assert decisions(digits)[ids[0]].correction == "<b>$.new"
    # the class that it has already: it is kept
    session.call("on_class", value=given(digits)[ids[1]])
    assert decisions(digits)[ids[1]].status == "false_alarm"
    step = session.state["choices"]["step"]
    for value in ("", None, 3, ["7"], "x" * 2000):
        session.call("on_class", value=value)
    session.call("on_decide", answer="is:", step=step)
    session.call("on_decide", answer="wrong", step=step)
    session.call("on_decide", answer="accept")
    assert len(decisions(digits)) == 2


def test_neighbors_come_with_their_labels(digits: Any) -> None:
    import numpy as np

    session = opened(digits)
    near = session.content.neighbors
    assert len(near) == 5
    ids, vectors = digits.values(["id", "embeddings"])
    unit = np.stack(vectors) / np.linalg.norm(np.stack(vectors), axis=1, keepdims=True)
    cosines = unit @ unit[ids.index(item(session))]
    order = [ids[at] for at in np.argsort(-cosines, kind="stable") if ids[at] != item(session)][:5]
    assert [each.id for each in near] == order
    assert [each.label for each in near] == [given(digits)[each] for each in order]
    assert near[0].cosine == pytest.approx(np.sort(cosines)[-2], abs=1e-5)
    session.call("on_near", id=near[2].id)
    session.call("on_near", id="0" * 24)
    assert session.opened == [near[2].id]


def test_a_neighbor_that_was_put_right_has_its_right_label(digits: Any) -> None:
    import loupe

    session = opened(digits)
    near = session.content.neighbors[0]
    loupe.relabel(digits, "ground_truth", accept={near.id: "7" if near.label != "7" else "8"})
    session.call("on_refresh")
    assert session.content.neighbors[0].label in ("7", "8")
    assert session.content.neighbors[0].label != near.label


def test_a_press_that_comes_twice_decides_nothing_unseen(digits: Any) -> None:
    session, ids = opened(digits), issues(digits)
    press(session, "1")
    button = next(
        each["view"]
        for each in session.properties()["answers"]["type"]["properties"].values()
        if each["view"]["componentsProps"]["button"]["aria-keyshortcuts"].startswith("2 ")
    )
    events = [session.context("on_decide", **button["params"]) for _ in range(3)]
    events.append(session.context("on_class", value="7"))
    for ctx in events:
        session.run(ctx)
    for ctx in events:
        session.answer(ctx)
    assert set(decisions(digits)) == {ids[0], ids[1]}
    assert item(session) == ids[2]


def test_what_somebody_else_decided_meanwhile_is_not_overwritten(digits: Any) -> None:
    from loupe.brain.store.review import decisions as review

    session, ids = opened(digits), issues(digits)
    theirs = Decision("false_alarm", by="ben", at="2026-01-02T03:04:05.000+00:00")
    review.write(digits, "label_issue", {ids[0]: theirs, ids[2]: theirs})
    press(session, "1")
    assert any("Somebody else has decided" in message for message in session.messages)
    assert item(session) == ids[0]
    assert "ben decided" in text(session, "stands")
    assert decisions(digits)[ids[0]] == theirs
    assert corrected(digits)[ids[0]] == given(digits)[ids[0]]
    press(session, "1")  # seen now: it may be decided otherwise
    press(session, "1")
    assert item(session) == ids[3], "the third is ben's"
    assert len(decisions(digits)) == 3


def test_two_reviewers_in_two_browsers_lose_nothing(digits: Any) -> None:
    left, right, ids = opened(digits), opened(digits), issues(digits)
    for session in (left, right, right, left, left, right):
        before = item(session)
        press(session, "1")
        if before == item(session):  # the other one was first
            press(session, "ArrowRight")
    made = decisions(digits)
    assert set(made) <= set(ids[:6])
    assert all(corrected(digits)[each] == decision.correction for each, decision in made.items())
