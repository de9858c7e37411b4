"""Depth as a picture: what is near is white, what is far is black, as ControlNets of depth were trained.

The scale is the picture's own: R. Ranftl et al., "Towards Robust Monocular Depth Estimation" (MiDaS), TPAMI 2022,
whose inverse depth, stretched from 0 to 255, those networks have seen.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from loupe.brain.core.errors import InputError, ModelError
from loupe.brain.diffusion.locating import LOADING
from loupe.brain.diffusion.quiet import quiet

# kinds of transformers' models that give meters: large is far. Others give inverse depth: large is near
_METRIC = ("glpn", "zoedepth", "depth_pro")


def make(device: str, model: str | None) -> Callable[[np.ndarray], np.ndarray]:
    """Returns the function that maps a picture, (H, W, 3) uint8 RGB, to its depth, of the same shape.

    Args:
        device: where the model runs
        model: a depth-estimation model of transformers: a folder, or a hub id

    Raises:
        InputError: no model is named
        ModelError: it cannot be loaded
    """
    if not model or "\0" in model:
        raise InputError(
            f"expected a depth-estimation model of transformers, a folder or a hub id, got {model!r}: name it, or give "
            "a field of depth maps instead"
        )
    processor, network, near = _load(os.path.expanduser(model), device)

    def depth(picture: np.ndarray) -> np.ndarray:
        import torch
        from PIL import Image

        size = picture.shape[1], picture.shape[0]
        inputs = processor(images=Image.fromarray(picture), return_tensors="pt").to(device)
        with torch.inference_mode():
            values = network(**inputs).predicted_depth[0].float().cpu().numpy()
        return draw(values if near else -values, size)

    return depth


def _load(model: str, device: str) -> tuple[Any, Any, bool]:
    from safetensors import SafetensorError
    from transformers import AutoImageProcessor, AutoModelForDepthEstimation

    try:
        with quiet():
            processor = AutoImageProcessor.from_pretrained(model, trust_remote_code=False)
            network = AutoModelForDepthEstimation.from_pretrained(model, trust_remote_code=False, use_safetensors=True)
    except (*LOADING, SafetensorError) as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:300]
        raise ModelError(
            f"expected a depth-estimation model of transformers with safetensors weights, and {model[:200]!r} cannot "
            f"be loaded as one: {reason}"
        ) from error
    config = network.config
    metric = config.model_type in _METRIC or getattr(config, "depth_estimation_type", None) == "metric"
    return processor, network.to(device).eval(), not metric


def draw(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Returns a depth map as a picture, (H, W, 3) uint8: the largest value is 255, the smallest 0.

    Args:
        values: (h, w), larger is nearer; NaN and infinite ones are as far as the farthest
        size: (width, height) of what is drawn; the map is stretched over all of it

    Raises:
        InputError: no map, or one without any depth in it

    >>> draw(np.array([[0.0, 5.0], [10.0, np.nan]]), (2, 2))[..., 0].tolist()
    [[0, 128], [255, 0]]
    """
    import cv2

    values = np.asarray(values, np.float64)
    if values.ndim != 2 or not values.size:
        raise InputError(f"expected a depth map of (h, w) numbers, got {values.shape}")
    known = np.isfinite(values)
    if not known.any() or values[known].min() == values[known].max():
        what = "the same number everywhere" if known.any() else "no number"
        raise InputError(f"expected a depth map with near and far in it, got {what}: leave this sample out")
    low, high = values[known].min(), values[known].max()
    # halves first: the span of the largest numbers is beyond any
    level = np.where(known, (values / 2 - low / 2) / (high / 2 - low / 2), 0.0).astype(np.float32)
    if level.shape != (size[1], size[0]):
        shrinks = size[0] * size[1] < level.size
        level = cv2.resize(level, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.repeat(np.rint(level * 255).clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)
