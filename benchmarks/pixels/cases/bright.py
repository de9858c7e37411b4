"""Cases of bright."""

from __future__ import annotations

from benchmarks.pixels.changes import gamma, haze, oval

DEFECTS = {"gamma 0.33": gamma(0.33), "gamma 0.2": gamma(0.2)}
NEGATIVES = {
    "object on white, 50 %": oval(0.5, back=255),
    "object on white, 20 %": oval(0.2, back=255),
    "haze 0.5": haze(0.5),
}
