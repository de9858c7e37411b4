"""Cases of low_information."""

from __future__ import annotations

from benchmarks.pixels.changes import blur, flattest, gain, haze, oval

DEFECTS = {"flattest of 8 x 8 crops": flattest(8)}
NEGATIVES = {
    "object on plain, 10 %": oval(0.1, back=200),
    "object on plain, 1 %": oval(0.01, back=200),
    "dark (gain 0.25)": gain(0.25),
    "haze 0.35": haze(0.35),
    "blur, σ 4 %": blur(4),
}
