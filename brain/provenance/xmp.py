"""The texts of an XMP packet (ISO 16684-1): what tools put there, and IPTC's digital source type; and writing one.

It is XML from strangers: a document type, which could define entities, is refused, and its size is bounded.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from loupe.brain.provenance.records import SOURCE_TYPES, MetadataError

#: of PNG's iTXt chunk (XMP specification part 3, 1.1.5)
KEYWORD = "XML:com.adobe.xmp"
#: IPTC's type of a picture that a model made
GENERATED = "trainedAlgorithmicMedia"
_MAX_BYTES = 4 * 2**20
_NAMES = {
    "{http://ns.adobe.com/exif/1.0/}UserComment": "UserComment",
    "{http://purl.org/dc/elements/1.1/}description": "description",
    "{http://ns.adobe.com/xap/1.0/}CreatorTool": "CreatorTool",
    "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType": "DigitalSourceType",
    "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourcefileType": "DigitalSourceType",
    "{http://ns.adobe.com/photoshop/1.0/}Credit": "Credit",
}
_ITEM = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}li"
_RESOURCE = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}resource"

_PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    Iptc4xmpExt:DigitalSourceType="{source}"
    xmp:CreatorTool="{tool}"/>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>"""


def texts(packet: str | bytes) -> dict[str, str]:
    """Returns the texts of a packet by their names without namespace.

    Raises:
        MetadataError: it is too large, has a document type, or is no XML
    """
    data = packet.encode("utf-8", "replace") if isinstance(packet, str) else packet
    if len(data) > _MAX_BYTES:
        raise MetadataError(f"expected XMP of at most {_MAX_BYTES // 2**20} MB, got {len(data):,} bytes")
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data or b"\0" in data[:1000]:
        raise MetadataError("expected XMP without a document type, in UTF-8")
    data = data.strip(b"\xef\xbb\xbf\0 \n\r\t")
    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise MetadataError(f"expected XMP that is XML: {error}") from None
    result: dict[str, str] = {}
    for element in root.iter():
        for name, value in element.attrib.items():
            if name in _NAMES and value.strip():
                result.setdefault(_NAMES[name], value)
        if element.tag in _NAMES:
            items = [item.text for item in element.iter(_ITEM) if item.text and item.text.strip()]
            text = items[0] if items else element.text or element.get(_RESOURCE)
            if text and text.strip():
                result.setdefault(_NAMES[element.tag], text)
    return result


def packet(source_type: str = GENERATED, tool: str = "Loupe") -> str:
    """Returns a packet that states IPTC's digital source type.

    Args:
        source_type: ``trainedAlgorithmicMedia`` of a picture that a model made,
            ``compositeWithTrainedAlgorithmicMedia`` of one that a model changed a part of
        tool: what made it

    >>> texts(packet())["DigitalSourceType"]
    'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia'
    """
    from xml.sax.saxutils import escape

    quotes = {'"': "&quot;"}
    return _PACKET.format(source=escape(f"{SOURCE_TYPES}{source_type}", quotes), tool=escape(tool, quotes))
