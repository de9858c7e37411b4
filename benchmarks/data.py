"""The one place that knows where the data lie: ``$LOUPE_DATA``, else ``shared/data`` beside the checkout."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from loupe.brain.engine.reader import read

PHOTOS = "1_real_photos"
IMAGENET = "1_real_photos/imagenet_sample_1000"
COCO = "1_real_photos/coco_val2017_100"
SUFFIXES = {".jpg", ".jpeg", ".png"}


class MissingData(Exception):
    """The data that a benchmark needs are not there."""


def at(*parts: str) -> Path:
    """Returns a place among the data, whether there is anything or not; without parts the folder of all data.

    >>> os.environ["LOUPE_DATA"] = "/data"
    >>> at("2_blur", "live").as_posix()
    '/data/2_blur/live'
    """
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    return Path(os.environ.get("LOUPE_DATA") or beside).joinpath(*parts)


def required(*parts: str) -> Path:
    """Returns a file or a folder of the data that is there.

    Raises:
        MissingData: it is not
    """
    path = at(*parts)
    if not path.exists():
        raise MissingData(
            f"expected {'/'.join(parts) or 'the data'} at {path}, which is not there: "
            "name the folder of the data by --data FOLDER or LOUPE_DATA"
        )
    return path


def use(folder: Path) -> None:
    """Takes the data from another folder from now on, in child processes too."""
    os.environ["LOUPE_DATA"] = str(folder.resolve())


def files(folder: Path, pattern: str = "*") -> list[Path]:
    """Returns the files in a folder, sorted by name; none where there is no such folder."""
    return sorted(path for path in folder.glob(pattern) if path.is_file())


def pictures(folder: Path) -> list[Path]:
    """Returns the JPEGs and PNGs in a folder and its folders, sorted; none where there is no such folder."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)


def photos(part: int | None = None) -> list[Path]:
    """Returns the ImageNet photos, sorted: all, or those at even (0) or odd (1) places.

    Raises:
        MissingData: they are not there
    """
    paths = files(required(IMAGENET))
    return paths if part is None else paths[part::2]


def pixels(paths: list[Path], long_side: int | None = 1024) -> list[np.ndarray]:
    """Returns the pictures in these files, (H, W, 3) uint8 sRGB, as a check of that long side gets them to read."""
    return [read(path, long_side).pixels for path in paths]
