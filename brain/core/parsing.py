"""JSON that others wrote: whatever is wrong with it is a ``ValueError``."""

from __future__ import annotations

import json
from typing import Any


def from_json(text: str | bytes, **options: Any) -> Any:
    """Returns a JSON value.

    Args:
        text: the JSON
        options: of ``json.loads``

    Raises:
        ValueError: it is no JSON, or is nested more deeply than Python reads: ``json.loads`` alone lets a
            ``RecursionError`` of that through, which nobody expects who catches what is wrong with a text

    >>> from_json('{"a": [1]}')
    {'a': [1]}
    >>> from_json("[" * 100_000)
    Traceback (most recent call last):
    ValueError: it is nested too deeply
    """
    try:
        return json.loads(text, **options)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
