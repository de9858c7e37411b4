"""Where the failing end of the clean photos' scores lies, beside the default threshold."""

from __future__ import annotations

import numpy as np

from benchmarks.pixels.failures import failures, photos
from loupe.brain.stats.calibration import score, threshold_for

_RATES = (0.0, 0.005, 0.01, 0.02, 0.05)


def print_thresholds(names: list[str], maximum: int) -> None:
    """Prints the threshold at several rates of clean photos flagged, for each failure mode."""
    clean = photos(0, maximum)
    print(f"{len(clean)} ImageNet photos at even places; the score's failing end\n")
    for failure in names:
        check, output = failures()[failure]
        threshold = output.default_threshold
        assert threshold is not None
        scorer = check().load("cpu")
        scores = np.array([score(scorer, output, photo) for photo in clean])
        scores = scores[~np.isnan(scores)]
        ends = [threshold_for(scores, threshold.op, rate) for rate in _RATES]
        figures = "  ".join(f"{rate:.1%}: {end:.3f}" for rate, end in zip(_RATES, ends, strict=True))
        print(
            f"{failure:16} {check.name + '.' + output.name:28} {threshold.op} {threshold.value:<5g} "
            f"flags {int(threshold.violates(scores).sum())} of {len(scores)}, "
            f"{len(clean) - len(scores)} unknown;  {figures}"
        )
