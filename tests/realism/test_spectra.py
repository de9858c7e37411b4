"""Spectra and texture of pictures that are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp

from loupe.brain.realism.spectra import BANDS, Spectrum, band_gap, spectrum, square
from loupe.brain.realism.texture import NAMES, gaps, texture


def _pink(seed: int, side: int = 64, power: float = 2.0) -> np.ndarray:
    """Noise whose power falls as 1 / f^power."""
    rng = np.random.default_rng(seed)
    axis = np.fft.fftfreq(side)
    frequency = np.maximum(np.hypot(axis[:, None], axis[None]), 1 / side)
    made = np.real(np.fft.ifft2(np.fft.fft2(rng.normal(size=(side, side))) * frequency ** (-power / 2)))
    return 0.5 + 0.1 * made / made.std()


def _made(luma: np.ndarray) -> Spectrum:
    value = spectrum(luma)
    assert value is not None
    return value


@pytest.mark.parametrize("power", [1.0, 2.0, 3.0])
def test_the_slope_is_that_of_the_noise_that_was_made(power: float) -> None:
    slopes = [_made(_pink(seed, 128, power)).slope for seed in range(8)]
    assert np.mean(slopes) == pytest.approx(-power, abs=0.2)


def test_a_sine_lies_in_the_band_of_its_frequency() -> None:
    x = np.arange(64)
    for cycles in (6, 18, 30):
        wave = 0.5 + 0.3 * np.sin(2 * np.pi * cycles * x / 64)[None, :] * np.ones((64, 1))
        made = _made(wave)
        assert made.profile.argmax() == int(cycles / 32 * BANDS)
        assert (made.high_frequency > 0.9) == (cycles / 32 >= 0.5)


def test_light_and_contrast_change_nothing_and_a_blur_does() -> None:
    import cv2

    plain = _pink(0)
    for changed in (plain + 0.1, 0.5 + 0.4 * (plain - 0.5)):
        np.testing.assert_allclose(_made(changed).profile, _made(plain).profile, atol=1e-6)
    blurred = _made(cv2.GaussianBlur(plain, (0, 0), 1.0))
    assert blurred.high_frequency < 0.2 * _made(plain).high_frequency
    assert blurred.slope < _made(plain).slope - 0.5


def test_a_flat_or_tiny_picture_has_no_spectrum() -> None:
    assert spectrum(np.full((32, 32), 0.4)) is None
    assert spectrum(_pink(0)[:15, :15]) is None


def test_the_middle_square_is_averaged_and_never_enlarged() -> None:
    wide = np.zeros((4, 8), np.float32)
    wide[:, 2:6] = np.arange(4)
    np.testing.assert_array_equal(square(wide, 4), wide[:, 2:6])
    np.testing.assert_array_equal(square(wide, 9), wide[:, 2:6])
    np.testing.assert_allclose(square(wide, 2), [[0.5, 2.5], [0.5, 2.5]])


def test_the_gap_of_bands_is_that_of_scipy_and_halves_of_a_set_are_near() -> None:
    real, same, smooth = (
        [_made(_pink(seed, 32, power)) for seed in range(at, at + 60)] for at, power in ((0, 2), (100, 2), (200, 2.4))
    )
    near, far = (band_gap(real, each, 12, np.random.default_rng(0)) for each in (same, smooth))
    for band in (0, BANDS - 1):
        expected = ks_2samp([each.profile[band] for each in real], [each.profile[band] for each in smooth]).statistic
        assert far.distance[band] == pytest.approx(expected)
    assert far.matched.mean() > near.null.max()
    assert far.largest > 0.5
    assert near.null.min() <= near.matched.mean() <= near.null.max()
    assert far.bands[-1] < -0.1
    assert far.slope[1] < far.slope[0] - 0.2


def test_texture_tells_noise_from_edges_and_from_flat() -> None:
    rng = np.random.default_rng(0)
    noise = texture(rng.random((64, 64)))
    stripes = texture(np.tile(np.repeat([0.2, 0.8], 8), 4)[None, :] * np.ones((64, 1)))
    flat = texture(np.full((64, 64), 0.5))
    assert noise.irregular > 0.2 > 0.05 > stripes.irregular == flat.irregular == 0
    assert flat.spots == 1
    assert flat.contrast == 0
    assert flat.homogeneity == pytest.approx(1)
    assert noise.contrast > 2 * stripes.contrast
    assert abs(noise.correlation) < 0.1 < 0.8 < stripes.correlation
    assert len(noise.values()) == len(NAMES) == 6
    assert np.isfinite(noise.values()).all()


def test_gaps_of_texture_are_those_of_scipy_beside_those_of_halves() -> None:
    rng = np.random.default_rng(0)
    real, same, flat = (
        [texture(_pink(at + start, 32, power)) for at in range(40)] for start, power in ((0, 2), (50, 2), (100, 3))
    )
    near, far = gaps(real, same, 12, rng), gaps(real, flat, 12, rng)
    for name in NAMES:
        expected = ks_2samp([getattr(each, name) for each in real], [getattr(each, name) for each in flat]).statistic
        assert far[name].distance == pytest.approx(expected)
        assert far[name].real == np.median([getattr(each, name) for each in real])
    assert far["contrast"].distance > 0.9 > far["contrast"].null_high > far["contrast"].null
    assert sum(each.distance > each.null_high + 0.1 for each in near.values()) <= 1
