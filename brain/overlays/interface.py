"""How likely a line is a caption or an interface element, and what kind of one."""

from __future__ import annotations

from loupe.brain.overlays.features import features, likelihood, timed
from loupe.brain.overlays.finding import Found

#: fitted as those of a watermark are, to lines of the defect of this name
WEIGHTS: dict[str, float] = {
    "": -3.59,
    "level": 3.61,
    "upright": -0.27,
    "edge_y": -3.97,
    "edge_x": -0.76,
    "corner": -1.49,
    "centred": 1.38,
    "height": -1.04,
    "width": 0.59,
    "sure": 1.02,
    "faint": -0.47,
    "legible": 0.7,
    "long": 0.99,
    "owned": -2.9,
    "timed": 1.72,
    "even": -0.04,
    "lively": 0.34,
    "blend": -1.88,
    "strong": 0.88,
    "plate": 1.63,
    "bar": 0.44,
    "mates": -2.25,
}
_PLATE = 0.5


def overlay_likelihood(found: Found, shape: tuple[int, int], read: bool = True) -> float:
    """Returns how likely the line is a caption or belongs to an interface, in [0, 1]; higher is worse.

    A logistic regression over ``features``; see ``watermark_likelihood``.

    Args:
        found: the line
        shape: (H, W) of the picture
        read: whether it was read
    """
    return likelihood(features(found, shape, read), WEIGHTS)


def overlay_kind(found: Found, shape: tuple[int, int]) -> str:
    """Returns "time", "bar", "button" or "caption": what the line looks most like."""
    values = features(found, shape, True)
    if timed(found.text):
        return "time"
    if values["bar"] > _PLATE:
        return "bar"
    return "button" if values["plate"] > _PLATE and values["width"] < 0.4 else "caption"
