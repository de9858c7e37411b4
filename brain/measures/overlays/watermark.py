"""How likely a line is a watermark, and what kind of one."""

from __future__ import annotations

from loupe.brain.measures.overlays.features import features, likelihood
from loupe.brain.measures.overlays.finding import LineCandidate

#: fitted by ``training/overlays/fit.py`` to lines that the defect of this name put into the ImageNet photos at even
#: places, and to their own marks, against the lettering of those photos, of street scenes, of boards in perspective
#: that were drawn into them, and of the defect "overlay"
WEIGHTS: dict[str, dict[str, float]] = {
    "corner": {
        "": -1.86,
        "level": 1.0,
        "upright": 0.51,
        "corner": 2.28,
        "edge_y": -2.05,
        "edge_x": -1.45,
        "legible": 0.06,
        "long": 0.08,
        "owned": 2.61,
        "timed": -2.11,
        "even": -0.26,
        "lively": 0.51,
        "blend": 1.12,
        "misfit": -0.22,
        "strong": -1.6,
        "grey": 0.68,
        "thin": -0.79,
        "plate": -0.54,
        "bar": -0.43,
        "height": -0.74,
        "width": -1.09,
        "faint": -0.34,
    },
    "rows": {
        "": -2.96,
        "twins": 0.67,
        "mates": 2.89,
        "level": -3.19,
        "legible": 0.63,
        "long": -0.35,
        "owned": 2.15,
        "blend": 0.49,
        "strong": -0.28,
        "lively": 1.25,
        "plate": 0.03,
        "height": -0.98,
        "faint": 0.54,
        "grey": 0.89,
        "thin": -1.46,
    },
    "band": {
        "": -6.86,
        "level": 2.37,
        "centred": 1.57,
        "width": 1.46,
        "height": 2.45,
        "legible": -0.15,
        "long": -0.26,
        "owned": 1.85,
        "timed": -1.1,
        "blend": 1.35,
        "misfit": -0.66,
        "lively": 1.16,
        "even": -0.93,
        "strong": 0.16,
        "grey": 0.51,
        "plate": -1.12,
        "bar": -0.93,
        "faint": -0.49,
    },
}


def watermark_likelihood(candidate: LineCandidate, shape: tuple[int, int], read: bool = True) -> float:
    """Returns how likely the line is a watermark, in [0, 1]; higher is worse.

    The largest of three logistic regressions over ``features``: a name in a corner, a word in rows, a word across.

    Args:
        candidate: the line
        shape: (H, W) of the picture
        read: whether it was read
    """
    values = features(candidate, shape, read)
    return max(likelihood(values, weights) for weights in WEIGHTS.values())


def watermark_kind(candidate: LineCandidate, shape: tuple[int, int]) -> str:
    """Returns "corner", "rows" or "band": the kind that the line is likeliest to be."""
    values = features(candidate, shape, True)
    return max(WEIGHTS, key=lambda kind: likelihood(values, WEIGHTS[kind]))
