"""What all checks see of a picture, against numpy and torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.imaging.luma import (
    Luma,
    block_means,
    extremes,
    gradient_energy,
    halved,
    histogram,
    luma,
    percentiles,
    sampled,
    scaled,
    spread,
)


def pictures() -> np.ndarray:
    """(3, 27, 37): even, bunched, and of one level."""
    rng = np.random.default_rng(1)
    shape = (27, 37)
    return np.stack([rng.integers(0, 256, shape), rng.binomial(255, 0.3, shape), np.full(shape, 17)])


def test_the_histogram_is_numpys() -> None:
    expected = [np.bincount(picture.ravel(), minlength=256) for picture in pictures()]
    for type_ in (np.int64, np.uint8):
        assert histogram(torch.from_numpy(pictures().astype(type_))).numpy().tolist() == np.stack(expected).tolist()


def test_the_percentiles_are_numpys() -> None:
    percents = [0.5, 1, 5, 25, 50, 95, 99, 100]
    shares = np.array(percents) / 100
    expected = np.quantile(pictures().reshape(3, -1), shares, axis=1, method="inverted_cdf") / 255
    values = percentiles(histogram(torch.from_numpy(pictures())), percents)
    np.testing.assert_allclose(values.numpy(), expected, rtol=1e-6)


def colors() -> torch.Tensor:
    """(2, 3, 40, 60), in the reader's memory layout."""
    pixels = np.random.default_rng(2).integers(0, 256, (2, 40, 60, 3), dtype=np.uint8)
    return torch.from_numpy(pixels).permute(0, 3, 1, 2)


def test_luma_is_that_of_the_formula_for_other_devices() -> None:
    red, green, blue = colors().to(torch.int32).unbind(1)
    expected = (9798 * red + 19235 * green + 3735 * blue + (1 << 14)) >> 15
    assert (luma(colors()).int() - expected).abs().max() <= 1
    assert (luma(colors()) == luma(colors().contiguous())).all()


def test_luma_of_gray_is_that_gray() -> None:
    gray = torch.arange(256, dtype=torch.uint8).expand(1, 3, 2, 256)
    assert (luma(gray) == torch.arange(256)).all()


def test_scaled_by_bytes_is_scaled_by_floats() -> None:
    from torch.nn.functional import interpolate

    expected = interpolate(colors().float(), (20, 30), mode="bicubic", antialias=True).round().clamp(0, 255)
    assert scaled(colors(), 30).shape == (2, 3, 20, 30)
    assert (scaled(colors(), 30).float() - expected).abs().max() <= 3


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (7, 9), (200, 300)])
def test_the_spread_is_the_standard_deviation_without_a_bias(shape: tuple[int, int]) -> None:
    levels = np.random.default_rng(3).integers(0, 256, (2, *shape), dtype=np.uint8)
    expected = [image.std(ddof=1) / 255 if image.size > 1 else 0.0 for image in levels]
    np.testing.assert_allclose(Luma(torch.from_numpy(levels)).spread, expected, rtol=1e-6)
    np.testing.assert_allclose(spread(histogram(torch.from_numpy(levels))), expected, rtol=1e-5)


