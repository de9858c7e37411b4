"""What the default embedder's middle layers see at each place of a hand, and how far that is from real hands there.

Places are the 21 points and the middles of the 20 bones; a place of one hand is compared with the same place of real
hands only. That is PatchCore (Roth et al., CVPR 2022, https://arxiv.org/abs/2106.08265) with the patches put in order
by the landmarks.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np
import torch
from torch import nn

from loupe.brain.measures.anatomy.hand_shape import BONES
from loupe.brain.perception import weights
from loupe.brain.perception.imagenet import MEAN, SCALE, WEIGHTS, network
from loupe.brain.perception.landmarks import crop
from training.anatomy.crops import Crop

#: what the network is shown, in pixels: larger than it was trained for, so that a finger spans several of its places
INPUT = 320
#: the children of the network after which features are taken: 40 channels at a stride of 8, 112 at one of 16
_TAKEN = (4, 10)
CHANNELS = (40, 112)
PLACES = 41
#: nearest real hands whose mean distance counts
_NEAREST = 3


def _blocks(features: nn.Module) -> list[nn.Module]:
    """The network's parts, the residual and halving blocks each as one."""
    children = list(features.children())
    return [child for child in children if isinstance(child, nn.Sequential) or type(child).__name__ == "Residual"]


@cache
def _embedder() -> tuple[nn.Module, list[nn.Module]]:
    features, _ = network(weights.path(WEIGHTS))
    return features, _blocks(features)


def shown(patch: np.ndarray, hand: Crop) -> np.ndarray:
    """Returns the hand's region of a patch, (INPUT, INPUT, 3) uint8."""
    return crop.cut(patch, hand.region, INPUT, border=True)


def places(hand: Crop) -> np.ndarray:
    """Returns where the points and the bones' middles lie in the hand's region: (41, 2) in [0, 1] where inside."""
    return with_middles(crop.unproject(hand.points, hand.region))


def with_middles(points: np.ndarray) -> np.ndarray:
    """Returns (21, 2) points and the middles of the 20 bones: (41, 2)."""
    return np.concatenate([points, [(points[start] + points[end]) / 2 for start, end in BONES]])


@torch.inference_mode()
def at_places(pictures: Sequence[np.ndarray], where: Sequence[np.ndarray]) -> np.ndarray:
    """Returns the features at each place of each picture: (N, 41, 152) float32.

    Args:
        pictures: (INPUT, INPUT, 3) uint8 RGB each
        where: (41, 2) in [0, 1] each
    """
    features, blocks = _embedder()
    taken: dict[int, torch.Tensor] = {}
    hooks = [
        blocks[index].register_forward_hook(lambda _m, _i, out, index=index: taken.__setitem__(index, out.clone()))
        for index in _TAKEN
    ]
    made = []
    for picture, spots in zip(pictures, where, strict=True):
        pixels = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float()
        features(((pixels - MEAN) / SCALE).contiguous(memory_format=torch.channels_last))
        grid = torch.from_numpy(spots.astype(np.float32) * 2 - 1)[None, None]
        rows = [
            nn.functional.grid_sample(
                nn.functional.avg_pool2d(taken[index], 3, 1, 1, count_include_pad=False),
                grid,
                padding_mode="border",
                align_corners=False,
            )[0, :, 0].T
            for index in _TAKEN
        ]
        made.append(torch.cat(rows, 1).numpy())
    for hook in hooks:
        hook.remove()
    return np.array(made, np.float32)


class Bank:
    """The features of real hands, by place.

    Args:
        real: (N, 41, C)
    """

    def __init__(self, real: np.ndarray) -> None:
        self._spread = real.reshape(-1, real.shape[-1]).std(0) + 1e-6
        self._real = real / self._spread

    def distances(self, hand: np.ndarray) -> np.ndarray:
        """Returns how far each place of a hand, (41, C), is from the same place of the nearest real hands: (41,)."""
        off = np.linalg.norm(self._real - hand / self._spread, axis=-1)
        return np.asarray(np.sort(off, 0)[:_NEAREST].mean(0))


def sharpness(picture: np.ndarray) -> float:
    """Returns the logarithm of the mean absolute Laplacian: a score that knows nothing of hands, for comparison."""
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float(np.log(np.abs(cv2.Laplacian(gray, cv2.CV_32F)).mean() + 1e-3))
