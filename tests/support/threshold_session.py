"""What the tests of the panel "Thresholds" do with a session of it."""

from __future__ import annotations

from typing import Any

import numpy as np

#: samples of the session's dataset
N = 300


def move(session: Any, value: Any, failure: str = "blur") -> None:
    """Moves the slider as the App does."""
    session.call("on_move", value=value, path=f"slider.{failure}__{session.state['turn']}")


def counts(session: Any) -> str:
    """Returns what the panel says of the counts."""
    return session.properties()["counts"]["default"]


def stored_scores(session: Any) -> np.ndarray:
    """Returns the (N,) float32 scores behind "blur", NaN where there is none."""
    values = session.dataset.values("quality.sharpness")
    return np.array([np.nan if value is None else value for value in values], dtype=np.float32)


def failing(session: Any, failure: str = "blur") -> int:
    """Returns how many samples have that failure."""
    return session.dataset.count_values("failures.classifications.label").get(failure, 0)
