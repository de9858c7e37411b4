"""The panel "Thresholds", run as the App runs it, against ``flag`` and the samples' own fields."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

# each test fills a dataset of its own
pytestmark = pytest.mark.slow


def _output(failure: str) -> Any:
    from loupe.brain.core import registry

    return registry.failures()[failure][1]


@pytest.mark.parametrize(
    ("failure", "scores", "within"),
    [
        ("blur", [0.5, 0.9], (0.0, 1.0)),  # the score's own bounds are near
        ("motion_blur", [-1.0, 4.5], (-1.0, 4.5)),  # -100 to 100 is nowhere near
        ("halo", [0.01, 0.02, 0.011] * 200 + [1.9], (0.0, 0.2)),  # one far out does not stretch it
        ("text_omission", [0.0, 0.0, 7.0], (0.0, 7.0)),
        ("exact_duplicate", [0.0, 0.0], (0.0, 1.0)),
        ("unreadable", [0.0, 0.0, 1.0], (0.0, 1.0)),
        ("blur", [0.5], (0.0, 1.0)),
        ("blur", [], (0.0, 1.0)),
    ],
)
def test_a_slider_covers_what_was_measured_in_fine_steps(
    failure: str, scores: list[float], within: tuple[float, float]
) -> None:
    from loupe.brain.stats.histogram import BARS, STEPS, histogram, score_range

    output = _output(failure)
    column = np.array([*scores, np.nan], dtype=np.float32)
    over = score_range(output, column, output.default_threshold.value)
    assert over.low <= min(within[0] + over.step, output.default_threshold.value)
    assert over.high >= max(np.quantile(scores or [0], 0.9), output.default_threshold.value)
    assert over.low >= within[0] - over.step
    assert over.high <= within[1] + over.step
    assert 2 <= over.positions <= STEPS + 2
    assert over.whole or over.positions >= 50
    assert over.whole or over.nearest(output.default_threshold.value) == pytest.approx(output.default_threshold.value)
    drawn = histogram(column, output.default_threshold, over)
    assert len(drawn.passing) == len(drawn.failing) <= BARS + 1
    assert sum(drawn.passing) + sum(drawn.failing) == drawn.judged == len(scores)
    assert (drawn.failed, drawn.unknown) == (int(output.default_threshold.violates(column).sum()), 1)


@pytest.mark.parametrize("op", ["<", ">"])
def test_what_each_step_would_flag_is_what_the_threshold_flags(op: Any) -> None:
    from loupe.brain.core.records import Threshold
    from loupe.brain.stats.histogram import Range, histogram

    rng = np.random.default_rng(0)
    scores = rng.integers(0, 101, 500).astype(np.float32) / np.float32(
        100
    )  # on the steps, where it is easy to be wrong
    scores[rng.random(500) < 0.1] = np.nan
    over = Range(0.0, 1.0, 0.01)
    drawn = histogram(scores, Threshold(op, 0.5), over)
    for position, count in enumerate(drawn.steps):
        assert count == int(Threshold(op, over.at(position)).violates(scores).sum())


def test_counts_have_a_bar_each_and_the_line_stands_between_two_of_them() -> None:
    from loupe.brain.core.records import Threshold
    from loupe.brain.stats.histogram import Histogram, histogram, score_range
    from loupe.panels.histogram import draw

    output = _output("text_omission")
    scores = np.float32([0] * 90 + [1, 1, 2, 5])
    made = histogram(scores, Threshold(">", 1), score_range(output, scores, 0.0))
    assert made.passing[:6] == (90, 2, 0, 0, 0, 0)
    assert made.failing[:6] == (0, 0, 1, 0, 0, 1)
    assert Histogram.from_dict(json.loads(json.dumps(made.to_dict()))) == made
    data, layout = draw(made, output, Threshold(">", 1), Threshold(">", 0))
    assert data[0]["x"][:3] == [0, 1, 2]
    assert [shape["x0"] for shape in layout["shapes"]] == [0.5, 1.5]
    # a bar 45 times the usual one: one picture that fails is still to be seen
    assert "square-root" in layout["yaxis"]["title"]["text"]
    assert max(data[1]["y"]) > 0.1 * max(data[0]["y"])


@pytest.mark.database
def test_who_set_it_and_when_is_said_and_is_text(database: str) -> None:
    from loupe.brain.core.records import Threshold
    from loupe.panels.thresholds_layout import _origin

    default = Threshold("<", 0.6, provenance="flags 1 of 100 clean ImageNet photos")
    anna = Threshold("<", 0.7, "user", by="<b>anna", at="2026-11-24T20:31:05+00:00")
    said = _origin(anna, default)
    assert "Set by &lt;b&gt;anna on 2026" in said
    assert "20:31 UTC" in said.replace("\\", "")
    assert "the default is 0.6" in said
    assert "calibrated by loupe\\_calibrate\\_1" in _origin(
        Threshold("<", 0.7, "calibrated:loupe_calibrate_1"), default
    )
    assert "Set by hand" in _origin(Threshold("<", 0.7, "user"), default)
    assert "Set on later" in _origin(Threshold("<", 0.7, "user", at="later"), default)


def test_an_answer_that_was_overtaken_is_not_drawn() -> None:
    from loupe.panels import latest

    latest.choose("a panel", "blur")
    with pytest.raises(latest.Overtaken), latest.moving("a panel", "blur"), latest.moving("a panel", "blur"):
        pass  # the inner one is the later: it is drawn, the outer is not
    with latest.moving("a panel", "blur"):
        pass
    with pytest.raises(latest.Overtaken), latest.moving("a panel", "dark"):
        raise AssertionError("a slider that is not shown any more moves nothing")
    with pytest.raises(latest.Overtaken), latest.moving("a panel", "blur"):
        latest.choose("a panel", "dark")


N = 300


@pytest.fixture
def session(dataset: Any) -> Any:
    from filled import fill
    from panel_session import PanelSession

    import loupe
    from loupe.panels.thresholds import Thresholds

    fill(dataset, N, files=["/nowhere/<img src=x onerror=alert(1)> &#?.png"], flag=False)
    rng = np.random.default_rng(1)
    scores: list[float | None] = [float(np.float32(score)) for score in rng.normal(0.8, 0.1, N).clip(0, 1)]
    for index in range(0, N, 10):
        scores[index] = None
    dataset.set_values("quality.sharpness", scores)
    loupe.flag(dataset)
    opened = PanelSession(Thresholds(), dataset)
    opened.call("on_failure", value="blur")
    return opened


def _properties(session: Any) -> dict[str, Any]:
    return session.output["type"]["properties"]


def _move(session: Any, value: float, failure: str = "blur") -> None:
    session.call("on_move", value=value, path=f"slider.{failure}__1")


def _said(session: Any) -> str:
    return _properties(session)["counts"]["default"]


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
        assert f"**{failing:,} of {N - N // 10}** judged fail below {value:g}" in _said(session)
        assert f"**{N // 10}** unknown" in _said(session)
        assert not re.search("nan|undefined|None", _said(session))
        fails = session.state["drawn"]["histogram"]["failing"]
        assert sum(fails) == failing
    assert session.dataset.values("failures.classifications.label") == before
    assert len(json.dumps(session.state)) < 20_000


@pytest.mark.database
def test_the_count_is_beside_that_of_the_threshold_in_use(session: Any) -> None:
    scores = _scores(session)
    used = int((scores < np.float32(0.6)).sum())
    more = int((scores < np.float32(0.8)).sum()) - used
    _move(session, 0.8)
    assert f"**{more} more** than below 0.6, which is in use ({used})" in _said(session)
    assert not _properties(session)["buttons"]["type"]["properties"]["save"]["view"]["disabled"]


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
    origin = _properties(session)["buttons"]["type"]["properties"]["origin"]["default"]
    assert origin.startswith("In use: below 0.85. Set by")
    assert session.state["drawn"]["used"]["value"] == 0.85
    assert session.state["modes"]["blur"] == expected
    assert session.said

    session.call("on_default")
    session.dataset.reload()
    assert _failing(session) == by_default
    assert "blur" not in runs.load_thresholds(session.dataset)
    assert session.state["drawn"]["line"]["value"] == 0.6
    # nothing is saved: only the line goes back
    _move(session, 0.9)
    session.call("on_default")
    assert session.state["drawn"]["line"]["value"] == 0.6


@pytest.mark.database
def test_saving_in_a_part_of_the_samples_leaves_no_sample_by_the_old_threshold(session: Any) -> None:
    from fiftyone.operators.operations import _serialize_view

    session.view = _serialize_view(session.dataset.limit(20))
    session.call("on_change_view")
    assert session.state["drawn"]["histogram"]["judged"] == 18
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
    failing = session.state["drawn"]["histogram"]["failing"]
    for method, expected in (("on_show_failing", sum(failing)), ("on_show_passing", N - sum(failing))):
        session.call(method)
        assert len(session.samples()) == (expected or N)  # nothing to show leaves the view alone
        session.call("on_show_all")


@pytest.mark.database
def test_the_buttons_show_either_side_the_nearest_and_all_again(session: Any) -> None:
    _move(session, 0.8)
    drawn = dict(session.state["drawn"])
    scores = _scores(session)
    fails = int((scores < np.float32(0.8)).sum())
    for method, expected in (("on_show_failing", fails), ("on_show_passing", N - N // 10 - fails)):
        session.call(method)  # each from all samples, whatever was shown before
        assert len(session.samples()) == expected
        assert None not in session.samples().values("quality.sharpness")
        assert session.state["drawn"] == drawn
        assert "show_all" in _properties(session)["views"]["type"]["properties"]
    session.call("on_show_examples")
    shown = session.samples().values("quality.sharpness")
    assert len(shown) == 8
    nearest = np.sort(np.abs(scores[~np.isnan(scores)] - 0.8))
    assert sorted(abs(np.float32(shown) - 0.8))[0] == pytest.approx(nearest[0])
    assert session.samples().values("id") == [
        each["id"] for side in ("failing", "passing") for each in drawn["examples"][side]
    ]
    session.call("on_show_all")
    assert session.view == []
    assert "show_all" not in _properties(session)["views"]["type"]["properties"]


@pytest.mark.database
def test_pictures_are_those_next_to_the_line_and_a_file_name_is_no_markup(session: Any) -> None:
    _move(session, 0.8)
    groups = _properties(session)["examples"]["type"]["properties"]
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
    wanted = session.state["drawn"]["examples"]["failing"][0]["id"]
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
    assert session.state["drawn"]["histogram"]["judged"] == len(known)
    assert session.state["drawn"]["histogram"]["unknown"] == len(part) - len(known)
    _move(session, 0.8)
    session.call("on_show_failing")
    assert len(session.samples()) == int((np.float32(known) < np.float32(0.8)).sum())
    session.call("on_show_all")
    assert len(session.samples()) == len(part)


@pytest.mark.database
def test_a_click_in_the_plot_puts_the_line_and_the_slider_there(session: Any) -> None:
    turn = session.state["turn"]
    session.call("on_pick", x=0.7312)
    assert session.state["drawn"]["line"]["value"] == pytest.approx(0.73)
    assert session.state["turn"] == turn + 1
    slider = next(iter(_properties(session)["slider"]["type"]["properties"].values()))
    assert slider["view"]["componentsProps"]["slider"]["defaultValue"] == pytest.approx(0.73)
    for x in (None, "0.5", True, [1]):
        session.call("on_pick", x=x)
    assert session.state["drawn"]["line"]["value"] == pytest.approx(0.73)


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
def test_odd_and_huge_scores_are_drawn_and_counted(session: Any) -> None:
    wild = [1e30, -1e30, float("inf"), 0.0, None, *([3.0] * (N - 5))]
    session.dataset.set_values("quality.motion_blur", wild)
    session.dataset.set_values("quality.text_omission", [5000.0, *([0.0] * (N - 1))])
    for failure, failing in (("motion_blur", N - 3), ("text_omission", 1)):
        session.call("on_failure", value=failure)
        drawn = session.state["drawn"]["histogram"]
        assert drawn["judged"] == N - (failure == "motion_blur")
        assert sum(drawn["failing"]) == failing
        assert len(drawn["steps"]) <= 1100
        text = json.dumps(session.output)
        assert "NaN" not in text
        assert "Infinity" not in text


@pytest.mark.database
def test_a_score_that_no_sample_has_is_not_offered(session: Any) -> None:
    session.dataset.set_values("quality.seam", [None] * N)
    session.call("on_refresh")
    assert "seam" not in session.state["modes"]
    assert "blur" in session.state["modes"]
    session.call("on_failure", value="seam")
    assert session.state["drawn"]["failure"] != "seam"
    session.call("on_failure", value="no such thing")
    assert session.state["drawn"] is not None


@pytest.mark.database
def test_thresholds_of_an_older_version_are_read(session: Any) -> None:
    session.dataset.info["loupe"] = {"thresholds": {"blur": {"op": "<", "value": 0.7, "source": "user", "basis": ""}}}
    session.dataset.save()
    session.call("on_failure", value="blur")
    assert session.state["drawn"]["line"]["value"] == 0.7
    assert "Set by hand" in _properties(session)["buttons"]["type"]["properties"]["origin"]["default"]


@pytest.mark.database
def test_what_to_do_next_where_there_is_nothing_to_draw(dataset: Any) -> None:
    import fiftyone as fo
    from panel_session import PanelSession

    from loupe.brain.store import scores as store_scores
    from loupe.panels.thresholds import Thresholds

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
    assert session.state["modes"] == {"blur": 0}  # not flagged yet
    assert session.state["drawn"]["histogram"]["judged"] == 3


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
