"""Labels that are probably wrong, by the labels of all others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from loupe.brain.core import specs
from loupe.brain.core.records import Output, Threshold
from loupe.brain.core.specs import SetMeasure


@dataclass(frozen=True)
class LabelIssues(SetMeasure):
    """Label issues.

    The probability that a label is wrong: by a shrunk linear discriminant and the nearest neighbors over a field of
    vectors, each out-of-fold, or by probabilities that are given; and by a table of how often each class is given
    another label, which is learned along. It sees what the vectors see: what they cannot tell apart is unsure.
    """

    name: ClassVar[str] = "label_issues"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = (
        "Dawid & Skene 1979, doi:10.2307/2346806 (table of mix-ups); Ledoit & Wolf 2004 (shrinkage)"
    )
    license: ClassVar[str] = "Apache-2.0"
    outputs: ClassVar[tuple[Output, ...]] = (
        Output(
            name="label_issue",
            unit="probability",
            higher_is_better=False,
            bounds=(0.0, 1.0),
            description="How probable it is that the given label is wrong, by the labels of all other samples",
            default_threshold=Threshold(
                ">",
                0.2,
                source="default",
                provenance="python -m benchmarks.labels issues: CIFAR-10N, 9,000 pictures that it was not set on",
            ),
            failure="label_issue",
        ),
    )

    folds: int = specs.param(5, "Into how many parts the samples are put; each is judged by the others", low=2, high=50)
