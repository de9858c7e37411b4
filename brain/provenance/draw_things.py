"""Draw Things: JSON in XMP's ``exif:UserComment``, with ``c`` for the prompt and ``uc`` for the negative one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from loupe.brain.provenance import plain
from loupe.brain.provenance.records import Reading


def knows(value: Mapping[str, Any]) -> bool:
    """Returns whether this is Draw Things' JSON."""
    return "c" in value and "uc" in value and "scale" in value and "sampler" in value


def read(value: Mapping[str, Any], source: str) -> Reading:
    """Returns what Draw Things states."""
    size = re.fullmatch(r"(\d{1,7})x(\d{1,7})", str(value.get("size", ""))[:40])
    pairs = [
        (item.get("model"), item.get("weight")) for item in map(plain.as_mapping, plain.as_list(value.get("lora")))
    ]
    values = {
        "tool": "Draw Things",
        "prompt": value.get("c") or None,
        "negative_prompt": value.get("uc"),
        "seed": value.get("seed"),
        "steps": value.get("steps"),
        "guidance": value.get("scale"),
        "scheduler": value.get("sampler"),
        "model": value.get("model"),
        "width": size[1] if size else None,
        "height": size[2] if size else None,
        "loras": plain.loras(pairs),
        "upscaler": plain.as_text(value.get("upscaler")),
        "denoise": value.get("strength"),
    }
    return Reading(source, values, scale=float("nan") if values["upscaler"] else 1.0)
