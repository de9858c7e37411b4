"""Where samples of two sets lie in one plane. A plain record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loupe.brain.core.kept import KeptRecord, number


@dataclass(frozen=True)
class Cloud(KeptRecord):
    """Some samples of both sides in the plane in which they are spread the widest.

    Attributes:
        synthetic, real: ids
        synthetic_at, real_at: where they lie, x and y, in the unit of the vectors
        covered: whether a synthetic sample lies near each of the real ones
        share: of the spread of all vectors, how much the plane shows, in [0, 1]
    """

    synthetic: tuple[str, ...]
    synthetic_at: tuple[tuple[float, float], ...]
    real: tuple[str, ...]
    real_at: tuple[tuple[float, float], ...]
    covered: tuple[bool, ...]
    share: float

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Cloud:
        """Returns what ``to_dict`` made plain values of."""
        at = {name: tuple((number(x), number(y)) for x, y in facts[name]) for name in ("synthetic_at", "real_at")}
        return cls(
            synthetic=tuple(facts["synthetic"]),
            real=tuple(facts["real"]),
            covered=tuple(map(bool, facts["covered"])),
            share=number(facts["share"]),
            **at,
        )
