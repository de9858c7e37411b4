"""Masks that are probably wrong, by the masks of a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from loupe.brain.core.records import Output, Threshold
from loupe.brain.core.specs import SetMeasure


@dataclass(frozen=True)
class MaskIssues(SetMeasure):
    """Mask issues.

    The share of a picture that a model, which was not trained on the masks, takes for another class than they say; what
    differs along edges only does not count. With a map of how sure the model is, each pixel counts by its square.
    """

    name: ClassVar[str] = "mask_issues"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "Lad & Mueller 2023, arXiv:2307.05080 (what it is measured against)"
    license: ClassVar[str] = "Apache-2.0"
    outputs: ClassVar[tuple[Output, ...]] = (
        Output(
            name="mask_issue",
            unit="share of the picture",
            higher_is_better=False,
            bounds=(0.0, 1.0),
            description="How much of the picture a model takes for another class than the mask says, edges aside",
            default_threshold=Threshold(
                ">",
                0.02,
                source="default",
                provenance="python -m benchmarks.labels masks: synthetic scenes that it was not set on",
            ),
            failure="mask_issue",
        ),
    )
