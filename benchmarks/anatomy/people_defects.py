"""Flaws of known severity for faces and bodies, put in by smooth local warps and filters where the landmarks say.

Every function takes (H, W, 3) uint8 RGB and gives a new picture of the same shape. Lengths are in eye distances: the
distance between the outer corners of a face's eyes.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from loupe.brain.measures.anatomy import body_shape, face_shape
from loupe.brain.perception.landmarks.face import EYE_CORNERS, Face
from loupe.brain.perception.landmarks.pose import Pose

Picture = np.ndarray


def grid(picture: Picture) -> np.ndarray:
    """Returns the (H, W, 2) float32 places of the pixels: x, y."""
    height, width = picture.shape[:2]
    return np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).astype(np.float32)


def sampled(picture: Picture, places: np.ndarray) -> Picture:
    """Returns the picture read at (H, W, 2) places."""
    return cv2.remap(picture, places.astype(np.float32), None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def bump(offset: np.ndarray, reach: tuple[float, float]) -> np.ndarray:
    """Returns 1 in the middle of an ellipse, falling smoothly to 0 at its rim: (H, W)."""
    far = np.clip(np.hypot(offset[..., 0] / reach[0], offset[..., 1] / reach[1]), 0, 1)
    return np.where(far < 0.5, 1.0, 0.5 + 0.5 * np.cos(np.pi * (2 * far - 1).clip(0, 1)))[..., None]


def unit(face: Face) -> float:
    return float(np.linalg.norm(face.points[EYE_CORNERS[0]] - face.points[EYE_CORNERS[3]]))


def eye(face: Face, left: bool = True) -> np.ndarray:
    """Returns the middle of an eye, (2,)."""
    return face.points[list(face_shape.EYES[int(left)])].mean(0)


def eye_moved(picture: Picture, face: Face, severity: float) -> Picture:
    """One eye and its surroundings lower by so many eye distances."""
    at, size = grid(picture), unit(face)
    down = face.points[152] - face.points[10]
    down = down / np.linalg.norm(down)
    center = eye(face) + down * severity * size / 2
    return sampled(picture, at - bump(at - center, (0.45 * size, 0.45 * size)) * down * severity * size)


def eye_scaled(picture: Picture, face: Face, severity: float) -> Picture:
    """One eye larger by that factor."""
    at, size, center = grid(picture), unit(face), eye(face)
    away = at - center
    return sampled(picture, at - bump(away, (0.45 * size, 0.4 * size)) * away * (1 - 1 / severity))


def eye_turned(picture: Picture, face: Face, severity: float) -> Picture:
    """One eye turned by so many degrees."""
    at, size, center = grid(picture), unit(face), eye(face)
    away = at - center
    angle = np.radians(severity) * bump(away, (0.4 * size, 0.4 * size))[..., 0]
    cos, sin = np.cos(angle), np.sin(angle)
    turned = np.stack([cos * away[..., 0] - sin * away[..., 1], sin * away[..., 0] + cos * away[..., 1]], -1)
    return sampled(picture, center + turned)


def iris_moved(picture: Picture, face: Face, severity: float) -> Picture:
    """One iris moved sideways by that share of the eye's width: the eyes no longer look the same way."""
    at, size = grid(picture), unit(face)
    assert face.irises is not None
    side = face.points[EYE_CORNERS[3]] - face.points[EYE_CORNERS[2]]
    move = side * severity
    reach = float(np.linalg.norm(side)) * (0.3 + severity)
    return sampled(picture, at - bump(at - face.irises[1, 0] - move / 2, (reach, 0.12 * size)) * move)


def mouth_warped(picture: Picture, face: Face, severity: float) -> Picture:
    """The mouth in waves of that amplitude, in eye distances."""
    at, size = grid(picture), unit(face)
    center = face.points[[61, 291]].mean(0)
    away = at - center
    wave = np.stack([np.zeros_like(away[..., 0]), np.sin(away[..., 0] / (0.11 * size))], -1)
    return sampled(picture, at + bump(away, (0.6 * size, 0.4 * size)) * wave * severity * size)


def mouth_slanted(picture: Picture, face: Face, severity: float) -> Picture:
    """The mouth turned by so many degrees."""
    at, size, center = grid(picture), unit(face), face.points[[61, 291]].mean(0)
    away = at - center
    angle = np.radians(severity) * bump(away, (0.55 * size, 0.4 * size))[..., 0]
    cos, sin = np.cos(angle), np.sin(angle)
    return sampled(
        picture,
        center + np.stack([cos * away[..., 0] - sin * away[..., 1], sin * away[..., 0] + cos * away[..., 1]], -1),
    )


def half_mirrored(picture: Picture, face: Face, severity: float) -> Picture:
    """One half replaced by the mirror image of the other one, mixed in with that weight (1: perfectly symmetric)."""
    top, bottom = face.points[[10, 168]].mean(0), face.points[152]
    down = (bottom - top) / np.linalg.norm(bottom - top)
    across = np.array([-down[1], down[0]])
    at = grid(picture)
    side = (at - top) @ across
    reflected = sampled(picture, at - 2 * np.maximum(side, 0)[..., None] * across)
    edge = np.clip(side / 4 + 0.5, 0, 1)[..., None] * severity
    return np.rint(picture * (1 - edge) + reflected * edge).astype(np.uint8)


