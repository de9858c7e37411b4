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

    One minus the probability of the given class, out-of-fold: by a shrunk linear discriminant and the nearest
    neighbors over a field of vectors, calibrated together with the share of labels that look given by chance; or by
    probabilities that are given. A label that is the most probable of all has at most 0.5. It sees what the vectors
    see: classes that they cannot tell apart look like wrong labels.
    """

    name: ClassVar[str] = "label_issues"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = (
        "Northcutt, Jiang & Chuang 2021, arXiv:1911.00068 (self-confidence); Ledoit & Wolf 2004 (shrinkage)"
    )
    license: ClassVar[str] = "Apache-2.0"
    outputs: ClassVar[tuple[Output, ...]] = (
        Output(
            name="label_issue",
            unit="probability",
            higher_is_better=False,
            bounds=(0.0, 1.0),
            description="How improbable the given label is, by the labels of all other samples",
            default_threshold=Threshold(
                ">",
                0.9,
                source="default",
                provenance="python -m benchmarks.labels issues: CIFAR-10N, 9,000 pictures that it was not set on",
            ),
            failure="label_issue",
        ),
    )

    folds: int = specs.param(5, "Into how many parts the samples are put; each is judged by the others", low=2, high=50)
