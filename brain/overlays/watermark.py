"""How likely a line is a watermark, and what kind of one."""

from __future__ import annotations

from loupe.brain.overlays.features import features, likelihood
from loupe.brain.overlays.finding import Found

#: fitted to lines that the defect of this name put into the ImageNet photos at even places, and to their own marks,
#: against the lettering of those photos, of street scenes, and of boards in perspective that were drawn into them
WEIGHTS: dict[str, dict[str, float]] = {
    "corner": {
        "": -1.75,
        "level": 0.73,
        "upright": 0.55,
        "corner": 2.09,
        "edge_y": -2.2,
        "edge_x": -1.81,
        "legible": -0.18,
        "long": 0.36,
        "owned": 2.72,
        "timed": -2.31,
        "even": -0.41,
        "lively": 0.95,
        "blend": 0.83,
        "misfit": -0.36,
        "strong": -0.69,
        "grey": 0.79,
        "thin": -0.69,
        "plate": -0.12,
        "bar": -0.19,
        "height": -0.96,
        "width": -0.93,
        "faint": -0.48,
    },
    "rows": {
        "": -2.34,
        "twins": 0.4,
        "mates": 2.46,
        "level": -3.73,
        "legible": 0.27,
        "long": -0.73,
        "owned": 2.48,
        "blend": -0.07,
        "strong": -0.55,
        "lively": 0.88,
        "plate": 0.43,
        "height": -0.76,
        "faint": 0.64,
        "grey": 1.35,
        "thin": -1.54,
    },
    "band": {
        "": -7.16,
        "level": 1.68,
        "centred": 1.06,
        "width": 1.96,
        "height": 3.54,
        "legible": -0.36,
        "long": -0.45,
        "owned": 1.67,
        "timed": -0.88,
        "blend": 0.72,
        "misfit": 0.41,
        "lively": 0.74,
        "even": -0.64,
        "strong": 0.59,
        "grey": 0.76,
        "plate": -0.65,
        "bar": -0.8,
        "faint": -0.09,
    },
}


def watermark_likelihood(found: Found, shape: tuple[int, int], read: bool = True) -> float:
    """Returns how likely the line is a watermark, in [0, 1]; higher is worse.

    The largest of three logistic regressions over ``features``: a name in a corner, a word in rows, a word across.

    Args:
        found: the line
        shape: (H, W) of the picture
        read: whether it was read
    """
    values = features(found, shape, read)
    return max(likelihood(values, weights) for weights in WEIGHTS.values())


def watermark_kind(found: Found, shape: tuple[int, int]) -> str:
    """Returns "corner", "rows" or "band": the kind that the line is likeliest to be."""
    values = features(found, shape, True)
    return max(WEIGHTS, key=lambda kind: likelihood(values, WEIGHTS[kind]))
