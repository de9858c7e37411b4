"""NovelAI: ``Description``, ``Source`` and JSON in ``Comment``, as text or hidden in the alpha channel.

After NovelAI's own reader, novelai-image-metadata.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from loupe.brain.provenance import plain
from loupe.brain.provenance.records import Reading


def knows(texts: Mapping[str, Any]) -> bool:
    """Returns whether these texts are NovelAI's."""
    return "Comment" in texts and (texts.get("Software") == "NovelAI" or "NovelAI" in str(texts.get("Title", ""))[:200])


def read(texts: Mapping[str, Any], source: str) -> Reading:
    """Returns what NovelAI states.

    Raises:
        MetadataError: the comment is no JSON object
    """
    comment = texts.get("Comment")
    if isinstance(comment, str):
        comment = plain.loaded(comment, "NovelAI's comment")
    value = plain.mapping(comment, "NovelAI's comment")
    model = re.fullmatch(r"(.{1,200}?)\s+([0-9A-F]{8})", str(texts.get("Source", ""))[:300])
    name = plain.as_text(texts.get("Source"))
    values = {
        "tool": "NovelAI",
        "prompt": _caption(value.get("v4_prompt")) or value.get("prompt") or plain.as_text(texts.get("Description")),
        "negative_prompt": _negative(value),
        "seed": value.get("seed"),
        "steps": value.get("steps"),
        "guidance": value.get("scale"),
        "scheduler": value.get("sampler"),
        "noise_schedule": plain.as_text(value.get("noise_schedule")),
        "model": model[1] if model else name,
        "model_hash": model[2] if model else None,
        "width": value.get("width"),
        "height": value.get("height"),
    }
    return Reading(source, values)


def _negative(value: Mapping[str, Any]) -> Any:
    caption = _caption(value.get("v4_negative_prompt"))
    return caption if caption is not None else value.get("uc")


def _caption(value: Any) -> str | None:
    """The text of the whole picture, then those of its characters, a line each."""
    caption = plain.as_mapping(plain.as_mapping(value).get("caption"))
    if not isinstance(caption.get("base_caption"), str):
        return None
    parts = [caption["base_caption"]]
    for item in plain.as_list(caption.get("char_captions")):
        parts.append(plain.as_text(plain.as_mapping(item).get("char_caption")) or "")
    return "\n".join(part.strip() for part in parts if part.strip())
