"""The panel "Failures by scenario", open on 300 samples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="package")
def filled_by_scenario(database: str) -> Iterator[Any]:
    import fiftyone as fo
    from filled import fill

    dataset = fo.Dataset()
    fill(dataset, 300)
    yield dataset
    dataset.delete()


@pytest.fixture
def session(filled_by_scenario: Any) -> Iterator[Any]:
    from panel_session import PanelSession

    from loupe.panels.failures_by_scenario.panel import FailuresByScenario

    dataset = filled_by_scenario.clone()
    yield PanelSession(FailuresByScenario(), dataset)
    dataset.delete()
