"""Grayscale, against numpy and against pictures that are gray in another mode, or nearly gray."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from loupe.brain.checks.grayscale import Grayscale, chroma
from loupe.brain.engine.reader import read
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.imaging.luma import histogram

RNG = np.random.default_rng(1)


def is_gray(pixels: np.ndarray) -> bool:
    threshold = Grayscale.outputs[0].default_threshold
    assert threshold is not None
    batch = ImageBatch(("a",), torch.from_numpy(pixels.transpose(2, 0, 1)[None].copy()), (pixels.shape[1::-1],))
    return bool(threshold.violates(Grayscale().load("cpu")(batch)["chroma_p99"].numpy())[0])


def test_it_is_what_numpy_says() -> None:
    pixels = RNG.integers(0, 256, (4, 3, 37, 53), dtype=np.uint8)
    spread = pixels.max(1).astype(int) - pixels.min(1)
    expected = np.quantile(spread.reshape(4, -1), 0.99, axis=1, method="inverted_cdf") / 255
    counts = histogram(torch.from_numpy(spread))
    np.testing.assert_allclose(chroma(counts).numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize("mode", ["L", "LA", "1", "I;16", "RGB", "P"])
def test_gray_is_gray_in_every_mode(tmp_path: Path, mode: str) -> None:
    gray = Image.fromarray(RNG.integers(0, 256, (40, 60), dtype=np.uint8))
    made = Image.fromarray(np.asarray(gray).astype(np.uint16) * 257) if mode == "I;16" else gray.convert(mode)
    made.save(tmp_path / "a.png")
    assert is_gray(read(tmp_path / "a.png").pixels)


def test_a_gray_jpeg_in_color_mode_is_gray() -> None:
    soft = Image.fromarray(RNG.integers(0, 256, (12, 16), dtype=np.uint8)).resize((320, 240)).convert("RGB")
    file = io.BytesIO()
    soft.save(file, "JPEG", quality=40)
    assert is_gray(np.asarray(Image.open(file)))


def test_what_has_color_anywhere_is_not_gray() -> None:
    gray = np.repeat(RNG.integers(0, 256, (100, 100, 1), dtype=np.uint8), 3, 2)
    assert is_gray(gray)
    berry = gray.copy()
    berry[10:25, 10:25] = (180, 20, 30)
    assert not is_gray(berry)
    sepia = (gray * np.array([1.0, 0.9, 0.75])).astype(np.uint8)
    assert not is_gray(sepia)
    assert not is_gray((RNG.integers(0, 256, (100, 100, 3)) * 0.2).astype(np.uint8)), "dark, but colored"
