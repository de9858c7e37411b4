"""Requests to finished images: pictures are read and scaled, drawn from, put back, and enlarged where that is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from loupe.brain.core.records import Request
from loupe.brain.core.specs import GeneratorSession
from loupe.brain.generation import upscaling
from loupe.brain.generation.candidates import Plan, finished, plan
from loupe.brain.generation.region import Frame, frame
from loupe.brain.generation.sources import Source, mask_of, pixels_of
from loupe.brain.generation.upscaling import Upscale

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class Wanted:
    """An image that is wanted.

    Attributes:
        request: prompt, seed, size
        source: what it is drawn from; None: from the prompt alone
        upscale: how it is enlarged; None: it is not
    """

    request: Request
    source: Source | None = None
    upscale: Upscale | None = None


@dataclass(frozen=True, eq=False)
class Prepared:
    """A request with its pictures.

    Attributes:
        request: what the generator gets
        pixels: (H, W, 3) uint8: the picture that what is drawn is put back into; None: nothing is
        plan: where it is put
    """

    request: Request
    pixels: np.ndarray | None = None
    plan: Plan | None = None

    def finish(self, image: Image) -> Image:
        """Returns the finished image."""
        if self.plan is None or self.pixels is None:
            return image
        from PIL.Image import fromarray

        made = fromarray(finished(self.pixels, self.plan, image))
        made.info = image.info
        return made


def prepared(request: Request, source: Source, session: GeneratorSession) -> Prepared:
    """Returns a request with the pictures that it is drawn from, as large as the model draws.

    Raises:
        ReadError: a file cannot be read
        InputError: a mask that is empty or of another shape, or a control of another shape
    """
    from PIL.Image import Resampling, fromarray

    reference = None if source.reference is None else fromarray(pixels_of(source.reference))
    device = str(session.facts.get("device", "cpu"))
    control = source.control
    if source.image is None:
        if control is None:
            return Prepared(replace(request, reference=reference))
        whole = control.size() or session.size or (512, 512)
        where = _whole(whole, session)
        laid = control.laid_over(whole, where, device)
        return Prepared(replace(request, control=laid, reference=reference, size=laid.size))
    pixels = pixels_of(source.image)
    whole = pixels.shape[1], pixels.shape[0]
    where, how, mask = _whole(whole, session), None, None
    if source.mask is not None:
        marked = mask_of(source.mask, whole)
        how = plan("inpaint", marked, whole, session.takes, session.size, session.multiple)
        assert how.frame is not None
        where = how.frame
        drawn = fromarray(marked.astype(np.uint8) * 255).crop(where.box)
        # what is smaller than a latent would be lost
        mask = drawn.resize(_size(where), Resampling.BILINEAR).point(lambda value: 255 if value else 0)
    image = fromarray(pixels).crop(where.box).resize(_size(where), Resampling.LANCZOS)
    made = replace(
        request,
        image=image,
        mask=mask,
        strength=source.strength,
        control=None if control is None else control.laid_over(whole, where, device),
        reference=reference,
        size=None,
    )
    return Prepared(made, pixels if how is not None else None, how)


def _whole(size: tuple[int, int], session: GeneratorSession) -> Frame:
    everything = np.ones((size[1], size[0]), dtype=bool)
    return frame(everything, session.size, session.multiple)


def _size(where: Frame) -> tuple[int, int]:
    return where.width, where.height


def draw(session: GeneratorSession, wanted: Sequence[Wanted]) -> list[Image]:
    """Returns a finished RGB image for each of what is wanted; ``info`` is the generator's.

    Raises:
        ReadError, InputError: a picture cannot be drawn from, see ``prepared``
        ModelError: the model cannot draw
    """
    ready = [
        Prepared(each.request) if each.source is None else prepared(each.request, each.source, session)
        for each in wanted
    ]
    images = session.draw([each.request for each in ready])
    made = [each.finish(image) for each, image in zip(ready, images, strict=True)]
    for at, each in enumerate(wanted):
        if each.upscale is not None:
            made[at] = _upscaled(session, images[at], ready[at].request, each.upscale)
    return made


def _upscaled(session: GeneratorSession, image: Image, drawn: Request, how: Upscale) -> Image:
    asked = upscaling.requests(image, drawn, how)
    tiles = [tile for part in _parts(asked, max(1, session.batch_size)) for tile in session.draw(part)]
    made = upscaling.merged(tiles, upscaling.enlarged(image, how.factor).size)
    made.info = image.info
    return made


def _parts(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    yield from (items[start : start + size] for start in range(0, len(items), size))


def probe(brings: Sequence[str]) -> Request:
    """Returns a request that brings small pictures, by which a session says what it does not take.

    >>> probe(("image", "mask")).mask.size
    (8, 8)
    """
    from PIL.Image import new

    pictures = {name: new("L" if name == "mask" else "RGB", (8, 8), 255 if name == "mask" else 0) for name in brings}
    return Request("", 0, **pictures)  # type: ignore[arg-type]
