"""Runs the composition check on what was asked and found, without a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from loupe.brain.checks.composition import Composition
from loupe.brain.core.records import Box
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.prompts.spec import PromptSpec


def scored(
    check: Composition, specs: Sequence[PromptSpec], boxes: Sequence[Sequence[Box] | None], pictures: Any = None
) -> dict[str, Any]:
    """Returns the check's scores (N,) by name, and the reasons; pictures of 512 x 512 where none are given."""
    import torch

    score = check.load("cpu")
    rows: dict[str, list[float]] = {output.name: [] for output in check.outputs}
    reasons: list[str | None] = []
    for place, (spec, found) in enumerate(zip(specs, boxes, strict=True)):
        pixels = torch.zeros(1, 3, 512, 512, dtype=torch.uint8)
        if pictures is not None:
            pixels = torch.from_numpy(np.array(pictures[place].convert("RGB"))).permute(2, 0, 1)[None]
        fields = {"prompt": (spec.prompt or "?",), "spec": (spec,), "detections": (found,)}
        made = score(ImageBatch(("0",), pixels, ((pixels.shape[3], pixels.shape[2]),), fields))
        for name in rows:
            rows[name].append(float(made[name][0]))
        reasons += made.reasons
    return {**{name: np.array(values) for name, values in rows.items()}, "reasons": reasons}
