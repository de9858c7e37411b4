"""Vectors a second of each embedder that is here, and how far they are from the CPU's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.gpu.parity import one_batch
from benchmarks.gpu.pictures import leaves
from benchmarks.gpu.report import Report, Settings, rate
from loupe.brain.core import registry
from loupe.brain.core.errors import MissingDependency, ModelError
from loupe.brain.core.specs import Embedder
from loupe.brain.embedders.efficientnet_lite import EfficientNetLite
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.perception import imagenet

if TYPE_CHECKING:
    from torch import Tensor

Embed = Callable[[ImageBatch], "Tensor"]

#: of EfficientNet-Lite0: how much the channels of a block are widened, side of its kernel, channels that it gives
_BLOCKS = (
    ((1, 3, 16), (6, 3, 24), (6, 3, 24), (6, 5, 40), (6, 5, 40), (6, 3, 80), (6, 3, 80), (6, 3, 80))
    + ((6, 5, 112),) * 3
    + ((6, 5, 192),) * 4
    + ((6, 3, 320),)
)


def run(report: Report, settings: Settings) -> None:
    """Prints a row for each embedder, or why it is left out."""
    for name, spec in registry.embedders().items():
        report.attempt(name, lambda name=name, spec=spec: _print(report, settings, name, spec()))


def _print(report: Report, settings: Settings, name: str, spec: Embedder) -> None:
    absent, note = spec.absent(), ""
    if absent and isinstance(spec, EfficientNetLite):
        made = {device: _random(device) for device in ("cpu", settings.device)}
        note = "; its weights are not here: random ones"
    elif absent:
        raise MissingDependency(absent)
    else:
        try:
            made = {device: spec.load(device) for device in ("cpu", settings.device)}
        except ModelError as error:  # its weights come over the network, and there is none here
            raise MissingDependency(str(error)) from error
    side = settings.size(min(spec.long_side or 1024, 512), 64)
    images = [np.asarray(leaves(side, side, seed)) for seed in range(settings.size(64, 2))]
    few = settings.size(8, 2)
    known = made["cpu"](one_batch(images[:few], "cpu"))
    again = made[settings.device](one_batch(images[:few], settings.device)).cpu()
    cosine = float((known * again).sum(1).min())
    for count in (16, len(images)):
        batch = one_batch(images[:count], settings.device)
        each = rate(lambda batch=batch: made[settings.device](batch), settings) * len(batch)
        text = f"of {side} x {side}, {len(batch)} at a time; least cosine to the CPU's {cosine:.6f}{note}"
        report.row(f"{name}, {len(batch)} at a time", each, "images/s", text)


def _random(device: str) -> Embed:
    """Returns EfficientNet-Lite0 with random weights: as fast as with its own."""
    import torch
    from torch.nn.functional import normalize

    features = imagenet.features_of(_random_weights()).eval().requires_grad_(False)
    features = features.to(device, memory_format=torch.channels_last)

    @torch.inference_mode()
    def embed(batch: ImageBatch) -> Tensor:
        return normalize(features(imagenet.inputs(batch.pixels.to(device))), dim=1)

    return embed


def _random_weights() -> dict[str, Tensor]:
    import torch

    generator = torch.Generator().manual_seed(0)
    state: dict[str, Tensor] = {}

    def put(name: str, norm: str, given: int, made: int, side: int) -> None:
        spread = (2 / (given * side * side)) ** 0.5
        state[f"{name}.weight"] = torch.randn(made, given, side, side, generator=generator) * spread
        for part, value in (("weight", 1.0), ("bias", 0.0), ("running_mean", 0.0), ("running_var", 1.0)):
            state[f"{norm}.{part}"] = torch.full((made,), value)

    put("_conv_stem", "_bn0", 3, 32, 3)
    channels = 32
    for index, (widened, side, made) in enumerate(_BLOCKS):
        name, wide = f"_blocks.{index}.", channels * widened
        if widened > 1:
            put(f"{name}_expand_conv", f"{name}_bn0", channels, wide, 1)
        put(f"{name}_depthwise_conv", f"{name}_bn1", 1, wide, side)
        put(f"{name}_project_conv", f"{name}_bn2", wide, made, 1)
        channels = made
    put("_conv_head", "_bn1", channels, 1280, 1)
    return state
