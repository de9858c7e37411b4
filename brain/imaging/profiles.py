"""Embedded color profiles: the pixels as sRGB, so that a number means what a person sees.

Most profiles are sRGB itself: each distinct profile is tried on a grid of colors once, and one that changes nothing
costs nothing from then on. A profile that is broken, or of another color space than the pixels, is left out, as viewers
do. Colors are matched relative to the white point, with black point compensation.
"""

from __future__ import annotations

import io
from threading import Lock
from typing import Any

import numpy as np
from PIL import Image

from loupe.brain.core.hashes import raw_hash

#: bytes of a profile; a larger one is none
MAX_PROFILE_BYTES = 16 * 2**20
#: levels of 255 that a profile may differ from sRGB by at any color and still be called sRGB
SAME = 2
#: profiles that are remembered
_KEPT = 64

_transforms: dict[tuple[bytes, str], Any] = {}
_lock = Lock()


def changes(profile: bytes | None, mode: str) -> bool:
    """Whether pixels of that mode look different by the profile.

    Args:
        profile: an ICC profile, if there is one
        mode: of the pixels: RGB, L or CMYK
    """
    return profile is not None and _transform(profile, mode) is not None


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Returns the picture in sRGB: as RGB where the profile changes it, else as it is.

    Args:
        image: RGB, L or CMYK
        profile: the ICC profile that its values are in, if there is one
    """
    from PIL import ImageCms

    transform = None if profile is None else _transform(profile, image.mode)
    return image if transform is None else ImageCms.applyTransform(image, transform) or image


def lab_to_srgb(image: Image.Image) -> Image.Image:
    """Returns a picture of mode LAB as RGB."""
    from PIL import ImageCms

    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.applyTransform(image, ImageCms.buildTransform(lab, srgb, "LAB", "RGB")) or image


def _transform(profile: bytes, mode: str) -> Any:
    """Returns the transform to sRGB; None where there is nothing to do, or nothing that can be done."""
    if not 128 <= len(profile) <= MAX_PROFILE_BYTES:
        return None
    key = (raw_hash(profile), mode)
    if key not in _transforms:
        made = _built(profile, mode)
        with _lock:
            while len(_transforms) >= _KEPT:
                _transforms.pop(next(iter(_transforms)))
            _transforms[key] = made
        return made
    return _transforms.get(key)


def _built(profile: bytes, mode: str) -> Any:
    from PIL import ImageCms

    try:
        transform = ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        probe = _probe(mode)
        if probe is None:
            return transform
        # a name says little: "sRGB" stands in the names of linear profiles, too
        seen = np.asarray(ImageCms.applyTransform(probe, transform), dtype=np.int16)
    # broken in one of many ways, or of another color space than the pixels
    except Exception:
        return None
    same = np.abs(seen - np.asarray(probe.convert("RGB"))).max() <= SAME
    return None if same else transform


def _probe(mode: str) -> Image.Image | None:
    """Returns colors of all kinds in a row; None where there is no saying what they are without a profile."""
    if mode == "CMYK":
        return None
    steps = np.arange(256, dtype=np.uint8)
    if mode == "L":
        return Image.fromarray(steps[None])
    grid = np.stack(np.meshgrid(steps[::15], steps[::15], steps[::15]), axis=-1).reshape(1, -1, 3)
    grays = np.repeat(steps[None, :, None], 3, axis=2)
    return Image.fromarray(np.concatenate([grid, grays], axis=1))
