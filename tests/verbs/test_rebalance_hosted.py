"""``loupe.rebalance`` with a model that is hosted: what it costs, and that a budget ends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hosted_server import KEY, HostedServer, Plan

import loupe
from loupe.brain.generators.openai_images import OpenAIImages
from loupe.brain.hosted.retry import Policy
from loupe.brain.hosted.spec import HostedGenerator
from loupe.brain.labels.suggestions import SuggestedPrompts, Suggestion

pytest.importorskip("openai")
pytestmark = [pytest.mark.database, pytest.mark.slow]

PROMPTS = SuggestedPrompts((Suggestion("a cup", {"thing": "cup"}, 6, "cups"),))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[HostedServer]:
    monkeypatch.setattr(HostedGenerator, "policy", Policy(base=0.01, poll=0.01, patience=10))
    monkeypatch.setenv("LOUPE_HOSTED_API_KEY", KEY)
    started = HostedServer(Plan()).start()
    yield started
    started.stop()


def test_a_budget_ends_it_and_a_larger_one_goes_on(
    new_dataset: Callable[[], Any], tmp_path: Path, server: HostedServer
) -> None:
    dataset = new_dataset()
    spec = OpenAIImages(base_url=f"{server.url}/v1", price_per_image=0.05)
    # any picture of the server passes: nothing of it is looked at but whether it can be read
    how: dict[str, Any] = {"model": spec, "checks": ["file"], "allow_unknown": True, "output_dir": tmp_path / "made"}
    first = loupe.rebalance(dataset, PROMPTS, budget=0.17, **how)
    (own,) = first.cells
    assert own.end == "budget"
    assert own.sentence == "cups: 3 of 6 samples count; the budget is spent"
    assert server.report()["paid"] == len(dataset) == own.counts == 3
    again = loupe.rebalance(dataset, PROMPTS, budget=0.17, **how)
    assert (again.cells[0].counts, server.report()["paid"]) == (3, 3), "what was paid before is part of the budget"
    more = loupe.rebalance(dataset, PROMPTS, budget=1.0, **how)
    assert (more.reached, more.cells[0].spare, server.report()["paid"], len(dataset)) == (True, 0, 6, 6)
    assert dataset.values("generation.seed") == [None] * 6, "a draw is known by more than its seed"
