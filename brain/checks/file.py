"""Whether the file can be decoded at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from loupe.brain.core.records import Output, Scores, Threshold
from loupe.brain.core.specs import Check
from loupe.brain.imaging.ragged import AnyBatch


@dataclass(frozen=True)
class File(Check):
    """File: whether it can be decoded.

    The reader decodes strictly: a file that is missing, empty, truncated, damaged, no regular file, or that costs far
    more than a picture may never reaches a check, and its reason stands in ``unknown`` of the other checks. Odd or
    large metadata are no damage. What does reach this check is readable.
    """

    name: ClassVar[str] = "file"
    version: ClassVar[int] = 2
    reference: ClassVar[str] = "Strict decoding by libjpeg-turbo and Pillow, https://pillow.readthedocs.io"
    license: ClassVar[str] = "Apache-2.0"
    whole_picture: ClassVar[str] = "a file can be read or not, whatever is shown in it"
    long_side: ClassVar[int | None] = 64
    cost: ClassVar[float] = 0.1
    stateless: ClassVar[bool] = True
    ragged: ClassVar[bool] = True
    outputs: ClassVar[tuple[Output, ...]] = (
        Output(
            name="unreadable",
            unit="0 or 1",
            higher_is_better=False,
            bounds=(0.0, 1.0),
            description="1 when the file cannot be decoded whole, else 0.",
            default_threshold=Threshold(">", 0.5, provenance="a yes or no"),
            failure="unreadable",
            when_unreadable=1.0,
        ),
    )

    def load(self, device: str) -> Callable[[AnyBatch], Scores]:
        import torch

        return lambda batch: Scores({"unreadable": torch.zeros(len(batch), device=batch.device)})
