"""Where a line of text is, and how it is cut out: in several views, upright, turned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

#: the recognizer's input height
INPUT_HEIGHT = 48
#: its output has one frame for so many pixels of its input
STRIDE = 8
#: its input is at most that wide
MAX_WIDTH = 2400
#: of each view that ``views`` gives: its margin over the line's height, and how much narrower it is
_VIEWS = ((0.05, 1.0), (0.15, 1.0), (0.3, 1.0), (0.15, 0.85), (0.15, 1.0))


@dataclass(frozen=True, eq=False)
class Region:
    """Where a line of text is.

    Attributes:
        corners: (4, 2) float32 pixels: top left, top right, bottom right, bottom left of the line as it is written
        confidence: of the detector, in [0, 1]; 0 for a picture that is taken as one line without being looked at
    """

    corners: np.ndarray
    confidence: float

    @property
    def height(self) -> float:
        """The line's height in pixels."""
        return float(np.linalg.norm(self.corners[3] - self.corners[0]))

    @property
    def width(self) -> float:
        """The line's width in pixels."""
        return float(np.linalg.norm(self.corners[1] - self.corners[0]))

    def bounds(self, width: int, height: int) -> tuple[float, float, float, float]:
        """Returns x, y, width, height of its bounding box in [0, 1]."""
        low = np.clip(self.corners.min(0) / (width, height), 0, 1)
        high = np.clip(self.corners.max(0) / (width, height), 0, 1)
        return float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1])


def cut(picture: np.ndarray, region: Region, margin: float) -> np.ndarray:
    """Returns the line as an upright (h, w, 3) picture, wider by ``margin`` of its height on every side.

    What lies outside of the picture repeats its border, which a recognizer takes for background.
    """
    import cv2

    top_left, top_right, bottom_right, bottom_left = region.corners.astype(np.float64)
    along = (top_right - top_left) / max(1e-6, region.width)
    down = (bottom_left - top_left) / max(1e-6, region.height)
    extra = margin * region.height
    corners = (
        top_left - extra * (along + down),
        top_right + extra * (along - down),
        bottom_right + extra * (along + down),
        bottom_left + extra * (down - along),
    )
    grown = np.array(corners, np.float32) - np.float32(0.5)
    width, height = max(2, round(region.width + 2 * extra)), max(2, round(region.height + 2 * extra))
    # small letters are enlarged in the same step: one interpolation, not two
    zoom = max(1.0, INPUT_HEIGHT / height)
    size = (min(4 * MAX_WIDTH, round(width * zoom)), round(height * zoom))
    target = _rectangle(*size) - np.float32(0.5)
    matrix = cv2.getPerspectiveTransform(grown, target)
    return cv2.warpPerspective(picture, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def whole(picture: np.ndarray) -> Region:
    """Returns the picture itself as one line, of which the detector has said nothing."""
    height, width = picture.shape[:2]
    return Region(_rectangle(width, height), 0.0)


def _rectangle(width: int, height: int) -> np.ndarray:
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)


def turns(region: Region) -> list[Region]:
    """Returns the region, and for a tall one also both quarter turns that lay it on its side."""
    if region.height < 1.8 * region.width:
        return [region]
    return [region, *(replace(region, corners=np.roll(region.corners, turn, axis=0)) for turn in (1, -1))]


def same_place(first: Region, second: Region) -> bool:
    """Returns whether two regions cover each other for the most part."""
    low = np.maximum(first.corners.min(0), second.corners.min(0))
    high = np.minimum(first.corners.max(0), second.corners.max(0))
    common = float(np.prod(np.clip(high - low, 0, None)))
    areas = [float(np.prod(np.ptp(region.corners, axis=0))) for region in (first, second)]
    return common > 0.4 * min(areas)


def views(picture: np.ndarray, region: Region) -> list[np.ndarray]:
    """Returns the line in five ways that a sure reading does not depend on, the plainest two first.

    Margins of 5, 15 and 30 % of its height; in color, in gray with the contrast stretched, narrower, and inverted.
    """
    import cv2

    plain, roomy, wide = (cut(picture, region, margin) for margin, _ in _VIEWS[:3])
    narrower = max(8, round(roomy.shape[1] * _VIEWS[3][1]))
    narrow = cv2.resize(roomy, (narrower, roomy.shape[0]), interpolation=cv2.INTER_AREA)
    return [plain, roomy, stretched(wide), narrow, 255 - stretched(roomy)]


def places(region: Region, view: int, frames: Sequence[int], margin: float) -> list[float]:
    """Returns where the frames of a view lie in the line that is cut with that margin: 0 its left edge, 1 its right.

    Args:
        region: the line
        view: index of the view in what ``views`` gives
        frames: indices of the recognizer's frames
        margin: over the line's height, as for ``cut``
    """
    own, narrower = _VIEWS[view]
    pixel = region.height * (1 + 2 * own) / (INPUT_HEIGHT * narrower)
    width = region.width + 2 * margin * region.height
    return [((frame + 0.5) * STRIDE * pixel + (margin - own) * region.height) / width for frame in frames]


def stretched(line: np.ndarray) -> np.ndarray:
    """Returns the line in gray, its 2nd and 98th percentile stretched to black and white; (h, w, 3) uint8."""
    import cv2

    gray = cv2.cvtColor(line, cv2.COLOR_RGB2GRAY).astype(np.float32)
    low, high = np.percentile(gray, (2, 98))
    out = np.clip((gray - low) * (255.0 / max(1.0, high - low)), 0, 255).astype(np.uint8)
    return np.repeat(out[:, :, None], 3, axis=2)
