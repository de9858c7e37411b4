"""The aesthetic check: how much people would like the look of a picture, by a head on CLIP that they name."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Output, Scores
from loupe.brain.core.specs import Check, param
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.perception import clip

_HOW = 'name the file of one: Aesthetic(head="FILE"), e.g. of https://github.com/LAION-AI/aesthetic-predictor (MIT)'


@dataclass(frozen=True)
class Aesthetic(Check):
    """Aesthetic: how much people would like the look of a picture.

    By a head that is named: a linear map of CLIP's vector of the picture, which LAION fitted to the ratings of people,
    1 to 10. Photos and paintings that they found beautiful get more. It prefers saturated, contrasty, centered pictures
    of few things, and knows neither the prompt nor what a dataset is for. So it is a rank, and no failure: there is no
    threshold. Loupe carries no head and no CLIP of that size; both are named by path, and neither was measured here.
    """

    name: ClassVar[str] = "aesthetic"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "Schuhmann et al. 2022, arXiv:2210.08402 (LAION-5B), section on LAION-Aesthetics"
    license: ClassVar[str] = "MIT"  # of LAION's heads and of OpenAI's CLIP; other weights have their own
    whole_picture: ClassVar[str] = "it rates the look of the whole picture"
    long_side: ClassVar[int | None] = clip.LONG_SIDE
    default: ClassVar[bool] = False
    presets: ClassVar[tuple[str, ...]] = ()
    cost: ClassVar[float] = 1500.0
    outputs: ClassVar[tuple[Output, ...]] = (
        Output(
            "aesthetic", "points", True, (-math.inf, math.inf), "How much people would like its look, about 1 to 10."
        ),
    )

    head: str = param(
        "", "The file of a head: linear layers on CLIP's unit vectors (.safetensors, or .pth: weights only)"
    )
    model: str = param("ViT-L-14", clip.MODEL_SENTENCE)
    pretrained: str = param("openai", clip.PRETRAINED_SENTENCE)

    def absent(self) -> str:
        """Returns that no head is named, where none is."""
        return "" if self.head else f"no head is named: {_HOW}"

    def load(self, device: str) -> Callable[[ImageBatch], Scores]:
        """Returns the function that scores a batch.

        Raises:
            InputError: no head is named, or it is one for vectors of another length
            ModelError: the head or the model cannot be loaded
            MissingDependency: open_clip is not installed
        """
        import torch

        from loupe.brain.perception import linear_head

        if not self.head:
            raise InputError(f"expected the file of a head, got none: {_HOW}")
        weights, bias = linear_head.load(Path(self.head).expanduser())
        pictures = clip.load(self.model, self.pretrained, device).pictures()
        weights = weights.to(device)
        # once and before the first picture: an error of each picture would say it as often as there are pictures
        width = pictures(ImageBatch(("",), torch.zeros(1, 3, 32, 32, dtype=torch.uint8), ((32, 32),))).shape[1]
        if width != len(weights):
            raise InputError(
                f"{self.head}: expected a head for vectors of {width} numbers, as {self.model} gives, "
                f"got one for {len(weights)}"
            )

        def score(batch: ImageBatch) -> Scores:
            return Scores({"aesthetic": (pictures(batch) @ weights + bias).to(batch.pixels.device)})

        return score
