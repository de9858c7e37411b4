"""Luma, sizes, histograms and their percentiles: what all checks see of a picture, computed once.

On the CPU by OpenCV, whose loops over bytes are several times faster than any that torch has. On a device, and where
OpenCV is not installed, by torch, to the same pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from loupe.brain.imaging import scaling
from loupe.brain.imaging.edges import Edges, strong_edges
from loupe.brain.imaging.opencv import by_opencv, opencv

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor


def together(arrays: Sequence[np.ndarray]) -> Tensor:
    """Returns N arrays of one shape as one tensor, (N, ...): a view of one alone, since photos rarely share a shape."""
    import numpy as np
    import torch

    return torch.from_numpy(arrays[0][None] if len(arrays) == 1 else np.stack(arrays))


def luma(pixels: Tensor) -> Tensor:
    """Returns the Rec. 601 luma of sRGB values: (N, H, W) uint8.

    0.299 R + 0.587 G + 0.114 B in fixed point, rounded; within one level of the exact sum, on the CPU and elsewhere.

    Args:
        pixels: (N, 3, H, W) uint8
    """
    import torch

    if not by_opencv(pixels):
        red, green, blue = pixels.unbind(1)
        total = red.to(torch.int32).mul_(9798).add_(green, alpha=19235).add_(blue, alpha=3735)
        return total.add_(1 << 14).bitwise_right_shift_(15).to(torch.uint8)

    # the reader's planes lie interleaved already
    images = pixels.permute(0, 2, 3, 1).contiguous().numpy()
    return together([luma_of(image) for image in images])


def luma_of(image: np.ndarray) -> np.ndarray:
    """Returns the luma of one (H, W, 3) uint8 picture on the CPU: (H, W) uint8, see ``luma``."""
    import numpy as np

    cv2 = opencv()
    if cv2 is None:
        # its fixed point, so that the numbers are the same
        return ((image @ np.array([9798, 19235, 3735], dtype=np.int32) + (1 << 14)) >> 15).astype(np.uint8)
    gray: np.ndarray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return gray


def scaled(planes: Tensor, long_side: int) -> Tensor:
    """Returns the planes with their long side scaled down to that many pixels, by antialiased bicubic interpolation.

    Args:
        planes: (N, C, H, W) uint8
        long_side: in pixels, less than that of the planes; the short side keeps at least one
    """
    from torch.nn.functional import interpolate

    height, width = planes.shape[-2:]
    scale = long_side / max(height, width)
    shape = (max(1, round(height * scale)), max(1, round(width * scale)))
    # the 8-bit path, which only the CPU has
    if planes.device.type == "cpu":
        if planes.shape[1] == 1 and opencv() is not None:
            return _scaled_alone(planes[:, 0], shape)[:, None]
        return interpolate(planes, shape, mode="bicubic", antialias=True)
    return scaling.scaled(planes, shape)


def _scaled_alone(planes: Tensor, shape: tuple[int, int]) -> Tensor:
    """As ``scaled``, for (N, H, W) planes: along the rows and then along the columns, in a third of the time."""
    import cv2

    lying = [_lower(cv2.transpose(plane), shape[1]) for plane in planes.numpy()]
    return together([_lower(cv2.transpose(plane), shape[0]) for plane in lying])


def _lower(plane: np.ndarray, height: int) -> np.ndarray:
    """Returns the (H, W) uint8 plane with so many rows.

    Each column is a matter of its own: four beside each other count as the channels of a picture, for which torch has
    its quickest loops.
    """
    import cv2
    import numpy as np
    import torch
    from torch.nn.functional import interpolate

    columns = plane.shape[1]
    if columns % 4:
        plane = cv2.copyMakeBorder(plane, 0, 0, 0, -columns % 4, cv2.BORDER_REPLICATE)
    fours = torch.from_numpy(plane.reshape(len(plane), -1, 4))[None].permute(0, 3, 1, 2)
    lower = interpolate(fours, (height, fours.shape[3]), mode="bicubic", antialias=True)
    return np.ascontiguousarray(lower[0].permute(1, 2, 0).numpy().reshape(height, -1)[:, :columns])


def sampled(pixels: Tensor) -> Tensor:
    """Returns every n-th pixel: 128 to 255 along the long side, all of a smaller picture: (N, 3, h, w) uint8.

    Args:
        pixels: (N, 3, H, W) uint8
    """

    height, width = pixels.shape[-2:]
    if not by_opencv(pixels):
        step = max(1, max(height, width) // 128)
        # rounded as OpenCV does
        rows, columns = (max(1, round(side / step)) for side in (height, width))
        return pixels[..., ::step, ::step][..., :rows, :columns]

    images = pixels.permute(0, 2, 3, 1).contiguous().numpy()
    return together([sampled_of(image) for image in images]).permute(0, 3, 1, 2)


def sampled_of(image: np.ndarray) -> np.ndarray:
    """Returns every n-th pixel of one (H, W, 3) uint8 picture on the CPU: (h, w, 3) uint8, see ``sampled``."""
    cv2 = opencv()
    height, width = image.shape[:2]
    step = max(1, max(height, width) // 128)
    if min(height, width) < step or cv2 is None:
        rows, columns = (max(1, round(side / step)) for side in (height, width))
        return image[::step, ::step][:rows, :columns].copy()
    # the scale and not the size is given, so that each place is a multiple of the step
    taken: np.ndarray = cv2.resize(image, None, fx=1 / step, fy=1 / step, interpolation=cv2.INTER_NEAREST)
    return taken


def extremes(pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the highest and the lowest of R, G and B: (N, H, W) uint8 each.

    Args:
        pixels: (N, 3, H, W) uint8
    """
    if not by_opencv(pixels):
        return pixels.amax(1), pixels.amin(1)
    import cv2

    # three planes at a time: torch reads interleaved ones a byte at a time
    parted = [cv2.split(image) for image in pixels.permute(0, 2, 3, 1).contiguous().numpy()]
    highest = [cv2.max(cv2.max(red, green), blue) for red, green, blue in parted]
    lowest = [cv2.min(cv2.min(red, green), blue) for red, green, blue in parted]
    return together(highest), together(lowest)


