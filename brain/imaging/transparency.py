"""What to put under a transparent picture, so that what is drawn on it can be seen."""

from __future__ import annotations

import numpy as np
from PIL import Image

from loupe.brain.imaging import luma
from loupe.brain.imaging.opencv import opencv

#: luma of the backgrounds, in the order of preference: white is what most viewers and pages have
BACKGROUNDS = (255, 128, 0)
#: the share of the edges, of those that the best background shows, that white has to show
SEEN_ON_WHITE = 0.5
#: levels of 255 that neighbors differ by where an edge can be seen
EDGE = 16


def on_background(image: Image.Image) -> Image.Image:
    """Returns an RGBA picture as RGB, on white; on gray or black where white would hide most of what is drawn.

    Args:
        image: of mode RGBA
    """
    level = background_of(np.asarray(image))
    return Image.alpha_composite(Image.new("RGBA", image.size, (level, level, level, 255)), image).convert("RGB")


def background_of(pixels: np.ndarray) -> int:
    """Returns the luma of the background, 255, 128 or 0, that shows the most edges; white unless it shows too few.

    Edges say it, and not the share of white: a page is white and shows its text on white, and a thin white drawing
    shows nothing there.

    Args:
        pixels: (H, W, 4) uint8 RGBA
    """
    alpha = pixels[..., 3]
    if alpha.min() == 255 or alpha.max() == 0:
        return BACKGROUNDS[0]
    levels = luma.luma_of(np.ascontiguousarray(pixels[..., :3]))
    edges = [_edges(levels, alpha, level) for level in BACKGROUNDS]
    if edges[0] >= SEEN_ON_WHITE * max(edges):
        return BACKGROUNDS[0]
    # gray is neither dark nor bright, so that it is preferred unless black shows much more
    return BACKGROUNDS[1] if edges[1] >= SEEN_ON_WHITE * max(edges) else BACKGROUNDS[2]


def _edges(levels: np.ndarray, alpha: np.ndarray, background: int) -> int:
    """Returns how many neighbors differ visibly once (H, W) uint8 luma lies on a background."""
    share = alpha.astype(np.float32) * np.float32(1 / 255)
    seen = ((levels - np.float32(background)) * share + np.float32(background)).astype(np.uint8)
    across = _differences(seen[:, 1:], seen[:, :-1]) if seen.shape[1] > 1 else np.zeros(0, np.uint8)
    down = _differences(seen[1:], seen[:-1]) if seen.shape[0] > 1 else np.zeros(0, np.uint8)
    return int((across > EDGE).sum() + (down > EDGE).sum())


def _differences(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    cv2 = opencv()
    if cv2 is None:
        return np.maximum(first, second) - np.minimum(first, second)
    made: np.ndarray = cv2.absdiff(first, second)
    return made