#: of the cloth: white, blue, black, red
_MASKS = ((235, 235, 235), (120, 170, 205), (30, 30, 32), (190, 40, 50))
#: points of the face mesh: along the jaw from temple to temple, and the bridge of the nose
_JAW = (234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 323, 454, 6)


def masked(picture: Picture, face: Face, color: float) -> Picture | None:
    """Draws a mask of cloth over nose and mouth: no flaw."""
    mask = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(mask, [face.points[list(_JAW)].round().astype(np.int32)], 255)
    soft = cv2.GaussianBlur(mask, (0, 0), 1.2)[..., None] / 255
    folds = 0.9 + 0.1 * np.sin(np.arange(len(picture)) / face_shape.unit(face_shape.solid(face)) * 12)
    cloth = np.array(_MASKS[round(color)]) * folds[:, None, None]
    return (picture * (1 - soft) + cloth * soft).round().clip(0, 255).astype(np.uint8)


FACES: dict[str, tuple[str, tuple[float, ...], Callable[[Picture, Face, float], Picture]]] = {
    "eye lower": ("eye distances", (0.05, 0.1, 0.2), eye_moved),
    "eye larger": ("times", (1.2, 1.4, 1.8), eye_scaled),
    "eye turned": ("degrees", (15, 30, 60), eye_turned),
    "iris moved": ("eye widths", (0.1, 0.2, 0.3), iris_moved),
    "mouth in waves": ("eye distances", (0.02, 0.04, 0.08), mouth_warped),
    "mouth slanted": ("degrees", (10, 20, 40), mouth_slanted),
}


def smoothed(picture: Picture, face: Face, severity: float) -> Picture:
    """An edge-preserving filter, run over the picture that many times: skin without texture, edges as they were."""
    size = max(3, round(unit(face) * 0.05))
    filtered = picture
    for _ in range(round(severity)):
        filtered = cv2.bilateralFilter(filtered, 2 * size + 1, 20, size)
    return filtered


def defocused(picture: Picture, face: Face, severity: float) -> Picture:
    """Blurred by a Gaussian of so many eye distances."""
    return cv2.GaussianBlur(picture, (0, 0), max(severity * unit(face), 0.3))


def jpeg(picture: Picture, face: Face, severity: float) -> Picture:
    """As a JPEG of that quality."""
    _, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, round(severity)])
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])


def limb_longer(picture: Picture, pose: Pose, severity: float) -> Picture | None:
    """One forearm that many times as long; None where neither is seen about as long as it is."""
    return _longer(picture, pose, severity, "forearm")


def shank_longer(picture: Picture, pose: Pose, severity: float) -> Picture | None:
    """One lower leg that many times as long; None where neither is seen about as long as it is."""
    return _longer(picture, pose, severity, "lower leg")


def _longer(picture: Picture, pose: Pose, severity: float, bone: str) -> Picture | None:
    start, end, share = body_shape.BONES[bone]
    wanted = 0.6 * share / 0.288 * body_shape.trunk(pose.points)  # the trunk is 0.288 of the height
    for side in ("left", "right"):
        names = (f"{side}_{start}", f"{side}_{end}")
        first, second = (pose.points[body_shape.AT[name]] for name in names)
        if body_shape.seen(pose, *names) and float(np.linalg.norm(second - first)) > wanted:
            return stretched(picture, first, second, severity)
    return None


def stretched(picture: Picture, start: np.ndarray, end: np.ndarray, factor: float) -> Picture:
    """Stretches what lies between two places, and moves what lies behind the second one along."""
    at = grid(picture)
    length = max(float(np.linalg.norm(end - start)), 1.0)
    along = (end - start) / length
    away = at - start
    far = away @ along
    wide = np.abs(away @ np.array([-along[1], along[0]]))
    more = (factor - 1) * length
    # what is at far was at far / factor, up to the second place; then what was at far - more, fading out
    moved = np.where(far < 0, 0, np.where(far < factor * length, far * (1 - 1 / factor), more))
    moved = moved * np.clip(1 - (far - factor * length) / (2 * length), 0, 1)
    fade = np.clip(2 - wide / (0.5 * length), 0, 1)
    return sampled(picture, at - (moved * fade)[..., None] * along)


def head_larger(picture: Picture, pose: Pose, severity: float) -> Picture:
    """The head that many times as large, from the neck up."""
    ears = pose.points[[7, 8]]
    shoulders = pose.points[[11, 12]].mean(0)
    head = pose.points[:11].mean(0)
    neck = shoulders + 0.35 * (head - shoulders)
    reach = 1.6 * max(float(np.linalg.norm(head - neck)), float(np.linalg.norm(ears[0] - ears[1]))) * severity
    at = grid(picture)
    away = at - neck
    center = neck + (head - neck) * severity
    weight = bump(at - center, (1.5 * reach, 1.5 * reach))
    return sampled(picture, at - weight * away * (1 - 1 / severity))


BODIES: dict[str, tuple[str, tuple[float, ...], Callable[[Picture, Pose, float], Picture | None]]] = {
    "forearm longer": ("times", (1.3, 1.6, 2.0), limb_longer),
    "lower leg longer": ("times", (1.3, 1.6, 2.0), shank_longer),
    "head larger": ("times", (1.3, 1.6, 2.0), head_larger),
}
