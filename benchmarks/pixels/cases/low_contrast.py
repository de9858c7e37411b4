"""Cases of low_contrast."""

from __future__ import annotations

from benchmarks.pixels.changes import Change, blur, gain, oval

DEFECTS: dict[str, Change] = {}
NEGATIVES = {"dark (gain 0.25)": gain(0.25), "sharp on plain, 10 %": oval(0.1, back=200), "blur, σ 2 %": blur(2)}
