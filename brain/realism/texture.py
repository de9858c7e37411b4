"""Texture on the scale of a pixel or two: local binary patterns and co-occurrences of gray levels."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np

from loupe.brain.core.interrupts import leavable
from loupe.brain.realism.spectra import distances

#: neighbors of a local binary pattern, and their distance in px
_POINTS, _RADIUS = 8, 1
_LEVELS = 16


@dataclass(frozen=True)
class Texture:
    """The texture of a picture.

    Attributes:
        edges: share of pixels whose pattern has one bright and one dark arc of about a half: a straight edge
        spots: share whose neighbors are all darker or all brighter: a spot or a flat place
        irregular: share whose pattern has more than two changes around the circle: noise and fine texture
        contrast: of neighboring gray levels: the mean squared difference, in 16ths of the range
        homogeneity: in [0, 1]; 1 where neighbors are alike
        correlation: of neighboring gray levels, in [-1, 1]
    """

    edges: float
    spots: float
    irregular: float
    contrast: float
    homogeneity: float
    correlation: float

    def values(self) -> np.ndarray:
        """Returns them as (6,) float64."""
        return np.array(astuple(self))


@dataclass(frozen=True)
class TextureGap:
    """How far two sets lie apart in one measure of texture.

    Attributes:
        real, synthetic: the medians
        distance: Kolmogorov–Smirnov distance of the sets, in [0, 1]
        null: that of two halves of the real set, as a mean over splits
        null_high: what 95 of 100 splits stay below
    """

    real: float
    synthetic: float
    distance: float
    null: float
    null_high: float


NAMES = tuple(Texture.__dataclass_fields__)


@leavable
def gaps(real: list[Texture], synthetic: list[Texture], splits: int, rng: np.random.Generator) -> dict[str, TextureGap]:
    """Returns how far two sets lie apart in each measure, and how far halves of the real one do.

    Args:
        real, synthetic: at least two of each, of pictures of the same side
        splits: of the real set
        rng: decides them
    """
    ours, theirs = (np.stack([each.values() for each in side]) for side in (real, synthetic))
    half = len(ours) // 2
    null = np.empty((splits, len(NAMES)))
    for at in range(splits):
        order = rng.permutation(len(ours))
        null[at] = distances(ours[order[:half]], ours[order[half:]])
    apart = distances(ours, theirs)
    high = null.mean(axis=0) + 1.645 * null.std(axis=0, ddof=1)
    return {
        name: TextureGap(
            float(np.median(ours[:, at])), float(np.median(theirs[:, at])), float(apart[at]),
            float(null[:, at].mean()), float(high[at]),
        )
        for at, name in enumerate(NAMES)
    }  # fmt: skip


def texture(luma: np.ndarray) -> Texture:
    """Returns the texture of a picture, by scikit-image.

    Ojala, Pietikäinen & Mäenpää, IEEE TPAMI 24 (2002), uniform patterns; Haralick, Shanmugam & Dinstein, IEEE
    Transactions on Systems, Man, and Cybernetics 3 (1973), at a distance of one pixel, the mean of four directions.

    Args:
        luma: (H, W) float in [0, 1], at least 3 px on a side
    """
    from skimage.feature import graycomatrix, graycoprops, local_binary_pattern

    levels = np.clip(np.round(luma * 255), 0, 255).astype(np.uint8)
    # a pixel of the border has neighbors outside, which count as black
    pattern = local_binary_pattern(levels, _POINTS, _RADIUS, method="uniform")[1:-1, 1:-1]
    shares = np.bincount(pattern.ravel().astype(np.int64), minlength=_POINTS + 2) / pattern.size
    angles = [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4]
    matrix = graycomatrix(levels // (256 // _LEVELS), [1], angles, levels=_LEVELS, symmetric=True, normed=True)
    contrast, homogeneity, correlation = (
        float(graycoprops(matrix, name).mean()) for name in ("contrast", "homogeneity", "correlation")
    )
    return Texture(
        edges=float(shares[3:6].sum()),
        spots=float(shares[0] + shares[_POINTS]),
        irregular=float(shares[_POINTS + 1]),
        contrast=contrast,
        homogeneity=homogeneity,
        correlation=correlation,
    )
