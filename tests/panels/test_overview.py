"""The panel "Overview", run as the App runs it: on samples that nobody checked, on half checked ones, on all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.database]


def opened(dataset: Any) -> Any:
    from panel_session import PanelSession

    from loupe.panels.overview.panel import Overview

    return PanelSession(Overview(), dataset)


@pytest.fixture(scope="module")
def filled(database: str) -> Iterator[Any]:
    import fiftyone as fo
    from filled import fill

    dataset = fo.Dataset()
    fill(dataset, 200)
    yield dataset
    dataset.delete()


def texts(session: Any) -> str:
    return str(session.output)


def test_it_works_where_nothing_was_checked_and_says_what_to_do(new_dataset: Callable[[], Any]) -> None:
    import fiftyone as fo

    dataset = new_dataset()
    dataset.add_samples([fo.Sample(filepath=f"/nowhere/{n}.png") for n in range(3)], progress=False)
    session = opened(dataset)
    assert "**3 samples** · **0** fail in some way" in texts(session)
    assert [name for name in session.shown() if name.startswith("next_")] == ["next_check", "next_find_duplicates"]
    session.call("on_check")
    session.call("on_find_duplicates")
    assert session.prompted == ["@loupe/loupe/check", "@loupe/loupe/find_duplicates"]


def test_each_failure_has_its_count_and_pictures_and_shows_its_samples(filled: Any) -> None:
    session = opened(filled)
    counts = filled.count_values("failures.classifications.label")
    rows = [name.removeprefix("failure_") for name in session.shown() if name.startswith("failure_")]
    assert rows == sorted(counts, key=lambda name: (-counts[name], name))[:12]
    worst = rows[0]
    row = session.properties()[f"failure_{worst}"]
    assert f"{counts[worst]:,} of" in str(row)
    assert str(row).count("/media?filepath=%2Fnowhere%2F") == 4
    assert [name for name in session.shown() if name.startswith("next_")] == ["next_check"], "some were never checked"

    session.call("on_show", failure=worst)
    assert len(session.samples()) == counts[worst]
    assert session.samples().count_values("failures.classifications.label")[worst] == counts[worst]
    # what is drawn is of all samples, and there is a way back
    assert [name for name in session.shown() if name.startswith("failure_")] == [f"failure_{name}" for name in rows]
    session.call("on_show_all")
    assert len(session.samples()) == 200

    picture = session.state["seen"]["pictures"][0]
    session.call("on_open", id=picture)
    session.call("on_open", id="somebody else's")
    session.call("on_show", failure="somebody else's")
    assert session.opened == [picture]
    assert not session.messages


def test_what_is_drawn_is_of_the_view(filled: Any) -> None:
    from fiftyone import ViewField as F

    session = opened(filled)
    session.view = filled.match(F("scenario.time") == "night").limit(20)._serialize()
    session.call("on_change_view")
    assert "**20 samples**" in texts(session)


def test_scores_without_a_threshold_are_said_to_be_unflagged(new_dataset: Callable[[], Any]) -> None:
    from filled import fill

    dataset = new_dataset()
    fill(dataset, 40, flag=False)
    session = opened(dataset)
    assert "next_flag" in session.shown() or "next_check" in session.shown()
    assert session.content.known.failed == 0


def test_what_prompts_ask_for_and_what_does_not_apply_are_a_line_each(new_dataset: Callable[[], Any]) -> None:
    import fiftyone as fo

    import loupe
    from loupe.brain.core import registry
    from loupe.brain.store import scores

    dataset = new_dataset()
    prompts = ["a street at night"] * 3 + ["a *bold* <b>sign</b>"] * 7
    dataset.add_samples(
        [fo.Sample(filepath=f"/nowhere/{n}.png", prompt=prompt) for n, prompt in enumerate(prompts)], progress=False
    )
    outputs = [registry.failures()[name][1] for name in ("dark", "motion_blur")]
    scores.declare(dataset, outputs)
    dataset.set_values("quality.brightness_p95", [0.1] * 4 + [0.9] * 6)
    dataset.set_values("checked", [{"exposure": "x", "motion_blur": "x"}] * 10)
    why = fo.Classification(label="motion_blur", reason="too <small> to judge")
    dataset.set_values("unknown", [fo.Classifications(classifications=[why.copy()]) for _ in range(10)], dynamic=True)
    loupe.flag(dataset)
    shown = texts(opened(dataset))
    assert "As the prompts ask, and so no failure: Dark 3." in shown
    assert "does not apply to any of 10 pictures: too &lt;small&gt; to judge." in shown
    assert "**1** fail in some way" in shown
