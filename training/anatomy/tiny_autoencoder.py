"""The tiny autoencoder for FLUX.2's latents (https://github.com/madebyollin/taesd, MIT), for redrawing parts."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import nn

from benchmarks import data

_WIDTH, CHANNELS = 64, 32
#: a latent pixel is that many pixels wide
STRIDE = 8


class _Block(nn.Module):
    """Three convolutions and, near the latents, what is pooled of the whole picture, added to what goes in."""

    def __init__(self, pooled: bool) -> None:
        super().__init__()
        layers = [nn.Conv2d(_WIDTH, _WIDTH, 3, padding=1) for _ in range(3)]
        self.conv = nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2])
        self.pool = (
            nn.Sequential(
                nn.Conv2d(_WIDTH, 4 * _WIDTH, 1, bias=False),
                nn.GroupNorm(4, 4 * _WIDTH),
                nn.ReLU(),
                nn.Conv2d(4 * _WIDTH, _WIDTH, 1, bias=False),
            )
            if pooled
            else None
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.pool is not None:
            x = x + self.pool(x)
        out: torch.Tensor = torch.relu(self.conv(x) + x)
        return out


class _Clamp(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.tanh(x / 3) * 3


def _down() -> nn.Module:
    return nn.Conv2d(_WIDTH, _WIDTH, 3, padding=1, stride=2, bias=False)


def _up() -> list[nn.Module]:
    return [nn.Upsample(scale_factor=2), nn.Conv2d(_WIDTH, _WIDTH, 3, padding=1, bias=False)]


def _encoder() -> nn.Module:
    first = nn.Conv2d(3, _WIDTH, 3, padding=1)
    halved = [part for pooled in (False, False, True) for part in (_down(), *(_Block(pooled) for _ in range(3)))]
    return nn.Sequential(first, _Block(False), *halved, nn.Conv2d(_WIDTH, CHANNELS, 3, padding=1))


def _decoder() -> nn.Module:
    first = [_Clamp(), nn.Conv2d(CHANNELS, _WIDTH, 3, padding=1), nn.ReLU()]
    doubled = [part for pooled in (True, False, False) for part in (*(_Block(pooled) for _ in range(3)), *_up())]
    return nn.Sequential(*first, *doubled, _Block(False), nn.Conv2d(_WIDTH, 3, 3, padding=1))


@cache
def _halves() -> tuple[nn.Module, nn.Module]:
    halves = []
    for name, half in (("encoder", _encoder()), ("decoder", _decoder())):
        path = data.required("9_weights/taesd", f"taef2_{name}.pth")
        half.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        halves.append(half.eval().requires_grad_(False).to(memory_format=torch.channels_last))
    return halves[0], halves[1]


@torch.inference_mode()
def encode(picture: np.ndarray) -> np.ndarray:
    """Returns the latents of a picture, (H, W, 3) uint8 RGB with sides that 8 divides: (H / 8, W / 8, 32) float32."""
    pixels = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float() / 255
    return np.asarray(_halves()[0](pixels)[0].permute(1, 2, 0).numpy())


@torch.inference_mode()
def decode(latents: np.ndarray) -> np.ndarray:
    """Returns the picture of latents, (h, w, 32) float32: (8 h, 8 w, 3) uint8 RGB."""
    pixels = _halves()[1](torch.from_numpy(np.ascontiguousarray(latents)).permute(2, 0, 1)[None])[0]
    return np.asarray((pixels.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy())
