"""Where samples of two sets lie in one plane. A plain record."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loupe.brain.core.kept import KeptRecord, number


@dataclass(frozen=True)
class Cloud(KeptRecord):
    """Some samples of both sides in a plane: that in which they are spread the widest, or a stored map.

    Attributes:
        synthetic, real: ids
        synthetic_at, real_at: where they lie, x and y, in the unit of the vectors, or of the map
        covered: whether a synthetic sample lies near each of the real ones
        share: of the spread of all vectors, how much the plane shows, in [0, 1]; NaN of a map
    """

    synthetic: tuple[str, ...]
    synthetic_at: tuple[tuple[float, float], ...]
    real: tuple[str, ...]
    real_at: tuple[tuple[float, float], ...]
    covered: tuple[bool, ...]
    share: float

    def moved(self, places: Mapping[str, tuple[float, float]]) -> Cloud:
        """Returns the samples that a map has, where it has them.

        Args:
            places: of the map, x and y by sample id
        """
        real = [(at, near) for at, near in zip(self.real, self.covered, strict=True) if at in places]
        synthetic = tuple(at for at in self.synthetic if at in places)
        return Cloud(
            synthetic=synthetic,
            synthetic_at=tuple(places[at] for at in synthetic),
            real=tuple(at for at, _ in real),
            real_at=tuple(places[at] for at, _ in real),
            covered=tuple(near for _, near in real),
            share=math.nan,
        )

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
