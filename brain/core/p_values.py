"""P and q as people read them, in one way everywhere: ``.002``, and never 0."""

from __future__ import annotations

import math


def p_value(number: float) -> str:
    """Returns a p- or q-value for a cell of a table, or behind a word; "" where there is none.

    >>> p_value(0.0021), p_value(0.2), p_value(1e-9), p_value(1.0), p_value(float("nan"))
    ('.002', '.20', '< .001', '1', '')
    """
    if math.isnan(number):
        return ""
    if number < 0.0005:
        return "< .001"
    if number >= 0.995:
        return "1"
    return (f"{number:.3f}" if number < 0.1 else f"{number:.2f}").removeprefix("0")


def equals(number: float) -> str:
    """Returns the same for a sentence, behind the name.

    >>> f"q {equals(0.0021)}, p {equals(1e-9)}"
    'q = .002, p < .001'
    """
    text = p_value(number)
    return text if text.startswith("<") or not text else f"= {text}"
