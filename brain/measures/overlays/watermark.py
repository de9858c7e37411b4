"""How likely a line is a watermark, and what kind of one."""

from __future__ import annotations

from loupe.brain.measures.overlays.features import features, likelihood
from loupe.brain.measures.overlays.finding import LineCandidate

#: fitted by ``training/overlays/fit.py`` to lines that the defect of this name put into the ImageNet photos at even
#: places, and to their own marks, against the lettering of those photos, of street scenes, of real words of signs, of
#: boards, signs, plates, shirts and screens that were drawn into them, and of the defect "overlay"
WEIGHTS: dict[str, dict[str, float]] = {
    "corner": {
        "": -1.01,
        "level": 1.23,
        "upright": 0.93,
        "corner": 3.03,
        "edge_y": -2.89,
        "edge_x": -1.5,
        "legible": 0.02,
        "long": -0.09,
        "owned": 3.49,
        "timed": -3.12,
        "even": -0.55,
        "lively": 0.59,
        "blend": 1.52,
        "misfit": -0.8,
        "strong": -2.67,
        "grey": 1.17,
        "thin": -1.86,
        "plate": -0.91,
        "bar": -0.72,
        "height": -1.42,
        "width": -1.97,
        "faint": -0.62,
    },
    "rows": {
        "": -2.97,
        "twins": 0.77,
        "mates": 3.74,
        "level": -4.47,
        "legible": 0.87,
        "long": -0.64,
        "owned": 3.12,
        "blend": 0.71,
        "strong": -0.08,
        "lively": 1.42,
        "plate": 0.3,
        "height": -1.65,
        "faint": 0.64,
        "grey": 0.96,
        "thin": -2.45,
    },
    "band": {
        "": -6.99,
        "level": 2.93,
        "centred": 1.33,
        "width": 1.59,
        "height": 1.92,
        "long": -0.19,
        "owned": 2.98,
        "timed": -1.84,
        "blend": 1.55,
        "misfit": -1.88,
        "lively": 1.72,
        "even": -2.95,
        "strong": 1.83,
        "grey": 0.88,
        "plate": -1.7,
        "bar": -1.52,
        "faint": -0.64,
        "printed": -1.04,
        "crisp": -1.73,
        "posted": -1.37,
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
