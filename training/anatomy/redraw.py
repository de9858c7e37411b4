"""Malformations put into real hands and redrawn by a generative model, and the same surgery with everything put back.

A finger is copied, taken away, fused with its neighbor, bent or lengthened in the pixels, or a part is melted,
scrambled or exchanged for another hand's in the latents. All of it, and of the sound hands, goes through the tiny
autoencoder, so that a seam or a softness tells nothing. A sound hand has had a finger cut out and put back where it
was, or the same done to its surroundings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from benchmarks.anatomy.hand_defects import band, finger_width
from loupe.brain.perception.landmarks import crop
from training.anatomy import tiny_autoencoder
from training.anatomy.crops import Crop

#: the side of the hand's region while it is redrawn, in pixels
SIDE = 224
FINGERS = {"index": 5, "middle": 9, "ring": 13, "little": 17}
_NAMES = tuple(FINGERS)
_GRID = SIDE // tiny_autoencoder.STRIDE


@dataclass(frozen=True, eq=False)
class Made:
    """A hand after surgery.

    Attributes:
        picture: (SIDE, SIDE, 3) uint8 RGB
        mask: (SIDE, SIDE) float32: what is malformed, all zeros in a sound hand
        how: the method's name
    """

    picture: np.ndarray
    mask: np.ndarray
    how: str


def _cut(hand: Crop) -> tuple[np.ndarray, np.ndarray]:
    return crop.cut(hand.patch, hand.region, SIDE, border=True), crop.unproject(hand.points, hand.region) * SIDE


def _soft(mask: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1.5))


def _blend(picture: np.ndarray, other: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    mixed = picture * (1 - alpha[..., None]) + other * alpha[..., None]
    return np.asarray(mixed.round().clip(0, 255).astype(np.uint8))


def _finger(points: np.ndarray, name: str, start: float = 0.0, wide: float = 1.3) -> np.ndarray:
    return band((SIDE, SIDE), points, name, start, max(wide * finger_width(points), 4))


def _skin_of(picture: np.ndarray, points: np.ndarray, name: str, start: float) -> np.ndarray:
    """The pixels of a finger that have the color of its middle, or its whole band where those are few."""
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB).astype(np.float32)
    whole, core = _finger(points, name, start), _finger(points, name, start, 0.6)
    colors = lab[core]
    off = np.linalg.norm((lab - np.median(colors, 0)) / (colors.std(0) + np.array([12, 4, 4])), axis=2)
    alike = whole & (off < 3)
    return alike if alike.sum() > 0.4 * whole.sum() else whole


def _moved(picture: np.ndarray, mask: np.ndarray, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    size = (SIDE, SIDE)
    moved = cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return moved, np.asarray(cv2.warpAffine(_soft(mask), matrix, size))


def _turned(points: np.ndarray, at: int, degrees: float) -> np.ndarray:
    return np.asarray(cv2.getRotationMatrix2D((float(points[at, 0]), float(points[at, 1])), degrees, 1.0))


def _without(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.inpaint(picture, cv2.dilate(mask.astype(np.uint8), np.ones((5, 5))), 4, cv2.INPAINT_TELEA))


def copied(picture: np.ndarray, points: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A finger more: a copy of one, turned about its knuckle."""
    name = str(rng.choice(_NAMES))
    degrees = float(rng.choice([-1, 1]) * rng.uniform(14, 32))
    mask = _skin_of(picture, points, name, 0.2)
    moved, alpha = _moved(picture, mask, _turned(points, FINGERS[name], degrees))
    return _blend(picture, moved, alpha), np.maximum(alpha, _soft(_finger(points, name)))


