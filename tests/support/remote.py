"""Pictures that lie on a server, and samples whose filepaths are their addresses."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin


def picture(seed: int, text: str | None = None) -> bytes:
    """Returns a PNG of 128 x 96 pixels, with a text in it as a web UI writes its settings."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)
    file, info = io.BytesIO(), PngImagePlugin.PngInfo()
    if text:
        info.add_text("parameters", text)
    Image.fromarray(small).resize((128, 96), Image.Resampling.BICUBIC).save(file, "PNG", pnginfo=info)
    return file.getvalue()


def add(dataset: Any, addresses: list[str]) -> None:
    """Samples whose filepaths are addresses: FiftyOne takes them as they are where a field is set."""
    import fiftyone as fo

    dataset.add_samples([fo.Sample(filepath=f"{at}.png") for at in range(len(addresses))], progress=False)
    dataset.set_values("filepath", addresses)
