"""How likely a line is a caption or an interface element, and what kind of one."""

from __future__ import annotations

from loupe.brain.measures.overlays.features import features, likelihood, timed
from loupe.brain.measures.overlays.finding import LineCandidate

#: fitted as those of a watermark are (``training/overlays/fit.py``), to lines of the defect of this name
WEIGHTS: dict[str, float] = {
    "": -7.68,
    "level": 4.15,
    "upright": -0.67,
    "edge_y": -5.65,
    "edge_x": -1.41,
    "corner": -1.8,
    "centred": 1.19,
    "height": 0.15,
    "width": 0.84,
    "sure": 1.77,
    "faint": 0.7,
    "legible": 1.19,
    "long": 1.63,
    "owned": -3.91,
    "timed": 1.51,
    "even": -1.17,
    "lively": 0.78,
    "blend": -1.8,
    "strong": 1.62,
    "plate": 3.12,
    "bar": -0.18,
    "mates": -1.95,
    "crisp": 3.28,
    "posted": -1.07,
}
_PLATE = 0.5


def overlay_likelihood(candidate: LineCandidate, shape: tuple[int, int], read: bool = True) -> float:
    """Returns how likely the line is a caption or belongs to an interface, in [0, 1]; higher is worse.

    A logistic regression over ``features``; see ``watermark_likelihood``.

    Args:
        candidate: the line
        shape: (H, W) of the picture
        read: whether it was read
    """
    return likelihood(features(candidate, shape, read), WEIGHTS)


def overlay_kind(candidate: LineCandidate, shape: tuple[int, int]) -> str:
    """Returns "time", "bar", "button" or "caption": what the line looks most like."""
    values = features(candidate, shape, True)
    if timed(candidate.text):
        return "time"
    if values["bar"] > _PLATE:
        return "bar"
    return "button" if values["plate"] > _PLATE and values["width"] < 0.4 else "caption"
