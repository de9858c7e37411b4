"""Whether a picture is judged alike in every mode and format."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from PIL import Image

from benchmarks.figures import share
from benchmarks.pixels.failures import failures, photos
from loupe.brain.engine.reader import read
from loupe.brain.stats.calibration import score

_RGB, _GRAY = "RGB.png", "grey as RGB.png"


def in_modes(photo: np.ndarray, folder: Path) -> dict[str, Path]:
    """Writes a picture in modes and formats that ought to make no difference; returns the files by name."""
    rgb = Image.fromarray(photo)
    gray = Image.fromarray(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY))
    made: dict[str, tuple[Image.Image, dict[str, object]]] = {
        _RGB: (rgb, {}),
        "RGBA.png": (rgb.convert("RGBA"), {}),
        "CMYK.tif": (rgb.convert("CMYK"), {}),
        "P.png": (rgb.quantize(256), {}),
        "RGB.webp": (rgb, {"lossless": True}),
        "L.png": (gray, {}),
        "LA.png": (gray.convert("LA"), {}),
        "I;16.png": (Image.fromarray(np.asarray(gray).astype(np.uint16) * 257), {}),
        _GRAY: (gray.convert("RGB"), {}),
    }
    exif = Image.Exif()
    exif[0x0112] = 6
    made["EXIF 6.png"] = (rgb.transpose(Image.Transpose.ROTATE_90), {"exif": exif})
    paths = {}
    for name, (image, options) in made.items():
        paths[name] = folder / name.replace(";", "_")
        image.save(paths[name], **options)
    return paths


def print_modes(names: list[str], maximum: int) -> None:
    """Prints how often a picture gets the verdict of its twin in RGB (or in gray as RGB), by mode and format."""
    counts: dict[str, list[int]] = {}
    scorers = {failure: (failures()[failure][0]().load("cpu"), failures()[failure][1]) for failure in names}

    def verdict(path: Path, failure: str) -> bool | None:
        scorer, output = scorers[failure]
        assert output.default_threshold is not None
        value = score(scorer, output, read(path).pixels)
        return None if np.isnan(value) else bool(output.default_threshold.violates(np.array([value]))[0])

    with TemporaryDirectory() as folder:
        for photo in photos(1, maximum):
            paths = in_modes(photo, Path(folder))
            for name, path in paths.items():
                if name in (_RGB, _GRAY):
                    continue
                twin = paths[_GRAY if name in ("L.png", "LA.png", "I;16.png") else _RGB]
                for failure in names:
                    count = counts.setdefault(name, [0, 0])
                    count[0] += verdict(path, failure) == verdict(twin, failure)
                    count[1] += 1
    for name, (same, n) in counts.items():
        print(f"{name:18} the verdict of its RGB twin: {share(same, n)}")
