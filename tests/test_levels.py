"""Histograms and percentiles of a picture, against numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from loupe.brain.levels import histogram, percentile


def pictures() -> np.ndarray:
    """(3, 27, 37): even, bunched, and of one level."""
    rng = np.random.default_rng(1)
    shape = (27, 37)
    return np.stack([rng.integers(0, 256, shape), rng.binomial(255, 0.3, shape), np.full(shape, 17)])


def test_the_histogram_is_numpys() -> None:
    expected = [np.bincount(picture.ravel(), minlength=256) for picture in pictures()]
    assert histogram(torch.from_numpy(pictures())).numpy().tolist() == np.stack(expected).tolist()


@pytest.mark.parametrize("percent", [0.5, 1, 5, 25, 50, 95, 99, 100])
def test_the_percentile_is_numpys(percent: float) -> None:
    expected = np.quantile(pictures().reshape(3, -1), percent / 100, axis=1, method="inverted_cdf") / 255
    found = percentile(histogram(torch.from_numpy(pictures())), percent)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6)
