"""What differs between two sets of files that says nothing of their pictures: format, size, quality, color mode.

A classifier learns these first, and every distance grows by them: they are said before anything is made of a number.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loupe.brain.core.errors import ReadError
from loupe.brain.core.shares import whole

#: files of a side that are looked at
LOOKED_AT = 200
#: a share or a size that differs by less is no warning
_SHARE, _SIZE, _QUALITY = 0.2, 0.15, 10


@dataclass(frozen=True)
class Condition:
    """How a picture is stored.

    Attributes:
        format: e.g. ``"JPEG"``
        mode: as Pillow names it, e.g. ``"RGB"``
        width, height: in px, as stored
        quality: of a JPEG: about 1 to 100; None of another format
    """

    format: str
    mode: str
    width: int
    height: int
    quality: int | None


def condition(path: str | os.PathLike[str]) -> Condition | None:
    """Returns how a picture is stored, from its header; None where that cannot be read."""
    from PIL import Image, JpegImagePlugin

    from loupe.brain.imaging.files import opened

    try:
        with opened(path) as file, Image.open(file) as image:
            quality = _quality(image.quantization) if isinstance(image, JpegImagePlugin.JpegImageFile) else None
            return Condition(str(image.format), image.mode, image.width, image.height, quality)
    except (ReadError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


#: the sum of the luma table that the JPEG standard gives as an example, which quality 50 is
_STANDARD = 3689


def _quality(tables: dict[int, list[int]]) -> int | None:
    """Returns about the quality setting of the Independent JPEG Group, by the sum of the luma table."""
    if not tables:
        return None
    scale = 100 * sum(tables[min(tables)]) / _STANDARD
    return round(min(max(100 - scale / 2 if scale <= 100 else 5000 / scale, 1), 100))


def differences(real: Sequence[Condition], synthetic: Sequence[Condition]) -> tuple[str, ...]:
    """Returns a sentence for each thing that differs; none where nothing does, or a side is empty."""
    if not real or not synthetic:
        return ()
    messages = []
    for name in ("format", "mode"):
        ours, theirs = (Counter(getattr(each, name) for each in side) for side in (real, synthetic))
        gap = max(abs(ours[value] / len(real) - theirs[value] / len(synthetic)) for value in {*ours, *theirs})
        if gap > _SHARE:
            what = "file format" if name == "format" else "color mode"
            messages.append(f"the {what} differs: real {_listed(ours)}, synthetic {_listed(theirs)}")
    shorts = [np.array([min(each.width, each.height) for each in side]) for side in (real, synthetic)]
    middles = [float(np.median(each)) for each in shorts]
    if abs(np.log(middles[0] / middles[1])) > _SIZE:
        messages.append(f"the shorter side differs: {middles[0]:.0f} px of real, {middles[1]:.0f} px of synthetic")
    qualities = [[each.quality for each in side if each.quality is not None] for side in (real, synthetic)]
    if all(qualities):
        medians = [float(np.median(each)) for each in qualities]
        if abs(medians[0] - medians[1]) > _QUALITY:
            messages.append(f"the JPEG quality differs: about {medians[0]:.0f} of real, {medians[1]:.0f} of synthetic")
    return tuple(messages)


def _listed(counts: Counter[str]) -> str:
    total = sum(counts.values())
    return ", ".join(f"{name} {whole(count / total)}" for name, count in counts.most_common(3))
