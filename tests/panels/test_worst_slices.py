"""The panel "Worst slices", run as the App runs it: before anyone looked, with findings, with none, and put aside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pydash
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.database]

CHECKS = ("exposure", "sharpness", "tiling", "grayscale")
BY = ["scenario.time", "scenario.weather", "scenario.color"]


def opened(dataset: Any) -> Any:
    from panel_session import PanelSession

    from loupe.panels.worst_slices.panel import WorstSlices

    return PanelSession(WorstSlices(), dataset)


@pytest.fixture(scope="module")
def filled(database: str) -> Iterator[Any]:
    import fiftyone as fo
    from filled import fill

    import loupe

    dataset = fo.Dataset()
    fill(dataset, 1200, checks=CHECKS)
    loupe.discover_slices(dataset, by=BY)
    yield dataset
    dataset.delete()


def cards(session: Any) -> list[str]:
    return [name.removeprefix("finding_") for name in session.shown() if name.startswith("finding_")]


def kept(dataset: Any) -> Any:
    from loupe.brain.store import findings

    return findings.load(dataset).findings


def test_what_fails_leads_on_to_the_form_that_draws_more_of_it(filled: Any) -> None:
    from operator_calls import form, problems

    session = opened(filled)
    assert "rebalance" in session.properties()["head"]["type"]["properties"]
    session.call("on_rebalance")
    assert session.prompted == ["@loupe/loupe/rebalance"]
    offered = form("rebalance", filled, dict(session.prefilled))
    assert session.prefilled["source"] in offered["source"].type.values
    assert "source" not in problems(offered)


def test_before_anyone_looked_it_says_what_to_do(new_dataset: Callable[[], Any]) -> None:
    import fiftyone as fo
    from filled import fill

    dataset = new_dataset()
    session = opened(dataset)
    assert "There are no samples here" in str(session.output)
    dataset.add_sample(fo.Sample(filepath="/nowhere/0.png"))
    session.call("on_refresh")
    assert "Check the images first" in str(session.output)
    other = new_dataset()
    fill(other, 60, checks=CHECKS)
    session = opened(other)
    assert "Nobody has looked" in str(session.output)
    session.call("on_find")
    assert session.prompted == ["@loupe/loupe/discover_slices"]


def test_each_finding_is_a_card_that_shows_its_samples(filled: Any) -> None:
    import loupe

    session = opened(filled)
    known = kept(filled)
    wanted = [own[0].key for own in known.by_slice()]
    assert cards(session) == wanted
    assert len(wanted) < len(known.findings), "a slice that fails in several ways is one card"
    assert "Fails more often there, too: " in str(session.output)
    assert "stale" not in session.shown()
    first = known.findings[0]
    card = str(session.properties()[f"finding_{first.key}"])
    assert first.where in card
    assert card.count("/media?filepath=%2Fnowhere%2F") == 4
    assert "data:image/svg+xml;base64," in card
    assert f"Show {len(loupe.view_of(filled, first)):,}" in card

    session.call("on_show", key=first.key, failing=False)
    assert session.samples().values("id") == loupe.view_of(filled, first).values("id")
    assert cards(session) == wanted, "what is drawn is of all samples"
    session.call("on_show", key=first.key, failing=True)
    assert len(session.samples()) == first.whole.failures
    session.call("on_show_all")
    assert len(session.samples()) == 1200
    session.call("on_open", id=first.examples[0])
    session.call("on_open", id="somebody else's")
    session.call("on_show", key="no such finding")
    assert session.opened == [first.examples[0]]


def test_candidates_are_folded_and_no_cards(filled: Any) -> None:
    session = opened(filled)
    number = len(kept(filled).candidates)
    assert number
    assert not any(name.startswith("candidate_") for name in session.shown())
    session.call("on_candidates")
    assert sum(name.startswith("candidate_") for name in session.shown()) == number
    candidate = kept(filled).candidates[0]
    session.call("on_show", key=candidate.key, failing=False)
    own = candidate.whole
    assert len(session.samples()) == own.n + own.unknown + own.unchecked
    session.call("on_show_all")
    session.call("on_candidates")
    assert not any(name.startswith("candidate_") for name in session.shown())


def test_a_finding_is_put_aside_with_a_reason_and_taken_back(filled: Any) -> None:
    session = opened(filled)
    key = cards(session)[0]
    session.call("on_dismiss", key=key)
    assert f"reason_{key}" in str(session.properties()[f"finding_{key}"])
    session.call("on_put_aside", key=key)
    assert session.messages == ["Say in a few words why: who looks here later will read it"]
    pydash.set_(session.state, f"finding_{key}.reason_{key}", "known: <b>a lens cap</b>")
    session.call("on_put_aside", key=key)
    assert key not in cards(session)
    assert "Put aside: 1 slice" in str(session.output)
    session.call("on_aside")
    assert "known: &lt;b&gt;a lens cap&lt;/b&gt;" in str(session.output)
    # it stays aside for whoever opens the panel next
    assert key not in cards(opened(filled))
    session.call("on_undo", key=key)
    assert cards(session)[0] == key
    session.call("on_dismiss", key=key)
    session.call("on_cancel")
    assert f"reason_{key}" not in str(session.output)


def test_it_says_that_the_samples_changed_or_that_the_view_is_another(new_dataset: Callable[[], Any]) -> None:
    from filled import fill

    import loupe

    dataset = new_dataset()
    fill(dataset, 600, checks=CHECKS)
    loupe.discover_slices(dataset, by=BY)
    session = opened(dataset)
    assert "stale" not in session.shown()
    sample = dataset.first()
    sample["scenario.time"] = "dusk"
    sample.save()
    session.call("on_refresh")
    assert "have changed since" in str(session.properties()["stale"])
    session.view = dataset.limit(100)._serialize()
    session.call("on_change_view")
    assert "another view, of 600 samples" in str(session.properties()["stale"])


def test_where_nothing_is_confirmed_or_too_few_were_judged_it_says_so(new_dataset: Callable[[], Any]) -> None:
    from filled import fill

    import loupe

    dataset = new_dataset()
    fill(dataset, 30, checks=CHECKS)
    loupe.discover_slices(dataset)
    session = opened(dataset)
    assert "Too few samples" in str(session.properties()["message"])
    assert not cards(session)
    other = new_dataset()
    fill(other, 300)
    loupe.discover_slices(other, by=["scenario.color"])
    session = opened(other)
    assert "Nothing was confirmed" in session.properties()["message"]["view"]["label"]


def test_a_field_that_was_deleted_meanwhile_is_a_message_and_no_wrong_number(new_dataset: Callable[[], Any]) -> None:
    from filled import fill

    import loupe

    dataset = new_dataset()
    fill(dataset, 800, checks=CHECKS)
    loupe.discover_slices(dataset, by=["scenario.time"])
    session = opened(dataset)
    key = cards(session)[0]
    dataset.delete_sample_field("scenario.time")
    session.call("on_show", key=key, failing=False)
    assert "scenario.time" in session.messages[0]
    assert len(session.samples()) == 800
    session.call("on_refresh")
    assert "have changed since" in str(session.properties().get("stale"))


def test_a_page_of_another_server_finds_its_way(filled: Any) -> None:
    from loupe.panels import latest

    session = opened(filled)
    key = cards(session)[0]
    latest._panels.clear()
    session.call("on_show", key=key, failing=True)
    assert len(session.samples()) == next(each.whole.failures for each in kept(filled).findings if each.key == key)
    session.call("on_show_all")
