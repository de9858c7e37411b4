"""What comes before a network, done on a device: to the very numbers that torchvision and Pillow make on the CPU.

A picture that a device has decoded would have to go to the CPU and back, and be scaled there by one thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from loupe.brain.imaging import scaling

if TYPE_CHECKING:
    from torch import Tensor

#: steps that do nothing to pixels which are RGB already, but make numbers from 0 to 1 of them
_TO_NUMBERS = {"_convert_to_rgb", "MaybeConvertMode", "ToTensor", "MaybeToTensor"}


def on_device(transform: Any) -> Callable[[Tensor], Tensor] | None:
    """Returns what maps (N, 3, H, W) uint8 pixels to a network's inputs as a transform of torchvision maps pictures.

    Args:
        transform: of pictures of Pillow's

    Returns:
        a function to (N, 3, h, w) float32; None where the transform is not a bicubic scaling of the short side, a crop
        of the middle and a normalization
    """
    # a step is an object, or a plain function
    steps = {getattr(step, "__name__", type(step).__name__): step for step in getattr(transform, "transforms", ())}
    resize, crop, normal = (steps.pop(name, None) for name in ("Resize", "CenterCrop", "Normalize"))
    if resize is None or crop is None or normal is None or set(steps) - _TO_NUMBERS:
        return None
    side, cut = _side(resize.size), _pair(crop.size)
    if side is None or max(cut) > side or getattr(resize.interpolation, "value", "") != "bicubic" or resize.max_size:
        return None

    import torch

    mean, deviation = (torch.as_tensor(of, dtype=torch.float32).view(-1, 1, 1) for of in (normal.mean, normal.std))

    def inputs(pixels: Tensor) -> Tensor:
        height, width = pixels.shape[-2:]
        long = int(side * max(height, width) / min(height, width))
        shape = (side, long) if height <= width else (long, side)
        small = scaling.scaled(pixels, shape, as_pillow=True)
        top, left = (round((whole - part) / 2.0) for whole, part in zip(shape, cut, strict=True))
        shown = small[..., top : top + cut[0], left : left + cut[1]].float().div_(255)
        return shown.sub_(mean.to(pixels.device)).div_(deviation.to(pixels.device))

    return inputs


def _side(size: Any) -> int | None:
    """Returns the length of the short side, None where both sides are given."""
    sizes = [size] if isinstance(size, int) else list(size)
    return int(sizes[0]) if len(sizes) == 1 else None


def _pair(size: Any) -> tuple[int, int]:
    sizes = [size] if isinstance(size, int) else list(size)
    return int(sizes[0]), int(sizes[-1])
