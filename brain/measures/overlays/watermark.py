"""How likely a line is a watermark, and what kind of one."""

from __future__ import annotations

from loupe.brain.measures.overlays.features import features, likelihood
from loupe.brain.measures.overlays.finding import LineCandidate

#: fitted by ``training/overlays/fit.py`` to lines that the defect of this name put into the ImageNet photos at even
#: places, and to their own marks, against the lettering of those photos, of street scenes, of real words of signs, of
#: boards, signs, plates, shirts and screens that were drawn into them, and of the defect "overlay"
WEIGHTS: dict[str, dict[str, float]] = {
    "corner": {
        "": -0.8,
        "level": 1.15,
        "upright": 0.88,
        "corner": 3.05,
        "edge_y": -3.09,
        "edge_x": -1.56,
        "legible": -0.05,
        "long": -0.09,
        "owned": 3.53,
        "timed": -3.14,
        "even": -0.59,
        "lively": 0.64,
        "blend": 1.52,
        "misfit": -0.75,
        "strong": -2.66,
        "grey": 1.12,
        "thin": -1.92,
        "plate": -0.87,
        "bar": -0.72,
        "height": -1.54,
        "width": -2.08,
        "faint": -0.58,
    },
    "rows": {
        "": -2.89,
        "twins": 0.77,
        "mates": 3.87,
        "level": -4.77,
        "legible": 0.84,
        "long": -0.6,
        "owned": 3.15,
        "blend": 0.7,
        "strong": -0.05,
        "lively": 1.32,
        "plate": 0.32,
        "height": -1.79,
        "faint": 0.52,
        "grey": 0.93,
        "thin": -2.56,
    },
    "band": {
        "": -5.98,
        "level": 2.94,
        "centred": 1.35,
        "width": 1.76,
        "height": 1.61,
        "legible": -1.65,
        "long": 0.09,
        "owned": 3.1,
        "timed": -1.83,
        "blend": 1.63,
        "misfit": -2.04,
        "lively": 1.93,
        "even": -3.14,
        "strong": 2.1,
        "grey": 1.0,
        "plate": -1.7,
        "bar": -1.59,
        "faint": -0.68,
        "printed": -1.14,
        "crisp": -1.94,
        "posted": -1.51,
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
