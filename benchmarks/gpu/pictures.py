"""Pictures that are drawn without OpenCV: discs over discs, as leaves on the ground, with grain."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SHAPES = ((640, 480), (480, 640), (720, 480), (512, 512))


def leaves(width: int, height: int, seed: int) -> Image.Image:
    """Returns a picture full of detail at all scales; the seed decides everything."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(image)
    for radius in max(width, height) / 256 / np.sqrt(1 - rng.random(900) * 0.999):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=tuple(rng.integers(0, 256, 3).tolist()))
    grain = rng.normal(0, 5, (height, width, 1))
    return Image.fromarray((np.asarray(image) + grain).clip(0, 255).astype(np.uint8))


def varied(n: int, seed: int = 1000, scale: float = 1.0) -> list[Image.Image]:
    """Returns n pictures in four shapes: as drawn, blurred, dark, gray, pale, plain, repeated, enlarged and split."""
    made = []
    for index in range(n):
        width, height = (max(16, round(side * scale)) for side in SHAPES[index % len(SHAPES)])
        made.append(_changed(leaves(width, height, seed + index), index // len(SHAPES) % 9))
    return made


def _changed(image: Image.Image, how: int) -> Image.Image:
    width, height = image.size
    pixels = np.asarray(image).astype(np.float32)
    match how:
        case 1:
            return image.filter(ImageFilter.GaussianBlur(max(width, height) / 80))
        case 2:
            pixels = pixels * 0.3
        case 3:
            return image.convert("L").convert("RGB")
        case 4:
            pixels = 150 + pixels * 0.2
        case 5:
            pixels = 128 + (pixels - 128) * 0.01
        case 6:
            half = pixels[:, : width // 2]
            pixels = np.concatenate([half, half, pixels[:, width // 2 * 2 :]], 1)
        case 7:
            small = image.resize((max(1, width // 3), max(1, height // 3)))
            return small.resize((width, height), Image.Resampling.NEAREST)
        case 8:
            pixels = np.concatenate([pixels[: height // 2], np.roll(pixels[height // 2 :], width // 5, 1)])
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def write_files(folder: Path, n: int, side: int, different: int) -> list[str]:
    """Writes n square JPEGs, of which so many differ, and returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = []
    for seed in range(different):
        buffer = io.BytesIO()
        leaves(side, side, seed).save(buffer, "JPEG", quality=90)
        contents.append(buffer.getvalue())
    paths = []
    for index in range(n):
        paths.append(str(folder / f"{index:05}.jpg"))
        Path(paths[-1]).write_bytes(contents[index % different])
    return paths
