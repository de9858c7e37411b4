"""Cases of odd_aspect."""

from __future__ import annotations

from benchmarks.pixels.changes import Change, squeeze

DEFECTS: dict[str, Change] = {}
NEGATIVES = {"1:3": squeeze(1 / 3)}
