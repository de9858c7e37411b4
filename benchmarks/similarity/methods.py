"""The measure, and plain pHash beside it: which pairs of pictures are near duplicates."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from PIL import Image

from benchmarks.figures import columns
from loupe.brain.sets.duplicates import Duplicates
from loupe.brain.similarity import matching, thumbnail_similarity
from loupe.brain.similarity.previews import preview
from loupe.brain.similarity.verification import verified

THRESHOLD = next(output for output in Duplicates.outputs if output.failure == "near_duplicate").default_threshold
PHASH_RADIUS = 10


def thumbs(pictures: Sequence[np.ndarray]) -> thumbnail_similarity.Thumbnails:
    parts = [
        thumbnail_similarity.thumbnails(torch.from_numpy(picture.transpose(2, 0, 1)[None].copy()))
        for picture in pictures
    ]
    return thumbnail_similarity.Thumbnails.join(parts)


def pairs_by_loupe(pictures: Sequence[np.ndarray], groups: np.ndarray | None = None) -> set[tuple[int, int]]:
    """Returns the pairs of indices that the measure calls near duplicates, across two groups only: as the verbs do."""
    made = thumbs(pictures)
    clear = np.flatnonzero(thumbnail_similarity.has_detail(made.luma))
    pairs, _ = matching.searched(made.luma[clear], groups=None if groups is None else groups[clear])
    similar = matching.similarities(made[clear], pairs)
    similar = verified(made[clear], pairs, similar, lambda place: preview(pictures[clear[place]]))
    alike = THRESHOLD.violates(similar)
    return {(min(a, b), max(a, b)) for a, b in zip(clear[pairs.a[alike]], clear[pairs.b[alike]], strict=True)}


def phash(picture: np.ndarray) -> np.ndarray:
    """Returns the 64 bits of imagehash's phash: 8 x 8 low frequencies of 32 x 32 grey pixels against their median."""
    gray = np.asarray(Image.fromarray(picture).convert("L").resize((32, 32), Image.Resampling.LANCZOS), np.float32)
    low = cv2.dct(gray)[:8, :8]
    return (low > np.median(low)).ravel()


def pairs_by_phash(pictures: Sequence[np.ndarray]) -> set[tuple[int, int]]:
    bits = np.stack([phash(np.ascontiguousarray(picture)) for picture in pictures]).astype(np.float32) * 2 - 1
    apart = (64 - bits @ bits.T) / 2
    return {(int(a), int(b)) for a, b in zip(*np.nonzero(np.triu(apart <= PHASH_RADIUS, 1)), strict=True)}


METHODS = {"Loupe": pairs_by_loupe, f"pHash <= {PHASH_RADIUS}": pairs_by_phash}


def print_row(name: str, method: str, text: str) -> None:
    """Prints what a method finds of some pairs."""
    columns((name, method, text), (36, 12))
