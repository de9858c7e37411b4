"""CIFAR-10's first 12,000 training pictures, with the labels that people gave them (CIFAR-10N)."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence

import numpy as np

from benchmarks import data

PARTS = ("7_labels/cifar10/cifar10_train_0_3000", "7_labels/cifar10/cifar10_train_3000_12000")


def pictures() -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
    """Returns the pictures as (32, 32, 3) uint8, and the columns of labels: ``clean_label`` and those of people.

    Raises:
        MissingData: they are not here
    """
    from PIL import Image

    made, rows = [], []
    for part in PARTS:
        with open(data.required(f"{part}_human_labels.csv"), newline="") as table:
            own = list(csv.DictReader(table))
        with zipfile.ZipFile(data.required(f"{part}_jpg.zip")) as archive:
            made += [np.asarray(Image.open(io.BytesIO(archive.read(each["file"]))).convert("RGB")) for each in own]
        rows += own
    names = [name for name in rows[0] if name.endswith("label") or name.startswith("random_label")]
    return made, {name: np.array([int(each[name]) for each in rows]) for name in names}


def vectors(images: Sequence[np.ndarray]) -> np.ndarray:
    """Returns (N, 1280) float32 vectors by the default embedder.

    Raises:
        MissingData: its weights are not here
    """
    from benchmarks.embedders.meaning import vectors_of
    from loupe.brain.embedders.efficientnet_lite import EfficientNetLite

    embedder = EfficientNetLite()
    if embedder.absent():
        raise data.MissingData(f"the embedder's weights are not here: {embedder.absent()}")
    return vectors_of(embedder.load("cpu"), list(images))
