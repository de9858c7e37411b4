"""How likely a line is a caption or an interface element, and what kind of one."""

from __future__ import annotations

from loupe.brain.measures.overlays.features import features, likelihood, timed
from loupe.brain.measures.overlays.finding import LineCandidate

#: fitted as those of a watermark are (``training/overlays/fit.py``), to lines of the defect of this name
WEIGHTS: dict[str, float] = {
    "": -7.27,
    "level": 4.05,
    "upright": -0.89,
    "edge_y": -6.4,
    "edge_x": -1.91,
    "corner": -1.55,
    "centred": 1.4,
    "height": 0.11,
    "width": 0.7,
    "sure": 1.6,
    "faint": 0.66,
    "legible": 1.02,
    "long": 1.47,
    "owned": -4.08,
    "timed": 1.15,
    "even": -1.12,
    "lively": 0.85,
    "blend": -1.64,
    "strong": 1.64,
    "plate": 3.26,
    "bar": -0.33,
    "mates": -2.36,
    "crisp": 3.5,
    "posted": -1.86,
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
