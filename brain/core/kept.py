"""Records that are kept as plain values and read again, infinity among them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from loupe.brain.core.records import Record

#: infinity among plain values, where NaN is None: "worth more than all real samples" is known, and must not be lost
_INFINITE = {math.inf: "inf", -math.inf: "-inf"}


@dataclass(frozen=True)
class KeptRecord(Record):
    """A record whose plain values tell infinity from NaN: ``number`` reads both again."""

    def to_dict(self) -> dict[str, Any]:
        """Returns the record as plain JSON-able values: NaN becomes None, and infinity the text "inf"."""
        return {each.name: _plain(getattr(self, each.name)) for each in fields(self)}


def number(value: Any) -> float:
    """Returns a number that ``KeptRecord.to_dict`` made a plain value of.

    >>> number(None), number("inf"), number(2)
    (nan, inf, 2.0)
    """
    return math.nan if value is None else float(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Record):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return _INFINITE.get(value)
    return value
