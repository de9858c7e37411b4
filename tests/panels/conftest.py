"""What several tests of one panel are run on: the panel "Failures by scenario", open on 300 samples; noisy digits."""

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


@pytest.fixture(scope="package")
def judged_digits(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, dict[str, str]]]:
    import fiftyone as fo
    from noisy_digits import fill

    made = fo.Dataset()
    true = fill(made, tmp_path_factory.mktemp("digits"))
    yield made, true
    made.delete()


@pytest.fixture
def digits(judged_digits: tuple[Any, dict[str, str]]) -> Iterator[Any]:
    """A copy of the digits with their issues: the ids stay the same."""
    made = judged_digits[0].clone()
    yield made
    made.delete()


@pytest.fixture
def true(judged_digits: tuple[Any, dict[str, str]]) -> dict[str, str]:
    return judged_digits[1]


@pytest.fixture(scope="package")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Sixty drawn houses, every other one blurred."""
    from reviewable import draw

    return draw(tmp_path_factory.mktemp("houses"), 60)


@pytest.fixture
def houses(dataset: Any, paths: list[str]) -> Any:
    """The houses with scores, failures and boxes."""
    from reviewable import fill

    fill(dataset, paths)
    return dataset
