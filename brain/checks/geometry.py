"""The size and the shape of the picture, as the file has it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from loupe.brain.core.records import Output, Scores, Threshold
from loupe.brain.core.specs import Check
from loupe.brain.imaging.ragged import AnyBatch

if TYPE_CHECKING:
    from torch import Tensor


def aspect_ratio(sizes: Tensor) -> Tensor:
    """Returns short side / long side for (N, 2) sizes: (N,) float32 in (0, 1], 1 for a square.

    >>> import torch
    >>> aspect_ratio(torch.tensor([[32, 96], [50, 50]])).tolist()
    [0.3333333432674408, 1.0]
    """
    return sizes.amin(1).float() / sizes.amax(1).float()


@dataclass(frozen=True)
class Geometry(Check):
    """Geometry: size and shape.

    Width, height and aspect ratio of the file after EXIF rotation, before any scaling.
    """

    name: ClassVar[str] = "geometry"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "Width and height as stored in the file"
    license: ClassVar[str] = "Apache-2.0"
    whole_picture: ClassVar[str] = "the shape of a box is that of its object"
    long_side: ClassVar[int | None] = 64
    cost: ClassVar[float] = 0.1
    stateless: ClassVar[bool] = True
    ragged: ClassVar[bool] = True
    outputs: ClassVar[tuple[Output, ...]] = (
        Output(
            name="aspect_ratio",
            unit="short side / long side",
            higher_is_better=True,
            bounds=(0.0, 1.0),
            description="How close the picture is to a square.",
            default_threshold=Threshold(
                "<",
                0.3,
                provenance="below panoramas of 3:1 and signs of 32 x 96; flags none of 100 clean ImageNet photos",
            ),
            failure="odd_aspect",
        ),
        Output("width", "pixels", None, (1.0, math.inf), "The picture's width."),
        Output("height", "pixels", None, (1.0, math.inf), "The picture's height."),
    )

    def load(self, device: str) -> Callable[[AnyBatch], Scores]:
        import torch

        def score(batch: AnyBatch) -> Scores:
            sizes = torch.tensor(batch.sizes, device=batch.device).reshape(-1, 2)
            width, height = sizes.float().unbind(1)
            return Scores({"aspect_ratio": aspect_ratio(sizes), "width": width, "height": height})

        return score
