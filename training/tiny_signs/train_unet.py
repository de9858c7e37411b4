"""Stage 3: the denoiser and the text encoder together, on cached latents."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from numpy.typing import NDArray
from transformers import CLIPTextModel, CLIPTokenizer

from training.tiny_signs.common import (
    Budget,
    learning_rate,
    load_state,
    mixed_precision,
    save_state,
    seed_everything,
    set_learning_rate,
)
from training.tiny_signs.models import build_scheduler, build_unet
from training.tiny_signs.signs import Sign, seen_sign
from training.tiny_signs.train_text import ColumnReader, labels_of, tokenize
from training.tiny_signs.train_vae import render_pool, to_tensor

DROPOUT = 0.1
EMA = 0.9985


@dataclass
class Cache:
    """Latents of rendered signs (half precision, unscaled) with everything known about the signs."""

    latents: torch.Tensor
    signs: list[Sign]

    @property
    def scaling_factor(self) -> float:
        """Return the factor that gives the latents unit spread."""
        return 1.0 / float(self.latents[:4096].float().std())


@torch.no_grad()
def encode(vae: AutoencoderKL, pictures: NDArray[np.uint8], device: torch.device) -> torch.Tensor:
    """Return the pictures' latent means in half precision."""
    parts = []
    for start in range(0, len(pictures), 64):
        with mixed_precision(device):
            posterior = vae.encode(to_tensor(pictures[start : start + 64], device)).latent_dist
        parts.append(posterior.mean.half().cpu())
    return torch.cat(parts)


def build_cache(path: Path, vae: AutoencoderKL, count: int, seed: int, device: torch.device) -> Cache:
    """Return ``count`` cached latents, rendering and encoding those that ``path`` lacks."""
    state = load_state(path) or {"latents": torch.zeros(0), "signs": []}
    signs = [Sign(*fields) for fields in state["signs"]]
    if len(signs) < count:
        parts = [state["latents"]] if signs else []
        while len(signs) < count:
            pictures, more = render_pool(
                min(2000, count - len(signs)), np.random.default_rng((seed, 3, len(signs))), seen_sign
            )
            parts.append(encode(vae, pictures, device))
            signs += more
        state = {
            "latents": torch.cat(parts),
            "signs": [[s.color, s.text, s.time, s.weather] for s in signs],
        }
        save_state(path, state)
        print(f"cache {len(signs)} latents", flush=True)
    return Cache(state["latents"], signs)


class Average:
    """An exponential moving average of a network's weights, short at first."""

    def __init__(self, parameters: Iterable[torch.Tensor]) -> None:
        self.shadow = [p.detach().clone() for p in parameters]

    @torch.no_grad()
    def update(self, parameters: Iterable[torch.Tensor], step: int) -> None:
        """Move the average toward the present weights."""
        weight = 1 - min(EMA, (1 + step) / (10 + step))
        torch._foreach_lerp_(self.shadow, [p.detach() for p in parameters], weight)


class Denoiser(torch.nn.Module):
    """Everything that stage 3 trains: denoiser, text encoder and the anchoring reader."""

    def __init__(self, unet: UNet2DConditionModel, encoder: CLIPTextModel, reader: ColumnReader) -> None:
        super().__init__()
        self.unet, self.encoder, self.reader = unet, encoder, reader

    def weights(self) -> list[torch.nn.Parameter]:
        """Return the trained weights, in a fixed order."""
        return list(self.parameters())


def draw_times(count: int, progress: float, rng: np.random.Generator) -> torch.Tensor:
    """Return noise levels: at first only high ones, where nothing but the prompt tells the digit.

    There the task is close to a regression from the prompt to the mean picture, which is
    where the digits are learned; later all levels come in.
    """
    first, second = rng.random(count), rng.random(count)
    if progress < 0.25:
        return torch.from_numpy((600 + 400 * first).astype(np.int64))
    high = rng.random(count) < max(0.0, (0.45 - progress) / 0.2)
    return torch.from_numpy((1000 * np.where(high, np.maximum(first, second), first)).astype(np.int64))


