"""Cases of dark."""

from __future__ import annotations

from benchmarks.pixels.changes import gamma, haze, lamp, oval

DEFECTS = {"gamma 3": gamma(3), "one lamp at night": lamp}
NEGATIVES = {"low key, object 20 %": oval(0.2, back=0), "haze 0.5": haze(0.5)}
