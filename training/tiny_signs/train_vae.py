"""Stage 1: the autoencoder, on rendered signs; and the cache of latents that it makes."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from numpy.typing import NDArray

from training.tiny_signs.common import (
    Budget,
    learning_rate,
    load_state,
    mixed_precision,
    save_state,
    seed_everything,
    set_learning_rate,
)
from training.tiny_signs.models import build_vae
from training.tiny_signs.signs import Sign, random_sign, render


def render_pool(
    count: int, rng: np.random.Generator, draw: Callable[[np.random.Generator], Sign] = random_sign
) -> tuple[NDArray[np.uint8], list[Sign]]:
    """Return ``count`` pictures of random signs and the signs, which ``draw`` chooses."""
    signs = [draw(rng) for _ in range(count)]
    return np.stack([render(sign, rng) for sign in signs]), signs


def to_tensor(pictures: NDArray[np.uint8], device: torch.device) -> torch.Tensor:
    """Return pictures as NCHW floats in -1..1."""
    return torch.from_numpy(pictures).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1.0


@torch.no_grad()
def psnr(vae: AutoencoderKL, pictures: NDArray[np.uint8], device: torch.device) -> float:
    """Return the reconstruction quality in decibels."""
    pixels = to_tensor(pictures, device)
    decoded = vae.decode(vae.encode(pixels).latent_dist.mean).sample.clamp(-1, 1)
    return -10 * math.log10(float(((decoded - pixels) / 2).pow(2).mean()))


def train_vae(
    out: Path, budget: Budget, seed: int, device: torch.device, batch: int = 8, pool: int = 8000
) -> AutoencoderKL:
    """Train the autoencoder within ``budget`` and leave it at ``out/vae.pt``; resumes from there."""
    rng = seed_everything(seed)
    vae = build_vae().to(device)
    optimizer = torch.optim.AdamW(vae.parameters(), lr=2e-3, betas=(0.9, 0.99), weight_decay=0.0)
    step = 0
    if state := load_state(out / "vae.pt"):
        vae.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        step, budget.spent_before = int(state["step"]), float(state["seconds"])
    if budget.over(step):
        return vae
    pictures, _ = render_pool(pool, rng)
    held, _ = render_pool(256, np.random.default_rng(seed + 1))
    rng = np.random.default_rng((seed, step))
    while not budget.over(step):
        set_learning_rate(optimizer, learning_rate(step, budget.progress(step), 3e-3, floor=0.02))
        pixels = to_tensor(pictures[rng.integers(0, pool, batch)], device)
        with mixed_precision(device):
            posterior = vae.encode(pixels).latent_dist
            decoded = vae.decode(posterior.sample()).sample
        error = decoded.float() - pixels
        loss = error.abs().mean() + 2.0 * error.pow(2).mean() + 1e-5 * posterior.kl().float().mean() / 192
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step += 1
        if step % 250 == 0 or budget.over(step):
            quality = psnr(vae, held, device)
            print(f"vae step {step} {budget.spent():.0f}s loss {loss.item():.4f} psnr {quality:.2f} dB", flush=True)
            state = {"model": vae.state_dict(), "optimizer": optimizer.state_dict()}
            save_state(out / "vae.pt", {**state, "step": step, "seconds": budget.spent()})
    return vae
