"""How alike two images are: thumbnails, registered onto each other and compared detail by detail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from loupe.brain.imaging.areas import area_means

if TYPE_CHECKING:
    from torch import Tensor

SIDE = 64
_CHROMA = 16
#: what is left when a tenth is cropped away: the whole, the four corners, the middle; (left, top, side) in [0, 1]
WINDOWS = (
    (0.0, 0.0, 1.0),
    (0.0, 0.0, 0.92),
    (0.08, 0.0, 0.92),
    (0.0, 0.08, 0.92),
    (0.08, 0.08, 0.92),
    (0.04, 0.04, 0.92),
)
_CLIPPED = 4.0
_NOISE = 0.01
_DETAIL = 4.0
_MIN_DETAIL = 0.1
_MIN_DETAIL_MOVED = 0.15
_MIN_OVERLAP = 0.6
_MAX_SHEAR = 0.1
_MAX_SCALE = 1.35
#: a logo that somebody put on a picture: it is no longer than that share of a side, no farther than that from both
#: edges of a corner, and that share of the picture has structure beside it; a caption is along the upper or lower edge,
#: no higher than that and no shorter than that
_STAMP_SIDE, _STAMP_MARGIN, _STAMP_REST = 0.65, 0.1, 0.25
_CAPTION_HEIGHT, _CAPTION_LENGTH = 0.3, 0.6
#: thumbnails whose detail is told at once: 16 KB each
_AT_ONCE = 4096
_DIFFERS = 0.6
_STAMPED_BELOW = 0.95


@dataclass(frozen=True)
class Thumbnails:
    """What is kept of N images to compare them: 4.6 KB each.

    Attributes:
        luma: (N, 64, 64) uint8, the image stretched to a square
        chroma: (N, 2, 16, 16) int8: Cb and Cr, 0 for gray
    """

    luma: np.ndarray
    chroma: np.ndarray

    def __len__(self) -> int:
        return len(self.luma)

    def __getitem__(self, index: np.ndarray | slice) -> Thumbnails:
        return Thumbnails(self.luma[index], self.chroma[index])

    @classmethod
    def join(cls, parts: Sequence[Thumbnails]) -> Thumbnails:
        """Returns the thumbnails of all parts, in order."""
        return cls(np.concatenate([part.luma for part in parts]), np.concatenate([part.chroma for part in parts]))


def thumbnails(pixels: Tensor) -> Thumbnails:
    """Returns the thumbnails of a (N, 3, H, W) uint8 batch, by area average."""
    import torch
    from torch.nn.functional import interpolate

    height, width = pixels.shape[-2:]
    # shrink one axis by area, stretch the other: each as it needs
    small = area_means(pixels, (min(height, SIDE), min(width, SIDE)))
    small = interpolate(small, (SIDE, SIDE), mode="bilinear", align_corners=False)
    red, green, blue = small.unbind(1)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    chroma = torch.stack([(blue - luma) * 0.564, (red - luma) * 0.713], 1)
    chroma = interpolate(chroma, (_CHROMA, _CHROMA), mode="area").clamp(-127, 127)
    return Thumbnails(luma.round().byte().cpu().numpy(), chroma.round().to(torch.int8).cpu().numpy())


def turned(picture: np.ndarray, turn: int) -> np.ndarray:
    """Returns one of the 8 flips and quarter turns of a (…, H, W) array; 0 is the array itself.

    >>> turned(np.array([[1, 2], [3, 4]]), 1).tolist()
    [[2, 1], [4, 3]]
    """
    if turn & 1:
        picture = picture[..., ::-1]
    if turn & 2:
        picture = picture[..., ::-1, :]
    if turn & 4:
        picture = np.swapaxes(picture, -1, -2)
    return picture


def detail(luma: np.ndarray) -> np.ndarray:
    """Returns (N,) float32 in [0, 1]: the part of each (N, 64, 64) thumbnail in which there is something to see."""
    parts = [_detail(luma[start : start + _AT_ONCE]) for start in range(0, len(luma), _AT_ONCE)]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def _detail(luma: np.ndarray) -> np.ndarray:
    blocks = luma.reshape(-1, 16, 4, 16, 4).astype(np.float32)
    offset = np.array([-1.5, -0.5, 0.5, 1.5], np.float32)
    slope_y = np.einsum("nrycx,y->nrc", blocks, offset)
    slope_x = np.einsum("nrycx,x->nrc", blocks, offset)
    # what is left of a block's variance beside its slope: a smooth ramp or glow shows nothing
    left = blocks.var((2, 4)) - (slope_x**2 + slope_y**2) / (16 * 20)
    return np.asarray((left > _DETAIL).mean((1, 2), dtype=np.float32))


def has_detail(luma: np.ndarray) -> np.ndarray:
    """Returns (N,) bool: whether there is enough in a (N, 64, 64) thumbnail to tell it from others of its layout."""
    return detail(luma) >= _MIN_DETAIL


def may_be_moved(luma: np.ndarray) -> np.ndarray:
    """Returns (N,) bool: whether there is enough in a (N, 64, 64) thumbnail to fit it onto another one."""
    return detail(luma) >= _MIN_DETAIL_MOVED


def similarity(
    thumbs: Thumbnails, a: int, b: int, turn: int = 0, window: int = 0, *, moves: bool | None = None
) -> float:
    """Returns how alike two images are in [0, 1], 1 for the same picture, whatever its brightness, size and crop.

    Args:
        thumbs: the thumbnails
        a, b: which two
        turn: how to turn ``b`` first
        window: which window of ``a`` is like ``b``
        moves: whether both ``may_be_moved``, where that is known: it is told for many at once in less time
    """
    return aligned(thumbs, a, b, turn, window, moves=moves)[0]


def aligned(
    thumbs: Thumbnails, a: int, b: int, turn: int = 0, window: int = 0, *, moves: bool | None = None
) -> tuple[float, np.ndarray]:
    """Returns the similarity of two images, and the (2, 3) affine map from the turned ``b`` to ``a``.

    The map is that of the pixels of the (64, 64) thumbnails; the other arguments are those of ``similarity``.
    """
    luma_a, luma_b = thumbs.luma[a], np.ascontiguousarray(turned(thumbs.luma[b], turn))
    chroma_a, chroma_b = thumbs.chroma[a], np.ascontiguousarray(turned(thumbs.chroma[b], turn))
    straight = np.eye(2, 3, dtype=np.float32)
    best = _compare(luma_b, luma_a, chroma_b, chroma_a, None)
    if best > 0.95:
        return best, straight
    if moves is None:
        moves = bool(may_be_moved(np.stack([luma_a, luma_b])).all())
    if not moves:
        return best, straight  # one lamp in the dark fits every other one when it may be moved
    left, top, side = WINDOWS[window]
    start = np.array([[side, 0, left * SIDE], [0, side, top * SIDE]], np.float32)
    warp = _register(luma_b, luma_a, start)
    if warp is None:
        return best, straight
    moved = _compare(luma_b, luma_a, chroma_b, chroma_a, warp)
    return (moved, warp) if moved > best else (best, straight)


def _register(template: np.ndarray, picture: np.ndarray, start: np.ndarray) -> np.ndarray | None:
    """Returns the (2, 3) affine map from the template's to the picture's pixels; None where they do not fit."""
    import cv2

    half = SIDE // 2
    small_template = cv2.resize(template, (half, half), interpolation=cv2.INTER_AREA)
    small_picture = cv2.resize(picture, (half, half), interpolation=cv2.INTER_AREA)
    warp = start.copy()
    warp[:, 2] /= 2
    stop = cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT
    try:
        for steps in (5, 20):  # most candidates are far off after a few steps already
            fit, warp = cv2.findTransformECC(
                small_template, small_picture, warp, cv2.MOTION_AFFINE, (stop, steps, 1e-3), None, 5
            )
            if fit < 0.7:
                return None
        warp[:, 2] *= 2
        _, warp = cv2.findTransformECC(template, picture, warp, cv2.MOTION_AFFINE, (stop, 15, 1e-3), None, 3)
    except cv2.error:  # it does not converge: the pictures do not fit
        return None
    return warp


def _compare(
    template: np.ndarray, picture: np.ndarray, template_chroma: np.ndarray, chroma: np.ndarray, warp: np.ndarray | None
) -> float:
    """Returns the similarity of the template and the mapped picture where both are; None: they lie as they are."""
    import cv2

    if warp is None:
        inside = np.ones((SIDE, SIDE), bool)
        return _alike(template, picture, template_chroma, chroma.astype(np.float32), inside)
    scale, shear = warp[(0, 1), (0, 1)], warp[(0, 1), (1, 0)]
    if scale.min() < 1 / _MAX_SCALE or scale.max() > _MAX_SCALE or np.abs(shear).max() > _MAX_SHEAR:
        return 0.0
    flags = cv2.WARP_INVERSE_MAP
    inside = cv2.warpAffine(np.ones((SIDE, SIDE), np.uint8), warp, (SIDE, SIDE), flags=flags | cv2.INTER_NEAREST)
    inside = cv2.erode(inside, np.ones((5, 5), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=1) > 0
    if inside.mean() < _MIN_OVERLAP:
        return 0.0
    moved = cv2.warpAffine(picture, warp, (SIDE, SIDE), flags=flags | cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    small = warp.copy()
    small[:, 2] *= _CHROMA / SIDE
    colors = [
        cv2.warpAffine(plane.astype(np.float32), small, (_CHROMA, _CHROMA), flags=flags | cv2.INTER_LINEAR)
        for plane in chroma
    ]
    return _alike(template, moved, template_chroma, np.stack(colors), inside)


def _alike(
    template: np.ndarray, moved: np.ndarray, template_chroma: np.ndarray, colors: np.ndarray, inside: np.ndarray
) -> float:
    """Returns the similarity of two pictures that lie on each other, where both are."""
    x, y = template.astype(np.float32), moved.astype(np.float32)
    local, detailed = _structure(x, y, inside)
    if detailed.sum() < _MIN_DETAIL * inside.sum():
        return 0.0
    alike = float(np.quantile(local[detailed], 0.1))
    # each of the two may have a logo, each in another corner
    for _ in range(2):
        stamp = _stamp(local, detailed, inside) if alike < _STAMPED_BELOW else None
        if stamp is None:
            break
        inside &= ~stamp
        local, detailed = _structure(x, y, inside)
        alike = max(alike, float(np.quantile(local[detailed], 0.1)))

    kept = inside[:: SIDE // _CHROMA, :: SIDE // _CHROMA]
    color_y, color_x = colors[:, kept], template_chroma.astype(np.float32)[:, kept]
    power_x, power_y = (color_x**2).mean(), (color_y**2).mean()
    # a gray copy is the same picture; another color is another picture
    if min(power_x, power_y) > 9:
        alike = min(alike, float((color_x * color_y).mean() / np.sqrt(power_x * power_y)))
    return min(max(alike, 0.0), 1.0)


def _structure(x: np.ndarray, y: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the local structural similarity without its term of brightness, and where there is any structure.

    Wang et al., IEEE Trans. Image Processing 13 (2004).
    """
    import cv2

    def mean(values: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(values, (0, 0), 2.5)

    x, y = _same_light(x, y, inside)
    # what a small file never had is no difference
    x, y = cv2.GaussianBlur(x, (0, 0), 0.8), cv2.GaussianBlur(y, (0, 0), 0.8)
    mean_x, mean_y = mean(x), mean(y)
    var_x, var_y = mean(x * x) - mean_x**2, mean(y * y) - mean_y**2
    both = mean(x * y) - mean_x * mean_y
    noise = _NOISE * float(np.clip(max(x[inside].var(), y[inside].var()), 400, 6000))
    # where neither has anything, there is nothing to be alike
    detailed = inside & (var_x + var_y > 4 * noise)
    return (2 * both + noise) / (var_x + var_y + noise), detailed


def _stamp(local: np.ndarray, detailed: np.ndarray, inside: np.ndarray) -> np.ndarray | None:
    """Returns the (64, 64) bool rectangle of a logo or a caption that one of two pictures has; None if there is none.

    Where the two differ is one compact part in a corner, or along the upper or lower edge, and there is detail enough
    beside it. A digit that differs is none: it stands in the midst of its sign, or at the middle of an edge.
    """
    import cv2

    differs = (detailed & (local < _DIFFERS)).astype(np.uint8)
    # the letters of one logo belong together
    joined = cv2.morphologyEx(differs, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    n, _, boxes, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    if n < 2:
        return None
    left, top, width, height, _ = boxes[1 + int(boxes[1:, cv2.CC_STAT_AREA].argmax())]
    stamp = np.zeros((SIDE, SIDE), bool)
    stamp[max(top - 2, 0) : top + height + 2, max(left - 2, 0) : left + width + 2] = True
    # corners are those of what both pictures show
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    from_column = min(left - columns[0], columns[-1] + 1 - left - width)
    from_row = min(top - rows[0], rows[-1] + 1 - top - height)
    is_logo = max(from_row, from_column) <= _STAMP_MARGIN * SIDE and max(width, height) <= _STAMP_SIDE * SIDE
    is_caption = from_row <= _STAMP_MARGIN * SIDE and height <= _CAPTION_HEIGHT * SIDE
    if not is_logo and not (is_caption and width >= _CAPTION_LENGTH * SIDE):
        return None
    rest = detailed & ~stamp
    if rest.sum() < _STAMP_REST * inside.sum():
        return None
    return stamp


def _same_light(x: np.ndarray, y: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns both in the same brightness and contrast: the flatter one is stretched, and clipped where a file is."""
    free = inside & (np.minimum(x, y) > _CLIPPED) & (np.maximum(x, y) < 255 - _CLIPPED)
    if free.mean() < 0.1:
        return x, y
    gain = float(x[free].std() / max(y[free].std(), 1e-3))
    if gain < 1:
        y, x = _same_light(y, x, inside)
        return x, y
    gain = min(gain, 3.0)
    return x, np.clip(gain * (y - y[free].mean()) + x[free].mean(), 0, 255)
