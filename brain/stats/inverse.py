"""The interval of a share of passes where one stops as soon as enough have passed.

Whoever draws until the r-th pass stops at a pass: the share k of n is biased upward, and the usual intervals of a fixed
n are those of another design. The number of draws is what is random then (Haldane, Biometrika 33, 1945), and the exact
interval is found by the tails of its negative binomial distribution, in the manner of Clopper & Pearson. With a limit
to the draws the design ends at the r-th pass or at the limit, and its outcomes keep their order: the same tails hold.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from loupe.brain.core.errors import InputError
from loupe.brain.core.proportions import Proportion

#: at which a sequence without any pass is ended before its limit
_HOPELESS = 0.999


def until(passes: Sequence[bool], needed: int, confidence: float = 0.95) -> Proportion:
    """Returns k of n up to the ``needed``-th pass, or of all draws where it was not reached, with its interval.

    Draws after the ``needed``-th pass, the rest of a batch, do not count: the design ends there. The interval covers
    the true share at least ``confidence`` of the time, whether the number was reached or the limit ended it.

    Args:
        passes: of each draw in order whether it passed
        needed: r, at which one stops; at least 1
        confidence: in (0, 1)

    Raises:
        InputError: ``needed`` is below 1

    >>> str(until([False, True, False, True, True], 2))
    '50.0 % [6.8 %, 90.6 %] (2 of 4)'
    """
    if needed < 1:
        raise InputError(f"expected at least 1 pass to stop at, got {needed}")
    k = n = 0
    for passed in passes:
        n += 1
        k += bool(passed)
        if k == needed:
            break
    low, high = bounds(k, n, reached=k == needed, confidence=confidence)
    return Proportion(n, k, low, high)


def bounds(k: int, n: int, *, reached: bool, confidence: float = 0.95) -> tuple[float, float]:
    """Returns the exact interval of k passes of n draws, in [0, 1]; NaN without a draw.

    Args:
        k, n: passes, draws
        reached: whether the last draw was the pass to stop at; else the limit ended it, and it is Clopper & Pearson's
        confidence: in (0, 1)

    >>> [round(end, 3) for end in bounds(3, 10, reached=False)]  # Clopper and Pearson
    [0.067, 0.652]
    """
    from scipy.special import betaincinv

    if not n:
        return math.nan, math.nan
    tail = (1 - confidence) / 2
    low = 0.0 if not k else float(betaincinv(k, n - k + 1, tail))
    # P(at least n draws for k passes) = P(at most k - 1 passes in n - 1 draws)
    more = (k, n - k) if reached else (k + 1, n - k)
    return low, 1.0 if k == n else float(betaincinv(*more, 1 - tail))


def draws_needed(needed: int, rate: float) -> float:
    """Returns how many draws it takes on average until so many have passed, at a share in [0, 1]; infinity at 0.

    >>> draws_needed(9, 0.25)
    36.0
    """
    return math.nan if math.isnan(rate) else needed / rate if rate > 0 else math.inf


def hopeless(n: int, needed: int, limit: int) -> bool:
    """Returns whether none of n draws has passed, and even the share that this leaves possible would not reach.

    By a 99.9 % bound: a sequence that is ended here could hardly have reached it, so that the intervals keep.

    >>> hopeless(10, 9, 90), hopeless(80, 9, 90)
    (False, True)
    """
    return n > 0 and bounds(0, n, reached=False, confidence=_HOPELESS)[1] * limit < needed
