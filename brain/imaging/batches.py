"""N decoded pictures of one shape: what a check and an embedder get."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from loupe.brain.imaging import luma
from loupe.brain.imaging.luma import Luma

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class ImageBatch:
    """N decoded images of one shape.

    Attributes:
        ids: the sample ids
        pixels: (N, 3, H, W) uint8 sRGB, alpha composited on white, EXIF rotation applied
        sizes: (width, height) of each file after rotation, before any scaling
        fields: the sample fields that the checks need, a tuple of N values each
    """

    ids: tuple[str, ...]
    pixels: Tensor
    sizes: tuple[tuple[int, int], ...]
    fields: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def device(self) -> torch.device:
        """Where the pixels are."""
        return self.pixels.device

    def each(self, compute: Callable[[Any], Tensor]) -> Tensor:
        """Returns what is computed of it: (N, ...). Of a batch of several shapes, each part is asked for."""
        return compute(self)

    def halved(self) -> tuple[ImageBatch, ImageBatch]:
        """Returns two batches with half of the images each."""
        middle = len(self) // 2
        first, second = (
            ImageBatch(
                ids=self.ids[part],
                pixels=self.pixels[part],
                sizes=self.sizes[part],
                fields={name: values[part] for name, values in self.fields.items()},
            )
            for part in (slice(None, middle), slice(middle, None))
        )
        return first, second

    @cached_property
    def luma(self) -> Luma:
        """The Rec. 601 luma of the sRGB values, and what is made of it, computed once for all checks."""
        return Luma(luma.luma(self.pixels))

    @cached_property
    def samples(self) -> ImageBatch:
        """The batch with every n-th pixel only: 128 to 255 along the long side, all of a smaller picture."""
        return replace(self, pixels=luma.sampled(self.pixels))

    def knowing(self, luma: Luma, samples: ImageBatch) -> ImageBatch:
        """Returns the batch itself, with what has been made of its pixels already.

        Args:
            luma, samples: what the properties of these names would compute
        """
        vars(self).update(luma=luma, samples=samples)
        return self

    @cached_property
    def extremes(self) -> tuple[Tensor, Tensor]:
        """(N, H, W) uint8 each: the highest and the lowest of R, G and B."""
        return luma.extremes(self.pixels)

    @cached_property
    def held(self) -> dict[str, Any]:
        """What is made of it once for all tasks, by whoever makes it; empty at first."""
        return {}

    @cached_property
    def _scaled(self) -> dict[int, ImageBatch]:
        return {}

    @cached_property
    def half_size(self) -> ImageBatch:
        """The means of blocks of 2 x 2 pixels, rounded to whole levels; each side has to have two pixels."""
        return replace(self, pixels=luma.halved_colors(self.pixels))

    def above(self, long_side: int) -> ImageBatch:
        """Returns the batch at half its size, again and again, while the long side keeps at least that many pixels.

        What ``luma.at`` begins with: ``batch.above(512).at(512)`` shows what ``batch.luma.at(512)`` does, in color, and
        takes less time than ``batch.at(512)``.
        """
        height, width = self.pixels.shape[-2:]
        if max(height, width) < 2 * long_side or min(height, width) < 2:
            return self
        return self.half_size.above(long_side)

    def at(self, long_side: int) -> ImageBatch:
        """Returns the batch with its long side scaled down to at most that many pixels (antialiased, never up).

        For color; a check that reads luma only takes ``luma.at``, which costs a third.
        """
        if max(self.pixels.shape[-2:]) <= long_side:
            return self
        if long_side not in self._scaled:
            self._scaled[long_side] = replace(self, pixels=luma.scaled(self.pixels, long_side))
        return self._scaled[long_side]
