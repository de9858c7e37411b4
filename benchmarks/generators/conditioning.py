"""What ``loupe.generate`` does with pictures: what stays outside of a mask, what strength does, borders of tiles, time.

Signs of tiny-signs are the pictures. The peer is the bare call of diffusers' pipelines on the same weights.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.figures import header, row, share, title
from benchmarks.speed.end_to_end import own_database

_SIGNS, _ROUNDS = 16, 4
# x, y, width and height of what is drawn anew, in shares of a sign
_BOX = (0.3125, 0.125, 0.375, 0.75)
_STRENGTHS = (0.2, 0.4, 0.6, 0.8, 1.0)


#: what can be measured by itself
PARTS = ("outside", "strength", "tiles", "time")


def print_conditioning(parts: Sequence[str] = PARTS) -> None:
    """Prints some of ``PARTS``."""
    with own_database(), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if "tiles" in parts:
            _print_borders()
        if set(parts) == {"tiles"}:
            return
        signs, bare = _signs(folder), _bare()
        if "outside" in parts:
            _print_outside(signs, bare, folder)
        if "strength" in parts:
            _print_strengths(signs, folder)
        if "time" in parts:
            _print_time(signs, bare, folder)


def _generate(folder: Path, **more: Any) -> Any:
    import fiftyone as fo

    import loupe

    dataset = fo.Dataset()
    loupe.generate(dataset, output_dir=folder / f"{dataset.name}", device="cpu", progress=False, **more)
    return dataset


def _signs(folder: Path) -> Any:
    import fiftyone as fo

    prompts = [f'a {color} sign that says "{10 + at}", day, clear' for at in range(4) for color in _COLORS]
    dataset = _generate(folder, prompts=prompts)
    box = fo.Detection(label="text", bounding_box=list(_BOX))
    dataset.set_values("boxes", [fo.Detections(detections=[box.copy()]) for _ in range(len(dataset))])
    assert len(dataset) == _SIGNS
    return dataset


_COLORS = ("red", "blue", "green", "yellow")


def _pixels(path: str) -> np.ndarray:
    from PIL import Image

    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def _pairs(signs: Any, drawn: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    """Returns each sign with what was drawn from it."""
    return [(_pixels(signs[each.generation.source].filepath), _pixels(each.filepath)) for each in drawn]


def _inside() -> np.ndarray:
    inside = np.zeros((32, 96), bool)
    inside[4:28, 30:66] = True
    return inside


def _bare() -> Callable[[Any], list[np.ndarray]]:
    """Returns diffusers' own inpainting of signs, as it is called by hand."""
    import torch
    from diffusers import AutoPipelineForInpainting, AutoPipelineForText2Image
    from PIL import Image

    from loupe.brain.diffusion.locating import MODELS

    text = AutoPipelineForText2Image.from_pretrained(MODELS / "tiny-signs")
    pipeline = AutoPipelineForInpainting.from_pipe(text)
    pipeline.set_progress_bar_config(disable=True)
    mask = Image.fromarray(_inside().astype(np.uint8) * 255)

    def drawn(signs: Any) -> list[np.ndarray]:
        prompts, paths = signs.values(["prompt", "filepath"])
        images: list[np.ndarray] = []
        for start in range(0, len(paths), 8):
            pictures = [Image.fromarray(_pixels(path).astype(np.uint8)) for path in paths[start : start + 8]]
            made = pipeline(
                prompts[start : start + 8],
                image=pictures,
                mask_image=[mask] * len(pictures),
                generator=[torch.Generator().manual_seed(start + at) for at in range(len(pictures))],
                num_inference_steps=20,
                guidance_scale=2.0,
                width=96,
                height=32,
                strength=1.0,
            ).images
            images += [np.asarray(each).astype(int) for each in made]
        return images

    return drawn


def _print_outside(signs: Any, bare: Callable[[Any], list[np.ndarray]], folder: Path) -> None:
    title(f"{_SIGNS} signs, a box of {_BOX[2] * _BOX[3]:.0%} of each drawn anew: pixels outside of it that changed")
    header("", "changed outside", "changed inside")
    inside = _inside()
    by_hand = list(zip([_pixels(path) for path in signs.values("filepath")], bare(signs), strict=True))
    ours = _pairs(signs, _generate(folder, source=signs, mask="boxes"))
    for name, pairs in (("loupe.generate(mask=)", ours), ("diffusers' pipeline, by hand", by_hand)):
        changed = np.stack([(before != after).any(-1) for before, after in pairs])
        counts = [(changed[:, where].sum(), changed[:, where].size) for where in (~inside, inside)]
        row(name, *(share(int(hits), n) for hits, n in counts))


