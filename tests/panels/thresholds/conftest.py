"""A session of the panel "Thresholds", on scores of 300 samples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from threshold_session import N


@pytest.fixture(scope="module")
def filled(database: str) -> Iterator[Any]:
    import fiftyone as fo
    from filled import fill

    import loupe

    dataset = fo.Dataset()
    fill(dataset, N, files=["/nowhere/<img src=x onerror=alert(1)> &#?.png"], flag=False)
    rng = np.random.default_rng(1)
    scores: list[float | None] = [float(np.float32(score)) for score in rng.normal(0.8, 0.1, N).clip(0, 1)]
    for index in range(0, N, 10):
        scores[index] = None
    dataset.set_values("quality.sharpness", scores)
    loupe.flag(dataset)
    yield dataset
    dataset.delete()


@pytest.fixture
def session(filled: Any) -> Iterator[Any]:
    from panel_session import PanelSession

    from loupe.panels.thresholds.panel import Thresholds

    dataset = filled.clone()
    opened = PanelSession(Thresholds(), dataset)
    opened.call("on_failure", value="blur")
    yield opened
    dataset.delete()
