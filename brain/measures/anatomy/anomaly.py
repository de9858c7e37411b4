"""One score out of several measures of different units: how far the oddest of them lies beyond what is usual."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from loupe.brain.core.records import Record


@dataclass(frozen=True)
class Limit(Record):
    """What is still usual of a measure, ``start + slope * |turn|``: models err more where a head is turned away.

    Attributes:
        start: in the unit of the measure
        slope: per degree
        says: what is wrong where it is passed, for people
    """

    start: float
    slope: float
    says: str

    def at(self, turn: float) -> float:
        """Returns the limit at a turn in degrees."""
        return self.start + self.slope * abs(turn)


def most_anomalous(measures: Mapping[str, float], limits: Mapping[str, Limit], turn: float = 0.0) -> tuple[float, str]:
    """Returns a score in [0, 1] and the name of the measure that it comes from.

    The score is x / (1 + x), where x is the largest measure in multiples of its limit: 0.5 at the limit, 2 / 3 at twice
    that; higher is odder. NaN and an empty name where nothing was measured.

    Args:
        measures: 0 or more each; those without a limit are left out
        limits: by the measures' names
        turn: of the head or the body, in degrees

    >>> limits = {"gaze": Limit(0.1, 0, "eyes apart"), "mouth": Limit(0.1, 0, "mouth")}
    >>> most_anomalous({"gaze": 0.3, "mouth": 0.01}, limits)
    (0.75, 'gaze')
    """
    ratios = {name: value / limits[name].at(turn) for name, value in measures.items() if name in limits}
    known = {name: ratio for name, ratio in ratios.items() if not math.isnan(ratio)}
    if not known:
        return math.nan, ""
    name = max(known, key=lambda measure: known[measure])
    if math.isinf(known[name]):
        return 1.0, name
    return round(known[name] / (1 + known[name]), 6), name
