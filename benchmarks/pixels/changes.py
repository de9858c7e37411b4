"""Changes to a picture that the cases are made of: light, noise, compression, backgrounds."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np

from loupe.brain.defects.motion_blur import line_kernel

Picture = np.ndarray
Change = Callable[[Picture], Picture]


def blur(percent: float) -> Change:
    """Gaussian blur; sigma in % of the long side."""
    return lambda pixels: cv2.GaussianBlur(pixels, (0, 0), percent / 100 * max(pixels.shape[:2]))


def defocus(percent: float) -> Change:
    """Each point of light a disc, as a lens that is out of focus shows it; its radius in % of the long side."""

    def apply(pixels: Picture) -> Picture:
        radius = percent / 100 * max(pixels.shape[:2])
        side, parts = 2 * math.ceil(radius) + 1, 8
        # the share of each pixel that the disc covers, by eight parts along each side
        places = (np.arange(side * parts) + 0.5) / parts - side / 2
        inside = places[:, None] ** 2 + places**2 <= radius**2
        disc = inside.reshape(side, parts, side, parts).mean((1, 3))
        light = cv2.filter2D((pixels / 255) ** 2.2, -1, disc / disc.sum(), borderType=cv2.BORDER_REFLECT)
        return (light.clip(0, 1) ** (1 / 2.2) * 255).round().astype(np.uint8)

    return apply


def motion(percent: float, degrees: float = 0) -> Change:
    """Motion blur along a straight line; its length in % of the long side, counterclockwise from horizontal."""

    def apply(pixels: Picture) -> Picture:
        kernel = line_kernel(percent / 100 * max(pixels.shape[:2]), degrees)
        return cv2.filter2D(pixels, -1, kernel, borderType=cv2.BORDER_REFLECT)

    return apply


def tone(curve: Callable[[np.ndarray], np.ndarray]) -> Change:
    """Any curve over the sRGB values in [0, 1]."""
    table = (curve(np.arange(256) / 255).clip(0, 1) * 255).round().astype(np.uint8)
    return lambda pixels: table[pixels]


def gain(factor: float) -> Change:
    return tone(lambda value: value * factor)


def gamma(exponent: float) -> Change:
    return tone(lambda value: value**exponent)


def haze(transmission: float) -> Change:
    """Koschmieder's law with an even depth and a light gray air."""
    return tone(lambda value: value * transmission + 0.9 * (1 - transmission))


def noise(levels: float) -> Change:
    """Gaussian noise; its standard deviation in gray levels."""

    def apply(pixels: Picture) -> Picture:
        rng = np.random.default_rng(pixels.size)
        grain = rng.standard_normal(pixels.shape, dtype=np.float32) * levels
        return (pixels + grain).clip(0, 255).round().astype(np.uint8)

    return apply


def flattest(part: int) -> Change:
    """The flattest of part x part crops, scaled up to the picture's size."""

    def apply(pixels: Picture) -> Picture:
        height, width = pixels.shape[0] // part, pixels.shape[1] // part
        crops = [
            pixels[row * height : (row + 1) * height, column * width : (column + 1) * width]
            for row in range(part)
            for column in range(part)
        ]
        flat = min(crops, key=lambda crop: float(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).std()))
        return cv2.resize(flat, pixels.shape[1::-1], interpolation=cv2.INTER_CUBIC)

    return apply


def even(pixels: Picture) -> Picture:
    """Nothing but the picture's mean color."""
    return np.broadcast_to(pixels.mean((0, 1)).round().astype(np.uint8), pixels.shape).copy()


def squeeze(ratio: float) -> Change:
    """A strip across the middle, so that short side / long side is as given."""

    def apply(pixels: Picture) -> Picture:
        height = max(1, round(pixels.shape[1] * ratio))
        return cv2.resize(pixels, (pixels.shape[1], height), interpolation=cv2.INTER_AREA)

    return apply


def chain(*changes: Change) -> Change:
    def apply(pixels: Picture) -> Picture:
        for change in changes:
            pixels = change(pixels)
        return pixels

    return apply


def oval(share: float, *, back: int | None = None, blur_back: float = 0.0) -> Change:
    """The middle of the picture in an oval that covers that share of it, before a plain or a blurred background."""

    def apply(pixels: Picture) -> Picture:
        height, width = pixels.shape[:2]
        behind = np.full_like(pixels, back) if back is not None else blur(blur_back)(pixels)
        y, x = np.mgrid[:height, :width]
        inside = ((x / width - 0.5) ** 2 + (y / height - 0.5) ** 2) * np.pi < share
        return np.where(inside[..., None], pixels, behind)

    return apply


def lamp(pixels: Picture) -> Picture:
    """A night with one lamp: the picture at 8 % of its brightness, with a glow that covers about 1 % of it."""
    height, width = pixels.shape[:2]
    y, x = np.mgrid[:height, :width]
    distance = np.hypot(x - width * 0.7, y - height * 0.3) / max(height, width)
    glow = 255 * np.exp(-((distance / 0.06) ** 2))
    return (pixels * 0.08 + glow[..., None]).clip(0, 255).astype(np.uint8)


def gray(pixels: Picture) -> Picture:
    return cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)


def jpeg(quality: int) -> Change:
    def apply(pixels: Picture) -> Picture:
        _, encoded = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        return np.ascontiguousarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR)[..., ::-1])

    return apply


def on_gray(share: float) -> Change:
    """The picture in gray, with a red square that covers that share of it."""

    def apply(pixels: Picture) -> Picture:
        height, width = pixels.shape[:2]
        side = round((share * height * width) ** 0.5)
        marked = gray(pixels)
        marked[height // 3 : height // 3 + side, width // 3 : width // 3 + side] = (200, 30, 40)
        return marked

    return apply
