"""EfficientNet-Lite0: what it looks at, its features, and which of ImageNet's thousand classes it sees."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from loupe.brain.core.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from torch import Tensor, nn

#: of the file in ``loupe weights list``
WEIGHTS = "efficientnet_lite0"
#: what the network was trained to look at, in pixels
SIDE = 224
#: pixels go in as (value - MEAN) / SCALE
MEAN, SCALE = 127.0, 128.0
#: the animals are the first of the classes
ANIMALS = slice(0, 398)
#: crash helmet, football helmet, gas mask, loupe, mask, oxygen mask, ski mask, snorkel, sunglass, sunglasses
FACE_COVERS = (518, 560, 570, 633, 643, 691, 796, 801, 836, 837)
_EPSILON = 1e-3
#: the blocks that halve the picture
_HALVING = (1, 3, 5, 11)
_BLOCKS = 16


def classifier(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """Returns the function that gives the likelihoods of ImageNet's classes, (1000,) float32, of one picture.

    The picture is (H, W, 3) uint8 sRGB; the square in its middle is looked at.

    Raises:
        ModelError: the file holds something else
    """
    import torch

    features, head = network(path)

    @torch.inference_mode()
    def classify(picture: np.ndarray) -> np.ndarray:
        import numpy as np

        pixels = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None]
        likelihoods: np.ndarray = head(features(inputs(pixels))).softmax(1)[0].numpy()
        return likelihoods

    return classify


def inputs(pixels: Tensor) -> Tensor:
    """Returns what the network looks at, (N, 3, 224, 224) float32, of (N, 3, H, W) uint8 sRGB pictures."""
    import torch
    from torch.nn.functional import interpolate

    height, width = pixels.shape[-2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = pixels[..., top : top + side, left : left + side]
    # bytes would be scaled half a millisecond faster, but by the CPU only, and a vector must not depend on the device
    scaled = interpolate(square.float(), (SIDE, SIDE), mode="bicubic", antialias=True).clamp(0, 255)
    return ((scaled - MEAN) / SCALE).contiguous(memory_format=torch.channels_last)


def network(path: Path) -> tuple[nn.Module, nn.Module]:
    """Returns EfficientNet-Lite0, each batch normalization folded into the convolution before it, ready to infer.

    Args:
        path: the verified file

    Returns:
        what maps (N, 3, 224, 224) float32 inputs to (N, 1280) features, and what maps these to the logits of
        ImageNet's 1000 classes in their order

    Raises:
        ModelError: the file holds something else
    """
    import torch
    from torch import nn

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        features = features_of(state)
        head = nn.Linear(1280, 1000)
        head.load_state_dict({"weight": state["_fc.weight"], "bias": state["_fc.bias"]})
    except Exception as error:  # torch raises what it likes for a file that holds something else
        reason = f"{type(error).__name__}: {error}"
        raise ModelError(f"{path}: expected the weights of EfficientNet-Lite0, got {reason}") from error
    features = features.to(memory_format=torch.channels_last)
    return features.eval().requires_grad_(False), head.eval().requires_grad_(False)


def features_of(state: Mapping[str, Tensor]) -> nn.Module:
    """Returns the network up to its features, with these weights by the names of the published file: (N, 1280)."""
    from torch import nn

    layers: list[nn.Module] = [*_convolution(state, "_conv_stem", "_bn0", 2), nn.ReLU6(inplace=True)]
    for index in range(_BLOCKS):
        block, stride = f"_blocks.{index}.", 2 if index in _HALVING else 1
        parts: list[nn.Module] = []
        if index:
            parts += [*_convolution(state, f"{block}_expand_conv", f"{block}_bn0"), nn.ReLU6(inplace=True)]
        parts += [*_convolution(state, f"{block}_depthwise_conv", f"{block}_bn1", stride), nn.ReLU6(inplace=True)]
        parts += _convolution(state, f"{block}_project_conv", f"{block}_bn2")
        body = nn.Sequential(*parts)
        repeats = index > 0 and stride == 1 and parts[0].in_channels == parts[-1].out_channels
        layers.append(_residual(body) if repeats else body)
    layers += [*_convolution(state, "_conv_head", "_bn1"), nn.ReLU6(inplace=True)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def _convolution(state: Mapping[str, Tensor], name: str, norm: str, stride: int = 1) -> list[nn.Module]:
    """Returns a convolution with the normalization that follows it in it, and what pads for it where it halves."""
    from torch import nn

    weight = state[f"{name}.weight"]
    outputs, inputs_of_group, kernel, _ = weight.shape
    groups = outputs if inputs_of_group == 1 else 1
    gain = state[f"{norm}.weight"] / (state[f"{norm}.running_var"] + _EPSILON).sqrt()
    layer = nn.Conv2d(inputs_of_group * groups, outputs, kernel, stride, 0 if stride == 2 else kernel // 2, 1, groups)
    bias = state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * gain
    layer.load_state_dict({"weight": weight * gain[:, None, None, None], "bias": bias})
    # TensorFlow's "same": an even side that is halved gets the odd pixel at its end
    before, after = (kernel - 2) // 2, (kernel - 1) // 2
    return [nn.ZeroPad2d((before, after, before, after)), layer] if stride == 2 else [layer]


def _residual(body: nn.Module) -> nn.Module:
    from torch import nn

    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = body

        def forward(self, x: Tensor) -> Tensor:
            made: Tensor = self.body(x)
            return made.add_(x)

    return Residual()
