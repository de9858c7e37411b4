"""The panel "Review" where something is missing, large, changed under it, or not to be reviewed at all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from panel_session import PanelSession, within
from reviewable import fill, order
from reviewing import item, opened, press, statuses

pytestmark = [pytest.mark.slow, pytest.mark.database]


def test_it_reviews_what_the_view_shows(houses: Any) -> None:
    session = opened(houses)
    session.view = houses.limit(20)._serialize()
    session.call("on_change_view")
    inside = set(houses.limit(20).values("id"))
    assert session.content.result.flagged == len(inside & set(order(houses)))
    assert set(session.state["seen"]["strip"]) <= inside


def test_a_large_queue_is_read_in_parts(houses: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from loupe.brain.store.review import queue as review_queue

    monkeypatch.setattr(review_queue, "LENGTH", 4)
    monkeypatch.setattr(review_queue.queue, "__defaults__", (4,))
    session, ids = opened(houses), order(houses)
    for _ in range(10):
        press(session, "answer_real")
    assert item(session) == ids[10]
    assert session.content.result.precision.n == 10


def test_it_says_what_to_do_where_nothing_can_be_reviewed(new_dataset: Callable[[], Any]) -> None:
    import fiftyone as fo

    from loupe.panels.review_failures.panel import Review

    assert "Open a dataset" in str(PanelSession(Review(), None).output)
    dataset = new_dataset()
    assert "There are no samples here" in str(opened(dataset).output)
    dataset.add_sample(fo.Sample(filepath="/nowhere/a.png"))
    session = opened(dataset)
    assert "Nothing here has been checked yet" in str(session.output)
    assert session.shown() == ["notice", "action"]


def test_a_failure_that_nothing_has_is_said(houses: Any) -> None:
    import loupe

    loupe.flag(houses, {"blur": 0.0})
    session = opened(houses)
    session.call("on_failure", value="blur")
    assert "No sample is flagged as Blur here: choose another failure" in str(session.properties()["nothing"])


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("patches", "got a view of patches, which cannot keep scores"),
        ("frames", "got a view of frames of videos"),
        ("groups", "media type 'group': give a slice of images"),
    ],
)
def test_views_of_parts_are_not_reviewed(new_dataset: Callable[[], Any], paths: list[str], kind: str, why: str) -> None:
    import fiftyone as fo

    dataset = new_dataset()
    if kind == "groups":
        group = fo.Group()
        dataset.add_group_field("group", default="a")
        samples = [fo.Sample(filepath=path, group=group.element(n)) for path, n in zip(paths, "ab", strict=False)]
        dataset.add_samples(samples)
        view = dataset.view()
    elif kind == "frames":
        video = fo.Sample(filepath="/nowhere/a.mp4")
        video.frames[1] = fo.Frame(filepath=paths[0])
        dataset.add_sample(video)
        view = dataset.to_frames()
    else:
        fill(dataset, paths[:10])
        view = dataset.to_patches("overlays")
    session = opened(dataset)
    session.view = view._serialize()
    session.call("on_change_view")
    assert why in str(session.output)
    assert session.shown() == ["notice", "action"]


def test_files_that_are_gone_have_no_marks_and_no_crash(houses: Any) -> None:
    houses.set_values("filepath", [f"/nowhere/{n}.png" for n in range(60)])
    session = opened(houses)
    session.call("on_failure", value="watermark")
    seen = session.properties()["seen"]["type"]["properties"]
    assert list(seen) == ["picture"], "no close-up of what cannot be placed"
    assert list(seen["picture"]["type"]["properties"]) == ["large"]
    assert "watermark &lt;i&gt;" in str(session.properties()["evidence"])


def test_what_the_app_may_send_breaks_nothing(houses: Any) -> None:
    session = opened(houses)
    for value in (None, 3, [], {"a": 1}, "nonsense", "$where"):
        session.call("on_failure", value=value)
        session.call("on_order", value=value)
        session.call("on_wanted", value=value)
        session.call("on_pick", id=value)
        session.call("on_show", which=value)
    session.state["choices"] = {**session.state["choices"], "undo": [["x" * 24, None, {"status": "real"}]], "item": 3}
    session.state["serial"] += 100
    session.call("on_refresh")
    assert item(session)
    assert statuses(houses) == {}


def test_a_deleted_field_of_decisions_is_no_decision(houses: Any) -> None:
    session, ids = opened(houses), order(houses)
    press(session, "answer_real")
    houses.delete_sample_field("review")
    press(session, "answer_real")
    assert set(statuses(houses)) == {ids[1]}
    session.call("on_refresh")
    assert session.content.result.decided == 1


def test_decisions_of_many_threads_at_once_are_all_written(houses: Any) -> None:
    """As of quick keys: the App sends the next event before the answer to the one before has come."""
    session = opened(houses)
    step = session.state["choices"]["step"]
    threads = [
        threading.Thread(target=lambda: session.run(session.context("on_decide", answer="real", step=step)))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(statuses(houses)) == 1


def test_the_buttons_name_their_keys(houses: Any) -> None:
    session = opened(houses)
    keys = {
        name: each["view"]["componentsProps"]["button"]["aria-keyshortcuts"]
        for name, each in session.properties()["answers"]["type"]["properties"].items()
    }
    assert keys == {
        "answer_real": "1 r",
        "answer_false_alarm": "2 f",
        "answer_unsure": "3 u",
        "undo": "z Backspace",
        "back": "ArrowLeft",
        "forward": "ArrowRight",
    }
    assert within(session.properties(), "notes")
