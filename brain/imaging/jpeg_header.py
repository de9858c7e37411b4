"""What a JPEG file says before its pixels, read once: size, channels, orientation, profile, and the number of scans."""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from loupe.brain.core.errors import ReadError
from loupe.brain.imaging import orientation
from loupe.brain.imaging.profiles import MAX_PROFILE_BYTES

START = b"\xff\xd8"
#: scans, at most: encoders make about 10, the most thorough ones 30; each goes over all pixels again
MAX_SCANS = 64
#: pixels that all scans together may go over
MAX_SCANNED_PIXELS = 2 * 2**30

_NEXT = re.compile(rb"\xff[\xc0-\xfe]")
#: in the data of a scan, FF is followed by 00 (a value), by D0 to D7 (a restart), or by a marker
_AFTER_SCAN = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_SCAN = 0xDA
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_EXIF, _XMP, _ICC = b"Exif\0", b"http://ns.adobe.com/xap/1.0/\0", b"ICC_PROFILE\0"


@dataclass(frozen=True)
class Header:
    """A JPEG file's header.

    Attributes:
        size: (width, height) as stored
        channels: how many
        progressive: whether its pixels come in several passes
        orientation: 1 to 8
        profile: its ICC profile
        ycbcr: whether three channels are sure to be YCbCr
        scan: where the first scan starts, in bytes
        parts: (start, end) of what comes before, without what lies between the segments
        junk: whether something lies between them
        zeros_are_values: whether in the first channel a run of zero bits stands for values, and not for a plain area
    """

    size: tuple[int, int]
    channels: int
    progressive: bool
    orientation: int
    profile: bytes | None
    ycbcr: bool
    scan: int
    parts: tuple[tuple[int, int], ...]
    junk: bool
    zeros_are_values: bool


@dataclass(frozen=True)
class _Segment:
    """Where a segment is: its marker stands at ``at``, its body is data[start:end]."""

    marker: int
    at: int
    start: int
    end: int


def parsed(data: bytes) -> Header | None:
    """Returns the header of a JPEG file; None where it has none that makes sense.

    Args:
        data: the whole file (ITU-T T.81, annex B)

    Raises:
        ReadError: it is of a kind that no decoder here reads, or costs more to decode than a picture may
    """
    segments, junk = _segments(data)
    if not segments or segments[-1].marker != _SCAN or segments[-1].end - segments[-1].start < 4:
        return None
    *before, scan = segments
    frame = next(
        (segment for segment in before if segment.marker in _FRAMES and segment.end - segment.start >= 6), None
    )
    if frame is None:
        return None
    bits, height, width, channels = struct.unpack_from(">BHHB", data, frame.start)
    if not width or not height:
        return None
    _require_known(frame.marker, bits)
    in_passes = frame.marker in (0xC2, 0xCA) or data[scan.start] < channels
    if in_passes:
        _require_few_scans(data, scan.at, width * height)
    first_values: dict[int, int] = {}
    for tables in before:
        if tables.marker == 0xC4:
            first_values.update(_first_values(data[tables.start : tables.end]))
    return Header(
        size=(width, height),
        channels=channels,
        progressive=in_passes,
        orientation=orientation.stated(_first(data, before, 0xE1, _EXIF), _first(data, before, 0xE1, _XMP)),
        profile=_profile(data, before),
        ycbcr=channels == 3 and _first(data, before, 0xEE, b"Adobe") is None,
        scan=scan.at,
        parts=((0, 2), *((segment.at, segment.end) for segment in before)),
        junk=junk,
        zeros_are_values=first_values.get(data[scan.start + 2] & 15, 0) != 0,
    )


def _segments(data: bytes) -> tuple[list[_Segment], bool]:
    """Returns the segments up to the first scan's, and whether something lies between; none where one is broken."""
    made: list[_Segment] = []
    at, junk = 2, False
    while at + 4 <= len(data):
        if data[at] != 0xFF or not 0xC0 <= data[at + 1] <= 0xFE:
            match = _NEXT.search(data, at)
            if match is None or match.start() + 4 > len(data):
                break
            junk |= bool(data[at : match.start()].strip(b"\xff"))
            at = match.start()
        marker, end = data[at + 1], at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if 0xD0 <= marker <= 0xD9 or end < at + 4 or end > len(data):
            break
        made.append(_Segment(marker, at, at + 4, end))
        if marker == _SCAN:
            return made, junk
        at = end
    return [], junk


def _first(data: bytes, segments: Sequence[_Segment], marker: int, name: bytes) -> bytes | None:
    """Returns the first segment of that marker and name: what follows it adds nothing that is looked for here."""
    for segment in segments:
        if segment.marker == marker and data.startswith(name, segment.start):
            return data[segment.start : segment.end]
    return None


def _profile(data: bytes, segments: Sequence[_Segment]) -> bytes | None:
    """Returns a profile, which may lie in several segments, numbered from 1."""
    parts: dict[int, bytes] = {}
    for segment in segments:
        if segment.marker == 0xE2 and data.startswith(_ICC, segment.start) and segment.end - segment.start > 14:
            parts.setdefault(data[segment.start + 12], data[segment.start + 14 : segment.end])
    whole = b"".join(parts[number] for number in sorted(parts))
    return whole if 0 < len(whole) <= MAX_PROFILE_BYTES else None


def _require_known(kind: int, bits: int) -> None:
    if kind in (0xC3, 0xC7, 0xCB, 0xCF):
        raise ReadError(f"expected a JPEG of 8 bits a channel, got a lossless one of {bits} bits")
    if bits != 8:
        raise ReadError(f"expected a JPEG of 8 bits a channel, got a {bits}-bit JPEG")
    if kind in (0xC5, 0xC6, 0xCD, 0xCE):
        raise ReadError("expected a baseline or progressive JPEG, got a hierarchical one")


def _require_few_scans(data: bytes, at: int, pixels: int) -> None:
    scans = data.count(b"\xff\xda", at)
    if scans > MAX_SCANS // 2:
        # a thumbnail or a second picture at the end of the file has scans of its own
        scans = _scans(data, at)
    if scans > MAX_SCANS or scans * pixels > MAX_SCANNED_PIXELS:
        raise ReadError(f"expected a JPEG of at most {MAX_SCANS} scans, got {scans} over {pixels:,} pixels")


def _scans(data: bytes, at: int) -> int:
    """Returns how many scans there are, up to one more than there may be."""
    scans = 0
    while scans <= MAX_SCANS and at + 4 <= len(data):
        marker = data[at + 1]
        if marker == 0xD9:
            break
        scans += marker == 0xDA
        # the segment of a marker ends where the next one starts, or the data of a scan
        lone = marker == 0x01 or marker == 0xD8
        at += 2 if lone else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        match = _AFTER_SCAN.search(data, at)
        if match is None:
            break
        at = match.start()
    return scans


def _first_values(tables: bytes) -> dict[int, int]:
    """Returns, by the number of each AC Huffman table, the value of its shortest code, which is all zeros."""
    values, at = {}, 0
    while at + 17 < len(tables):
        if tables[at] >> 4 == 1:
            values[tables[at] & 15] = tables[at + 17]
        at += 17 + sum(tables[at + 1 : at + 17])
    return values
