"""Runs the composition check on what was asked and found, without a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.batches import batch_of
from loupe.brain.checks.composition import Composition
from loupe.brain.core.records import Box
from loupe.brain.prompts.spec import PromptSpec


def scored(
    check: Composition,
    specs: Sequence[PromptSpec],
    boxes: Sequence[Sequence[Box] | None],
    pictures: Sequence[Image.Image] | None = None,
) -> dict[str, Any]:
    """Returns the check's scores (N,) by name, and the reasons; pictures of 512 x 512 where none are given."""
    score = check.load("cpu")
    rows: dict[str, list[float]] = {output.name: [] for output in check.outputs}
    reasons: list[str | None] = []
    for place, (spec, detections) in enumerate(zip(specs, boxes, strict=True)):
        picture = np.zeros((512, 512, 3), np.uint8) if pictures is None else pictures[place]
        made = score(batch_of(picture, prompt=[spec.prompt or "?"], spec=[spec], detections=[detections]))
        for name in rows:
            rows[name].append(float(made[name][0]))
        reasons += made.reasons
    return {**{name: np.array(values) for name, values in rows.items()}, "reasons": reasons}
