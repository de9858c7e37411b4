"""How much longer drawing with a ControlNet takes by the generator ``diffusion`` than by diffusers' bare call."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.figures import header, row, title
from loupe.brain.core.records import Request

_N, _AT_ONCE, _ROUNDS, _SIZE = 8, 8, 8, (96, 32)
_STEPS, _GUIDANCE = 10, 2.0


def print_controlled() -> None:
    """Prints the time of both for the same images, in turns in one process, models loaded before."""
    title(f"{_N} images of tiny-signs with a ControlNet of its size: diffusers' bare call, and the generator's")
    header("round", "bare, seconds of CPU", "generator, seconds of CPU", "ratio")
    with tempfile.TemporaryDirectory() as folder:
        network = _network(Path(folder) / "edges")
        bare, generator = _bare(network), _generator(network)
    ratios = []
    alike = []
    for at in range(_ROUNDS + 1):
        # which is first alternates: a machine that slows down meanwhile favors neither
        order = (bare, generator) if at % 2 else (generator, bare)
        taken = {each: each(at) for each in order}
        alike.append(all(np.array_equal(*pair) for pair in zip(taken[bare][1], taken[generator][1], strict=True)))
        if at == 0:
            continue  # the first call of each is slower
        ratios.append(taken[generator][0] / taken[bare][0])
        row(at, f"{taken[bare][0]:.2f}", f"{taken[generator][0]:.2f}", f"{ratios[-1]:.3f}")
    rng = np.random.default_rng(0)
    low, high = np.quantile(rng.choice(ratios, (2000, len(ratios))).mean(axis=1), [0.025, 0.975])
    row("mean", "", "", f"{np.mean(ratios):.3f} [{low:.3f}, {high:.3f}]")
    row("same bits", "", "", f"{sum(alike)} of {len(alike)} rounds")


def _network(folder: Path) -> Path:
    import torch
    from diffusers import ControlNetModel, DiffusionPipeline

    from loupe.brain.diffusion.locating import MODELS

    torch.manual_seed(0)
    pipeline = DiffusionPipeline.from_pretrained(MODELS / "tiny-signs")
    scale = len(pipeline.vae.config.block_out_channels) - 1
    made = ControlNetModel.from_unet(pipeline.unet, conditioning_embedding_out_channels=(16, 32, 64, 96)[: scale + 1])
    for number in made.parameters():
        if not number.any():  # a fresh one does nothing
            torch.nn.init.normal_(number, std=0.02)
    made.save_pretrained(folder)
    return folder


def _controls(at: int) -> list[Any]:
    from PIL import Image

    rng = np.random.default_rng(at)
    shape = (_SIZE[1], _SIZE[0], 3)
    return [Image.fromarray(rng.integers(0, 2, shape, dtype=np.uint8) * np.uint8(255)) for _ in range(_N)]


def _prompts(at: int) -> list[str]:
    return [f'a red sign that says "{10 + at}", day, clear'] * _N


def _bare(network: Path) -> Callable[[int], tuple[float, list[np.ndarray]]]:
    import torch
    from diffusers import AutoPipelineForText2Image, ControlNetModel

    from loupe.brain.diffusion.locating import MODELS

    net = ControlNetModel.from_pretrained(network)
    pipeline = AutoPipelineForText2Image.from_pretrained(MODELS / "tiny-signs", controlnet=net)
    pipeline.set_progress_bar_config(disable=True)
    settings = {"num_inference_steps": _STEPS, "guidance_scale": _GUIDANCE, "width": _SIZE[0], "height": _SIZE[1]}

    def taken(at: int) -> tuple[float, list[np.ndarray]]:
        prompts, controls, images = _prompts(at), _controls(at), []
        started = time.process_time()
        for start in range(0, _N, _AT_ONCE):
            own = slice(start, start + _AT_ONCE)
            seeds = [torch.Generator().manual_seed(start + each) for each in range(_AT_ONCE)]
            images += pipeline(prompts[own], image=controls[own], generator=seeds, **settings).images
        return time.process_time() - started, [np.asarray(image.convert("RGB")) for image in images]

    return taken


def _generator(network: Path) -> Callable[[int], tuple[float, list[np.ndarray]]]:
    from loupe.brain.generators.diffusion import Diffusion

    settings: dict[str, Any] = {"steps": _STEPS, "guidance": _GUIDANCE, "width": _SIZE[0], "height": _SIZE[1]}
    session = Diffusion("tiny-signs", controlnet=str(network), images_per_call=_AT_ONCE, **settings).load("cpu")

    def taken(at: int) -> tuple[float, list[np.ndarray]]:
        pairs = zip(_prompts(at), _controls(at), strict=True)
        requests = [Request(prompt, seed, control=control) for seed, (prompt, control) in enumerate(pairs)]
        started = time.process_time()
        images = session.draw(requests)
        return time.process_time() - started, [np.asarray(image) for image in images]

    return taken
