"""ImageNet's classes by the network's own head, and CIFAR-10's by simple learners on the vectors."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmarks import data
from benchmarks.figures import header, row, share, title
from loupe.brain.core.specs import Embedder
from loupe.brain.embedders import efficientnet_lite
from loupe.brain.embedders.efficientnet_lite import EfficientNetLite
from loupe.brain.embedders.hog import Hog
from loupe.brain.engine.reader import read
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.perception import weights

CIFAR = "7_labels/cifar10/cifar10_train_0_3000"
_FOLDS = 5
_NEIGHBORS = 10


def batch_of(pictures: list[np.ndarray]) -> ImageBatch:
    """Returns pictures of one shape, (H, W, 3) uint8 each, as a batch."""
    pixels = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
    height, width = pictures[0].shape[:2]
    return ImageBatch(tuple(map(str, range(len(pictures)))), pixels, ((width, height),) * len(pictures))


def vectors_of(embed: Callable[[ImageBatch], torch.Tensor], pictures: list[np.ndarray]) -> np.ndarray:
    """Returns the (N, D) float32 vectors of pictures of one shape, 16 at a time."""
    parts = [embed(batch_of(pictures[at : at + 16])) for at in range(0, len(pictures), 16)]
    return torch.cat(parts).numpy()


def imagenet_hits(path: Path) -> list[bool]:
    """Returns for each ImageNet photo whether the network's class is the one that its file is named after.

    Args:
        path: of the network's weights

    Raises:
        MissingData: the photos are not there
    """
    from timm.data import ImageNetInfo

    info = ImageNetInfo()
    classes = [info.index_to_label_name(index) for index in range(1000)]
    features, head = efficientnet_lite.network(path)
    hits = []
    for photo in data.photos():
        picture = read(photo, EfficientNetLite.long_side).pixels
        with torch.inference_mode():
            logits = head(features(efficientnet_lite.inputs(batch_of([picture]).pixels)))
        hits.append(classes[int(logits.argmax())] == photo.name.split("_")[0])
    return hits


def cifar() -> tuple[list[np.ndarray], np.ndarray]:
    """Returns the first 3,000 pictures of CIFAR-10, (32, 32, 3) uint8, and their (3000,) classes.

    Raises:
        MissingData: they are not there
    """
    with open(data.required(f"{CIFAR}_human_labels.csv"), newline="") as table:
        rows = list(csv.DictReader(table))
    with zipfile.ZipFile(data.required(f"{CIFAR}_jpg.zip")) as archive:
        pictures = [np.asarray(Image.open(io.BytesIO(archive.read(row["file"]))).convert("RGB")) for row in rows]
    return pictures, np.array([int(row["clean_label"]) for row in rows])


def learned(vectors: np.ndarray, classes: np.ndarray, folds: int = _FOLDS) -> tuple[int, int]:
    """Returns how many classes a linear probe and the 10 nearest neighbors get right, each picture held out once.

    Args:
        vectors: (N, D) of unit length
        classes: (N,)
        folds: parts that are held out in turn
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.neighbors import KNeighborsClassifier

    parts = StratifiedKFold(folds, shuffle=True, random_state=0)
    learners = (LogisticRegression(C=10, max_iter=300), KNeighborsClassifier(_NEIGHBORS, metric="cosine"))
    probe, neighbors = (
        int((cross_val_predict(learner, vectors, classes, cv=parts) == classes).sum()) for learner in learners
    )
    return probe, neighbors


def print_imagenet() -> None:
    """Prints how often the network names a photo's class."""
    data.photos()
    title("ImageNet, 1,000 classes, the network's own head on what the embedder shows it")
    hits = imagenet_hits(weights.get(efficientnet_lite.WEIGHTS))
    print(f"top-1: {share(sum(hits), len(hits))}. The photos may be among those that it was trained on.")


def print_cifar() -> None:
    """Prints what a linear probe and the nearest neighbors make of the vectors."""
    pictures, classes = cifar()
    weights.get(efficientnet_lite.WEIGHTS)
    title(f"CIFAR-10, {len(pictures)} pictures of 32 pixels, {_FOLDS} folds, {_NEIGHBORS} nearest by cosine")
    header("embedder", "linear probe", "nearest neighbors")
    specs: tuple[Embedder, ...] = (EfficientNetLite(), Hog())
    for spec in specs:
        probe, neighbors = learned(vectors_of(spec.load("cpu"), pictures), classes)
        row(spec.name, share(probe, len(classes)), share(neighbors, len(classes)))
