"""As a bias stands only what surely fails more than all samples do."""

from __future__ import annotations

import numpy as np

from loupe.brain.report import croissant
from loupe.brain.report.contents import Contents
from loupe.brain.slicing.outcomes import State
from loupe.brain.slicing.overview import overview
from loupe.brain.slicing.table import tabulate


def test_a_slice_whose_interval_lies_above_all_is_a_bias_and_no_other() -> None:
    times = ["night"] * 40 + ["day"] * 400
    failed = np.array([True] * 30 + [False] * 10 + [True] * 4 + [False] * 396)
    states = {"blur": np.where(failed, State.FAILED, State.PASSED).astype(np.int8)}
    table = tabulate("time", times, states)
    contents = Contents("t", "d", 440, True, "2026-11-29T00:00:00+00:00", overview(states, 440), (table,), {}, ())
    (bias,) = croissant._biases(contents)
    assert "time=night" in bias
    assert "30 of 40 judged" in bias
    assert "34 of 440 judged" in bias
