"""How many threads the trees take that guess labels from properties; what they guess stands in test_shortcuts."""

from __future__ import annotations

import numpy as np
import pytest

from loupe.brain.labels.seen_together import predicted
from loupe.brain.labels.shortcuts import Property


def _threads_of_openmp() -> list[int]:
    from threadpoolctl import threadpool_info

    return [each["num_threads"] for each in threadpool_info() if each["user_api"] == "openmp"]


def test_trees_of_few_samples_have_one_thread_and_give_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """On busy cores two threads took 14 seconds for what one does in half a second."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    seen: list[list[int]] = []
    fit = HistGradientBoostingClassifier.fit

    def spy(self: HistGradientBoostingClassifier, *given: object) -> HistGradientBoostingClassifier:
        seen.append(_threads_of_openmp())
        return fit(self, *given)

    monkeypatch.setattr(HistGradientBoostingClassifier, "fit", spy)
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 200)
    telling = Property("sharpness", "number", labels + rng.normal(size=200) / 4)
    every = np.arange(200)
    with threadpool_limits(2, "openmp"):
        made = predicted([telling], labels, every, every % 4)
        after = _threads_of_openmp()
    assert made.accuracy.rate > 0.85
    assert len(seen) == 4
    assert {threads for each in seen for threads in each} == {1}
    assert set(after) == {2}
