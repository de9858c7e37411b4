"""What the panel "Thresholds" draws of a column of scores, without a dataset."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

# the panels' modules import FiftyOne, which takes seconds
pytestmark = pytest.mark.slow


def _output(failure: str) -> Any:
    from loupe.brain.core import registry

    return registry.failures()[failure][1]


@pytest.mark.parametrize(
    ("failure", "scores", "within"),
    [
        ("blur", [0.5, 0.9], (0.0, 1.0)),  # the score's own bounds are near
        ("motion_blur", [-1.0, 4.5], (-1.0, 4.5)),  # -100 to 100 is nowhere near
        ("halo", [0.01, 0.02, 0.011] * 200 + [1.9], (0.0, 0.2)),  # one far out does not stretch it
        ("text_omission", [0.0, 0.0, 7.0], (0.0, 7.0)),
        ("exact_duplicate", [0.0, 0.0], (0.0, 1.0)),
        ("unreadable", [0.0, 0.0, 1.0], (0.0, 1.0)),
        ("blur", [0.5], (0.0, 1.0)),
        ("blur", [], (0.0, 1.0)),
    ],
)
def test_a_slider_covers_what_was_measured_in_fine_steps(
    failure: str, scores: list[float], within: tuple[float, float]
) -> None:
    from loupe.brain.stats.histogram import BARS, STEPS, histogram, score_range

    output = _output(failure)
    column = np.array([*scores, np.nan], dtype=np.float32)
    over = score_range(output, column, output.default_threshold.value)
    assert over.low <= min(within[0] + over.step, output.default_threshold.value)
    assert over.high >= max(np.quantile(scores or [0], 0.9), output.default_threshold.value)
    assert over.low >= within[0] - over.step
    assert over.high <= within[1] + over.step
    assert 2 <= over.positions <= STEPS + 2
    assert over.whole or over.positions >= 50
    assert over.whole or over.nearest(output.default_threshold.value) == pytest.approx(output.default_threshold.value)
    drawn = histogram(column, output.default_threshold, over)
    assert len(drawn.passing) == len(drawn.failing) <= BARS + 1
    assert sum(drawn.passing) + sum(drawn.failing) == drawn.judged == len(scores)
    assert (drawn.failed, drawn.unknown) == (int(output.default_threshold.violates(column).sum()), 1)


@pytest.mark.parametrize("op", ["<", ">"])
def test_what_each_step_would_flag_is_what_the_threshold_flags(op: Any) -> None:
    from loupe.brain.core.records import Threshold
    from loupe.brain.stats.histogram import Range, histogram

    rng = np.random.default_rng(0)
    scores = rng.integers(0, 101, 500).astype(np.float32) / np.float32(
        100
    )  # on the steps, where it is easy to be wrong
    scores[rng.random(500) < 0.1] = np.nan
    over = Range(0.0, 1.0, 0.01)
    drawn = histogram(scores, Threshold(op, 0.5), over)
    for position, count in enumerate(drawn.steps):
        assert count == int(Threshold(op, over.at(position)).violates(scores).sum())


def test_counts_have_a_bar_each_and_the_line_stands_between_two_of_them() -> None:
    from loupe.brain.core.records import Threshold
    from loupe.brain.stats.histogram import Histogram, histogram, score_range
    from loupe.panels.thresholds.plot import draw

    output = _output("text_omission")
    scores = np.float32([0] * 90 + [1, 1, 2, 5])
    made = histogram(scores, Threshold(">", 1), score_range(output, scores, 0.0))
    assert made.passing[:6] == (90, 2, 0, 0, 0, 0)
    assert made.failing[:6] == (0, 0, 1, 0, 0, 1)
    assert Histogram.from_dict(json.loads(json.dumps(made.to_dict()))) == made
    data, layout = draw(made, output, Threshold(">", 1), Threshold(">", 0))
    assert data[0]["x"][:3] == [0, 1, 2]
    assert [shape["x0"] for shape in layout["shapes"]] == [0.5, 1.5]
    # a bar 45 times the usual one: one picture that fails is still to be seen
    assert "square-root" in layout["yaxis"]["title"]["text"]
    assert max(data[1]["y"]) > 0.1 * max(data[0]["y"])


@pytest.mark.database
def test_who_set_it_and_when_is_said_and_is_text(database: str) -> None:
    from loupe.brain.core.records import Threshold
    from loupe.panels.thresholds.layout import _origin

    default = Threshold("<", 0.6, provenance="flags 1 of 100 clean ImageNet photos")
    anna = Threshold("<", 0.7, "user", by="<b>anna", at="2026-11-24T20:31:05+00:00")
    text = _origin(anna, default)
    assert "Set by &lt;b&gt;anna on 2026" in text
    assert "20:31 UTC" in text.replace("\\", "")
    assert "the default is 0.6" in text
    assert "calibrated by loupe\\_calibrate\\_1" in _origin(
        Threshold("<", 0.7, "calibrated:loupe_calibrate_1"), default
    )
    assert "Set by hand" in _origin(Threshold("<", 0.7, "user"), default)
    assert "Set on later" in _origin(Threshold("<", 0.7, "user", at="later"), default)
