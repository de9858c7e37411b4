"""Shares as people read them: in percent, and never "0 %" or "100 %" of what is only nearly so."""

from __future__ import annotations

import math


def percent(share: float, decimal_below: float = 0.1) -> str:
    """Returns a share in [0, 1] as percent, with a decimal where it is small; "–" for NaN.

    Args:
        share: the share
        decimal_below: the share from which on whole percent say enough

    >>> percent(0.2345), percent(0.034), percent(0.0), percent(0.0001), percent(0.9999), percent(float("nan"))
    ('23 %', '3.4 %', '0 %', '< 0.1 %', '> 99 %', '–')
    """
    # what rounds to it has no decimal either: 10 %, and not 10.0 %
    return _rounded(share, 1 if 0 < share < decimal_below - 0.0005 else 0)


def tenths(share: float) -> str:
    """Returns a share in [0, 1] as percent with one decimal, for columns of a table; "–" for NaN.

    >>> tenths(0.0345), tenths(0.0), tenths(0.0001), tenths(0.9999), tenths(1.0)
    ('3.5 %', '0.0 %', '< 0.1 %', '> 99.9 %', '100.0 %')
    """
    return _rounded(share, 1)


def _rounded(share: float, decimals: int) -> str:
    if math.isnan(share):
        return "–"
    text, step = f"{100 * share:.{decimals}f}", 10.0**-decimals
    if float(text) == 0 and share > 0:
        return f"< {step:.{decimals}f} %"
    if float(text) == 100 and share < 1:
        return f"> {100 - step:.{decimals}f} %"
    return f"{text} %"
