"""The panel "Drift", run as the App runs it: what is drawn are the records that the verb kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.database]

PER_DAY = 120


def opened(dataset: Any, **more: Any) -> Any:
    from panel_session import PanelSession

    from loupe.panels.drift.panel import DriftPanel

    return PanelSession(DriftPanel(), dataset, **more)


@pytest.fixture(scope="module")
def days(database: str) -> Iterator[Any]:
    import fiftyone as fo
    from drifting import fill

    import loupe

    made = fo.Dataset()
    fill(made, PER_DAY)
    loupe.find_drift(made, reference="first", by="taken day", predictions="predictions", ground_truth="truth")
    yield made
    made.delete()


def texts(session: Any) -> str:
    return str(session.output).replace("\\\\-", "-").replace("\\\\(", "(").replace("\\\\)", ")")


def test_where_nothing_was_compared_it_says_what_to_do(new_dataset: Callable[[], Any]) -> None:
    import fiftyone as fo

    dataset = new_dataset()
    assert "no samples here" in texts(opened(dataset))
    dataset.add_sample(fo.Sample(filepath="/nowhere/1.png"))
    session = opened(dataset)
    assert "Nothing has been compared yet. Choose a reference" in texts(session)
    session.call("on_find_drift")
    assert session.prompted == ["@loupe/loupe/find_drift"]


def test_what_is_drawn_are_the_records(days: Any) -> None:
    from panel_session import within

    from loupe.brain.store.drift import kept as drift_kept

    session = opened(days)
    drift = drift_kept.load(days).drift
    assert drift.sentence() in texts(session)
    assert session.content.batch.name == "2026-11-04", "the one that drifted is looked at"
    drawn = within(session.properties(), "scrolled", "wide", "heatmap")["view"]["data"]
    quantities = session.content.quantities
    marked = {
        (drift.batches[x].name, quantities[y])
        for y, row in enumerate(drawn[0]["z"])
        for x, value in enumerate(row)
        if value is not None
    }
    assert marked == {(batch.name, shift.quantity) for batch in drift.batches for shift in batch.drifted()}
    timeline = session.properties()["timeline"]["view"]["data"]
    of_quantity = [
        next(shift for shift in batch.shifts if shift.quantity == session.content.quantity) for batch in drift.batches
    ]
    assert timeline[0]["y"][1:-1] == [shift.null_high for shift in of_quantity]
    assert timeline[1]["y"][1:-1] == [shift.null_low for shift in of_quantity]
    assert sorted([*timeline[2]["y"], *timeline[3]["y"]]) == sorted(shift.value for shift in of_quantity)
    gaps = session.properties()["confidence"]["view"]["data"][0]["y"]
    assert gaps == [batch.calibration.gap for batch in drift.batches]
    for shift in drift.batches[2].drifted():
        assert shift.quantity.split(".")[-1] in texts(session)
    assert "nan" not in texts(session).lower().replace("nanoseconds", "")
    assert str(session.output).count("/media?filepath=") == 16


def test_show_narrows_to_the_slice_and_back(days: Any) -> None:
    from fiftyone import ViewField as F

    session = opened(days)
    names = [name for name, _ in session.state["seen"]["shows"]]
    assert names == ["2026-11-04", "2026-11-04, time=night"]
    session.call("on_show", at=1)
    night = days.match(F("scenario.time") == "night").skip(0)
    expected = [
        sample_id
        for sample_id, taken in zip(*night.values(["id", "taken"]), strict=True)
        if taken.strftime("%Y-%m-%d") == "2026-11-04"
    ]
    assert session.samples().values("id") == expected
    assert "Showing 2026-11-04, time=night" in texts(session)
    session.call("on_show", at=0)
    assert len(session.samples()) == PER_DAY, "from all samples, whatever it was narrowed to before"
    session.call("on_show_all")
    assert len(session.samples()) == len(days)
    for at in (7, -1, "1", None):
        session.call("on_show", at=at)
    assert len(session.samples()) == len(days)


def test_a_click_looks_at_another_batch_and_quantity(days: Any) -> None:
    session = opened(days)
    quantities = session.content.quantities
    session.call("on_cell", x=0, y=len(quantities) - 1)
    assert (session.content.batch.name, session.content.quantity) == ("2026-11-02", quantities[-1])
    assert "no evidence" in texts(session)
    assert "So many samples would have shown, in 4 of 5 cases" in texts(session)
    session.call("on_time", x=2)
    assert session.content.batch.name == "2026-11-04"
    assert session.content.quantity == quantities[-1]
    session.call("on_quantity", value="embeddings")
    session.call("on_batch", value="2026-11-03")
    assert (session.content.batch.name, session.content.quantity) == ("2026-11-03", "embeddings")
    for x, y in ((99, 0), (None, None), ("0", "0"), (-1, 0)):
        session.call("on_cell", x=x, y=y)
    session.call("on_batch", value="nothing")
    assert session.content.batch.name == "2026-11-04"
    session.call("on_quantity", value={"$where": "1"})
    assert session.content.quantity in quantities


def test_a_picture_opens_its_sample(days: Any) -> None:
    session = opened(days)
    first = session.content.newest[0].id
    session.call("on_open", id=first)
    session.call("on_open", id="somebody else's")
    assert session.opened == [first]


def test_one_batch_is_drawn_without_time(days: Any, new_dataset: Callable[[], Any]) -> None:
    from drifting import fill

    import loupe

    dataset = new_dataset()
    fill(dataset, 30, drifts=False, seed=5)
    view = dataset.limit(100)
    result = loupe.find_drift(view, reference=days, scores=["quality.sharpness"])
    session = opened(dataset)
    assert {"scrolled", "timeline", "confidence"}.isdisjoint(session.shown())
    assert "forest" in session.shown()
    drawn = session.properties()["forest"]["view"]["data"]
    assert len(drawn[0]["y"]) + len(drawn[1]["y"]) == len(result.batches[0].shifts)
    session.call("on_nothing", x=1)
    session.call("on_show", at=0)
    assert session.samples().values("id") == view.values("id"), "the view that was looked at"


def test_too_few_say_what_to_do(new_dataset: Callable[[], Any]) -> None:
    from drifting import fill

    import loupe

    dataset = new_dataset()
    fill(dataset, 10)
    loupe.find_drift(dataset, reference="first", by="taken day")
    session = opened(dataset)
    assert "Too few samples to tell whether anything drifted." in texts(session)
    assert "Compare larger batches" in texts(session)
    assert "It has 10 samples, at least 20 are needed" in texts(session)


def test_fields_and_samples_that_are_gone_are_no_crash(new_dataset: Callable[[], Any]) -> None:
    import fiftyone as fo
    from drifting import fill

    import loupe

    dataset, other = new_dataset(), fo.Dataset()
    fill(dataset, PER_DAY)
    fill(other, 40, drifts=False, seed=3)
    loupe.find_drift(dataset.skip(3 * PER_DAY), reference=other)
    session = opened(dataset)
    assert session.content.oldest
    assert all(not picture.id for picture in session.content.oldest), "the App cannot open another dataset's"
    other.delete()
    dataset.delete_sample_field("scenario")
    dataset.reload()
    session.call("on_refresh")
    assert "Most typical of the reference**: none left" in texts(session)
    shows = session.state["seen"]["shows"]
    for at in range(len(shows)):
        session.call("on_show", at=at)
    if len(shows) > 1:
        assert any("compare again" in message for message in session.messages)


def test_names_with_markup_are_shown_as_they_are(new_dataset: Callable[[], Any]) -> None:
    import fiftyone as fo

    import loupe

    dataset = new_dataset()
    names = ["a", '<b>"x"</b> $where a.b 🌙']
    samples = [
        fo.Sample(
            filepath=f"/nowhere/{at}.png", split=names[at % 2], score=float(at % 2) + at / 1000, kind=names[at % 2]
        )
        for at in range(120)
    ]
    dataset.add_samples(samples, progress=False)
    loupe.find_drift(dataset, reference="a", by="split", scores=["score"], factors=["kind"])
    session = opened(dataset)
    assert '<b>"x"' not in texts(session).replace("&lt;", "")  # never as markup
    session.call("on_show", at=0)
    assert len(session.samples()) == 60


def test_what_is_kept_and_cannot_be_read_counts_as_nothing(new_dataset: Callable[[], Any]) -> None:
    import fiftyone as fo

    from loupe.brain.store import runs
    from loupe.brain.store.drift import kept as drift_kept

    dataset = new_dataset()
    dataset.add_sample(fo.Sample(filepath="/nowhere/1.png"))
    runs.put(dataset, drift_kept.KEY, "find_drift", {}, {"drift": {"batches": "broken"}})
    assert "Nothing has been compared yet" in texts(opened(dataset))
