"""The panel "Thresholds", run as the App runs it, against ``flag`` and the samples' own fields."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.slow


def _output(failure: str) -> Any:
    from loupe.brain.core import registry

    return registry.failures()[failure][1]


N = 300


@pytest.fixture(scope="module")
def filled(database: str) -> Iterator[Any]:
    import fiftyone as fo
    from filled import fill

    import loupe

    dataset = fo.Dataset()
    fill(dataset, N, files=["/nowhere/<img src=x onerror=alert(1)> &#?.png"], flag=False)
    rng = np.random.default_rng(1)
    scores: list[float | None] = [float(np.float32(score)) for score in rng.normal(0.8, 0.1, N).clip(0, 1)]
    for index in range(0, N, 10):
        scores[index] = None
    dataset.set_values("quality.sharpness", scores)
    loupe.flag(dataset)
    yield dataset
    dataset.delete()


@pytest.fixture
def session(filled: Any) -> Iterator[Any]:
    from panel_session import PanelSession

    from loupe.panels.thresholds.panel import Thresholds

    dataset = filled.clone()
    opened = PanelSession(Thresholds(), dataset)
    opened.call("on_failure", value="blur")
    yield opened
    dataset.delete()


def _move(session: Any, value: float, failure: str = "blur") -> None:
    session.call("on_move", value=value, path=f"slider.{failure}__{session.state['turn']}")


def _counts(session: Any) -> str:
    return session.properties()["counts"]["default"]


def _scores(session: Any) -> np.ndarray:
    values = session.dataset.values("quality.sharpness")
    return np.array([np.nan if value is None else value for value in values], dtype=np.float32)


def _failing(session: Any, failure: str = "blur") -> int:
    return session.dataset.count_values("failures.classifications.label").get(failure, 0)


@pytest.mark.database
def test_moving_the_slider_counts_exactly_and_writes_nothing(session: Any) -> None:
    before = session.dataset.values("failures.classifications.label")
    scores = _scores(session)
    for value in (0.61, 0.75, 0.9, 0.0, 1.0):
        _move(session, value)
        failing = int((scores < np.float32(value)).sum())
        assert f"**{failing:,} of {N - N // 10}** judged fail below {value:g}" in _counts(session)
        assert f"**{N // 10}** unknown" in _counts(session)
        assert not re.search("nan|undefined|None", _counts(session))
        fails = session.content.preview.histogram.failing
        assert sum(fails) == failing
    assert session.dataset.values("failures.classifications.label") == before
    assert len(json.dumps(session.state)) < 2_000


@pytest.mark.database
def test_while_the_line_moves_no_score_is_read_again(session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from loupe.brain.store import thresholds_view

    failures: list[str] = []
    read = thresholds_view.read
    monkeypatch.setattr(
        thresholds_view, "read", lambda view, failure: (failures.append(failure), read(view, failure))[1]
    )
    for value in (0.7, 0.8):
        _move(session, value)
    session.call("on_pick", x=0.75)
    session.call("on_show_failing")
    session.call("on_default")
    assert failures == []
    session.dataset.set_values("quality.sharpness", [0.5] * N)
    session.call("on_refresh")
    assert failures == ["blur"]
    assert session.content.preview.histogram.judged == N


@pytest.mark.database
def test_the_share_and_its_interval_are_said_where_anything_is_judged(session: Any) -> None:
    from loupe.brain.stats.intervals import wilson

    preview = session.content.preview
    failing = int((_scores(session) < np.float32(0.6)).sum())
    low, high = (float(end) for end in wilson(failing, N - N // 10))
    assert (preview.rate, preview.low, preview.high) == pytest.approx((failing / (N - N // 10), low, high))
    assert f"({100 * preview.rate:.1f} %, 95 % interval {100 * preview.low:.1f} % to" in _counts(session)


@pytest.mark.database
def test_the_count_is_beside_that_of_the_threshold_in_use(session: Any) -> None:
    scores = _scores(session)
    used = int((scores < np.float32(0.6)).sum())
    more = int((scores < np.float32(0.8)).sum()) - used
    _move(session, 0.8)
    assert f"**{more} more** than below 0.6, which is in use ({used})" in _counts(session)
    assert not session.properties()["buttons"]["type"]["properties"]["save"]["view"]["disabled"]


@pytest.mark.database
def test_saving_flags_anew_and_keeps_who_and_when_and_there_is_a_way_back(session: Any) -> None:
    import getpass

    from loupe.brain.store import runs

    by_default = _failing(session)
    _move(session, 0.85)
    session.call("on_save")
    session.dataset.reload()
    expected = int((_scores(session) < np.float32(0.85)).sum())
    assert _failing(session) == expected > by_default
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
    assert _failing(session) == by_default
    assert "blur" not in runs.load_thresholds(session.dataset)
    assert session.content.preview.threshold.value == 0.6
    # nothing is saved: only the line goes back
    _move(session, 0.9)
    session.call("on_default")
    assert session.content.preview.threshold.value == 0.6


@pytest.mark.database
def test_saving_in_a_part_of_the_samples_leaves_no_sample_by_the_old_threshold(session: Any) -> None:
    from fiftyone.operators.operations import _serialize_view

    session.view = _serialize_view(session.dataset.limit(20))
    session.call("on_change_view")
    assert session.content.preview.histogram.judged == 18
    _move(session, 0.85)
    session.call("on_save")
    assert _failing(session) == int((_scores(session) < np.float32(0.85)).sum())


@pytest.mark.database
@pytest.mark.parametrize("value", [0.6, 0.8, 0.1])
def test_a_threshold_on_a_score_shows_just_what_it_counts(session: Any, value: float) -> None:
    # numbers as they come from a check, and as a person writes them: 0.8 is no float32
    session.dataset.set_values("quality.sharpness", [value, float(np.float32(value)), *([0.7] * (N - 2))])
    session.call("on_refresh")
    _move(session, value)
    failing = session.content.preview.histogram.failing
    for method, expected in (("on_show_failing", sum(failing)), ("on_show_passing", N - sum(failing))):
        session.call(method)
        assert len(session.samples()) == (expected or N)  # nothing to show leaves the view alone
        session.call("on_show_all")


@pytest.mark.database
def test_the_buttons_show_either_side_the_nearest_and_all_again(session: Any) -> None:
    _move(session, 0.8)
    drawn = session.content
    scores = _scores(session)
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


@pytest.mark.database
def test_pictures_are_those_next_to_the_line_and_a_file_name_is_no_markup(session: Any) -> None:
    _move(session, 0.8)
    groups = session.properties()["examples"]["type"]["properties"]
    assert list(groups) == ["failing", "passing"]  # in the order of the axis
    for side, group in groups.items():
        pictures = group["type"]["properties"]["pictures"]["type"]["properties"]
        assert len(pictures) == 4
        for picture in pictures.values():
            source = picture["default"]
            assert source.startswith("/media?filepath=%2Fnowhere%2F%3Cimg")
            assert not set("<>#&") & set(source)
            assert (float(picture["view"]["label"].replace("\\", "")) < 0.8) == (side == "failing")
    assert "<img" not in json.dumps(session.output)
    wanted = session.content.preview.failing[0].id
    session.call("on_open", id=wanted)
    session.call("on_open", id="of no picture here")
    assert session.opened == [wanted]


@pytest.mark.database
def test_a_view_of_ones_own_is_what_is_counted(session: Any) -> None:
    from fiftyone.operators.operations import _serialize_view

    part = session.dataset.match({"scenario.weather": "fog"})
    session.view = _serialize_view(part)
    session.call("on_change_view")
    known = [score for score in part.values("quality.sharpness") if score is not None]
    assert session.content.preview.histogram.judged == len(known)
    assert session.content.preview.histogram.unknown == len(part) - len(known)
    _move(session, 0.8)
    session.call("on_show_failing")
    assert len(session.samples()) == int((np.float32(known) < np.float32(0.8)).sum())
    session.call("on_show_all")
    assert len(session.samples()) == len(part)


@pytest.mark.database
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


@pytest.mark.database
def test_a_slider_that_is_moved_stays_and_one_that_is_out_of_date_is_made_anew(session: Any) -> None:
    def name() -> str:
        return next(iter(session.properties()["slider"]["type"]["properties"]))

    first = name()
    for value in (0.7, 0.71):
        _move(session, value)
        assert name() == first  # a new one would lose the keyboard
    session.call("on_refresh")
    second = name()
    assert second != first
    # it was moved before the answer to the refresh had come: its thumb is in a slider that is gone
    session.call("on_move", value=0.8, path=f"slider.{first}")
    assert session.content.preview.threshold.value == 0.8
    assert name() not in (first, second)


@pytest.mark.database
def test_what_the_app_says_late_draws_nothing(session: Any) -> None:
    _move(session, 0.8)
    state, session.output = dict(session.state), {}
    session.call("on_change_view")
    _move(session, 3.0, "dark")  # of a slider that is not shown any more
    for value in ("0.7", None, float("nan"), True):
        _move(session, value)  # type: ignore[arg-type]
    assert session.output == {}
    assert session.state == state


@pytest.mark.database
def test_a_late_event_with_an_older_value_is_dropped(session: Any) -> None:
    def late(value: float) -> Any:
        """A move that the App sends now, and that comes later."""
        path = f"slider.blur__{session.state['turn']}"
        return session.context("on_move", value=value, path=path)

    def value() -> float:
        return float(session.content.preview.threshold.value)

    # two moves of one slider that come the wrong way round: the first one was sent before the second was drawn
    _move(session, 0.7)
    old = late(0.71)
    _move(session, 0.72)
    _move(session, 0.73)
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
    _move(session, 0.65)
    session.call("on_save")
    session.run(old)
    session.answer(old)
    assert value() == 0.65
    # and the slider that is drawn now moves the line
    _move(session, 0.8)
    assert value() == 0.8


@pytest.mark.database
def test_odd_and_huge_scores_are_drawn_and_counted(session: Any) -> None:
    wild = [1e30, -1e30, float("inf"), 0.0, None, *([3.0] * (N - 5))]
    session.dataset.set_values("quality.motion_blur", wild)
    session.dataset.set_values("quality.text_omission", [5000.0, *([0.0] * (N - 1))])
    for failure, failing in (("motion_blur", N - 3), ("text_omission", 1)):
        session.call("on_failure", value=failure)
        drawn = session.content.preview.histogram
        assert drawn.judged == N - (failure == "motion_blur")
        assert sum(drawn.failing) == failing
        assert len(drawn.steps) <= 1100
        text = json.dumps(session.output)
        assert "NaN" not in text
        assert "Infinity" not in text


@pytest.mark.database
def test_a_score_that_no_sample_has_is_not_offered(session: Any) -> None:
    session.dataset.set_values("quality.seam", [None] * N)
    session.call("on_refresh")
    assert "seam" not in session.content.modes
    assert "blur" in session.content.modes
    session.call("on_failure", value="seam")
    assert session.content.preview.failure != "seam"
    session.call("on_failure", value="no such thing")
    assert session.content is not None


@pytest.mark.database
def test_thresholds_of_an_older_version_are_read(session: Any) -> None:
    session.dataset.info["loupe"] = {"thresholds": {"blur": {"op": "<", "value": 0.7, "source": "user", "basis": ""}}}
    session.dataset.save()
    session.call("on_failure", value="blur")
    assert session.content.preview.threshold.value == 0.7
    assert "Set by hand" in session.properties()["buttons"]["type"]["properties"]["origin"]["default"]


@pytest.mark.database
def test_what_to_do_next_where_there_is_nothing_to_draw(dataset: Any) -> None:
    import fiftyone as fo
    from panel_session import PanelSession

    from loupe.brain.store import scores as store_scores
    from loupe.panels.thresholds.panel import Thresholds

    session = PanelSession(Thresholds(), dataset)
    assert "no samples" in session.state["notice"]["text"]

    dataset.add_samples([fo.Sample(filepath=f"/nowhere/{index}.png") for index in range(4)], progress=False)
    session.call("on_refresh")
    assert "no scores" in session.state["notice"]["text"]
    assert session.shown() == ["notice", "action"]
    session.call("on_check")
    assert session.prompted == ["@loupe/loupe/check"]
    for method in ("on_save", "on_default", "on_show_failing", "on_show_all", "on_open", "on_pick"):
        session.call(method)
    assert session.shown() == ["notice", "action"]

    store_scores.declare(dataset, [_output("blur")])
    dataset.set_values("checked", [{"sharpness": "made up"}] * 4)
    session.call("on_refresh")
    assert "could judge none" in session.state["notice"]["text"]

    dataset.set_values("quality.sharpness", [0.5, 0.9, None, 0.9])
    session.call("on_refresh")
    assert session.state["notice"] is None
    assert session.content.modes == {"blur": 0}  # not flagged yet
    assert session.content.preview.histogram.judged == 3


@pytest.mark.database
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
