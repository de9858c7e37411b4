"""Pictures that were looked at as they were read, and batches of several shapes, for the checks that can take them.

Photos of a set are rarely of one shape. A check whose figures do not depend on the shape, such as the share of dark
pixels, computes them part by part and then goes on with all of them at once: its cost is that of the pictures, and not
that of calling it for each. Most such checks see the luma and some pixels only. Those are taken by the thread that
decodes, while the picture lies in its core's cache, and the pictures themselves need not be put together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from loupe.brain.imaging import luma
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.imaging.luma import Luma

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class Preview:
    """What is taken of a picture as it is read.

    Attributes:
        luma: (H, W) uint8, see ``luma.luma``
        sample: (h, w, 3) uint8, see ``luma.sampled``
    """

    luma: np.ndarray
    sample: np.ndarray

    @property
    def nbytes(self) -> int:
        """How many bytes it takes."""
        return self.luma.nbytes + self.sample.nbytes

    @classmethod
    def at(cls, pixels: np.ndarray) -> Preview:
        """Returns the look at a (H, W, 3) uint8 picture."""
        return cls(luma.luma_of(pixels), luma.sampled_of(pixels))


@dataclass(frozen=True)
class PreviewBatch:
    """The looks at N pictures of one shape. Has all of ``ImageBatch`` but the pixels.

    Attributes:
        ids, sizes, fields: as of ``ImageBatch``
        looks: N
    """

    ids: tuple[str, ...]
    previews: tuple[Preview, ...]
    sizes: tuple[tuple[int, int], ...]
    fields: Mapping[str, tuple[Any, ...]]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def device(self) -> torch.device:
        """Where they are: the CPU."""
        import torch

        return torch.device("cpu")

    @cached_property
    def luma(self) -> Luma:
        """The luma, and what is made of it."""
        return Luma(luma.together([preview.luma for preview in self.previews]))

    @cached_property
    def samples(self) -> ImageBatch:
        """The batch with every n-th pixel only."""
        pixels = luma.together([preview.sample for preview in self.previews]).permute(0, 3, 1, 2)
        return ImageBatch(self.ids, pixels, self.sizes, self.fields)

    def halved(self) -> tuple[PreviewBatch, PreviewBatch]:
        """Returns two batches with half of the images each."""
        middle = len(self) // 2
        first, second = (
            PreviewBatch(
                self.ids[part],
                self.previews[part],
                self.sizes[part],
                {name: values[part] for name, values in self.fields.items()},
            )
            for part in (slice(None, middle), slice(middle, None))
        )
        return first, second


#: a part of a mixed batch: what is computed of each has ``luma`` and ``samples``
Part = ImageBatch | PreviewBatch


@dataclass(frozen=True)
class RaggedBatch:
    """N decoded images of several shapes, as batches of one shape each.

    Attributes:
        parts: at least one, on one device and with the same fields
    """

    parts: tuple[Part, ...]

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The sample ids."""
        return tuple(sample_id for part in self.parts for sample_id in part.ids)

    @cached_property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """(width, height) of each file after rotation, before any scaling."""
        return tuple(size for part in self.parts for size in part.sizes)

    @cached_property
    def fields(self) -> Mapping[str, tuple[Any, ...]]:
        """The sample fields that the checks need, a tuple of N values each."""
        return {
            name: tuple(value for part in self.parts for value in part.fields[name]) for name in self.parts[0].fields
        }

    @property
    def device(self) -> torch.device:
        """Where the pixels are."""
        return self.parts[0].device

    def __len__(self) -> int:
        return len(self.ids)

    def each(self, compute: Callable[[Part], Tensor]) -> Tensor:
        """Returns what is computed of each part, one below the other: (N, ...)."""
        import torch

        return torch.cat([compute(part) for part in self.parts])

    def halved(self) -> tuple[RaggedBatch, RaggedBatch]:
        """Returns two batches with about half of the images each."""
        if len(self.parts) == 1:
            first, second = self.parts[0].halved()
            return RaggedBatch((first,)), RaggedBatch((second,))
        middle = len(self.parts) // 2
        return RaggedBatch(self.parts[:middle]), RaggedBatch(self.parts[middle:])


#: what a check with ``mixed`` is given
AnyBatch = ImageBatch | RaggedBatch
