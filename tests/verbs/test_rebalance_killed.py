"""``loupe.rebalance`` after a kill: nothing is doubled, nothing lost, and it comes to the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import rebalancing as made
from rebalancing import Shapes

import loupe
from loupe.brain.core.records import Progress
from loupe.brain.labels.suggestions import SuggestedPrompts, Suggestion

pytestmark = [pytest.mark.database, pytest.mark.slow]

#: where it is killed: what it reports then, and at which call of that kind
MOMENTS = (("generating", 2), ("checking", 1), ("embedding", 1), ("rebalancing", 2), ("rebalancing", 1))
PROMPTS = SuggestedPrompts(
    tuple(Suggestion(f"a {shape} at dusk", {"shape": shape, "time": "dusk"}, 14, shape) for shape in made.CLASSES)
)


def arguments(folder: str | Path) -> dict[str, Any]:
    model = Shapes(dark=0.4, other=0.2, batch_size=8)
    return {"model": model, "checks": ["exposure"], "label": "scenario.shape", "output_dir": Path(folder)}


def child(name: str, folder: str, word: str, at: str) -> None:
    """What a process that is killed runs."""
    import fiftyone as fo

    seen = 0

    def kill(step: Progress) -> None:
        nonlocal seen
        seen += step.message.startswith(word)
        if seen == int(at):
            os.kill(os.getpid(), signal.SIGKILL)

    loupe.rebalance(fo.load_dataset(name), PROMPTS, **arguments(folder), progress=kill)


def start(*given: object) -> int:
    support = str(Path(__file__).parents[1] / "support")
    inherited = {**os.environ, "PYTHONPATH": os.pathsep.join([support, os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-W", "ignore", __file__, *map(str, given)]
    return subprocess.run(command, env=inherited, timeout=300, capture_output=True).returncode


def _ready(new_dataset: Callable[[], Any], folder: Path) -> Any:
    dataset = made.fill(new_dataset(), folder)
    loupe.embed(dataset, embedder="hog", visualize=None, similarity=False)
    return dataset


def test_kill_9_anywhere(new_dataset: Callable[[], Any], tmp_path: Path) -> None:
    dataset, folder = _ready(new_dataset, tmp_path / "own"), tmp_path.resolve() / "drawn"
    dataset.persistent = True
    own = len(dataset)
    for word, at in MOMENTS:
        assert start(dataset.name, folder, word, at) == -signal.SIGKILL, (word, at)
    dataset.reload()
    result = loupe.rebalance(dataset, PROMPTS, **arguments(folder))
    assert result.reached
    assert len(dataset) == own + result.drawn
    keys = [key for key in dataset.values("generation.key") if key]
    assert len(keys) == len(set(keys)) == result.drawn == len(list(folder.glob("*.png")))
    draws = [text for text in dataset.values("scenario.rebalance_draw") if text]
    assert len(draws) == len(set(draws)) == result.drawn
    alone = _ready(new_dataset, tmp_path / "other")
    undisturbed = loupe.rebalance(alone, PROMPTS, **arguments(tmp_path / "alone"))
    facts = [{**each.to_dict(), "seconds": None} for each in result.cells]
    if (
        result.drawn == undisturbed.drawn
    ):  # a kill may leave a round's rest undrawn, which changes the next round's size
        assert facts == [{**each.to_dict(), "seconds": None} for each in undisturbed.cells]
    assert [each.rate for each in result.cells] == [each.rate for each in undisturbed.cells]
    assert [each.counts for each in result.cells] == [each.counts for each in undisturbed.cells]


if __name__ == "__main__":
    child(*sys.argv[1:])
