"""Panels draw records and turn clicks into views."""

from __future__ import annotations

from typing import Any


def register(plugin: Any) -> None:
    """Registers every panel with FiftyOne."""
    from loupe.panels.failures_by_scenario import FailuresByScenario
    from loupe.panels.thresholds import Thresholds

    plugin.register(FailuresByScenario)
    plugin.register(Thresholds)