def block_means(luma: Tensor, side: int) -> Tensor:
    """Returns the mean of each block of side x side pixels: (N, H // side, W // side), floats.

    Where the picture is smaller than a block, the block is as small as the picture.

    Args:
        luma: (N, H, W) floats, or uint8, which count as 255ths
        side: in pixels
    """
    import torch
    from torch.nn.functional import avg_pool2d

    side = min(side, *luma.shape[-2:])
    if not by_opencv(luma) or luma.dtype not in (torch.float32, torch.uint8):
        return avg_pool2d((luma / 255 if luma.dtype == torch.uint8 else luma)[:, None], side)[:, 0]
    import cv2
    import numpy as np

    # whole blocks by area are their means; picture by picture, so that the floats stay in the processor's cache
    height, width = luma.shape[1] // side, luma.shape[2] // side
    factor = np.float32(1 / 255 if luma.dtype == torch.uint8 else 1)
    whole = luma[:, : height * side, : width * side].numpy()
    floats = (np.multiply(image, factor, dtype=np.float32) for image in whole)
    size = (width, height)
    return together([cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in floats])


def halved(levels: Tensor) -> Tensor:
    """Returns the means of blocks of 2 x 2 pixels, rounded to whole levels, up at a half: (N, H // 2, W // 2) uint8.

    Args:
        levels: (N, H, W) uint8, H and W at least 2
    """
    import torch

    height, width = levels.shape[1] // 2, levels.shape[2] // 2
    whole = levels[:, : 2 * height, : 2 * width]
    if by_opencv(levels):
        import cv2

        size = (width, height)
        return together([cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in whole.numpy()])
    total = whole[:, ::2].to(torch.int16) + whole[:, 1::2]
    return (total[..., ::2] + total[..., 1::2]).add_(2).bitwise_right_shift_(2).to(torch.uint8)


def halved_colors(pixels: Tensor) -> Tensor:
    """Returns what ``halved`` does of each plane: (N, 3, H, W) to (N, 3, H // 2, W // 2) uint8."""
    height, width = pixels.shape[2] // 2, pixels.shape[3] // 2
    if not by_opencv(pixels):
        return halved(pixels.flatten(0, 1)).view(len(pixels), -1, height, width)
    import cv2

    # the reader's planes lie interleaved already
    images = pixels[..., : 2 * height, : 2 * width].permute(0, 2, 3, 1).numpy()
    halves = [cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA) for image in images]
    return together(halves).permute(0, 3, 1, 2)


def gradient_energy(luma: Tensor) -> Tensor:
    """Returns the mean square of the horizontal plus that of the vertical differences: (N,) float32.

    Args:
        luma: (N, H, W) float32 in [0, 1], or uint8, which count as 255ths; H and W at least 2
    """
    import torch

    if by_opencv(luma) and luma.dtype in (torch.float32, torch.uint8):
        import cv2

        # one pass without a copy of the differences; bytes take a third of the time
        energies_of_images = [
            cv2.norm(image[1:], image[:-1], cv2.NORM_L2SQR) / image[1:].size
            + cv2.norm(image[:, 1:], image[:, :-1], cv2.NORM_L2SQR) / image[:, 1:].size
            for image in luma.numpy()
        ]
        energies = torch.tensor(energies_of_images, dtype=torch.float32)
        return energies / 255**2 if luma.dtype == torch.uint8 else energies
    if luma.dtype == torch.uint8:
        luma = luma.float() / 255
    return luma.diff(dim=1).square().mean((1, 2)) + luma.diff(dim=2).square().mean((1, 2))


