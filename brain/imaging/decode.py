"""One image file to pixels, as a person sees it: upright, in sRGB, on a background that hides nothing.

Decoding is strict: what is truncated or damaged is an error. Whatever the file's mode, the pixels come out as 8-bit
sRGB. What a file costs is known from its header before anything is decoded, and has a limit.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from loupe.brain.core.errors import ReadError
from loupe.brain.imaging import jpeg, jpeg_header, orientation, png, profiles
from loupe.brain.imaging.files import PASSING, contents, kind_of, not_now, opened, printable, require_small
from loupe.brain.imaging.jpeg import Encoded
from loupe.brain.imaging.opencv import opencv
from loupe.brain.imaging.transparency import on_background

#: pixels of one picture, at most
MAX_PIXELS = 178_956_970
#: bytes a pixel that Pillow's decoders and the conversions hold at once, without and with alpha
_BYTES, _BYTES_WITH_ALPHA = 8, 16
#: pixels from which on a WebP is worth another way
_LARGE = 2**24
#: bytes of coefficients a pixel, which a JPEG of several scans keeps beside its pixels
_COEFFICIENTS = 6

_SIXTEEN_BIT = ("I;16", "I;16L", "I;16B", "I;16N", "I")
_ALPHA = ("RGBA", "LA", "PA", "La", "RGBa")
_BITS_PER_SAMPLE, _MAX_SAMPLE_VALUE = 258, 281


def decode(
    path: str | os.PathLike[str],
    long_side: int | None = None,
    *,
    for_device: bool = False,
    reserve: Callable[[int], None] = lambda size: None,
) -> tuple[np.ndarray | Encoded, tuple[int, int]]:
    """Returns the (H, W, 3) uint8 sRGB pixels of an image file, and the (width, height) of the whole, upright picture.

    Args:
        path: the file
        long_side: when given, a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size, never below this long side
        for_device: whether a plain JPEG, found whole, is returned as its bytes, for a device to decode
        reserve: called with how many bytes decoding will hold at its peak, before it starts

    Raises:
        ReadError: the file is missing, no regular file, no image, truncated, damaged, too large, of a kind that is not
            supported; whatever a decoder raises becomes one. The message names the case and the file.
        NotReadNow: its disk or network fails, which says nothing of the file
    """
    name = printable(path)
    with opened(path) as file:
        try:
            return _decode(file, long_side, for_device, reserve)
        except ReadError as error:
            raise ReadError(f"cannot decode {name}: {error}") from error
        # Pillow's readers raise whatever a damaged file brings up, and MemoryError
        except Exception as error:
            # what a decoder finds wrong has no number
            if isinstance(error, OSError) and error.errno in PASSING:
                raise not_now(name, error) from error
            kind = "" if isinstance(error, (OSError, SyntaxError, ValueError)) and str(error) else type(error).__name__
            message = f"cannot decode {name}: {': '.join(filter(None, [kind, str(error)]))}"
            raise ReadError(message.encode("utf-8", "backslashreplace").decode()) from error


def _decode(
    file: io.FileIO, long_side: int | None, for_device: bool, reserve: Callable[[int], None]
) -> tuple[np.ndarray | Encoded, tuple[int, int]]:
    start = file.read(1024)
    if start.startswith(jpeg_header.START):
        data = contents(file)
        header = jpeg_header.parsed(data)
        if header is not None:
            return _decode_jpeg(data, header, long_side, for_device, reserve)
        source: BinaryIO = io.BytesIO(data)
    elif start.startswith(png.SIGNATURE):
        return _decode_png(contents(file), reserve)
    else:
        if kind_of(start) == "a PostScript drawing":
            # Pillow would start another program for it
            raise ReadError("expected an image file, got a PostScript drawing")
        if not start.startswith((b"II", b"MM")):
            # of a TIFF some parts are read, of many others all
            require_small(file)
        file.seek(0)
        source = io.BufferedReader(file)
    try:
        image = Image.open(source)
    except UnidentifiedImageError:
        raise ReadError(f"expected an image file, got {kind_of(start)}") from None
    with image:
        _require_size(image.size)
        reserve(_cost(image))
        white = _white_of_tiff(image) if image.format == "TIFF" else None
        upright = image.format == "TIFF"  # Pillow turns these itself
        turned = 1 if upright else orientation.stated(image.info.get("exif"), _xmp(image.info))
        profile = image.info.get("icc_profile")
        made = _large_webp(image, file)
        if made is None:
            image.load()
            made = image
        pixels = orientation.upright(np.asarray(_to_rgb(made, profile, white)), turned)
        width, height = image.size
    return pixels, (height, width) if orientation.turns(turned) else (width, height)


def _decode_jpeg(
    data: bytes, header: jpeg_header.Header, long_side: int | None, for_device: bool, reserve: Callable[[int], None]
) -> tuple[np.ndarray | Encoded, tuple[int, int]]:
    width, height = header.size
    _require_size(header.size)
    turned = header.orientation
    size = (height, width) if orientation.turns(turned) else (width, height)
    mode = {1: "L", 3: "RGB"}.get(header.channels, "CMYK")
    to_convert = profiles.changes(header.profile, mode)
    kept = _COEFFICIENTS * width * height if header.progressive else 0
    scaled = width * height // jpeg.scale_of(header.size, long_side) ** 2
    if for_device and header.ycbcr and turned == 1 and not to_convert:
        reserve(len(data) + kept + 3 * width * height)
        if jpeg.is_whole(data, header):
            return Encoded(np.frombuffer(data, dtype=np.uint8), header.size), size
    else:
        reserve(len(data) + kept + (_BYTES if to_convert or header.channels != 3 else 3) * scaled)
    pixels = jpeg.decode_scaled(data, header, long_side)
    if pixels is None:
        if header.channels == 4:
            jpeg.is_whole(data, header)
        with Image.open(io.BytesIO(data)) as image:
            if long_side is not None and max(header.size) > long_side:
                scale = long_side / max(header.size)
                image.draft(None, (max(1, int(width * scale)), max(1, int(height * scale))))
            image.load()
            pixels = np.asarray(_to_rgb(image, header.profile, None))
    elif to_convert:
        planes = pixels[..., 0] if mode == "L" else pixels
        pixels = np.asarray(profiles.to_srgb(Image.fromarray(planes), header.profile))
    elif mode == "L":
        pixels = np.repeat(pixels, 3, axis=2)
    return orientation.upright(pixels, turned), size


def _decode_png(data: bytes, reserve: Callable[[int], None]) -> tuple[np.ndarray, tuple[int, int]]:
    parts = png.parsed(data)
    width, height = parts.size
    _require_size(parts.size)
    with Image.open(io.BytesIO(parts.data), formats=["PNG"]) as image:
        reserve(2 * len(data) + _cost(image))
        image.load()
        white = None
        if image.mode in _SIXTEEN_BIT:
            white = _white_of_bits(np.asarray(image), parts.significant_bits)
        pixels = orientation.upright(np.asarray(_to_rgb(image, parts.profile, white)), parts.orientation)
    return pixels, (height, width) if orientation.turns(parts.orientation) else (width, height)


def _require_size(size: tuple[int, int]) -> None:
    if size[0] * size[1] > MAX_PIXELS:
        raise ReadError(f"expected a picture of at most {MAX_PIXELS:,} pixels, got {size[0]:,} x {size[1]:,}")


def _cost(image: Image.Image) -> int:
    alpha = image.format in ("WEBP", "AVIF", "GIF") or image.mode in _ALPHA or "transparency" in image.info
    return (_BYTES_WITH_ALPHA if alpha else _BYTES) * image.width * image.height


def _large_webp(image: Image.Image, file: io.FileIO) -> Image.Image | None:
    """Returns a large still WebP without alpha, decoded with a third of the memory that Pillow takes; else None."""
    if image.format != "WEBP" or image.mode != "RGB" or getattr(image, "n_frames", 1) > 1:
        return None
    if image.width * image.height < _LARGE:
        return None
    cv2 = opencv()
    if cv2 is None:
        return None
    # the same library, and the same pixels
    data = np.frombuffer(contents(file), dtype=np.uint8)
    pixels = cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if pixels is None or pixels.shape != (image.height, image.width, 3):
        return None
    return Image.fromarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB, dst=pixels))


def _xmp(info: dict[str | tuple[int, int], Any]) -> bytes | None:
    packet = info.get("xmp")
    return packet.encode("utf-8", "replace") if isinstance(packet, str) else packet


def _white_of_tiff(image: Image.Image) -> int | None:
    """Returns the value of white that a TIFF of more than 8 bits states, by its bits or by a maximum that tells."""
    tags = image.tag_v2  # type: ignore[attr-defined]
    bits = tags.get(_BITS_PER_SAMPLE, (8,))
    if len(bits) != 1 or not 8 < bits[0] <= 16:
        return None
    highest = tags.get(_MAX_SAMPLE_VALUE)
    highest = highest[0] if isinstance(highest, tuple) and len(highest) == 1 else highest
    # other maxima are those of the picture, and say nothing of white
    depths = {2**depth - 1 for depth in range(9, 17)}
    return int(highest) if highest in depths else 2 ** bits[0] - 1


def _white_of_bits(values: np.ndarray, bits: int | None) -> int | None:
    """Returns the value of white of 16-bit values of which so many bits count.

    The values of a PNG are to be scaled to all 16 bits. Those that are not stay below 2 ** bits, and use the lowest
    bits, which are zero in a scaled picture that is that dark. Without the statement nothing is guessed.
    """
    if bits is None or not 8 < bits < 16 or values.max() >= 2**bits:
        return None
    return 2**bits - 1 if (values & (2 ** (16 - bits) - 1)).any() else None


def _to_rgb(image: Image.Image, profile: bytes | None, white: int | None) -> Image.Image:
    """Returns a loaded picture as RGB in sRGB.

    Args:
        image: of any mode
        profile: the ICC profile of its values
        white: the value of white where there are more than 8 bits; 65,535 by default
    """
    if image.mode in _SIXTEEN_BIT:
        values = np.asarray(image, dtype=np.int64)
        if values.min() < 0 or values.max() > 65535:
            raise ReadError(f"expected at most 16 bits a channel, got values from {values.min()} to {values.max()}")
        levels = np.minimum((values / ((white or 65535) / 255)).round(), 255).astype(np.uint8)
        return profiles.to_srgb(Image.fromarray(levels), profile).convert("RGB")
    if image.mode == "F":
        raise ReadError("expected integer pixels, got floating-point ones, whose white is unknown")
    if image.mode == "LAB":
        return profiles.lab_to_srgb(image)
    if image.mode in _ALPHA or "transparency" in image.info:
        rgba = image.convert("RGBA")
        if profile is not None:
            gray = image.mode in ("L", "LA", "La") and profiles.changes(profile, "L")
            flat = profiles.to_srgb(rgba.convert("L" if gray else "RGB"), profile).convert("RGB")
            flat.putalpha(rgba.getchannel("A"))
            rgba = flat
        return on_background(rgba)
    if profile is not None:
        image = profiles.to_srgb(image if image.mode in ("L", "CMYK", "RGB") else image.convert("RGB"), profile)
    return image if image.mode == "RGB" else image.convert("RGB")
