"""The panel's other drawings, the way into a slice and back, and what can be done with the samples of a cell."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from loupe.brain.slicing.outcomes import State

pytestmark = [pytest.mark.slow, pytest.mark.database]

MODELS = ("old", "new", "other")


@pytest.fixture
def session(database: str) -> Iterator[Any]:
    """300 samples of three models, with lists of objects."""
    import fiftyone as fo
    from filled import fill
    from panel_session import PanelSession

    from loupe.panels.failures_by_scenario.panel import FailuresByScenario

    dataset = fo.Dataset()
    fill(dataset, 300)
    rng = np.random.default_rng(9)
    dataset.set_values("model", [str(model) for model in rng.choice(MODELS, 300)])
    boxes = [rng.choice(["cat", "dog", "owl"], rng.integers(0, 4)).tolist() for _ in range(300)]
    detections = [
        fo.Detections(detections=[fo.Detection(label=label, bounding_box=[0, 0, 1, 1]) for label in own])
        for own in boxes
    ]
    dataset.set_values("boxes", detections)
    yield PanelSession(FailuresByScenario(), dataset)
    dataset.delete()


def state_of(sample: Any, failure: str) -> State:
    """What the fields of one sample say of a failure mode, read one by one."""
    from loupe.brain.core import registry

    check, output = registry.failures()[failure]
    if sample.quality[output.name] is None:
        return State.UNKNOWN if check in (sample.checked or {}) else State.UNCHECKED
    if sample.failures is None:
        return State.UNCHECKED
    return State.FAILED if failure in [label.label for label in sample.failures.classifications] else State.PASSED


def any_state(sample: Any) -> State:
    from loupe.brain.core import registry

    return max(state_of(sample, failure) for failure in registry.failures())


def same(rate: Any, states: list[State]) -> None:
    """A rate counts these states."""
    assert rate.failures == states.count(State.FAILED)
    assert rate.n == states.count(State.FAILED) + states.count(State.PASSED)
    assert (rate.unknown, rate.unchecked) == (states.count(State.UNKNOWN), states.count(State.UNCHECKED))


def properties(session: Any, *names: str) -> dict[str, Any]:
    from panel_session import within

    return within(session.properties(), *names)


def has(sample: Any, value: str | None) -> bool:
    labels = {box.label for box in sample.boxes.detections}
    return not labels if value is None else value in labels


def test_the_numbers_of_lists_are_those_of_a_count_one_by_one(session: Any) -> None:
    import loupe

    session.call("on_factor", value="boxes")
    samples = [sample.copy() for sample in session.dataset]  # copies: what is held is read again at each reload
    table = session.content.table
    assert table.values == ("cat", "dog", "owl", None)
    sdk = {(str(rate.slice), rate.failure): rate for rate in loupe.slice(session.dataset, "boxes")}
    for value, row in zip(table.values, table.cells, strict=True):
        for mode, rate in zip(table.modes, row, strict=True):
            same(rate, [state_of(sample, mode) for sample in samples if has(sample, value)])
            own = sdk[f"boxes={'(none)' if value is None else value}", mode]
            assert (rate.n, rate.failures, rate.low, rate.lift, rate.p) == (
                own.n,
                own.failures,
                own.low,
                own.lift,
                own.p,
            )


def test_the_table_sorts_and_each_of_its_rows_is_a_button_to_its_samples(session: Any) -> None:
    session.call("on_layout", value="table")
    buttons = properties(session, "scrolled", "wide", "table")["type"]["properties"]
    for order, better in (("lift", max), ("n", max), ("rate", max), ("q", min)):
        content = session.content
        session.call("on_order", value=order)
        assert session.content is content, "nothing is read again"
        buttons = properties(session, "scrolled", "wide", "table")["type"]["properties"]
        params = buttons["cell0"]["view"]["params"]
        rates = [rate for row in content.table.cells for rate in row if rate.n and not rate.too_few]
        first = content.table.cells[params["y"] - 1][params["x"]]
        assert getattr(first, order) == better(getattr(rate, order) for rate in rates)
        session.call("on_click", **params)
        assert len(session.samples()) == first.failures
        chosen = [name for name, each in buttons.items() if each["view"].get("variant") == "contained"]
        assert chosen == []
        session.call("on_show_all")
    session.call("on_click", **params)
    buttons = properties(session, "scrolled", "wide", "table")["type"]["properties"]
    assert buttons["cell0"]["view"]["variant"] == "contained"
    session.call("on_order", value="no such order")
    assert session.state["choices"]["order"] == "q"


def test_bars_are_of_one_failure_or_of_any_and_a_click_on_a_point_shows_its_samples(session: Any) -> None:
    samples = [sample.copy() for sample in session.dataset]  # copies: what is held is read again at each reload
    session.call("on_layout", value="bars")
    single = session.content.single
    assert single.modes == ("any",)
    same(single.overall[0], [any_state(sample) for sample in samples])
    for value, (rate,) in zip(single.values, single.cells, strict=True):
        same(rate, [any_state(sample) for sample in samples if sample.scenario.time == value])
    session.call("on_bar", y=2)
    assert len(session.samples()) == single.cells[1][0].failures
    assert "Any failure · night" in str(session.properties()["picked"])
    session.call("on_mode", value="blur")
    single = session.content.single
    same(single.cells[0][0], [state_of(sample, "blur") for sample in samples if sample.scenario.time == "day"])
    drawn = properties(session, "scrolled", "wide", "bars")["view"]["data"]
    assert sum(len(trace["x"]) for trace in drawn) == 3
    for value in ("no such mode", ["blur"], None):
        session.call("on_mode", value=value)
    assert session.content.single.modes == ("any",), "what is not known is what is chosen at first"


def test_two_groups_side_by_side_are_those_of_a_count_and_a_point_is_of_its_group(session: Any) -> None:
    samples = [sample.copy() for sample in session.dataset]  # copies: what is held is read again at each reload
    session.call("on_layout", value="sides")
    assert session.state["choices"]["group_by"] == "model"
    session.call("on_first", value="new")
    session.call("on_second", value="old")
    session.call("on_mode", value="local_blur")
    sides = session.content.sides
    assert (sides.field, sides.a, sides.b, sides.failure) == ("model", "new", "old", "local_blur")
    for at, time in enumerate(("all", *sides.values)):
        pair = sides.overall if time == "all" else sides.rows[at - 1]
        for model, rate in (("new", pair.a), ("old", pair.b)):
            own = [sample for sample in samples if sample.model == model and time in ("all", sample.scenario.time)]
            same(rate, [state_of(sample, "local_blur") for sample in own])
            session.call("on_side", y=at + (-0.17 if model == "new" else 0.17))
            assert len(session.samples()) == rate.failures
            assert set(session.samples().values("model")) == {model}
            session.call("on_show_all")
    # the same one twice makes no difference to look at
    session.call("on_second", value="new")
    assert session.content.sides.a != session.content.sides.b
    session.call("on_group_by", value="no such field")
    assert session.content.sides.field == "model"
    for odd in (3, ["new"], {}):
        session.call("on_first", value=odd)
    assert session.content.sides is not None


def test_without_two_groups_it_says_what_to_choose(session: Any) -> None:
    for path in ("scenario.weather", "scenario.color", "scenario.text", "model", "boxes"):
        session.dataset.delete_sample_field(path)
    session.call("on_layout", value="sides")
    session.call("on_refresh")
    assert session.content.sides is None
    assert "no two groups" in str(session.properties()["no_groups"])


def test_one_goes_into_a_value_by_another_factor_and_back(session: Any) -> None:
    samples = [sample.copy() for sample in session.dataset]  # copies: what is held is read again at each reload
    column = session.content.table.modes.index("local_blur")
    session.call("on_click", x=column, y=2)
    shown = len(session.samples())
    # the App sends it twice, the second time before it has the answer to the first
    twice = [session.context("on_within", value="scenario.weather") for _ in range(2)]
    for ctx in twice:
        session.run(ctx)
    for ctx in twice:
        session.answer(ctx)
    content = session.content
    assert [(step.factor.name, step.value) for step in content.trail] == [("scenario.time", "night")]
    night = [sample for sample in samples if sample.scenario.time == "night"]
    assert content.table.n == len(night)
    assert "scenario.time" not in content.factors
    for value, row in zip(content.table.values, content.table.cells, strict=True):
        for mode, rate in zip(content.table.modes, row, strict=True):
            same(rate, [state_of(sample, mode) for sample in night if sample.scenario.weather == value])
    assert len(session.samples()) == shown, "the grid shows what was clicked"
    assert "time: night" in str(session.properties()["trail"])

    fog = content.table.values.index("fog")
    session.call("on_click", x=0, y=1 + fog)
    assert len(session.samples()) == content.table.cells[fog][0].failures > 0
    assert {(sample.scenario.time, sample.scenario.weather) for sample in session.samples()} == {("night", "fog")}
    session.call("on_click", x=0, y=0)
    assert len(session.samples()) == content.table.overall[0].failures
    session.call("on_click", x=0, y=1 + fog)
    session.call("on_within", value="boxes")
    assert session.content.table.n == len([sample for sample in night if sample.scenario.weather == "fog"])
    session.call("on_back", depth=1)
    assert session.content.table.factor == "scenario.weather"
    assert session.content.table.n == len(night)
    session.call("on_back", depth=0)
    assert session.content.trail == ()
    assert (session.content.table.factor, session.content.table.n) == ("scenario.time", 300)


def test_a_trail_that_cannot_be_followed_ends_where_it_can(session: Any) -> None:
    session.call("on_click", x=0, y=2)
    session.call("on_within", value="model")
    session.call("on_click", x=0, y=1)
    session.call("on_within", value="scenario.weather")
    assert len(session.content.trail) == 2
    session.dataset.delete_sample_field("model")
    session.call("on_refresh")
    assert [step.factor.name for step in session.content.trail] == ["scenario.time"]
    assert session.content.table.factor == "scenario.weather"
    session.dataset.set_values("scenario.time", ["day"] * 300)
    session.call("on_refresh")
    assert session.content.trail == ()
    for odd in ("night", [3], [{"factor": {}, "value": "x"}], [{"factor": None}], [{}] * 99, {"a": 1}):
        session.state["choices"]["trail"] = odd
        session.state["serial"] += 5  # as after a restart of the server: the App's state is believed
        session.call("on_refresh")
        assert session.content.trail == ()
        session.call("on_back", depth=0)
    for depth in (-1, "x", 99, None):
        session.call("on_back", depth=depth)
    assert session.content.table.n == 300


def test_a_factor_that_is_deleted_and_samples_that_others_change_are_read_anew(session: Any) -> None:
    session.call("on_factor", value="model")
    assert session.content.table.factor == "model"
    session.dataset.delete_sample_field("model")
    session.call("on_click", x=0, y=1)  # of a table that is out of date
    session.call("on_show_all")
    session.call("on_refresh")
    assert session.content.table.factor == "scenario.time"
    session.dataset.delete_samples(session.dataset.match({"scenario.time": "night"}))
    session.call("on_refresh")
    assert session.content.table.values == ("day",)
    assert session.content.table.n == len(session.dataset)
    session.dataset.delete_samples(session.dataset.values("id"))
    session.call("on_refresh")
    assert "no samples" in session.state["notice"]["text"]


def test_a_cell_is_saved_as_a_view_tagged_and_sent_to_a_job(session: Any) -> None:
    dataset, column = session.dataset, session.content.table.modes.index("local_blur")
    session.call("on_save_view")
    session.call("on_tag")
    assert not dataset.list_saved_views(), "nothing was clicked yet"
    session.call("on_click", x=column, y=2)
    ids = session.samples().values("id")
    for _ in range(2):
        session.call("on_save_view")
    assert dataset.list_saved_views() == ["Local blur · night", "Local blur · night 2"]
    assert dataset.load_saved_view("Local blur · night 2").values("id") == ids
    name = next(name for name in properties(session, "act")["type"]["properties"] if name.startswith("name_"))
    assert properties(session, "act", name)["view"]["placeholder"] == "Local blur · night"
    session.call("on_name", path=f"act.{name}", value=" My nights ")
    session.call("on_save_view")
    assert dataset.load_saved_view("My nights").values("id") == ids
    session.messages.clear()
    session.call("on_save_view")
    assert "already" in session.messages[0]
    session.call("on_name", path=f"act.{name}", value="!?")
    session.call("on_save_view")
    assert "a letter or digit" in session.messages[-1]
    session.call("on_name", path=f"act.{name}", value="")
    session.call("on_tag")
    assert dataset.match_tags("Local blur · night").values("id") == ids
    assert f"Tagged {len(ids)}" in session.messages[-1]
    for value in ("check", "no_such_operator", None, ["check"]):
        session.call("on_send", value=value)
    assert session.prompted == ["@loupe/loupe/check"]
    # another cell has a name of its own
    session.call("on_name", path=f"act.{name}", value="of the night")
    session.call("on_click", x=column, y=1)
    session.call("on_tag")
    assert dataset.match_tags("Local blur · day").values("id") == session.samples().values("id")


def test_rows_of_too_few_samples_say_so_and_what_to_do(session: Any) -> None:
    session.view = _view(session.dataset.limit(12))
    session.call("on_change_view")
    assert "Too few samples in each row" in str(session.properties()["legend"])
    session.call("on_layout", value="table")
    assert "too few" in str(session.properties()["scrolled"])
    session.call("on_layout", value="bars")
    names = {trace["name"] for trace in properties(session, "scrolled", "wide", "bars")["view"]["data"]}
    assert "too few to say" in names


def _view(view: Any) -> Any:
    from fiftyone.operators.operations import _serialize_view

    return _serialize_view(view)


def test_patches_are_counted_as_patches_or_refused_and_no_view_breaks_it(session: Any) -> None:
    dataset = session.dataset
    for view in (dataset.to_patches("boxes"), dataset.limit(0), dataset.match({"model": "new"}).shuffle()):
        session.view = _view(view)
        session.call("on_change_view")
        notice = session.state["notice"]
        if len(view) and not view._is_patches:
            assert session.content.table.n == len(view)
        else:
            assert notice["text"], view
    session.view = []
    session.call("on_change_view")
    assert session.content.table.n == 300


def test_of_groups_the_slice_that_the_app_shows_is_counted(new_dataset: Callable[[], Any]) -> None:
    import fiftyone as fo
    from filled import fill
    from panel_session import PanelSession

    from loupe.panels.failures_by_scenario.panel import FailuresByScenario

    flat, grouped = new_dataset(), new_dataset()
    fill(flat, 60)
    grouped.add_group_field("group", default="left")
    samples = []
    for sample in flat:
        group = fo.Group()
        for side in ("left", "right"):
            made = sample.copy()
            made["group"] = group.element(side)
            samples.append(made)
    grouped.add_samples(samples, dynamic=True, progress=False)
    session = PanelSession(FailuresByScenario(), grouped)
    alone = PanelSession(FailuresByScenario(), flat)
    assert session.content is not None, session.state["notice"]
    assert session.content.table.n == 60
    assert [rate.failures for rate in session.content.table.overall] == [
        rate.failures for rate in alone.content.table.overall
    ]


def test_hovers_say_lift_and_q_and_no_word_is_undefined(session: Any) -> None:
    texts = session.cells()
    assert re.search(r"\d × the rest, q [=<] ", texts[2][0])
    assert "the rest" not in texts[0][0], "all samples have none"
    for layout in ("map", "table", "bars", "sides"):
        session.call("on_layout", value=layout)
        assert not re.search(r"\b(nan|NaN|None|undefined)\b", str(_texts(session.output))), layout


_SAID = ("label", "text", "hovertext", "markdown", "default")


def _texts(rendered: Any) -> list[str]:
    """Every text that is shown: labels, words, and those of plots."""
    if isinstance(rendered, dict):
        shown = [each for key, each in rendered.items() if key in _SAID and each is not None]
        return [str(each) for each in shown] + [text for each in rendered.values() for text in _texts(each)]
    return [text for each in rendered for text in _texts(each)] if isinstance(rendered, list) else []
