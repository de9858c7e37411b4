"""What the panel "Thresholds" draws, run as the App runs it, against the samples' own fields."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from threshold_session import N, counts, move, stored_scores

pytestmark = [pytest.mark.slow, pytest.mark.database]


def test_the_share_and_its_interval_are_said_where_anything_is_judged(session: Any) -> None:
    from loupe.brain.stats.intervals import wilson

    preview = session.content.preview
    failing = int((stored_scores(session) < np.float32(0.6)).sum())
    low, high = (float(end) for end in wilson(failing, N - N // 10))
    assert (preview.rate, preview.low, preview.high) == pytest.approx((failing / (N - N // 10), low, high))
    assert f"({100 * preview.rate:.1f} %, 95 % interval {100 * preview.low:.1f} % to" in counts(session)


def test_the_count_is_beside_that_of_the_threshold_in_use(session: Any) -> None:
    scores = stored_scores(session)
    used = int((scores < np.float32(0.6)).sum())
    more = int((scores < np.float32(0.8)).sum()) - used
    move(session, 0.8)
    assert f"**{more} more** than below 0.6, which is in use ({used})" in counts(session)
    assert not session.properties()["buttons"]["type"]["properties"]["save"]["view"]["disabled"]


@pytest.mark.parametrize("value", [0.6, 0.8, 0.1])
def test_a_threshold_on_a_score_shows_just_what_it_counts(session: Any, value: float) -> None:
    # numbers as they come from a check, and as a person writes them: 0.8 is no float32
    session.dataset.set_values("quality.sharpness", [value, float(np.float32(value)), *([0.7] * (N - 2))])
    session.call("on_refresh")
    move(session, value)
    failing = session.content.preview.histogram.failing
    for method, expected in (("on_show_failing", sum(failing)), ("on_show_passing", N - sum(failing))):
        session.call(method)
        assert len(session.samples()) == (expected or N)  # nothing to show leaves the view alone
        session.call("on_show_all")


def test_pictures_are_those_next_to_the_line_and_a_file_name_is_no_markup(session: Any) -> None:
    move(session, 0.8)
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


def test_a_view_of_ones_own_is_what_is_counted(session: Any) -> None:
    from fiftyone.operators.operations import _serialize_view

    part = session.dataset.match({"scenario.weather": "fog"})
    session.view = _serialize_view(part)
    session.call("on_change_view")
    known = [score for score in part.values("quality.sharpness") if score is not None]
    assert session.content.preview.histogram.judged == len(known)
    assert session.content.preview.histogram.unknown == len(part) - len(known)
    move(session, 0.8)
    session.call("on_show_failing")
    assert len(session.samples()) == int((np.float32(known) < np.float32(0.8)).sum())
    session.call("on_show_all")
    assert len(session.samples()) == len(part)


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


def test_a_score_that_no_sample_has_is_not_offered(session: Any) -> None:
    session.dataset.set_values("quality.seam", [None] * N)
    session.call("on_refresh")
    assert "seam" not in session.content.modes
    assert "blur" in session.content.modes
    session.call("on_failure", value="seam")
    assert session.content.preview.failure != "seam"
    session.call("on_failure", value="no such thing")
    assert session.content is not None


def test_what_to_do_next_where_there_is_nothing_to_draw(dataset: Any) -> None:
    import fiftyone as fo
    from panel_session import PanelSession

    from loupe.brain.core import registry
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

    store_scores.declare(dataset, [registry.failures()["blur"][1]])
    dataset.set_values("checked", [{"sharpness": "made up"}] * 4)
    session.call("on_refresh")
    assert "could judge none" in session.state["notice"]["text"]

    dataset.set_values("quality.sharpness", [0.5, 0.9, None, 0.9])
    session.call("on_refresh")
    assert session.state["notice"] is None
    assert session.content.modes == {"blur": 0}  # not flagged yet
    assert session.content.preview.histogram.judged == 3
