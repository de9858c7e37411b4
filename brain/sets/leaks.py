"""Pictures that stand in more than one split of a dataset; found by ``matching``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from loupe.brain.core import specs
from loupe.brain.core.records import Output, Threshold
from loupe.brain.core.specs import SetMeasure


@dataclass(frozen=True)
class Leaks(SetMeasure):
    """Leaks across splits.

    A picture that a model was trained on says nothing when it is tested on it. Each picture is compared with those of
    the other splits only, exactly and nearly, in the way of near duplicates: so that many copies inside its own split
    do not hide the one in another. Pictures without detail are unknown, and those that are in no split.
    """

    name: ClassVar[str] = "leaks"
    version: ClassVar[int] = 3
    reference: ClassVar[str] = "As near duplicates; Barz and Denzler 2020 (ciFAIR), doi:10.3390/jimaging6060041"
    license: ClassVar[str] = "Apache-2.0"
    of_objects: ClassVar[bool] = True
    outputs: ClassVar[tuple[Output, ...]] = (
        Output(
            name="leak",
            unit="similarity",
            higher_is_better=False,
            bounds=(0.0, 1.0),
            description="The highest similarity to a sample of another split, 1 for the same picture",
            default_threshold=Threshold(">", 0.85, provenance="that of near duplicates, on the same similarity"),
            failure="leak",
        ),
    )

    per_image: int = specs.param(8, "How many candidates are compared with each image", low=1, high=100)
    min_hash: float = specs.param(0.75, "The least cosine of two hashes that makes them candidates", low=-1.0, high=1.0)