def _print_strengths(signs: Any, folder: Path) -> None:
    title("The same signs drawn from themselves: mean difference of their values, of 255, by strength")
    header("strength", "difference", "standard error over the signs")
    for strength in _STRENGTHS:
        pairs = _pairs(signs, _generate(folder, source=signs, strength=strength))
        means = [float(np.abs(before - after).mean()) for before, after in pairs]
        row(strength, f"{np.mean(means):.1f}", f"{np.std(means, ddof=1) / len(means) ** 0.5:.1f}")


def _print_borders() -> None:
    """What the second pass changes, by columns: how far it steps at the borders of tiles, over its steps elsewhere."""
    from PIL import Image

    from loupe.brain.core.records import Request
    from loupe.brain.generation import upscaling
    from loupe.brain.generators.diffusion import Diffusion

    title(
        "8 signs drawn again twice as large, in tiles: the change's step at the borders of tiles, over steps elsewhere"
    )
    header("", "ratio (1: no border)", "95 % interval over the signs")
    session, how = Diffusion("tiny-signs").load("cpu"), upscaling.Upscale(2.0, 0.3)
    prompts = [f'a {color} sign that says "{at}", day, clear' for at in (12, 34) for color in _COLORS]
    first = [Request(prompt, seed) for seed, prompt in enumerate(prompts)]
    ratios: dict[str, list[float]] = {"each fades into the other": [], "each laid over the one before": []}
    for request, image in zip(first, session.draw(first), strict=True):
        tiles = session.draw(upscaling.requests(image, request, how))
        large = upscaling.enlarged(image, how.factor)
        laid = Image.new("RGB", large.size)
        corners = upscaling.corners(large.size, image.size)
        for tile, corner in zip(tiles, corners, strict=True):
            laid.paste(tile, corner)
        borders = sorted({x - 1 for x, _ in corners if x})
        for name, made in zip(ratios, (upscaling.merged(tiles, large.size), laid), strict=True):
            change = np.asarray(made).astype(int) - np.asarray(large).astype(int)
            steps = np.abs(np.diff(change, axis=1)).mean((0, 2))
            ratios[name].append(float(steps[borders].mean() / np.delete(steps, borders).mean()))
    rng = np.random.default_rng(0)
    for name, own in ratios.items():
        means = rng.choice(own, (2000, len(own))).mean(axis=1)
        low, high = np.quantile(means, [0.025, 0.975])
        row(name, f"{np.mean(own):.2f}", f"[{low:.2f}, {high:.2f}]")


def _print_time(signs: Any, bare: Callable[[Any], list[np.ndarray]], folder: Path) -> None:
    title(f"{_SIGNS} signs drawn anew in a box: the bare call, and loupe.generate from the first image on")
    header("round", "bare, seconds of CPU", "generate, seconds of CPU", "ratio")
    ratios = []
    for at in range(_ROUNDS):
        # which is first alternates: a machine that slows down meanwhile favors neither
        taken = {}
        for ours in (True, False) if at % 2 else (False, True):
            taken[ours] = _time_of_ours(signs, folder, at) if ours else _time_of(lambda: bare(signs))
        ratios.append(taken[True] / taken[False])
        row(at + 1, f"{taken[False]:.1f}", f"{taken[True]:.1f}", f"{ratios[-1]:.3f}")
    means = np.random.default_rng(0).choice(ratios, (2000, len(ratios))).mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    row("mean", "", "", f"{np.mean(ratios):.3f} [{low:.3f}, {high:.3f}]")


def _time_of(call: Callable[[], Any]) -> float:
    started = time.process_time()
    call()
    return time.process_time() - started


def _time_of_ours(signs: Any, folder: Path, seed: int) -> float:
    import fiftyone as fo

    import loupe

    reached: list[float] = []

    def watch(progress: Any) -> None:
        # the pictures are hashed before the model is loaded, and read once more after that: both count
        reached.append(time.process_time())

    dataset = fo.Dataset()
    started = time.process_time()
    loupe.generate(
        dataset,
        source=signs,
        mask="boxes",
        output_dir=folder / f"{dataset.name}",
        seed=seed,
        progress=watch,
        device="cpu",
    )
    assert len(dataset) == _SIGNS
    dataset.delete()
    # loading the model is the longest stretch without a report: the bare call has it behind it
    return reached[-1] - started - max(np.diff([started, *reached[:3]]))
