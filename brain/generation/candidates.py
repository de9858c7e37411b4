"""The attempts at a repair: what a generator is asked for, and the picture that comes of what it draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from loupe.brain.core.errors import InputError
from loupe.brain.core.hashes import json_hash
from loupe.brain.core.records import Request
from loupe.brain.generation.records import Method
from loupe.brain.generation.region import Frame, frame, pasted

if TYPE_CHECKING:
    from PIL.Image import Image

#: the App's JavaScript shows larger integers rounded
_SEEDS = 2**53


@dataclass(frozen=True, eq=False)
class Plan:
    """How a picture is repaired.

    Attributes:
        method: inpaint, image_to_image or redraw, not mixed
        mask: (H, W) bool: what is drawn anew; all of it where the failure has no place
        frame: the crop that is drawn; None of a redraw, which begins with nothing
    """

    method: Method
    mask: np.ndarray
    frame: Frame | None


def plan(
    method: Method | None,
    mask: np.ndarray | None,
    size: tuple[int, int],
    takes: Sequence[str],
    made_for: tuple[int, int] | None,
    multiple: int = 8,
) -> Plan:
    """Returns how a picture is repaired.

    Without a method: a failure with a place is inpainted where the model can; else the whole picture is drawn from
    itself; a model that begins with no picture draws it anew.

    Args:
        method: the one that was asked for
        mask: (H, W) bool: where the failure lies; None where it has no place
        size: (width, height) of the picture
        takes: what a request to the model may bring
        made_for: the size that the model was made for
        multiple: of how many pixels width and height have to be a multiple

    Raises:
        InputError: the model cannot do that, or the region is empty
    """
    everything = np.ones((size[1], size[0]), dtype=bool)
    if mask is not None and not mask.any():
        raise InputError("the region lies outside of the picture, or is empty")
    if method is None:
        if mask is not None and "mask" in takes:
            method = "inpaint"
        else:
            method = "image_to_image" if "image" in takes else "redraw"
    if method == "redraw":
        return Plan(method, everything, None)
    needed = "mask" if method == "inpaint" else "image"
    if needed not in takes:
        raise InputError(f"the model takes no {needed}: choose another model, or method='redraw'")
    own = mask if mask is not None and method == "inpaint" else everything
    return Plan(method, own, frame(own, made_for, multiple))


def plans(
    method: Method | None,
    attempts: int,
    mask: np.ndarray | None,
    size: tuple[int, int],
    takes: Sequence[str],
    made_for: tuple[int, int] | None,
    multiple: int = 8,
) -> tuple[Plan, ...]:
    """Returns how each attempt at a picture is made: all alike, or by turns; arguments and errors as of ``plan``.

    By turns: where a region is hard to draw into what stands around it, a whole new picture may succeed, and where a
    whole picture seldom does, a region may.
    """
    first = plan(None if method == "mixed" else method, mask, size, takes, made_for, multiple)
    if method != "mixed":
        return (first,) * attempts
    other = plan("redraw", mask, size, takes, made_for, multiple)
    return tuple(other if at % 2 else first for at in range(attempts))


def requests(
    picture: np.ndarray,
    how: Plan,
    prompt: str,
    negative_prompt: str,
    seeds: Sequence[int],
    strength: float | None,
    beside: Mapping[str, Image] | None = None,
) -> list[Request]:
    """Returns what the generator is asked for, an attempt a seed.

    Args:
        picture: (H, W, 3) uint8
        how: the plan
        prompt, negative_prompt: what is to be seen
        seeds: one for each attempt
        strength: how much of what stands there is given up; None: the method's own. A redraw has none
        beside: what else each request brings: a control of the size that is drawn, a reference
    """
    from PIL import Image

    more: Any = beside or {}
    if how.frame is None:
        return [Request(prompt, seed, negative_prompt=negative_prompt, **more) for seed in seeds]
    size = how.frame.width, how.frame.height
    crop = Image.fromarray(picture).crop(how.frame.box).resize(size, Image.Resampling.LANCZOS)
    mask = None
    if how.method == "inpaint":
        drawn = Image.fromarray(how.mask.astype(np.uint8) * 255).crop(how.frame.box)
        # what is smaller than a latent would be lost
        mask = drawn.resize(size, Image.Resampling.BILINEAR).point(lambda value: 255 if value else 0)
    return [
        Request(prompt, seed, negative_prompt=negative_prompt, image=crop, mask=mask, strength=strength, **more)
        for seed in seeds
    ]


def finished(picture: np.ndarray, how: Plan, drawn: Image) -> np.ndarray:
    """Returns the repaired picture: (H, W, 3) uint8, of the original's size, outside of the mask as it was."""
    import cv2

    pixels = np.asarray(drawn.convert("RGB"))
    if how.frame is None:
        height, width = picture.shape[:2]
        if pixels.shape == picture.shape:
            return pixels.copy()
        if abs(pixels.shape[1] / pixels.shape[0] / (width / height) - 1) > 0.05:
            raise InputError(
                f"expected a model that draws the picture's shape, {width} x {height}, got {pixels.shape[1]} x "
                f"{pixels.shape[0]}: give width and height by a generator's spec as model="
            )
        return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA))
    return pasted(picture, pixels, how.frame, how.mask)


def seed_of(seed: int, *identity: Any) -> int:
    """Returns the seed of an attempt: the same for the same picture, failure, method and number, in any dataset."""
    return int(key_of(seed, *identity)[:16], 16) % _SEEDS


def key_of(*identity: Any) -> str:
    """Returns a hash of JSON-able values: 32 hexadecimal digits."""
    return json_hash(identity, default=str)
