"""The texts of Exif: UserComment, ImageDescription, Software, Make (Exif 2.32, section 4.6; JEITA CP-3451)."""

from __future__ import annotations

from loupe.brain.provenance.records import MetadataError

_TAGS = {
    270: "ImageDescription",
    271: "Make",
    272: "Model",
    305: "Software",
    700: "XMP",
    37500: "MakerNote",
    37510: "UserComment",
    40092: "XPComment",
}
_SUB_IFD = 34665
#: more entries are no Exif
_MAX_ENTRIES = 1000
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 7: 1, 9: 4}


def texts(data: bytes) -> dict[str, str]:
    """Returns the texts of an Exif block by the names of their tags.

    Args:
        data: the block, with or without ``Exif\\0\\0`` before the TIFF header

    Raises:
        MetadataError: it is damaged
    """
    if data.startswith(b"Exif\0\0"):
        data = data[6:]
    order = {b"II*\0": "little", b"MM\0*": "big"}.get(data[:4])
    if order is None:
        raise MetadataError("damaged Exif: no TIFF header")
    little = order == "little"
    result: dict[str, str] = {}
    pending = [_number(data, 4, 4, little)]
    seen: set[int] = set()
    while pending:
        at = pending.pop()
        if at in seen or at + 2 > len(data):
            continue
        seen.add(at)
        for entry in range(min(_number(data, at, 2, little), _MAX_ENTRIES)):
            start = at + 2 + 12 * entry
            if start + 12 > len(data):
                raise MetadataError("damaged Exif: it is cut off")
            tag, kind, count = (
                _number(data, start, 2, little),
                _number(data, start + 2, 2, little),
                _number(data, start + 4, 4, little),
            )
            if tag == _SUB_IFD:
                pending.append(_number(data, start + 8, 4, little))
            elif tag in _TAGS and kind in (1, 2, 7):
                length = count * _SIZES[kind]
                place = start + 8 if length <= 4 else _number(data, start + 8, 4, little)
                if place + length > len(data):
                    raise MetadataError(f"damaged Exif: {_TAGS[tag]} is cut off")
                text = _text(tag, data[place : place + length], little)
                if text:
                    result.setdefault(_TAGS[tag], text)
    return result


def _number(data: bytes, at: int, size: int, little: bool) -> int:
    return int.from_bytes(data[at : at + size], "little" if little else "big")


def _text(tag: int, value: bytes, little: bool) -> str:
    if tag == 37510:
        return user_comment(value, little)
    if tag == 40092:
        return _utf16(value, True)
    return _plain(value)


def user_comment(value: bytes, little: bool) -> str:
    """Returns the text of a UserComment: eight bytes name its code, then it follows.

    UNICODE is UTF-16 in the order of the block by the standard; piexif writes it big-endian into any block, others
    little-endian. The order whose text has more of its letters in the page that texts are written in is taken.

    >>> user_comment(b"UNICODE\\0" + "é猫".encode("utf-16-be"), True)
    'é猫'
    """
    code, rest = value[:8], value[8:]
    if code.startswith(b"UNICODE"):
        return _utf16(rest, little)
    if code.startswith(b"JIS"):
        try:
            return rest.decode("iso2022_jp").strip("\0 ")
        except UnicodeDecodeError:
            return rest.decode("cp932", "replace").strip("\0 ")
    if code.startswith(b"ASCII\0\0\0") or code == bytes(8):
        return _plain(rest)
    return _plain(value)


def _utf16(data: bytes, little: bool) -> str:
    data = data[: len(data) // 2 * 2]
    for mark, name in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if data.startswith(mark):
            return data[2:].decode(name, "surrogatepass").strip("\0")
    low, high = data[0::2], data[1::2]
    # JSON's braces, digits, spaces, line ends: of every text some are below 128, where the other byte is zero
    as_little = sum(a != 0 and b == 0 for a, b in zip(low[:4000], high[:4000], strict=True))
    as_big = sum(a == 0 and b != 0 for a, b in zip(low[:4000], high[:4000], strict=True))
    if as_little != as_big:
        little = as_little > as_big
    return data.decode("utf-16-le" if little else "utf-16-be", "surrogatepass").strip("\0")


def _plain(data: bytes) -> str:
    try:
        return data.decode("utf-8").strip("\0")
    except UnicodeDecodeError:
        return data.decode("latin-1").strip("\0")
