"""Numbers as a report writes them."""

from __future__ import annotations

import math

from loupe.brain.core.results import Rate
from loupe.brain.core.shares import percent

#: an interval wider than this is drawn as unsure
WIDE = 0.2


def interval(low: float, high: float) -> str:
    """Returns an interval of a share, e.g. ``"3.1 to 12 %"``; "" where there is none."""
    if math.isnan(low) or math.isnan(high):
        return ""
    return f"{percent(low).removesuffix(' %')} to {percent(high)}"


def unsure(rate: Rate) -> bool:
    """Returns whether the interval of a rate is wide."""
    return rate.high - rate.low > WIDE


def of_rate(rate: Rate) -> str:
    """Returns a rate with all that belongs to it, in a line."""
    if not rate.n:
        return f"not judged ({rate.unknown:,} unknown, {rate.unchecked:,} not checked)"
    parts = [f"{rate.failures:,} of {rate.n:,} judged"]
    parts += [f"{rate.unknown:,} unknown"] if rate.unknown else []
    parts += [f"{rate.unchecked:,} not checked"] if rate.unchecked else []
    return f"{percent(rate.rate)} (95 % interval {interval(rate.low, rate.high)}): {', '.join(parts)}"
