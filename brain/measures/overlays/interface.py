"""How likely a line is a caption or an interface element, and what kind of one."""

from __future__ import annotations

from loupe.brain.measures.overlays.features import features, likelihood, timed
from loupe.brain.measures.overlays.finding import LineCandidate

#: fitted as those of a watermark are (``training/overlays/fit.py``), to lines of the defect of this name
WEIGHTS: dict[str, float] = {
    "": -4.42,
    "level": 3.48,
    "upright": -0.27,
    "edge_y": -3.56,
    "edge_x": -0.57,
    "corner": -0.96,
    "centred": 1.14,
    "height": -0.75,
    "width": 0.59,
    "sure": 1.03,
    "faint": 0.24,
    "legible": 0.71,
    "long": 1.55,
    "owned": -2.82,
    "timed": 1.84,
    "even": -0.47,
    "lively": 0.34,
    "blend": -2.04,
    "strong": 0.98,
    "plate": 2.33,
    "bar": 0.57,
    "mates": -2.04,
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
