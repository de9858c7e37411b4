"""The panel "Repairs", run as the App runs it: both pictures, the numbers, why refused; accept, keep, undo."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import repairs
from panel_session import PanelSession

pytestmark = [pytest.mark.slow, pytest.mark.database]


@pytest.fixture
def made(dataset: Any, tmp_path: Path) -> Any:
    return repairs.repaired(dataset, tmp_path)


def opened(dataset: Any, **more: Any) -> PanelSession:
    from loupe.panels.repairs.panel import Repairs

    return PanelSession(Repairs(), dataset, **more)


def press(session: PanelSession, name: str, **params: Any) -> None:
    inside = session.properties()["answers"]["type"]["properties"]
    inside = {**inside, **session.properties()["more"]["type"]["properties"]}
    button = inside[name]["view"]
    assert not button.get("disabled"), name
    session.call(button["operator"].rpartition("#")[2], **{**(button["params"] or {}), **params})


def front(session: PanelSession) -> tuple[str, str]:
    sample_id, _, failure = session.state["seen"]["item"].partition(" ")
    return sample_id, failure


def text(session: PanelSession) -> str:
    return json.dumps(session.properties(), ensure_ascii=False)


def status(dataset: Any, sample_id: str) -> str:
    dataset.reload()
    return str(dataset[sample_id].repaired["dark"].label)


def test_repairs_come_with_both_pictures_the_kept_ones_first(dataset: Any, made: Any) -> None:
    assert 0 < made.better < made.attempted == 8
    session = opened(dataset)
    sample_id, failure = front(session)
    assert failure == "dark"
    assert status(dataset, sample_id) == "better"
    drawn = text(session)
    assert "The gate kept it" in drawn
    assert "brightness p95" in drawn
    assert f"**0 of 8 repairs** decided · the gate kept **{made.better}**" in drawn
    assert drawn.count("data:image/svg+xml") == 2
    assert not re.search(r"\bundefined\b|\bnan\b|→ None", drawn)


def test_a_repair_is_taken_or_not_and_taken_back(dataset: Any, made: Any) -> None:
    session, before = opened(dataset), len(dataset)
    first, _ = front(session)
    press(session, "answer_undone")
    assert status(dataset, first) == "undone"
    assert len(dataset) == before - 1
    assert dataset[first].repaired["dark"].by
    second, _ = front(session)
    assert second != first
    press(session, "answer_accepted")
    assert status(dataset, second) == "accepted"
    assert len(dataset) == before - 1
    press(session, "undo")
    assert status(dataset, second) == "better"
    assert not dataset[second].repaired["dark"].by
    press(session, "undo")
    assert status(dataset, first) == "better"
    assert len(dataset) == before
    assert dataset[dataset[first].repaired["dark"].sample].repair.of == first


def test_a_refused_one_says_why_and_can_be_taken(dataset: Any, made: Any) -> None:
    session = opened(dataset)
    session.call("on_which", value="refused")
    sample_id, _ = front(session)
    assert status(dataset, sample_id) == "refused"
    assert "Why the gate refused it: dark stays" in text(session)
    before = len(dataset)
    press(session, "answer_accepted")
    assert len(dataset) == before + 1
    assert status(dataset, sample_id) == "accepted"


def test_somebody_else_was_first(dataset: Any, made: Any) -> None:
    import loupe

    session = opened(dataset)
    sample_id, _ = front(session)
    loupe.decide_repairs(dataset.select([sample_id]), "undo", by="anna")
    press(session, "answer_accepted")
    assert "anna" in text(session)
    assert status(dataset, sample_id) == "undone"


def test_a_deleted_file_is_said_and_cannot_be_taken(dataset: Any, made: Any) -> None:
    session = opened(dataset)
    sample_id, _ = front(session)
    Path(dataset[sample_id].repaired["dark"].file).unlink()
    session.call("on_refresh")
    assert "The file was deleted: run" in text(session)
    press(session, "answer_accepted")
    assert status(dataset, sample_id) == "better"


def test_all_decided_and_nothing_to_show(dataset: Any, made: Any) -> None:
    session = opened(dataset)
    for _ in range(8):
        press(session, "answer_undone")
    assert "All 8 repairs here are decided" in text(session)
    session.call("on_show", which="repaired")


def test_without_repairs_it_says_what_to_do(dataset: Any, tmp_path: Path) -> None:
    repairs.fill(dataset, tmp_path / "given", 3, 1)
    session = opened(dataset)
    assert "Nothing here has been repaired yet" in text(session)
    assert "Repair images" in text(session)


def test_the_view_is_narrowed_and_widened(dataset: Any, made: Any) -> None:
    session = opened(dataset)
    session.call("on_show", which="repaired")
    assert session.view is not None
    assert "repair.of" in json.dumps(session.view)


def test_what_the_app_sends_is_not_believed(dataset: Any, made: Any) -> None:
    session = opened(dataset)
    before = {each.id: status(dataset, each.id) for each in made.samples}
    for name, value in (("on_failure", {"a": 1}), ("on_which", "everything"), ("on_which", None)):
        session.call(name, value=value)
    session.call("on_decide", answer="better", step=0)
    session.call("on_show", which="$where")
    assert {each.id: status(dataset, each.id) for each in made.samples} == before
