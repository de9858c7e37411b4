"""Texts in the lowest bits of the pixels, as NovelAI and the stealth_pnginfo extensions write them.

Column by column, from the top: a signature, the length in bits as 32 bits, the text, in UTF-8 or packed by gzip. In
the alpha channel (``stealth_pnginfo``, ``stealth_pngcomp``) or in red, green, blue (``stealth_rgbinfo``,
``stealth_rgbcomp``): sd-webui-stealth-pnginfo and NovelAI's own reader, novelai-image-metadata. It takes the pixels.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from loupe.brain.provenance.png import MAX_TEXT, unpacked
from loupe.brain.provenance.records import MetadataError

_LENGTH = 15
_ALPHA = {b"stealth_pnginfo": False, b"stealth_pngcomp": True}
_COLORS = {b"stealth_rgbinfo": False, b"stealth_rgbcomp": True}


def read(path: Path, colors: bool = False) -> str | None:
    """Returns the text that is hidden in a picture, None where there is none.

    Args:
        path: the file
        colors: look into red, green, blue, too

    Raises:
        MetadataError: it begins as such a text does, and is damaged
        OSError, ValueError: the picture cannot be decoded
    """
    from PIL import Image

    with Image.open(path) as image:
        if image.mode not in ("RGBA", "RGB"):
            return None
        pixels = np.asarray(image)
    return of_pixels(pixels, colors)


def of_pixels(pixels: np.ndarray, colors: bool = False) -> str | None:
    """Returns the text that is hidden in pixels, None where there is none.

    Args:
        pixels: (H, W, 3 or 4) uint8
        colors: look into red, green, blue, too

    Raises:
        MetadataError: it begins as such a text does, and is damaged
    """
    parts = []
    if pixels.shape[2] == 4:
        parts.append((pixels[..., 3].T.reshape(-1), _ALPHA))
    if colors:
        parts.append((pixels[..., :3].transpose(1, 0, 2).reshape(-1), _COLORS))
    for values, signatures in parts:
        head = np.packbits(values[: 8 * (_LENGTH + 4)] & 1).tobytes()
        packed = signatures.get(head[:_LENGTH])
        if packed is not None:
            return _text(values, int.from_bytes(head[_LENGTH : _LENGTH + 4], "big"), packed)
    return None


def _text(values: np.ndarray, bits: int, packed: bool) -> str:
    start = 8 * (_LENGTH + 4)
    if bits % 8 or bits > len(values) - start or bits > 8 * MAX_TEXT:
        raise MetadataError(f"damaged hidden text: {bits:,} bits are stated, {len(values) - start:,} are there")
    data = np.packbits(values[start : start + bits] & 1).tobytes()
    try:
        return (unpacked(data) if packed else data).decode("utf-8")
    except UnicodeDecodeError:
        raise MetadataError("damaged hidden text: it is not UTF-8") from None


def hidden(pixels: np.ndarray, text: str, *, colors: bool = False, packed: bool = True) -> np.ndarray:
    """Returns a copy of the pixels with a text in their lowest bits: what ``of_pixels`` reads. For tests.

    Raises:
        ValueError: it does not fit
    """
    import gzip

    data = gzip.compress(text.encode(), mtime=0) if packed else text.encode()
    name = f"stealth_{'rgb' if colors else 'png'}{'comp' if packed else 'info'}".encode()
    bits = np.unpackbits(np.frombuffer(name + (8 * len(data)).to_bytes(4, "big") + data, np.uint8))
    result = pixels.copy()
    plane = result[..., :3].transpose(1, 0, 2).copy() if colors else result[..., 3].T.copy()
    flat = plane.reshape(-1)
    if len(bits) > len(flat):
        raise ValueError(f"{len(bits):,} bits do not fit into {len(flat):,} values")
    flat[: len(bits)] = (flat[: len(bits)] & 0xFE) | bits
    if colors:
        result[..., :3] = plane.transpose(1, 0, 2)
    else:
        result[..., 3] = plane.T
    return result
