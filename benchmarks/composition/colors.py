"""The names of the XKCD color survey."""

from __future__ import annotations

import re

import numpy as np

from benchmarks.figures import header, row, share, title


def colors() -> None:
    """Prints how often single colors of the XKCD survey are named as their own names say."""
    from matplotlib.colors import XKCD_COLORS, to_rgb

    from loupe.brain.measures.composition.colors import TERMS, names

    title("Color names (XKCD survey, names that end in a basic term)")
    header("half", "right")
    for half, text in ((0, "rules chosen on"), (1, "measured on")):
        wanted, pixels = [], []
        for name, value in sorted(XKCD_COLORS.items())[half::2]:
            words = [{"grey": "gray"}.get(word, word) for word in name.removeprefix("xkcd:").split()]
            if words[-1] in TERMS and not any(word in TERMS or re.search("(ish|ey)$", word) for word in words[:-1]):
                wanted.append(TERMS.index(words[-1]))
                pixels.append([round(255 * part) for part in to_rgb(value)])
        right = int((names(np.array(pixels, np.uint8)) == np.array(wanted)).sum())
        row(text, share(right, len(wanted)))
