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


def tenths(share: float, *, signed: bool = False) -> str:
    """Returns a share in [0, 1] as percent with one decimal, for columns of a table; "–" for NaN.

    Args:
        share: the share
        signed: whether it is a difference, in [-1, 1], whose sign is written

    >>> tenths(0.0345), tenths(0.0), tenths(0.0001), tenths(0.9999), tenths(1.0)
    ('3.5 %', '0.0 %', '< 0.1 %', '> 99.9 %', '100.0 %')
    >>> tenths(0.012, signed=True), tenths(-0.0001, signed=True)
    ('+1.2 %', '-0.0 %')
    """
    return f"{100 * share:+.1f} %" if signed and not math.isnan(share) else _rounded(share, 1)


def whole(share: float) -> str:
    """Returns a share in [0, 1] as whole percent, where more would say more than is known; "–" for NaN.

    >>> whole(0.345), whole(0.0001), whole(0.9999), whole(1.0)
    ('34 %', '< 1 %', '> 99 %', '100 %')
    """
    return _rounded(share, 0)


def hundredths(share: float) -> str:
    """Returns a share in [0, 1] as percent with two decimals, of a share that was asked for so; "–" for NaN.

    >>> hundredths(0.00921), hundredths(0.01)
    ('0.92 %', '1.00 %')
    """
    return _rounded(share, 2)


def _rounded(share: float, decimals: int) -> str:
    if math.isnan(share):
        return "–"
    text, step = f"{100 * share:.{decimals}f}", 10.0**-decimals
    if float(text) == 0 and share > 0:
        return f"< {step:.{decimals}f} %"
    if float(text) == 100 and share < 1:
        return f"> {100 - step:.{decimals}f} %"
    return f"{text} %"
