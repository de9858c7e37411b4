"""What a panel sends to the App does not grow with the samples: of ten times as many it is the same but for numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from panel_session import PanelSession

pytestmark = pytest.mark.database

#: bytes that longer numbers and names may take
SLACK = 400


def _sent(session: PanelSession) -> tuple[int, int]:
    """Returns how many bytes the state that travels has, and what is drawn."""
    return len(json.dumps(session.state)), len(json.dumps(session.output))


def _fresh(n: int) -> Any:
    import fiftyone as fo

    dataset = fo.Dataset()
    dataset.add_samples([fo.Sample(filepath=f"/nowhere/{at:06}.png") for at in range(n)], progress=False)
    return dataset


def _duplicates(n: int) -> PanelSession:
    from loupe.brain.core.results import Pair
    from loupe.brain.sets.duplicates import Duplicates
    from loupe.brain.store import fields, sets
    from loupe.panels.duplicates.panel import DuplicatesPanel

    dataset = _fresh(2 * n)
    ids = dataset.values("id")
    fields.declare(dataset, fields.of_groups(Duplicates.outputs))
    dataset.set_values("duplicate_group", [ids[at - at % 2] for at in range(2 * n)])
    sets.save_same(dataset, Duplicates(), ids, [Pair(*ids[at : at + 2], "near", 0.9) for at in range(0, 2 * n, 2)])
    return PanelSession(DuplicatesPanel(), dataset)


def _review(n: int) -> PanelSession:
    import loupe
    from loupe.brain.core import registry
    from loupe.brain.store import scores
    from loupe.panels.review_failures.panel import Review

    dataset = _fresh(n)
    scores.declare(dataset, [registry.failures()["blur"][1]])
    dataset.set_values("quality.sharpness", [0.1] * n)
    dataset.set_values("checked", [{"sharpness": "made up"}] * n)
    loupe.flag(dataset)
    return PanelSession(Review(), dataset)


def _by_scenario(n: int) -> PanelSession:
    import fiftyone as fo
    from filled import fill

    from loupe.panels.failures_by_scenario.panel import FailuresByScenario

    dataset = fo.Dataset()
    fill(dataset, n, checks=["sharpness", "exposure"])
    return PanelSession(FailuresByScenario(), dataset)


@pytest.mark.parametrize("opened", [_duplicates, _review, _by_scenario])
def test_ten_times_the_samples_send_as_much(database: str, opened: Callable[[int], PanelSession]) -> None:
    few, many = opened(60), opened(600)
    try:
        assert "item" not in few.state["seen"] or few.state["seen"]["item"], "there is something in front"
        for small, large in zip(_sent(few), _sent(many), strict=True):
            assert large - small < SLACK
    finally:
        few.dataset.delete()
        many.dataset.delete()
