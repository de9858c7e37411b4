"""How a picture's power is spread over spatial frequencies: what blurring, upsampling and denoising leave behind."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from loupe.brain.core.interrupts import leavable

#: the side that pictures are brought to at most, in px
MAX_SIDE = 256
#: radial bands from 0 to the Nyquist frequency
BANDS = 16
#: of Nyquist: above it frequencies are high; the lowest band is left out of the slope, as it holds the picture's layout
HIGH = 0.5
_SMALLEST = 16


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Where the power of a picture lies.

    Attributes:
        profile: (B,) float64: log10 of the mean power of each radial band over that of all, lowest frequency first
        slope: of log power over log frequency: about -2.4 for photos (Tolhurst, Tadmor & Chao, Ophthalmic and
            Physiological Optics 12, 1992); lower is smoother. One picture's slope is noise: compare distributions
        high_frequency: share of the power at or above half of the Nyquist frequency, in [0, 1]
    """

    profile: np.ndarray
    slope: float
    high_frequency: float


def spectrum(luma: np.ndarray) -> Spectrum | None:
    """Returns the spectrum of a square picture under a Hann window; None of a flat one, or of one below 16 px.

    Args:
        luma: (S, S) float in [0, 1]; see ``square``
    """
    side = len(luma)
    if side < _SMALLEST:
        return None
    window, band, counts, frequency = _grid(side)
    own = (luma - luma.mean()) * window
    power = np.abs(np.fft.fft2(own)) ** 2
    total = float(power.sum())
    # rounding makes no picture: a thousandth of a level, squared
    if total <= 1e-12 * side**4:
        return None
    sums = np.bincount(band.ravel(), weights=power.ravel(), minlength=BANDS + 1)[:BANDS]
    means = np.maximum(sums / counts, 1e-30)
    high = float(power[frequency >= HIGH].sum() / total)
    centers = (np.arange(BANDS) + 0.5) / BANDS
    slope = float(np.polynomial.polynomial.polyfit(np.log(centers[1:]), np.log(means[1:]), 1)[1])
    return Spectrum(np.log10(means / (total / side**2)), slope, high)


@lru_cache(maxsize=8)
def _grid(side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Returns the window, each frequency's band (beyond Nyquist one more), the bands' sizes, and the frequencies."""
    hann = np.hanning(side + 2)[1:-1]
    axis = np.fft.fftfreq(side) * 2
    frequency = np.hypot(axis[:, None], axis[None, :])
    band = np.minimum((frequency * BANDS).astype(np.int64), BANDS)
    counts = np.bincount(band.ravel(), minlength=BANDS + 1)[:BANDS]
    return np.outer(hann, hann), band, np.maximum(counts, 1), frequency


def square(luma: np.ndarray, side: int) -> np.ndarray:
    """Returns the middle square of a picture, brought to a side by averaging areas; never enlarged.

    Args:
        luma: (H, W) float
        side: of the square, at most the picture's shorter side
    """
    import cv2

    height, width = luma.shape
    short = min(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    cut = np.ascontiguousarray(luma[top : top + short, left : left + short], dtype=np.float32)
    return cut if short <= side else np.asarray(cv2.resize(cut, (side, side), interpolation=cv2.INTER_AREA))


@dataclass(frozen=True, eq=False)
class BandGap:
    """How far two sets of spectra lie apart.

    Attributes:
        bands: (B,) median of the synthetic profiles less that of the real ones, in log10 of power
        distance: (B,) Kolmogorov–Smirnov distance of the profiles of each band, in [0, 1]
        slope, high_frequency: medians of the real and of the synthetic set
        largest: the largest distance of the bands
        null: (S,) the largest distance of two halves of the real set, as many pictures as were compared
        matched: (S,) the largest distance of a half of the real set and as many synthetic ones
        null_bands: (S, B) as ``bands``, of one half of the real set less the other
    """

    bands: np.ndarray
    distance: np.ndarray
    slope: tuple[float, float]
    high_frequency: tuple[float, float]
    largest: float
    null: np.ndarray
    matched: np.ndarray
    null_bands: np.ndarray = field(default_factory=lambda: np.zeros((0, BANDS)))


@leavable
def band_gap(real: list[Spectrum], synthetic: list[Spectrum], splits: int, rng: np.random.Generator) -> BandGap:
    """Returns how far the spectra of two sets lie apart, and how far those of two real halves do.

    Args:
        real, synthetic: at least two of each, of pictures of the same side
        splits: S, of the real set
        rng: decides them
    """
    ours, theirs = np.stack([each.profile for each in real]), np.stack([each.profile for each in synthetic])
    half = len(ours) // 2
    other = min(half, len(theirs))
    null, matched, null_bands = np.empty(splits), np.empty(splits), np.empty((splits, ours.shape[1]))
    for at in range(splits):
        order = rng.permutation(len(ours))
        a, b = ours[order[:half]], ours[order[half : half + other]]
        null[at] = distances(a, b).max()
        null_bands[at] = np.median(a, axis=0) - np.median(b, axis=0)
        matched[at] = distances(a, theirs[rng.permutation(len(theirs))[:other]]).max()
    distance = distances(ours, theirs)
    return BandGap(
        bands=np.median(theirs, axis=0) - np.median(ours, axis=0),
        distance=distance,
        slope=(float(np.median([each.slope for each in real])), float(np.median([each.slope for each in synthetic]))),
        high_frequency=(
            float(np.median([each.high_frequency for each in real])),
            float(np.median([each.high_frequency for each in synthetic])),
        ),
        largest=float(distance.max()),
        null=null,
        matched=matched,
        null_bands=null_bands,
    )


def distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Returns the Kolmogorov–Smirnov distance of each column: (B,) in [0, 1], the largest gap of cumulative shares."""
    every = np.sort(np.concatenate([a, b]), axis=0)
    made = np.empty(a.shape[1])
    for column in range(a.shape[1]):
        points = every[:, column]
        shares = [np.searchsorted(np.sort(each[:, column]), points, side="right") / len(each) for each in (a, b)]
        made[column] = np.abs(shares[0] - shares[1]).max()
    return made
