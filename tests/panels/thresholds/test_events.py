"""What the panel "Thresholds" does when something is moved, pressed or comes late, against ``flag``."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from threshold_session import N, counts, failing, move, stored_scores

pytestmark = [pytest.mark.slow, pytest.mark.database]


def test_moving_the_slider_counts_exactly_and_writes_nothing(session: Any) -> None:
    before = session.dataset.values("failures.classifications.label")
    scores = stored_scores(session)
    for value in (0.61, 0.75, 0.9, 0.0, 1.0):
        move(session, value)
        failing = int((scores < np.float32(value)).sum())
        assert f"**{failing:,} of {N - N // 10}** judged fail below {value:g}" in counts(session)
        assert f"**{N // 10}** unknown" in counts(session)
        assert not re.search("nan|undefined|None", counts(session))
        fails = session.content.preview.histogram.failing
        assert sum(fails) == failing
    assert session.dataset.values("failures.classifications.label") == before
    assert len(json.dumps(session.state)) < 2_000


def test_while_the_line_moves_no_score_is_read_again(session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from loupe.brain.store import thresholds_view

    failures: list[str] = []
    read = thresholds_view.read
    monkeypatch.setattr(
        thresholds_view, "read", lambda view, failure: (failures.append(failure), read(view, failure))[1]
    )
    for value in (0.7, 0.8):
        move(session, value)
    session.call("on_pick", x=0.75)
    session.call("on_show_failing")
    session.call("on_default")
    assert failures == []
    session.dataset.set_values("quality.sharpness", [0.5] * N)
    session.call("on_refresh")
    assert failures == ["blur"]
    assert session.content.preview.histogram.judged == N


def test_saving_flags_anew_and_keeps_who_and_when_and_there_is_a_way_back(session: Any) -> None:
    import getpass

    from loupe.brain.store import runs

    by_default = failing(session)
    move(session, 0.85)
    session.call("on_save")
    session.dataset.reload()
    expected = int((stored_scores(session) < np.float32(0.85)).sum())
    assert failing(session) == expected > by_default
    stored = runs.load_thresholds(session.dataset)["blur"]
    assert (stored.op, stored.value, stored.source, stored.by) == ("<", 0.85, "user", getpass.getuser())
    assert abs(datetime.fromisoformat(stored.at) - datetime.now(UTC)) < timedelta(minutes=5)
    origin = session.properties()["buttons"]["type"]["properties"]["origin"]["default"]
    assert origin.startswith("In use: below 0.85. Set by")
    assert session.content.preview.used.value == 0.85
    assert session.content.modes["blur"] == expected
    assert session.messages

    session.call("on_default")
    session.dataset.reload()
    assert failing(session) == by_default
    assert "blur" not in runs.load_thresholds(session.dataset)
    assert session.content.preview.threshold.value == 0.6
    # nothing is saved: only the line goes back
    move(session, 0.9)
    session.call("on_default")
    assert session.content.preview.threshold.value == 0.6


def test_saving_in_a_part_of_the_samples_leaves_no_sample_by_the_old_threshold(session: Any) -> None:
    from fiftyone.operators.operations import _serialize_view

    session.view = _serialize_view(session.dataset.limit(20))
    session.call("on_change_view")
    assert session.content.preview.histogram.judged == 18
    move(session, 0.85)
    session.call("on_save")
    assert failing(session) == int((stored_scores(session) < np.float32(0.85)).sum())


def test_the_buttons_show_either_side_the_nearest_and_all_again(session: Any) -> None:
    move(session, 0.8)
    drawn = session.content
    scores = stored_scores(session)
    fails = int((scores < np.float32(0.8)).sum())
    for method, expected in (("on_show_failing", fails), ("on_show_passing", N - N // 10 - fails)):
        session.call(method)  # each from all samples, whatever was shown before
        assert len(session.samples()) == expected
        assert None not in session.samples().values("quality.sharpness")
        assert session.content is drawn
        assert "show_all" in session.properties()["views"]["type"]["properties"]
    session.call("on_show_examples")
    shown = session.samples().values("quality.sharpness")
    assert len(shown) == 8
    nearest = np.sort(np.abs(scores[~np.isnan(scores)] - 0.8))
    assert sorted(abs(np.float32(shown) - 0.8))[0] == pytest.approx(nearest[0])
    assert session.samples().values("id") == [
        example.id for example in (*drawn.preview.failing, *drawn.preview.passing)
    ]
    session.call("on_show_all")
    assert session.view == []
    assert "show_all" not in session.properties()["views"]["type"]["properties"]


def test_a_click_in_the_plot_puts_the_line_and_the_slider_there(session: Any) -> None:
    turn = session.state["turn"]
    session.call("on_pick", x=0.7312)
    assert session.content.preview.threshold.value == pytest.approx(0.73)
    assert session.state["turn"] == turn + 1
    slider = next(iter(session.properties()["slider"]["type"]["properties"].values()))
    assert slider["view"]["componentsProps"]["slider"]["defaultValue"] == pytest.approx(0.73)
    for x in (None, "0.5", True, [1]):
        session.call("on_pick", x=x)
    assert session.content.preview.threshold.value == pytest.approx(0.73)


def test_a_slider_that_is_moved_stays_and_one_that_is_out_of_date_is_made_anew(session: Any) -> None:
    def name() -> str:
        return next(iter(session.properties()["slider"]["type"]["properties"]))

    first = name()
    for value in (0.7, 0.71):
        move(session, value)
        assert name() == first  # a new one would lose the keyboard
    session.call("on_refresh")
    second = name()
    assert second != first
    # it was moved before the answer to the refresh had come: its thumb is in a slider that is gone
    session.call("on_move", value=0.8, path=f"slider.{first}")
    assert session.content.preview.threshold.value == 0.8
    assert name() not in (first, second)


def test_what_the_app_says_late_draws_nothing(session: Any) -> None:
    move(session, 0.8)
    state, session.output = dict(session.state), {}
    session.call("on_change_view")
    move(session, 3.0, "dark")  # of a slider that is not shown any more
    for value in ("0.7", None, float("nan"), True):
        move(session, value)  # type: ignore[arg-type]
    assert session.output == {}
    assert session.state == state


def test_a_late_event_with_an_older_value_is_dropped(session: Any) -> None:
    def late(value: float) -> Any:
        """A move that the App sends now, and that comes later."""
        path = f"slider.blur__{session.state['turn']}"
        return session.context("on_move", value=value, path=path)

    def value() -> float:
        return float(session.content.preview.threshold.value)

    # two moves of one slider that come the wrong way round: the first one was sent before the second was drawn
    move(session, 0.7)
    old = late(0.71)
    move(session, 0.72)
    move(session, 0.73)
    session.run(old)
    session.answer(old)
    assert value() == 0.73
    # two that were sent one after the other, with no answer between: in the order in which they come
    first, second = late(0.74), late(0.75)
    for each in (first, second):
        session.run(each)
        session.answer(each)
    assert value() == 0.75
    # what puts the line elsewhere is later than what the slider sent before
    for method, params, expected in (
        ("on_pick", {"x": 0.9}, 0.9),
        ("on_default", {}, 0.6),
        ("on_failure", {"value": "dark"}, None),
        ("on_failure", {"value": "blur"}, 0.6),
    ):
        old = late(0.77)
        session.call(method, **params)
        session.run(old)
        session.answer(old)
        assert expected is None or value() == pytest.approx(expected), method
    old = late(0.66)
    move(session, 0.65)
    session.call("on_save")
    session.run(old)
    session.answer(old)
    assert value() == 0.65
    # and the slider that is drawn now moves the line
    move(session, 0.8)
    assert value() == 0.8


def test_thresholds_of_an_older_version_are_read(session: Any) -> None:
    session.dataset.info["loupe"] = {"thresholds": {"blur": {"op": "<", "value": 0.7, "source": "user", "basis": ""}}}
    session.dataset.save()
    session.call("on_failure", value="blur")
    assert session.content.preview.threshold.value == 0.7
    assert "Set by hand" in session.properties()["buttons"]["type"]["properties"]["origin"]["default"]


def test_a_threshold_given_as_a_number_is_kept_with_who_and_when(session: Any, monkeypatch: Any) -> None:
    import getpass

    import loupe

    def nobody() -> str:
        raise OSError("no such user id")

    monkeypatch.setattr(getpass, "getuser", nobody)
    given = loupe.flag(
        session.dataset, {"blur": 0.7, "dark": loupe.Threshold("<", 0.4, source="calibrated:x")}
    ).thresholds
    assert given["blur"].by == ""
    assert given["blur"].at
    assert (given["dark"].by, given["dark"].at, given["seam"].at) == ("", "", "")
