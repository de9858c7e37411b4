"""Pictures' files taken apart and put together again: a change in one part, whose checksum and length are right."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping

from benchmarks.fuzz import changes
from benchmarks.fuzz.changes import Rng, pick

#: (name, body) of each part; a part without a name is what lies between
Parts = list[tuple[bytes, bytes]]
_SIDES = (0, 1, 2, 3, 7, 8, 63, 64, 257, 1000, 5000, 16383, 16384, 30000, 65534, 65535, 2**31 - 1, 2**32 - 1)


def of_png(data: bytes, rng: Rng) -> bytes:
    """Returns a PNG with a chunk changed, doubled, moved, gone or put in."""
    parts: Parts = []
    at = 8
    while at + 12 <= len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        parts.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + size]))
        at += 12 + size
    parts = _changed(parts, rng, {b"IHDR": _png_head, b"IDAT": _idat, b"": _png_extra})
    return data[:8] + b"".join(_png_chunk(kind, body, rng) for kind, body in parts)


def _png_chunk(kind: bytes, body: bytes, rng: Rng) -> bytes:
    size, check = len(body), zlib.crc32(kind + body)
    if rng.random() < 0.02:
        size = int(pick(rng, _SIDES)) % 2**32
    if rng.random() < 0.02:
        check ^= 1
    return struct.pack(">I", size) + kind + body + struct.pack(">I", check)


def _png_head(body: bytes, rng: Rng) -> bytes:
    width, height, bits, kind, *rest = struct.unpack(">IIBBBBB", body) if len(body) == 13 else (8, 8, 8, 2, 0, 0, 0)
    if rng.random() < 0.6:
        width, height = (int(pick(rng, _SIDES)) if rng.random() < 0.6 else side for side in (width, height))
    if rng.random() < 0.5:
        bits, kind = int(pick(rng, (1, 2, 4, 8, 16, 3, 255))), int(pick(rng, (0, 2, 3, 4, 6, 7)))
    rest = [int(rng.integers(3)) if rng.random() < 0.2 else each for each in rest]
    return struct.pack(">IIBBBBB", width, height, bits, kind, *rest)


def _idat(body: bytes, rng: Rng) -> bytes:
    chance = rng.random()
    if chance < 0.1:
        return zlib.compress(bytes(int(rng.integers(1, 60)) * 2**20), 9)
    if chance < 0.5:
        try:
            return zlib.compress(changes.changed(zlib.decompress(body), rng))
        except zlib.error:
            pass
    return changes.changed(body, rng) if body else b"x"


def _png_extra(_: bytes, rng: Rng) -> bytes:
    """The name and the body of a chunk that is put in."""
    packed = zlib.compress(bytes(int(rng.integers(1, 40)) * 2**20), 9) if rng.random() < 0.1 else zlib.compress(b"x")
    words = changes.text(rng).encode("utf-8", "replace")
    return pick(
        rng,
        (
            b"tEXtparameters\0" + words,
            b"tEXt" + words[:80] + b"\0" + words,
            b"zTXtprompt\0\0" + packed,
            b"iTXtXML:com.adobe.xmp\0\0\0\0\0" + words,
            b"iTXtworkflow\0\1\0\0\0" + packed,
            b"iCCPx\0\0" + packed,
            b"iCCPx\0\0" + zlib.compress(rng.bytes(int(rng.integers(1, 4000)))),
            b"eXIf" + tiff_block(rng),
            b"tRNS" + rng.bytes(int(rng.integers(0, 300))),
            b"PLTE" + rng.bytes(3 * int(rng.integers(0, 300))),
            b"gAMA" + rng.bytes(4),
            b"cHRM" + rng.bytes(32),
            b"sBIT" + rng.bytes(int(rng.integers(0, 6))),
            b"acTL" + struct.pack(">II", int(pick(rng, _SIDES)), 0),
            b"fcTL" + rng.bytes(26),
            b"fdAT" + rng.bytes(40),
            b"CgBI" + rng.bytes(4),
            b"caBX" + rng.bytes(100),
            b"pHYs" + rng.bytes(9),
            bytes(rng.integers(0, 256, 4, dtype="uint8")) + rng.bytes(50),
        ),
    )


def of_jpeg(data: bytes, rng: Rng) -> bytes:
    """Returns a JPEG with a segment changed, doubled, moved, gone or put in."""
    parts: Parts = []
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] not in (0xD9,):
        (size,) = struct.unpack(">H", data[at + 2 : at + 4])
        parts.append((data[at : at + 2], data[at + 4 : at + 2 + size]))
        at += 2 + size
        if parts[-1][0] == b"\xff\xda":
            break
    parts.append((b"", data[at:]))
    frames: Mapping[bytes, Callable[[bytes, Rng], bytes]] = {
        **dict.fromkeys((b"\xff\xc0", b"\xff\xc1", b"\xff\xc2"), _jpeg_frame),
        b"": _jpeg_extra,
    }
    parts = _changed(parts, rng, frames)
    return data[:2] + b"".join(_segment(kind, body, rng) for kind, body in parts)


def _segment(kind: bytes, body: bytes, rng: Rng) -> bytes:
    if not kind:
        return body
    size = len(body) + 2 if rng.random() > 0.02 else int(pick(rng, _SIDES))
    return kind + struct.pack(">H", size % 2**16) + body[:65_533]


def _jpeg_frame(body: bytes, rng: Rng) -> bytes:
    made = bytearray(body)
    for at in (1, 3):
        if rng.random() < 0.5 and len(made) >= at + 2:
            made[at : at + 2] = struct.pack(">H", int(pick(rng, _SIDES)) % 2**16)
    for at in range(5, len(made)):
        if rng.random() < 0.2:
            made[at] = int(pick(rng, (0, 1, 2, 3, 4, 0x11, 0x22, 0x14, 0x41, 0x44, 0xFF)))
    if rng.random() < 0.1 and made:
        made[0] = int(pick(rng, (1, 2, 12, 16)))
    return bytes(made)


def _jpeg_extra(_: bytes, rng: Rng) -> bytes:
    """The marker and the body of a segment that is put in."""
    words = changes.text(rng).encode("utf-8", "replace")
    return pick(
        rng,
        (
            b"\xff\xe1Exif\0\0" + tiff_block(rng),
            b"\xff\xe1http://ns.adobe.com/xap/1.0/\0" + words,
            b"\xff\xe2ICC_PROFILE\0" + rng.bytes(int(rng.integers(0, 3000))),
            b"\xff\xe2ICC_PROFILE\0\1\1" + struct.pack(">I", int(pick(rng, _SIDES)) % 2**32) + rng.bytes(300),
            b"\xff\xe2MPF\0" + tiff_block(rng),
            b"\xff\xee" + b"Adobe\0\x64\0\0\0\0" + bytes([int(rng.integers(0, 4))]),
            b"\xff\xed" + b"Photoshop 3.0\x008BIM" + rng.bytes(60),
            b"\xff\xfe" + words,
            b"\xff\xdd" + rng.bytes(2),
            b"\xff\xeb" + b"JP\0\1\0\0\0\1" + rng.bytes(100),
            b"\xff\xc4" + rng.bytes(int(rng.integers(0, 60))),
            b"\xff\xdb" + rng.bytes(65),
            b"\xff" + bytes([int(rng.integers(0xC0, 0xFF))]) + rng.bytes(int(rng.integers(0, 200))),
        ),
    )


def tiff_block(rng: Rng) -> bytes:
    """Returns Exif: some tags with right or absurd kinds, counts and offsets, in either order of bytes."""
    order = "<" if rng.random() < 0.5 else ">"
    tags = (0x112, 0x11A, 0x10E, 0x131, 0x8769, 0x8825, 0x9286, 0x927C, 0xA005, 0x9C9C, 0x2BC, 0x100, 0x201, 0x202)
    count = int(rng.integers(0, 12))
    body = b""
    for _ in range(count):
        tag = int(pick(rng, tags)) if rng.random() < 0.9 else int(rng.integers(65536))
        number = int(pick(rng, (0, 1, 2, 4, 8, 9, 100, 65535, 2**31, 2**32 - 1)))
        offset = int(pick(rng, (0, 1, 3, 6, 8, 10, 26, 100, 65535, 2**32 - 1)))
        body += struct.pack(f"{order}HHII", tag, int(rng.integers(0, 14)), number, offset)
    stated = count if rng.random() < 0.9 else 65535
    following = int(pick(rng, (0, 0, 0, 8, 2**32 - 1)))
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    end = struct.pack(f"{order}I", following) + rng.bytes(int(rng.integers(0, 200)))
    return head + struct.pack(f"{order}H", stated) + body + end


def of_riff(data: bytes, rng: Rng) -> bytes:
    """Returns a WebP with a chunk changed, doubled, moved, gone or put in."""
    parts: Parts = []
    at = 12
    while at + 8 <= len(data):
        (size,) = struct.unpack("<I", data[at + 4 : at + 8])
        parts.append((data[at : at + 4], data[at + 8 : at + 8 + size]))
        at += 8 + size + size % 2
    parts = _changed(parts, rng, {b"": _riff_extra})
    body = b""
    for kind, each in parts:
        size = len(each) if rng.random() > 0.03 else int(pick(rng, _SIDES)) % 2**32
        body += kind + struct.pack("<I", size) + each + bytes(len(each) % 2)
    whole = len(body) + 4 if rng.random() > 0.05 else int(pick(rng, _SIDES)) % 2**32
    return b"RIFF" + struct.pack("<I", whole) + b"WEBP" + body


def _riff_extra(_: bytes, rng: Rng) -> bytes:
    sides = (
        struct.pack("<I", int(pick(rng, _SIDES)) % 2**24)[:3] + struct.pack("<I", int(pick(rng, _SIDES)) % 2**24)[:3]
    )
    return pick(
        rng,
        (
            b"VP8X" + bytes([int(rng.integers(256)), 0, 0, 0]) + sides,
            b"EXIF" + tiff_block(rng),
            b"XMP " + changes.text(rng).encode("utf-8", "replace"),
            b"ICCP" + rng.bytes(200),
            b"ALPH" + rng.bytes(60),
            b"ANIM" + rng.bytes(6),
            b"ANMF" + rng.bytes(60),
        ),
    )


def of_boxes(data: bytes, rng: Rng) -> bytes:
    """Returns an AVIF or a JPEG 2000 in which the size or the body of a box is changed, sides among them."""
    places = [
        at for kind in (b"ispe", b"iloc", b"ipma", b"av1C", b"meta", b"mdat", b"colr", b"ihdr", b"jp2h", b"irot")
        if (at := data.find(kind)) >= 4
    ]  # fmt: skip
    if not places:
        return changes.changed(data, rng)
    made = bytearray(data)
    for _ in range(int(rng.integers(1, 4))):
        at = int(pick(rng, places))
        where = at - 4 if rng.random() < 0.3 else at + 4 + 4 * int(rng.integers(0, 4))
        made[where : where + 4] = struct.pack(">I", int(pick(rng, _SIDES)) % 2**32)
    return bytes(made)


def of_digits(data: bytes, rng: Rng) -> bytes:
    """Returns a PPM, XBM or XPM in which a number of the head is another."""
    head, rest = data[:60], data[60:]
    places = [at for at, letter in enumerate(head) if chr(letter).isdigit()]
    if not places:
        return changes.changed(data, rng)
    at = int(pick(rng, places))
    number = pick(rng, (b"0", b"-1", b"99999999999", b"65535", b"1e9", b"16777216", b"100000000", b"+3", b"\xb2", b"#"))
    return head[:at] + number + head[at + 1 :] + rest


def _changed(parts: Parts, rng: Rng, own: Mapping[bytes, Callable[[bytes, Rng], bytes]]) -> Parts:
    """Changes parts; ``own[b""]`` makes a part that is put in, the others know their bodies."""
    parts = list(parts)
    for _ in range(int(rng.integers(1, 4))):
        at = int(rng.integers(len(parts))) if parts else 0
        match int(rng.integers(8)):
            case 0 if parts:
                del parts[at]
            case 1 if parts:
                parts[at:at] = [parts[at]] * (1 if rng.random() < 0.9 else 500)
            case 2 if parts:
                parts.insert(int(rng.integers(len(parts))), parts.pop(at))
            case 3 | 4:
                made = own[b""](b"", rng)
                length = 2 if made[:1] == b"\xff" else 4
                parts.insert(at, (made[:length], made[length:]))
            case _ if parts:
                kind, body = parts[at]
                named = own.get(kind) if kind else None
                again = named(body, rng) if named is not None else changes.changed(body, rng)
                parts[at] = (kind, again)
    return parts
