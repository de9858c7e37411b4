"""Generated pictures that stand in a reference set, e.g. what the generator learned from; found by ``matching``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from loupe.brain.core import specs
from loupe.brain.core.records import Output, Threshold
from loupe.brain.core.specs import SetMeasure


@dataclass(frozen=True)
class Memorized(SetMeasure):
    """Memorized pictures.

    A generator that draws a picture of its training set again has not made one. Each picture is compared with those of
    the reference set only, exactly and nearly, in the way of near duplicates: a copy is found, a picture of the same
    kind is not one. Pictures without detail are unknown.
    """

    name: ClassVar[str] = "memorized"
    version: ClassVar[int] = 3
    reference: ClassVar[str] = (
        "As near duplicates; Somepalli et al., Diffusion Art or Digital Forgery?, arXiv:2212.03860"
    )
    license: ClassVar[str] = "Apache-2.0"
    outputs: ClassVar[tuple[Output, ...]] = (
        Output(
            name="memorized",
            unit="similarity",
            higher_is_better=False,
            bounds=(0.0, 1.0),
            description="The highest similarity to a picture of the reference set, 1 for the same picture",
            default_threshold=Threshold(">", 0.85, provenance="that of near duplicates, on the same similarity"),
            failure="memorized",
        ),
    )

    per_image: int = specs.param(8, "How many candidates are compared with each image", low=1, high=100)
    min_hash: float = specs.param(0.75, "The least cosine of two hashes that makes them candidates", low=-1.0, high=1.0)
