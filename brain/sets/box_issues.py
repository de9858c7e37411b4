"""Boxes that are probably wrong, by the predictions of a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from loupe.brain.core import specs
from loupe.brain.core.records import Output, Threshold
from loupe.brain.core.specs import SetMeasure


@dataclass(frozen=True)
class BoxIssues(SetMeasure):
    """Box issues.

    Overlooked objects, badly located boxes and boxes of another class, by the predictions of a model that was not
    trained on the boxes. A prediction counts for as much as predictions of its confidence agree with the given boxes.
    The worst box is the sample's score. What the model does not see is not judged.
    """

    name: ClassVar[str] = "box_issues"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "Tkachenko, Thyagarajan & Mueller 2023, arXiv:2309.00832 (the three kinds)"
    license: ClassVar[str] = "Apache-2.0"
    outputs: ClassVar[tuple[Output, ...]] = (
        Output(
            name="box_issue",
            unit="0 to 1",
            higher_is_better=False,
            bounds=(0.0, 1.0),
            description="How much speaks for a box that is missing, badly located or of another class: the worst one",
            default_threshold=Threshold(
                ">",
                0.5,
                source="default",
                provenance="python -m benchmarks.labels boxes: synthetic scenes that it was not set on",
            ),
            failure="box_issue",
        ),
    )

    overlap: float = specs.param(0.5, "Boxes that overlap by this much are of one object", low=0.1, high=0.9)
    overlooked: float = specs.param(0.6, "Evidence of an overlooked object that scores one half", low=0.01, high=0.99)
    badly_located: float = specs.param(
        0.25, "Evidence of a badly located box that scores one half", low=0.01, high=0.99
    )
    swapped: float = specs.param(0.84, "Evidence of another class that scores one half", low=0.01, high=0.99)