def train_unet(
    out: Path,
    tokenizer: CLIPTokenizer,
    text: tuple[CLIPTextModel, ColumnReader],
    cache: Cache,
    budget: Budget,
    seed: int,
    device: torch.device,
    batch: int = 32,
    peak: float = 1e-3,
) -> None:
    """Train within ``budget``; resumes from ``out/unet.pt``, which holds raw and averaged weights."""
    seed_everything(seed + 4)
    model = Denoiser(build_unet(), *text).to(device)
    optimizer = torch.optim.AdamW(
        [
            {"params": list(model.unet.parameters()), "scale": 1.0},
            {"params": [*model.encoder.parameters(), *model.reader.parameters()], "scale": 0.2},
        ],
        lr=peak,
        betas=(0.9, 0.99),
        weight_decay=0.01,
    )
    average, step = Average(model.weights()), 0
    if state := load_state(out / "unet.pt"):
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        average.shadow = [tensor.to(device) for tensor in state["average"]]
        step, budget.spent_before = int(state["step"]), float(state["seconds"])
        torch.manual_seed(seed + step)
    alphas = build_scheduler().alphas_cumprod.to(device)
    ids, (columns, factors) = tokenize(tokenizer, cache.signs), labels_of(cache.signs)
    empty = tokenizer(
        "", padding="max_length", truncation=True, max_length=tokenizer.model_max_length, return_tensors="pt"
    ).input_ids[0]
    factor = cache.scaling_factor
    rng = np.random.default_rng((seed, 5, step))
    window: list[float] = []
    saved = budget.spent()
    while not budget.over(step):
        rate = learning_rate(step, budget.progress(step), peak, warmup=200)
        set_learning_rate(optimizer, rate)
        optimizer.param_groups[1]["lr"] = rate * optimizer.param_groups[1]["scale"]
        pick = torch.from_numpy(rng.integers(0, len(cache.signs), batch))
        clean = cache.latents[pick].to(device).float() * factor
        times = draw_times(batch, budget.progress(step), rng).to(device)
        noise = torch.randn_like(clean)
        signal, sigma = alphas[times].sqrt()[:, None, None, None], (1 - alphas[times]).sqrt()[:, None, None, None]
        noisy, target = signal * clean + sigma * noise, signal * noise - sigma * clean
        states = model.encoder(torch.cat([ids[pick], empty[None]]).to(device)).last_hidden_state
        anchor = model.reader.loss(states[:batch], columns[pick].to(device), factors[pick].to(device))
        dropped = torch.from_numpy(rng.random(batch) < DROPOUT).to(device)[:, None, None]
        condition = torch.where(dropped, states[batch:], states[:batch])
        with mixed_precision(device):
            predicted = model.unet(noisy, times, condition).sample
        loss = (predicted.float() - target).pow(2).mean()
        (loss + 0.02 * anchor).backward()
        torch.nn.utils.clip_grad_norm_(model.weights(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        average.update(model.weights(), step)
        step += 1
        window.append(float(loss.detach()))
        if step % 100 == 0:
            late = float(np.mean(window[-400:]))
            print(f"unet step {step} {budget.spent():.0f}s loss {late:.4f} anchor {anchor.item():.4f}", flush=True)
        if budget.spent() - saved > 120 or budget.over(step):
            saved = budget.spent()
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "average": average.shadow}
            save_state(out / "unet.pt", {**state, "step": step, "seconds": saved})


def load_average(out: Path, text: tuple[CLIPTextModel, ColumnReader]) -> Denoiser:
    """Return the averaged networks of ``out/unet.pt``."""
    state = load_state(out / "unet.pt")
    if state is None:
        raise FileNotFoundError(f"no stage-3 checkpoint at {out / 'unet.pt'}")
    model = Denoiser(build_unet(), *text)
    model.load_state_dict(state["model"])
    with torch.no_grad():
        for target, source in zip(model.weights(), state["average"], strict=True):
            target.copy_(source)
    return model
