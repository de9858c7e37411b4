"""Vectors and thumbnails of any number, with changed copies among them."""

from __future__ import annotations

import cv2
import numpy as np

#: a copy for so many
COPIES = 20
_AT_ONCE = 20_000


def vectors(n: int, size: int = 512, seed: int = 0) -> np.ndarray:
    """Returns (n, size) float32 of unit length: 300 loose groups, a spectrum that falls, and copies at the end."""
    rng = np.random.default_rng(seed)
    scale = (np.arange(1, size + 1) ** -0.6).astype(np.float32)
    centers = rng.normal(size=(300, size)).astype(np.float32) * scale
    made = np.empty((n, size), np.float32)
    for start in range(0, n, _AT_ONCE):
        part = made[start : start + _AT_ONCE]
        part[:] = rng.standard_normal(part.shape, np.float32) * scale
        part += 0.6 * centers[rng.integers(0, len(centers), len(part))]
    k = n // COPIES
    for start in range(0, k, _AT_ONCE):
        part = made[n - k + start : min(n - k + start + _AT_ONCE, n)]
        strength = rng.uniform(0.05, 0.5, (len(part), 1)).astype(np.float32)
        part[:] = made[start : start + len(part)] + strength * rng.standard_normal(part.shape, np.float32) * scale
    for start in range(0, n, _AT_ONCE):
        part = made[start : start + _AT_ONCE]
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    return made


def thumbnails(n: int, seed: int = 0) -> np.ndarray:
    """Returns (n, 64, 64) uint8: drawn with the spectrum that photos have; the last twentieth are changed copies."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(64)[:, None], np.fft.rfftfreq(64)[None])
    falls = 1 / np.maximum(frequency, 1 / 64) ** 1.3
    made = np.empty((n, 64, 64), np.uint8)
    for start in range(0, n, 2_000):
        part = made[start : start + 2_000]
        spectrum = rng.standard_normal((len(part), 64, 33)) + 1j * rng.standard_normal((len(part), 64, 33))
        field = np.fft.irfft2(spectrum * falls, s=(64, 64))
        field -= field.mean((1, 2), keepdims=True)
        part[:] = np.clip(128 + 45 * field / field.std((1, 2), keepdims=True), 0, 255)
    k = n // COPIES
    for index in range(k):
        made[n - k + index] = _changed(made[index], index % 6, rng)
    return made


def _changed(luma: np.ndarray, how: int, rng: np.random.Generator) -> np.ndarray:
    if how == 0:
        return luma
    if how == 1:  # brighter
        return np.clip(rng.uniform(0.7, 1.2) * luma.astype(np.float32) + rng.uniform(-15, 15), 0, 255).astype(np.uint8)
    if how == 2:  # cropped
        side = rng.uniform(0.9, 0.98)
        left, top = rng.uniform(0, 1 - side, 2) * 64
        warp = np.array([[side, 0, left], [0, side, top]], np.float32)
        return cv2.warpAffine(luma, warp, (64, 64), flags=cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR)
    if how == 3:  # turned or flipped
        return np.ascontiguousarray((luma[:, ::-1], luma[::-1], np.rot90(luma), luma.T)[int(rng.integers(4))])
    if how == 4:  # a logo in a corner
        made, side = luma.copy(), int(rng.integers(14, 22))
        made[64 - side - 2 : 62, 2 : 2 + side] = 245
        return made
    return np.clip(luma + rng.normal(0, 4, luma.shape), 0, 255).astype(np.uint8)  # as JPEG leaves it
