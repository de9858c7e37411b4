"""The failure modes that there are defects of, and the photos that they are put into."""

from __future__ import annotations

import numpy as np

from benchmarks import data
from loupe.brain.core import registry
from loupe.brain.core.records import Output
from loupe.brain.core.specs import Check
from loupe.brain.engine.reader import read

LONG_SIDE = 1024


def failures() -> dict[str, tuple[type[Check], Output]]:
    """Returns the check and the output of each failure mode that there are defects of."""
    checks = registry.checks()
    return {
        failure: (checks[check], output)
        for failure, (check, output) in registry.failures().items()
        if check in checks and failure in registry.defects()
    }


def without_model(check: type[Check]) -> bool:
    """Returns whether a check looks at the pixels alone: those of safety and taste, in no preset, run a model."""
    return "backend" not in check().params() and bool(check.presets)


def default_names() -> list[str]:
    """Returns the failure modes whose check needs no model: the others take seconds a picture."""
    return [name for name, (check, _) in failures().items() if without_model(check)]


def photos(part: int, maximum: int) -> list[np.ndarray]:
    """Returns the photos at even (0) or odd (1) places, evenly picked; COCO goes with the odd ones.

    Args:
        part: 0 or 1
        maximum: the most photos; 0 for all

    Raises:
        MissingData: they are not there
    """
    paths = data.photos(part)
    if part:
        paths += data.files(data.required(data.COCO))
    step = max(1, len(paths) / maximum) if maximum else 1
    return [read(paths[int(at * step)], LONG_SIDE).pixels for at in range(int(len(paths) / step))]