def taken(picture: np.ndarray, points: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A finger less: what is beside it continues over it."""
    name = str(rng.choice(_NAMES))
    mask = _finger(points, name, 0.35, 1.5)
    return _without(picture, mask), _soft(mask)


def fused(picture: np.ndarray, points: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two neighboring fingers without what is between them: both are squeezed together."""
    first = int(rng.integers(3))
    a, b = (points[list(range(FINGERS[name], FINGERS[name] + 4))] for name in _NAMES[first : first + 2])
    gap = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(gap, [np.round(np.concatenate([a, b[::-1]])).astype(np.int32)], 1)
    gap = cv2.dilate(gap, np.ones((3, 3)))
    color = cv2.inpaint(picture, gap, 4, cv2.INPAINT_TELEA)
    return _blend(picture, cv2.GaussianBlur(color, (0, 0), 1.5), _soft(gap)), _soft(gap)


def bent(picture: np.ndarray, points: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The last bones of a finger turned sideways about its middle joint."""
    name = str(rng.choice(_NAMES))
    first = FINGERS[name]
    mask = np.zeros((SIDE, SIDE), np.uint8)
    path = points[first + 1 : first + 4]
    path = np.concatenate([path, [path[-1] + 0.45 * (path[-1] - path[-2])]])
    wide = max(round(1.3 * finger_width(points)), 4)
    cv2.polylines(mask, [np.round(path).astype(np.int32)], False, 1, wide)
    degrees = float(rng.choice([-1, 1]) * rng.uniform(35, 70))
    moved, alpha = _moved(picture, mask, _turned(points, first + 1, degrees))
    return _blend(_without(picture, mask), moved, alpha), np.maximum(alpha, _soft(mask))


def lengthened(picture: np.ndarray, points: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A finger half as long again, or half as long, about its knuckle."""
    name = str(rng.choice(_NAMES))
    knuckle, tip = points[FINGERS[name]].astype(float), points[FINGERS[name] + 3].astype(float)
    way = (tip - knuckle) / max(float(np.linalg.norm(tip - knuckle)), 1e-6)
    factor = float(rng.choice([0.5, 1.5]))
    linear = np.eye(2) + (factor - 1) * np.outer(way, way)
    matrix = np.column_stack([linear, knuckle - linear @ knuckle])
    mask = _skin_of(picture, points, name, 0.0)
    moved, alpha = _moved(picture, mask, matrix)
    ground = _without(picture, mask) if factor < 1 else picture
    return _blend(ground, moved, alpha), np.maximum(alpha, _soft(mask))


#: in pixels, before the hand is redrawn
IN_PIXELS: dict[str, Callable[[np.ndarray, np.ndarray, np.random.Generator], tuple[np.ndarray, np.ndarray]]] = {
    "copied": copied,
    "taken": taken,
    "fused": fused,
    "bent": bent,
    "lengthened": lengthened,
}
IN_LATENTS = ("melted", "scrambled", "exchanged")
METHODS = (*IN_PIXELS, *IN_LATENTS)
SOUND = ("put back", "beside")


def _blob(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A part of one to three fingers, (SIDE, SIDE) float32."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    for name in rng.choice(_NAMES, int(rng.integers(1, 4)), replace=False):
        mask |= _finger(points, str(name), float(rng.uniform(0, 0.6)), 1.6).astype(np.uint8)
    return _soft(mask)


def _in_latents(
    latents: np.ndarray, mask: np.ndarray, how: str, other: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    alpha = cv2.resize(mask, (_GRID, _GRID), interpolation=cv2.INTER_AREA)[..., None]
    if how == "melted":
        changed = cv2.GaussianBlur(latents, (0, 0), float(rng.uniform(0.8, 1.6)))
        changed = changed + 0.25 * latents.std() * rng.standard_normal(latents.shape)
    elif how == "scrambled":
        field = cv2.GaussianBlur(rng.standard_normal((_GRID, _GRID, 2)).astype(np.float32), (0, 0), 1.5)
        field *= float(rng.uniform(1.0, 2.2)) / max(float(np.abs(field).mean()), 1e-6)
        x, y = np.meshgrid(np.arange(_GRID, dtype=np.float32), np.arange(_GRID, dtype=np.float32))
        parts = [
            cv2.remap(part, x + field[..., 0], y + field[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            for part in np.split(latents, tiny_autoencoder.CHANNELS // 4, axis=-1)
        ]
        changed = np.concatenate(parts, -1)
    else:
        # another hand's part in this one's tones
        changed = (other - other.mean((0, 1))) / other.std((0, 1)) * latents.std((0, 1)) + latents.mean((0, 1))
    return np.asarray(latents * (1 - alpha) + changed * alpha, np.float32)


def malformed(hand: Crop, how: str, other: Crop, rng: np.random.Generator) -> Made:
    """Returns a hand with a malformation, redrawn.

    Args:
        hand: a real one
        how: of ``METHODS``
        other: another real one, whose part is put in by "exchanged"
        rng: decides which finger, and how far
    """
    picture, points = _cut(hand)
    if how in IN_PIXELS:
        changed, mask = IN_PIXELS[how](picture, points, rng)
        return Made(tiny_autoencoder.decode(tiny_autoencoder.encode(changed)), mask, how)
    mask = _blob(points, rng)
    latents = tiny_autoencoder.encode(picture)
    donor = tiny_autoencoder.encode(_cut(other)[0]) if how == "exchanged" else latents
    return Made(tiny_autoencoder.decode(_in_latents(latents, mask, how, donor, rng)), mask, how)


def sound(hand: Crop, how: str, rng: np.random.Generator) -> Made:
    """Returns a hand after the same surgery, with nothing malformed, redrawn.

    Args:
        hand: a real one
        how: of ``SOUND``: a finger is cut out and put back where it was, or the latents beside the hand are melted
        rng: decides where
    """
    picture, points = _cut(hand)
    none = np.zeros((SIDE, SIDE), np.float32)
    if how == "put back":
        name = str(rng.choice(_NAMES))
        mask = _skin_of(picture, points, name, 0.2)
        moved, alpha = _moved(picture, mask, _turned(points, FINGERS[name], 0.0))
        changed = _blend(_without(picture, mask), moved, np.minimum(1.5 * alpha, 1))
        return Made(tiny_autoencoder.decode(tiny_autoencoder.encode(changed)), none, how)
    latents = tiny_autoencoder.encode(picture)
    hull = cv2.convexHull(np.round(points).astype(np.int32))
    beside = 1 - _soft(cv2.dilate(cv2.fillConvexPoly(np.zeros((SIDE, SIDE), np.uint8), hull, 1), np.ones((25, 25))))
    changed_latents = _in_latents(latents, beside * 0.9, "melted", latents, rng)
    return Made(tiny_autoencoder.decode(changed_latents), none, how)


def worn(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Returns a picture as a file might hold it: scaled down and up again, and compressed."""
    small = max(48, round(SIDE * float(rng.uniform(0.35, 1.0))))
    scaled = cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA)
    scaled = cv2.resize(scaled, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    _, packed = cv2.imencode(".jpg", scaled, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(60, 97))])
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR))
