"""How likely a line is a watermark, and what kind of one."""

from __future__ import annotations

from loupe.brain.measures.overlays.features import features, likelihood
from loupe.brain.measures.overlays.finding import LineCandidate

#: fitted by ``training/overlays/fit.py`` to lines that the defect of this name put into the ImageNet photos at even
#: places, and to their own marks, against the lettering of those photos, of street scenes, of real words of signs, of
#: boards, signs, plates, shirts and screens that were drawn into them, and of the defect "overlay"
WEIGHTS: dict[str, dict[str, float]] = {
    "corner": {
        "": -0.95,
        "level": 1.19,
        "upright": 0.92,
        "corner": 3.04,
        "edge_y": -2.98,
        "edge_x": -1.51,
        "legible": -0.01,
        "long": -0.06,
        "owned": 3.52,
        "timed": -3.1,
        "even": -0.59,
        "lively": 0.6,
        "blend": 1.51,
        "misfit": -0.76,
        "strong": -2.66,
        "grey": 1.16,
        "thin": -1.89,
        "plate": -0.89,
        "bar": -0.7,
        "height": -1.47,
        "width": -2.01,
        "faint": -0.59,
    },
    "rows": {
        "": -2.89,
        "twins": 0.74,
        "mates": 3.78,
        "level": -4.62,
        "legible": 0.84,
        "long": -0.64,
        "owned": 3.12,
        "blend": 0.72,
        "strong": -0.06,
        "lively": 1.35,
        "plate": 0.31,
        "height": -1.73,
        "faint": 0.58,
        "grey": 0.95,
        "thin": -2.51,
    },
    "band": {
        "": -7.11,
        "level": 2.85,
        "centred": 1.32,
        "width": 1.66,
        "height": 1.73,
        "long": -0.18,
        "owned": 3.02,
        "timed": -1.87,
        "blend": 1.59,
        "misfit": -1.89,
        "lively": 1.83,
        "even": -3.11,
        "strong": 2.1,
        "grey": 0.92,
        "plate": -1.74,
        "bar": -1.57,
        "faint": -0.54,
        "printed": -1.13,
        "crisp": -1.86,
        "posted": -1.46,
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
