"""Batches of pictures of several shapes, for the checks that can take them.

Photos of a set are rarely of one shape. A check whose figures do not depend on the shape, such as the share of dark
pixels, computes them part by part and then goes on with all of them at once: its cost is that of the pictures, and not
that of calling it for each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from loupe.brain.records import ImageBatch

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class MixedBatch:
    """N decoded images of several shapes, as batches of one shape each. Has all of ``ImageBatch`` but the pixels.

    Attributes:
        parts: at least one, on one device and with the same fields
    """

    parts: tuple[ImageBatch, ...]

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The sample ids."""
        return tuple(one for part in self.parts for one in part.ids)

    @cached_property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """(width, height) of each file after rotation, before any scaling."""
        return tuple(one for part in self.parts for one in part.sizes)

    @cached_property
    def fields(self) -> Mapping[str, tuple[Any, ...]]:
        """The sample fields that the checks need, a tuple of N values each."""
        return {name: tuple(one for part in self.parts for one in part.fields[name]) for name in self.parts[0].fields}

    @property
    def device(self) -> torch.device:
        """Where the pixels are."""
        return self.parts[0].device

    def __len__(self) -> int:
        return len(self.ids)

    def each(self, compute: Callable[[ImageBatch], Tensor]) -> Tensor:
        """Returns what is computed of each part, one below the other: (N, ...)."""
        import torch

        return torch.cat([compute(part) for part in self.parts])

    def halved(self) -> tuple[ImageBatch | MixedBatch, ImageBatch | MixedBatch]:
        """Returns two batches with about half of the images each."""
        if len(self.parts) == 1:
            return self.parts[0].halved()
        middle = len(self.parts) // 2
        return MixedBatch(self.parts[:middle]), MixedBatch(self.parts[middle:])


#: what a check with ``mixed`` is given
AnyBatch = ImageBatch | MixedBatch
