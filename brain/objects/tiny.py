"""Whether an object has too few pixels to be seen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from loupe.brain.core.records import Output, Threshold
from loupe.brain.core.specs import ObjectMeasure
from loupe.brain.imaging.boxes import areas_inside


@dataclass(frozen=True)
class Tiny(ObjectMeasure):
    """Tiny: whether an object has too few pixels.

    The square root of the area of its box, of what lies in the picture: 16 pixels are where AI-TOD's "tiny" ends and
    its "small" begins; COCO's "small" ends at 32, which is also where the checks of pixels begin to judge.
    """

    name: ClassVar[str] = "tiny"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "Wang et al., Tiny Object Detection in Aerial Images (AI-TOD), ICPR (2021)"
    license: ClassVar[str] = "Apache-2.0"
    outputs: ClassVar[tuple[Output, ...]] = (
        Output(
            name="object_side",
            unit="pixels",
            higher_is_better=True,
            bounds=(0.0, math.inf),
            description="The square root of the area of the box, of what lies in the picture.",
            default_threshold=Threshold("<", 16.0, provenance="where AI-TOD's tiny objects end and small ones begin"),
            failure="tiny",
        ),
        Output("area_share", "share of the picture", None, (0.0, 1.0), "How much of the picture the box covers."),
    )

    def score(self, boxes: np.ndarray, sizes: np.ndarray) -> dict[str, np.ndarray]:
        area = areas_inside(boxes, sizes)
        return {"object_side": np.sqrt(area), "area_share": area / np.prod(sizes, 1)}