def histogram(levels: Tensor) -> Tensor:
    """Returns how many pixels of each picture have each level: (N, 256) int64; on the CPU at most 2^24 are told apart.

    Args:
        levels: (N, H, W) integers from 0 to 255
    """
    import torch

    if not by_opencv(levels) or levels.dtype != torch.uint8:
        # all pictures at once, and without waiting for the device, as bincount would for each of them; whole numbers
        # add up to the same in any order
        first = torch.arange(len(levels), device=levels.device)[:, None] * 256
        places = (levels.flatten(1).long() + first).flatten()
        counts = torch.zeros(len(levels) * 256, dtype=torch.int64, device=levels.device)
        return counts.scatter_add_(0, places, torch.ones_like(places)).view(-1, 256)
    # image by image: one that stays in the processor's cache is counted ten times faster than a whole batch
    import cv2

    of_images = [cv2.calcHist([image], [0], None, [256], [0, 256])[:, 0] for image in levels.contiguous().numpy()]
    return together(of_images).to(torch.int64)


def spread(counts: Tensor) -> Tensor:
    """Returns the standard deviation of each picture's levels, without a bias: (N,) float32, of a white of 1.

    Args:
        counts: (N, 256) by level
    """
    import torch

    # whole numbers up to 2^53 are exact
    levels = torch.arange(256, dtype=torch.float64, device=counts.device)
    shares = counts.double()
    number, total = shares.sum(1), shares @ levels
    squares = (shares @ levels.square() - total.square() / number).clamp_min(0)
    return (squares / (number - 1).clamp_min(1)).sqrt().float() / 255


def percentiles(counts: Tensor, percents: Sequence[float]) -> Tensor:
    """Returns for each percent the least level that at least that many pixels do not exceed: (P, N) float32 in [0, 1].

    The inverse of the empirical distribution function (Hyndman & Fan, The American Statistician 50 (1996), type 1).

    Args:
        counts: (N, 256) by level, in steps of 1/255
        percents: P numbers in (0, 100]
    """
    import torch

    up_to = counts.cumsum(1)
    # each percent as a number of its own: a tensor of them would be a copy to the device that is waited for
    below = [(up_to * 100 < percent * up_to[:, -1:]).sum(1) for percent in percents]
    return torch.stack(below).float() / 255


@dataclass(frozen=True)
class Luma:
    """The luma of N pictures of one shape, and what is made of it: each of it is computed once, when it is asked for.

    Attributes:
        levels: (N, H, W) uint8
    """

    levels: Tensor

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        height, width = self.levels.shape[-2:]
        return height, width

    @cached_property
    def luma(self) -> Tensor:
        """(N, H, W) float32 in [0, 1]: ``levels`` / 255."""
        return self.levels.float().mul_(1 / 255)

    @cached_property
    def histogram(self) -> Tensor:
        """(N, 256) int64: how many pixels have each level."""
        return histogram(self.levels)

    @cached_property
    def spread(self) -> Tensor:
        """(N,) float32 in [0, 1]: the standard deviation of the luma."""
        if by_opencv(self.levels):
            import cv2
            import torch

            # in less time than counting the levels takes; without a bias
            number = self.levels[0].numel()
            deviations = [float(cv2.meanStdDev(image)[1][0, 0]) for image in self.levels.numpy()]
            return torch.tensor(deviations) * (math.sqrt(number / max(number - 1, 1)) / 255)
        return spread(self.histogram)

    @cached_property
    def halves(self) -> Tensor:
        """(N, h, w) float32 in [0, 1]: the mean luma of blocks of 2 x 2 pixels; smaller ones where the picture is."""
        return block_means(self.levels, 2)

    @cached_property
    def blocks(self) -> Tensor:
        """(N, h, w) float32 in [0, 1]: the mean luma of blocks of 4 x 4 pixels; smaller ones where the picture is."""
        return block_means(self.halves, 2)

    @cached_property
    def edges(self) -> list[tuple[Edges, Edges]]:
        """The strong edges of each picture, upright and level ones; its sides have to have 26 pixels."""
        return [strong_edges(picture) for picture in self.levels]

    @cached_property
    def half_size(self) -> Luma:
        """The means of blocks of 2 x 2 pixels, rounded to whole levels; each side has to have two pixels."""
        return Luma(halved(self.levels))

    @cached_property
    def _scaled(self) -> dict[int, Luma]:
        return {}

    def above(self, long_side: int) -> Luma:
        """Returns the luma at half its size, again and again, while the long side keeps at least that many pixels."""
        if max(self.shape) < 2 * long_side or min(self.shape) < 2:
            return self
        return self.half_size.above(long_side)

    def at(self, long_side: int) -> Luma:
        """Returns the luma with the long side scaled down to at most that many pixels, antialiased, never up.

        By halves as far as they go, as a JPEG is decoded at half its size too, and then by bicubic interpolation.
        """
        if max(self.shape) <= long_side:
            return self
        if long_side not in self._scaled:
            near = self.above(long_side)
            small = near if max(near.shape) == long_side else Luma(scaled(near.levels[:, None], long_side)[:, 0])
            self._scaled[long_side] = small
        return self._scaled[long_side]
