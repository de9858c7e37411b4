"""The panel "Compare", run as the App runs it, against the verb and the samples' own fields."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.database]

RATES = {"old": 0.15, "new": 0.17, "worst": 0.6}


@pytest.fixture(scope="module")
def filled(database: str) -> Iterator[Any]:
    import fiftyone as fo
    from models_compared import fill_models

    dataset = fo.Dataset()
    fill_models(dataset, RATES, prompts=80, worse_at_night={"new": 0.4})
    yield dataset
    dataset.delete()


def open_on(dataset: Any) -> Any:
    from panel_session import PanelSession

    from loupe.panels.comparison.panel import Compare

    return PanelSession(Compare(), dataset)


@pytest.fixture
def session(filled: Any) -> Any:
    return open_on(filled)


def _trace(session: Any, plot: str, name: str) -> dict[str, Any]:
    return next(trace for trace in _plot(session, plot)["data"] if trace["name"] == name)


def _plot(session: Any, name: str) -> dict[str, Any]:
    from panel_session import within

    view: dict[str, Any] = within(session.properties(), f"{name}_scrolled", "wide", name)["view"]
    return view


def _text(session: Any) -> str:
    return json.dumps(session.output)


def test_the_leaderboard_is_the_verbs(session: Any, filled: Any) -> None:
    import loupe

    comparison = loupe.compare(filled)
    drawn = session.content.comparison
    assert [own.to_dict() for own in drawn.standings] == [own.to_dict() for own in comparison.standings]
    assert drawn.differences == comparison.differences
    assert session.shown() == [
        *("controls", "more", "head", "leaderboard_scrolled", "notes", "two", "verdict", "buttons"),
        *("slices_scrolled", "legend", "regressions"),
    ]
    facts = _trace(session, "leaderboard", "facts")
    for own, text in zip(comparison.standings, facts["hovertext"], strict=True):
        assert f"{own.rate.failures} of {own.rate.n} judged" in text
        assert f"unknown: {own.rate.unknown} · not checked: {own.rate.unchecked}" in text
    assert facts["y"] == [0, 1, 2]
    assert not [word for word in ("undefined", "nan", "None,") if word in _text(session).replace("dominant", "")]


def test_two_of_them_slice_by_slice_are_what_the_verb_says_of_each_slice(session: Any, filled: Any) -> None:
    import loupe

    session.call("on_new", value="new")
    session.call("on_old", value="old")
    two = session.content.two
    assert (two.difference.a, two.difference.b, two.factor) == ("new", "old", "scenario.time")
    assert two.changed.values == ("day", "night")
    for value, own in zip(two.changed.values, two.changed.differences, strict=True):
        alone = loupe.compare(filled.match({"scenario.time": value})).difference("new", "old")
        assert (own.n, own.only_a, own.only_b) == (alone.n, alone.only_a, alone.only_b)
        assert (own.low, own.high) == pytest.approx((alone.low, alone.high))
    points = [100 * own.difference for own in two.changed.differences]
    assert _trace(session, "slices", "facts")["x"] == pytest.approx(points)
    assert [end for end in _trace(session, "slices", "intervals")["x"] if end is not None] == pytest.approx(
        [100 * end for own in two.changed.differences for end in (own.low, own.high)]
    )
    assert len(set(_trace(session, "slices", "points")["marker"]["color"])) == 2, "by day nothing tells"
    session.call("on_factor", value="scenario.place")
    assert session.content.two.changed.values == ("beach", "forest", "street")
    session.call("on_swap")
    assert session.content.two.difference == two.difference.reversed()


def test_show_narrows_to_the_pairs_that_changed_and_there_is_a_way_back(session: Any, filled: Any) -> None:
    session.call("on_new", value="new")
    session.call("on_old", value="old")
    two = session.content.two
    session.call("on_show")
    samples = list(session.samples())
    assert len(samples) == 2 * len(two.pairs) == 2 * int(two.difference.only_a) > 0
    for failing, passed in zip(samples[::2], samples[1::2], strict=True):
        assert (failing.generation.model, passed.generation.model) == ("new", "old")
        assert (failing.prompt, failing.generation.seed) == (passed.prompt, passed.generation.seed)
        assert [label.label for label in failing.failures.classifications] == ["blur"]
        assert not passed.failures.classifications
    assert session.content.two is two, "nothing is read again"
    assert "show_all" in session.properties()["buttons"]["type"]["properties"]

    session.call("on_slice", y=1)
    inside = list(session.samples())
    assert len(inside) == 2 * two.changed.worse[1] > 0
    assert {sample.scenario.time for sample in inside} == {"night"}
    assert "time = night" in _text(session).replace("\\\\", "")
    session.call("on_show_all")
    assert len(session.samples()) == len(filled)
    for row in (-1, 99, "0", None):
        session.call("on_slice", y=row)
    assert session.view == []


def test_where_the_new_one_got_worse_is_listed_and_of_very_many_on_request(
    session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from loupe.panels.comparison import panel

    session.call("on_new", value="new")
    session.call("on_old", value="old")
    assert [str(each.slice) for each in session.content.two.regressions] == ["time=night"]
    assert "time=night" in _text(session)
    monkeypatch.setattr(panel, "_MAX_SEARCHED", 10)
    session.call("on_swap")
    assert session.content.two.regressions is None
    assert "search" in session.shown()
    session.call("on_search")
    assert session.content.two.regressions == ()
    assert "surely fails more than" in _text(session)
    session.call("on_new", value="worst")
    assert session.content.two.regressions is None, "that was asked of others"


def test_a_click_on_a_row_and_a_choice_made_twice(session: Any) -> None:
    names = [own.name for own in session.content.comparison.standings]
    session.call("on_contender", y=2)
    assert session.content.two.difference.a == names[2]
    session.call("on_old", value=names[2])
    assert (session.content.two.difference.a, session.content.two.difference.b) == (names[0], names[2])
    for odd in (-1, 50, "1", None):
        session.call("on_contender", y=odd)
    session.call("on_new", value={"a": 1})
    session.call("on_factor", value=["x"])
    session.call("on_failure", value=3)
    session.call("on_paired", value=None)
    assert session.content.failure == "any"
    assert session.content.two is not None


def test_other_contenders_failures_and_no_pairs(session: Any, filled: Any) -> None:
    import loupe

    session.call("on_paired", value="none")
    assert not session.content.two.difference.paired
    assert "show" not in session.properties()["buttons"]["type"]["properties"]
    session.call("on_show")
    assert session.messages
    assert session.view == []
    expected = loupe.compare(filled, paired_by=False)
    drawn = session.content.comparison.to_dict()
    assert drawn["differences"] == expected.to_dict()["differences"], "NaN is not itself"
    session.call("on_failure", value="blur")
    assert session.content.comparison.failure == "blur"
    session.call("on_by", value="scenario.time")
    assert [own.name for own in session.content.comparison.standings] == ["day", "night"]
    assert session.state["choices"]["by"] == "scenario.time"


def test_what_cannot_be_compared_is_said_and_another_can_be_chosen(new_dataset: Callable[[], Any]) -> None:
    from models_compared import fill_models

    dataset = new_dataset()
    fill_models(dataset, {"a": 0.2, "b": 0.4}, prompts=60)
    dataset.set_values("scenario.place", ["street"] * len(dataset))
    dataset.set_values("scenario.time", [f"{at} o'clock" for at in range(len(dataset))])
    session = open_on(dataset)
    for field, text in (("scenario.place", "at least two to compare"), ("scenario.time", "at most 200 to compare")):
        session.call("on_by", value=field)
        assert text in session.content.problem
        assert session.shown() == ["controls", "more", "problem"]
        session.call("on_show")
    session.call("on_by", value="generation.model")
    assert session.content.problem == ""
    assert session.content.two is not None


def test_what_to_do_next_where_there_is_nothing_to_draw(dataset: Any) -> None:
    import fiftyone as fo

    session = open_on(dataset)
    assert "no samples" in session.state["notice"]["text"]
    dataset.add_samples([fo.Sample(filepath=f"/nowhere/{at}.png") for at in range(6)])
    session.call("on_refresh")
    assert "nothing to compare by" in session.state["notice"]["text"]
    dataset.set_values("camera", ["left", "right"] * 3)
    session.call("on_refresh")
    assert "checked" in session.state["notice"]["text"]
    session.call("on_check")
    assert session.prompted == ["@loupe/loupe/check"]
    dataset.set_values("checked", [{"sharpness": "made up"}] * 6)
    session.call("on_refresh")
    assert session.content.two is None
    assert "few" in session.shown()
    assert "Nothing was judged" in _text(session)


def test_names_are_text_and_never_markup_and_the_state_stays_small(new_dataset: Callable[[], Any]) -> None:
    from models_compared import fill_models

    dataset = new_dataset()
    nasty = '<a href="javascript:alert(1)">x</a> & <b> 😀 $.| '
    fill_models(dataset, {nasty: 0.2, "b" * 300: 0.3, "c.d$": 0.25, **{f"m{at}": 0.3 for at in range(12)}}, prompts=15)
    session = open_on(dataset)
    assert len(session.content.comparison.standings) == 15
    session.call("on_new", value=nasty)
    assert "<a" not in json.dumps([_plot(session, name) for name in ("leaderboard", "slices")])
    words = json.dumps([session.properties()[name] for name in ("head", "verdict", "notes", "buttons")])
    assert "<a" not in words
    assert len(json.dumps(session.state)) < 6_000
    session.call("on_show")
    names = set(session.samples().values("generation.model"))
    assert names <= {nasty, session.content.two.difference.b}


def test_predictions_of_evaluation_runs_are_compared_on_the_same_samples(new_dataset: Callable[[], Any]) -> None:
    import fiftyone as fo

    dataset = new_dataset()
    samples = []
    for at in range(60):
        labels = {"truth": "cat", "first": "cat" if at % 10 else "dog", "second": "cat" if at % 3 else "dog"}
        made = {name: fo.Classification(label=label) for name, label in labels.items()}
        samples.append(fo.Sample(filepath=f"/nowhere/{at}.png", place="in" if at % 2 else "out", **made))
    dataset.add_samples(samples, progress=False)
    for name in ("first", "second"):
        dataset.evaluate_classifications(name, "truth", eval_key=f"eval_{name}")
    session = open_on(dataset)
    assert session.content.by == "(evaluation runs)"
    two = session.content.two
    assert (two.difference.a, two.difference.b) == ("eval_second", "eval_first")
    assert two.difference.only_a == sum(at % 3 == 0 and at % 10 != 0 for at in range(60))
    session.call("on_show")
    assert len(session.samples()) == two.difference.only_a == len(two.pairs)
    assert set(session.samples().values("second.label")) == {"dog"}
    session.call("on_slice", y=0)
    assert len(set(session.samples().values("place"))) == 1


def test_patches_and_groups_are_refused_with_the_way_out(new_dataset: Callable[[], Any]) -> None:
    import fiftyone as fo
    from fiftyone.operators.operations import _serialize_view
    from models_compared import fill_models

    dataset = new_dataset()
    fill_models(dataset, {"a": 0.2, "b": 0.4}, prompts=12)
    boxes = [
        fo.Detections(detections=[fo.Detection(label="x", bounding_box=[0, 0, 1, 1])]) for _ in range(len(dataset))
    ]
    dataset.set_values("boxes", boxes)
    session = open_on(dataset)
    for view, text in ((dataset.to_patches("boxes"), "patches"), (dataset.group_by("prompt"), "group_by")):
        session.view = _serialize_view(view)
        session.call("on_change_view")
        assert text in session.state["notice"]["text"]
    session.view = []
    session.call("on_change_view")
    assert session.content.two is not None


def test_a_field_that_is_deleted_meanwhile_is_no_crash(new_dataset: Callable[[], Any]) -> None:
    from models_compared import fill_models

    dataset = new_dataset()
    fill_models(dataset, {"a": 0.2, "b": 0.4}, prompts=20)
    session = open_on(dataset)
    dataset.delete_sample_field("generation")
    session.call("on_show")
    session.call("on_refresh")
    assert session.content.by != "generation.model"
    assert not math.isnan(session.content.comparison.differences[0].difference)
