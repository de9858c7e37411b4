"""CLIP models through open_clip: pictures and texts as vectors in one space, whoever asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from loupe.brain.core import interrupts
from loupe.brain.core.errors import MissingDependency, ModelError
from loupe.brain.imaging import transforms
from loupe.brain.imaging.batches import ImageBatch

if TYPE_CHECKING:
    from torch import Tensor

#: above what any of the models looks at, so that wide pictures keep enough on their short side
LONG_SIDE = 1024
#: what a form says of ``model`` and of ``pretrained``
MODEL_SENTENCE = "A model of open_clip, 'hf-hub:<owner>/<name>', or 'local-dir:<folder>' with its config and weights"
PRETRAINED_SENTENCE = "A pretrained tag of that model, or a checkpoint file (.safetensors, or .pt: weights only)"


@dataclass(frozen=True)
class Clip:
    """A loaded model.

    Attributes:
        model: open_clip's
        name: by which it tokenizes
        device: where it is
    """

    model: Any
    name: str
    device: str

    def pictures(self) -> Callable[[ImageBatch], Tensor]:
        """Returns the function that maps a batch of N pictures to (N, D) float32 vectors of unit length."""
        import torch
        from open_clip.transform import PreprocessCfg, image_transform_v2
        from PIL import Image
        from torch.nn.functional import normalize

        settings = PreprocessCfg(**self.model.visual.preprocess_cfg)
        transform = image_transform_v2(settings, is_train=False)
        on_device = transforms.on_device(transform)

        @torch.inference_mode()
        def embed(batch: ImageBatch) -> Tensor:
            if on_device is not None and batch.device.type != "cpu":
                inputs = on_device(batch.pixels).to(self.device)
            else:
                pictures = [Image.fromarray(image) for image in batch.pixels.permute(0, 2, 3, 1).cpu().numpy()]
                inputs = torch.stack([transform(picture) for picture in pictures]).to(self.device)
            return normalize(self.model.encode_image(inputs).float(), dim=1)

        return embed

    def texts(self) -> Callable[[Sequence[str]], Tensor]:
        """Returns the function that maps N texts to (N, D) float32 vectors of unit length."""
        import open_clip
        import torch
        from torch.nn.functional import normalize

        tokenizer = open_clip.get_tokenizer(self.name)

        @torch.inference_mode()
        def embed(texts: Sequence[str]) -> Tensor:
            return normalize(self.model.encode_text(tokenizer(list(texts)).to(self.device)).float(), dim=1)

        return embed


def load(model: str, pretrained: str, device: str, without: str = "") -> Clip:
    """Returns a model with its weights.

    Args:
        model, pretrained: see the sentences
        device: where it goes
        without: what to do where the hub cannot be reached, for the error

    Raises:
        ModelError: no such model, tag or file, or the weights cannot be fetched; never another model instead
        MissingDependency: open_clip is not installed
    """
    try:
        import open_clip
    except ImportError as error:
        raise MissingDependency("expected open_clip: pip install open_clip_torch") from error
    try:
        loaded = open_clip.create_model(
            model,
            pretrained=None if ":" in model else pretrained,
            device=device,
            require_pretrained=True,
            weights_only=True,
        ).eval()
    # the hub's client, torch and open_clip raise what they like for a missing file, tag or connection
    except Exception as error:
        raise ModelError(
            f"cannot load open_clip's {model!r} with {pretrained!r}: {_brief(error)}. Expected a model "
            "and tag of open_clip (their weights come from the Hugging Face hub on first use), a checkpoint file, "
            f"or 'local-dir:<folder>'{without and '. ' + without}"
        ) from error
    return Clip(interrupts.watch(loaded), model, device)


def _brief(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:300].rstrip(".")
