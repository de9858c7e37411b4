"""How well pictures fit a prompt, by an embedder that reads texts, where its weights are on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from loupe.brain.core import registry
from loupe.brain.core.specs import Embedder
from loupe.brain.imaging.batches import ImageBatch


class Alignment:
    """Similarity of pictures and prompts.

    Args:
        spec: an embedder that reads texts
        device: where it runs
    """

    def __init__(self, spec: Embedder, device: str) -> None:
        self.spec = spec
        self._device = device

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        return self.spec.load(self._device), self.spec.load_texts(self._device)

    def scores(self, pictures: Sequence[np.ndarray], prompt: str) -> list[float]:
        """Returns the cosine of each (H, W, 3) uint8 picture and the prompt, in [-1, 1]. Higher fits better."""
        import torch

        embed, embed_texts = self._loaded
        text = embed_texts([prompt])[0]
        made = []
        for picture in pictures:
            pixels = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].to(self._device)
            batch = ImageBatch(("",), pixels, ((picture.shape[1], picture.shape[0]),))
            made.append(float(embed(batch)[0] @ text))
        return made


def here(device: str) -> tuple[Alignment | None, str]:
    """Returns what measures it on this machine, and why there is nothing that does, else an empty text."""
    for spec in (made() for made in registry.embedders().values() if made.reads_texts):
        reason = spec.absent()
        if not reason:
            return Alignment(spec, device), ""
    return None, "whether a repair fits its prompt as well is not measured: there is no embedder here that reads texts"
