"""How much longer ``loupe.generate`` takes than the bare pipeline call: files, provenance, samples and all."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.figures import header, row, title
from benchmarks.speed.end_to_end import own_database

_N, _ROUNDS = 16, 6


def print_overhead() -> None:
    """Prints the time of both for the same images, in turns in one process, models loaded before."""
    with own_database():
        title(f"{_N} images of tiny-signs: the bare call of its pipeline, and loupe.generate from the first image on")
        header("round", "bare, seconds of CPU", "generate, seconds of CPU", "ratio")
        bare = _bare()
        ratios = []
        for at in range(_ROUNDS):
            # which is first alternates: a machine that slows down meanwhile favors neither
            order = (bare, _generated) if at % 2 else (_generated, bare)
            taken = {each: each(at) for each in order}
            ratios.append(taken[_generated] / taken[bare])
            row(at + 1, f"{taken[bare]:.1f}", f"{taken[_generated]:.1f}", f"{ratios[-1]:.3f}")
        rng = np.random.default_rng(0)
        means = rng.choice(ratios, (2000, len(ratios))).mean(axis=1)
        low, high = np.quantile(means, [0.025, 0.975])
        row("mean", "", "", f"{np.mean(ratios):.3f} [{low:.3f}, {high:.3f}]")


def _prompts(at: int) -> list[str]:
    return [f'a red sign that says "{10 + at}", day, clear'] * _N


def _bare() -> Callable[[int], float]:
    import torch
    from diffusers import AutoPipelineForText2Image

    from loupe.brain.diffusion.locating import MODELS

    pipeline = AutoPipelineForText2Image.from_pretrained(MODELS / "tiny-signs")
    pipeline.set_progress_bar_config(disable=True)
    settings = {"num_inference_steps": 20, "guidance_scale": 2.0, "width": 96, "height": 32}

    def taken(at: int) -> float:
        prompts, started = _prompts(at), time.process_time()
        for start in range(0, _N, 8):
            seeds = [torch.Generator().manual_seed(start + each) for each in range(8)]
            pipeline(prompts[start : start + 8], generator=seeds, **settings)
        return time.process_time() - started

    return taken


def _generated(at: int) -> float:
    import fiftyone as fo

    import loupe

    reached: list[float] = []

    def watch(progress: Any) -> None:
        reached.append(time.process_time())

    dataset = fo.Dataset()
    with tempfile.TemporaryDirectory() as folder:
        loupe.generate(dataset, _prompts(at), output_dir=Path(folder) / "images", seed=at, progress=watch, device="cpu")
        assert len(dataset) == _N
    dataset.delete()
    # the first report comes when the model is loaded
    return reached[-1] - reached[0]
