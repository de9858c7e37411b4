"""Masks that are probably wrong, by the masks of a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from loupe.brain.core import specs
from loupe.brain.core.records import Output, Threshold
from loupe.brain.core.specs import SetMeasure


@dataclass(frozen=True)
class MaskIssues(SetMeasure):
    """Mask issues.

    How far a mask is from that of a model that was not trained on it, by the class that disagrees most, set against how
    well the model usually does on that class and on regions of that size. With a map of how sure the model is of each
    pixel, cleanlab's softmin.
    """

    name: ClassVar[str] = "mask_issues"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "Lad & Mueller 2023, arXiv:2307.05080 (softmin)"
    license: ClassVar[str] = "Apache-2.0"
    outputs: ClassVar[tuple[Output, ...]] = (
        Output(
            name="mask_issue",
            unit="0 to 1",
            higher_is_better=False,
            bounds=(0.0, 1.0),
            description="How much speaks for a mask with a region that is missing, badly located or of another class",
            default_threshold=Threshold(
                ">",
                0.5,
                source="default",
                provenance="python -m benchmarks.labels masks: synthetic scenes that it was not set on",
            ),
            failure="mask_issue",
        ),
    )

    even: float = specs.param(0.5, "Evidence of a wrong mask that scores one half", low=0.01, high=0.99)
