"""The panel "Review", run as the App runs it: decisions, undo, other reviewers, orders, a better threshold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from panel_session import PanelSession
from reviewable import order
from reviewing import inside, item, opened, press, statuses, text

from loupe.brain.core.review import Decision

pytestmark = [pytest.mark.slow, pytest.mark.database]


def test_a_decision_is_written_and_the_next_picture_comes(houses: Any) -> None:
    session, ids = opened(houses), order(houses)
    assert session.state["choices"]["failure"] == "blur"
    assert item(session) == ids[0]
    press(session, "answer_real")
    press(session, "answer_false_alarm")
    press(session, "answer_unsure")
    assert statuses(houses) == {ids[0]: "real", ids[1]: "false_alarm", ids[2]: "unsure"}
    assert item(session) == ids[3]
    assert f"**3 of {len(ids)}** flagged reviewed" in text(session)
    assert "precision so far **50 % [9, 91]** (1 of 2) · 1 unsure, left out" in text(session)
    import getpass

    houses.reload()
    assert houses[ids[0]].review.blur.by == getpass.getuser()
    import loupe

    # the panel counts as it goes; the verb reads it all anew
    (result,) = loupe.reviewed(houses)
    assert session.content.result.to_dict() == result.to_dict()


def test_a_press_that_comes_twice_decides_nothing_unseen(houses: Any) -> None:
    session, ids = opened(houses), order(houses)
    button = inside(session)["answer_real"]["view"]["params"]
    events = [session.context("on_decide", **button) for _ in range(3)]
    for ctx in events:
        session.run(ctx)
    for ctx in events:
        session.answer(ctx)
    assert statuses(houses) == {ids[0]: "real"}
    assert item(session) == ids[1]
    session.call("on_decide", answer="real")  # without its step
    session.call("on_decide", answer="wrong", step=session.state["choices"]["step"])
    assert len(statuses(houses)) == 1


def test_undo_takes_back_one_after_the_other_and_shows_them(houses: Any) -> None:
    session, ids = opened(houses), order(houses)
    for answer in ("answer_real", "answer_unsure", "answer_real"):
        press(session, answer)
    press(session, "undo")
    assert item(session) == ids[2]
    press(session, "undo")
    assert item(session) == ids[1]
    assert statuses(houses) == {ids[0]: "real"}
    press(session, "answer_false_alarm")
    # what was taken back before is open, and comes next
    assert item(session) == ids[2]
    press(session, "undo")
    press(session, "undo")
    assert statuses(houses) == {}
    assert inside(session)["undo"]["view"]["disabled"]
    assert session.content.result.decided == 0
    assert session.content.result.by == {}


def test_undo_of_a_changed_decision_gives_back_the_first(houses: Any) -> None:
    from loupe.brain.store.review import decisions as review

    session, ids = opened(houses), order(houses)
    first = Decision("real", by="anna", at="2026-01-02T03:04:05.000+00:00", note="edge")
    review.write(houses, "blur", {ids[0]: first})
    session.call("on_refresh")
    assert item(session) == ids[1]
    press(session, "answer_real")
    press(session, "back")
    press(session, "answer_false_alarm")
    press(session, "undo")
    assert review.standing(houses, "blur", [ids[1]])[ids[1]].status == "real"
    assert review.standing(houses, "blur", [ids[0]]) == {ids[0]: first}


def test_a_note_travels_with_the_press(houses: Any) -> None:
    session, ids = opened(houses), order(houses)
    note = "<img src=x onerror=alert(1)> $set.a"
    session.state["notes"] = {f"note__{session.state['choices']['step']}": note, "note__99": "another picture's"}
    press(session, "answer_unsure")
    houses.reload()
    assert houses[ids[0]].review.blur.note == note
    press(session, "back")
    shown = str(session.properties()["evidence"])
    assert "<img" not in shown
    assert "&lt;img" in shown
    session.state["notes"] = 3
    press(session, "answer_real")
    assert houses.reload() is None
    assert houses[ids[0]].review.blur.note == ""


def test_back_and_next_decide_nothing(houses: Any) -> None:
    session, ids = opened(houses), order(houses)
    assert inside(session)["back"]["view"]["disabled"]
    press(session, "forward")
    press(session, "forward")
    assert item(session) == ids[2]
    press(session, "back")
    assert item(session) == ids[1]
    assert statuses(houses) == {}
    press(session, "answer_real")
    assert item(session) == ids[2]
    # one was left out: the precision waits for it
    assert session.content.result.precision.n == 0
    session.call("on_pick", id=session.state["seen"]["strip"][0])
    assert item(session) == ids[0]
    session.call("on_pick", id="0" * 24)
    assert item(session) == ids[0]


def test_what_somebody_else_decided_meanwhile_is_not_overwritten(houses: Any) -> None:
    from loupe.brain.store.review import decisions as review

    session, ids = opened(houses), order(houses)
    theirs = Decision("false_alarm", by="ben", at="2026-01-02T03:04:05.000+00:00")
    review.write(houses, "blur", {ids[0]: theirs, ids[2]: theirs})
    press(session, "answer_real")
    assert any("Somebody else has decided" in message for message in session.messages)
    assert item(session) == ids[0]
    assert "ben decided" in str(session.properties()["evidence"])
    assert review.standing(houses, "blur", [ids[0]]) == {ids[0]: theirs}
    # seen now: it may be decided otherwise
    press(session, "answer_real")
    assert statuses(houses)[ids[0]] == "real"
    press(session, "answer_real")
    assert item(session) == ids[3], "the third is ben's"
    assert session.content.result.decided == 3
    assert session.content.result.by["ben"] == 1


def test_two_reviewers_in_two_browsers_lose_nothing(houses: Any) -> None:
    left, right, ids = opened(houses), opened(houses), order(houses)
    for session in (left, right, right, left, left, right):
        before = item(session)
        press(session, "answer_real")
        if before == item(session):  # the other one was first
            press(session, "forward")
    assert set(statuses(houses).values()) == {"real"}
    assert set(statuses(houses)) <= set(ids[:6])
    left.call("on_refresh")
    assert left.content.result.decided == len(statuses(houses))


def test_a_deleted_sample_is_left_out(houses: Any) -> None:
    session, ids = opened(houses), order(houses)
    houses.delete_samples([ids[0], ids[1]])
    press(session, "answer_real")
    assert item(session) == ids[2]
    assert statuses(houses) == {}
    press(session, "answer_real")
    assert session.content.result.flagged == len(ids) - 2
    assert session.content.result.precision.n == 1


@pytest.mark.parametrize("name", ["worst", "threshold", "passed"])
def test_each_order_gives_its_samples(houses: Any, name: str) -> None:
    session, flagged = opened(houses), set(order(houses))
    session.call("on_order", value=name)
    scores = dict(zip(houses.values("id"), houses.values("quality.sharpness"), strict=True))
    seen = []
    for _ in range(8):
        seen.append(item(session))
        press(session, "answer_real" if item(session) in flagged else "answer_false_alarm")
    if name == "worst":
        assert seen == sorted(flagged, key=lambda each: scores[each])[:8]
        assert session.content.result.not_drawn + session.content.result.precision.n == 8
        assert "seen in another order" in text(session)
    if name == "threshold":
        distances = sorted(abs(score - 0.6) for score in scores.values())
        assert [abs(scores[each] - 0.6) for each in seen] == pytest.approx(distances[:8])
    if name == "passed":
        assert not set(seen) & flagged
        assert session.content.result.passed_reviewed == 8
        assert session.content.result.decided == 0


def test_unsure_ones_come_again(houses: Any) -> None:
    session, ids = opened(houses), order(houses)
    for _ in range(3):
        press(session, "answer_unsure")
    session.call("on_order", value="unsure")
    assert item(session) == ids[0]
    press(session, "answer_real")
    press(session, "answer_unsure")
    assert item(session) == ids[2]
    press(session, "answer_real")
    assert "Nobody is unsure" in str(session.properties()["nothing"])
    assert statuses(houses) == {ids[0]: "real", ids[1]: "unsure", ids[2]: "real"}
    session.call("on_order", value="unsure")
    assert item(session) == ids[1]


def test_at_the_end_it_says_what_to_do_next(houses: Any) -> None:
    session = opened(houses)
    session.call("on_failure", value="watermark")
    while item(session):
        seen = session.properties()["seen"]["type"]["properties"]
        assert "marks" in seen["picture"]["type"]["properties"]
        assert list(seen["close_ups"]["type"]["properties"]) == ["close_up0"]
        press(session, "answer_real")
    assert "All 12 flagged samples were reviewed" in str(session.properties()["nothing"])
    assert inside(session)["answer_real"]["view"]["disabled"]
    press(session, "undo")
    assert item(session)
    session.call("on_failure", value="blur")
    assert inside(session)["undo"]["view"]["disabled"], "what was decided of another failure is not undone here"
    assert statuses(houses, "blur") == {}


def test_a_better_threshold_is_offered_and_used(houses: Any) -> None:
    session = opened(houses)
    names = dict(zip(houses.values("id"), houses.values("filepath"), strict=True))
    while item(session):
        blurred = int(Path(names[item(session)]).stem) % 2 == 1
        press(session, "answer_real" if blurred else "answer_false_alarm")
    offer = session.content.result.offer
    session.call("on_wanted", value="0.95")
    assert session.content.result.offer.wanted == 0.95
    session.call("on_wanted", value="nonsense")
    session.call("on_wanted", value="0.9")
    assert offer.threshold is not None, offer.reason
    before = len(order(houses))
    session.call("on_apply")
    after = len(order(houses))
    assert after == offer.flags < before
    from loupe.brain.store import runs

    used = runs.load_thresholds(houses)["blur"]
    assert used.value == offer.threshold.value
    assert used.source.startswith(f"review of {before} samples by ")
    assert f"(review of {before} samples" in str(session.output) or session.content.item is None
    assert session.content.result.flagged == after
    # the panel that moves thresholds says where this one is from
    from loupe.panels.thresholds.panel import Thresholds

    thresholds = PanelSession(Thresholds(), houses)
    thresholds.call("on_failure", value="blur")
    assert f", from the review of {before} samples by " in str(thresholds.output)


def test_piles_are_shown_in_the_grid_and_the_panel_stays(houses: Any) -> None:
    session = opened(houses)
    for answer in ("answer_real", "answer_real", "answer_false_alarm"):
        press(session, answer)
    now = item(session)
    press(session, "show_real")
    assert len(session.samples()) == 2
    assert item(session) == now
    press(session, "answer_real")
    assert len(session.samples()) == 3, "the grid's view is a rule, not a list"
    press(session, "show_all")
    assert session.view == []
    press(session, "annotate")
    assert session.prompted == ["@loupe/loupe/annotate"]
    session.call("on_show", which="nothing")


def test_more_like_this_is_shown_in_the_grid_and_the_queue_stays(houses: Any) -> None:
    import numpy as np

    import loupe

    session = opened(houses)
    now = item(session)
    press(session, "more_like")
    assert session.prompted == ["@loupe/loupe/embed"]
    assert "no vectors yet" in session.messages[-1]
    houses.set_values("embeddings", list(np.random.default_rng(0).normal(size=(len(houses), 6))))
    press(session, "more_like")
    made = loupe.more_like(houses, now, 24)
    assert [str(sample.id) for sample in session.samples()] == list(made.ids)
    assert item(session) == now
    assert session.content.result.flagged == len(order(houses)), "the queue is of all samples as before"
    press(session, "answer_real")
    assert statuses(houses) == {now: "real"}
    press(session, "more_like")
    after = item(session)
    assert after != now
    assert [str(sample.id) for sample in session.samples()] == list(loupe.more_like(houses, after, 24).ids)
    press(session, "show_real")
    assert [str(sample.id) for sample in session.samples()] == [now], "one narrowing takes the place of the other"
    press(session, "more_like")
    press(session, "show_all")
    assert session.view == []
    # what stands in the view's way is no error
    session.view = houses.select([now])._serialize()
    session.call("on_change_view")
    session.call("on_more_like")