@pytest.mark.parametrize("shape", [(41, 60), (60, 41), (64, 48), (1, 90), (90, 1), (3, 40), (2, 2)])
@pytest.mark.parametrize("n", [1, 3])
def test_planes_are_scaled_as_torch_scales_them(n: int, shape: tuple[int, int]) -> None:
    from torch.nn.functional import interpolate

    planes = torch.from_numpy(np.random.default_rng(n).integers(0, 256, (n, 1, *shape), dtype=np.uint8))
    for side in (max(shape) - 1, max(1, max(shape) // 2), 1):
        small = scaled(planes, side)
        assert max(small.shape[2:]) == side
        assert torch.equal(small, interpolate(planes, small.shape[2:], mode="bicubic", antialias=True))


@pytest.mark.parametrize("shape", [(40, 60), (300, 400), (523, 300), (7, 1500), (128, 128), (1, 1)])
def test_the_samples_are_every_nth_pixel_wherever_they_are_taken(shape: tuple[int, int]) -> None:
    pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 3, *shape), dtype=np.uint8))
    step = max(1, max(shape) // 128)
    small = sampled(pixels)
    rows, columns = small.shape[-2:]
    assert torch.equal(small, pixels[..., ::step, ::step][..., :rows, :columns])
    assert [abs(a * step - b) < step for a, b in zip((rows, columns), shape, strict=True)] == [True, True]
    assert torch.equal(sampled(pixels), sampled(pixels.contiguous()))
    # what other devices do
    assert small.shape[-2:] == tuple(max(1, round(side / step)) for side in shape)


def test_the_extremes_are_those_of_the_channels() -> None:
    highest, lowest = extremes(colors())
    assert torch.equal(highest, colors().amax(1))
    assert torch.equal(lowest, colors().amin(1))


def test_blocks_are_means() -> None:
    noise = torch.rand(2, 41, 63)
    expected = noise[:, :40, :60].numpy().reshape(2, 10, 4, 15, 4).mean((2, 4))
    np.testing.assert_allclose(block_means(noise, 4).numpy(), expected, rtol=1e-5)
    assert block_means(torch.rand(1, 2, 60), 4).shape == (1, 1, 30)
    levels = colors()[:, 0]
    assert torch.allclose(block_means(levels, 2), block_means(levels.double() / 255, 2).float(), atol=1e-6)


def test_what_the_cpu_does_otherwise_is_the_same() -> None:
    noise = torch.rand(2, 41, 63)
    double = noise.double()  # takes the way of other devices
    assert torch.allclose(block_means(noise, 2), block_means(double, 2).float(), atol=1e-6)
    np.testing.assert_allclose(gradient_energy(noise), gradient_energy(double), rtol=1e-5)
    levels = colors()[:, 0]
    np.testing.assert_allclose(gradient_energy(levels), gradient_energy(levels.double() / 255), rtol=1e-5)


@pytest.mark.parametrize("shape", [(2, 2), (7, 5), (64, 33), (240, 321)])
def test_half_the_size_is_the_rounded_mean_of_four(shape: tuple[int, int]) -> None:
    levels = np.random.default_rng(0).integers(0, 256, (2, *shape), dtype=np.uint8)
    height, width = shape[0] // 2, shape[1] // 2
    sums = levels[:, : 2 * height, : 2 * width].reshape(2, height, 2, width, 2).astype(int).sum((2, 4))
    np.testing.assert_array_equal(halved(torch.from_numpy(levels)).numpy(), (sums + 2) // 4)


def test_a_large_picture_is_halved_before_it_is_scaled() -> None:
    levels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (1, 900, 1300), dtype=np.uint8))
    luma = Luma(levels)
    assert luma.above(320).shape == (225, 325)
    assert luma.above(326).shape == (450, 650)
    assert luma.above(640).shape == (450, 650)
    assert luma.above(651) is luma
    assert luma.at(325).shape == (225, 325)
    torch.testing.assert_close(luma.at(320).levels, scaled(halved(halved(levels))[:, None], 320)[:, 0])
    assert luma.at(1300) is luma
    # one row cannot be halved
    assert Luma(levels[:, :1]).at(320).shape == (1, 320)


def test_the_colors_at_half_their_size_are_those_of_each_plane() -> None:
    pixels = np.random.default_rng(9).integers(0, 256, (2, 61, 83, 3)).astype(np.uint8)
    batch = ImageBatch(("a", "b"), torch.from_numpy(pixels).permute(0, 3, 1, 2), ((83, 61),) * 2)
    small = batch.above(20).pixels
    assert small.shape == (2, 3, 15, 20)
    twice = halved(halved(batch.pixels.flatten(0, 1)))
    assert torch.equal(small.flatten(0, 1), twice)
    assert batch.above(42) is batch
