"""Fooocus' own scheme: JSON in ``parameters``, with ``fooocus_scheme`` beside it (modules/meta_parser.py)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from loupe.brain.provenance import plain
from loupe.brain.provenance.records import Reading, as_number


def knows(value: Mapping[str, Any]) -> bool:
    """Returns whether this is Fooocus' JSON."""
    return "base_model" in value and "prompt" in value and ("styles" in value or "performance" in value)


def read(value: Mapping[str, Any], source: str) -> Reading:
    """Returns what Fooocus states. The prompt is what was typed; its styles are added to it when it draws."""
    size = re.fullmatch(r"\(\s*(\d{1,7})\s*,\s*(\d{1,7})\s*\)", str(value.get("resolution", ""))[:40])
    listed = [item for item in plain.as_list(value.get("loras")) if isinstance(item, (list, tuple)) and len(item) >= 2]
    listed += [
        part.split(" : ", 1) for name, part in value.items() if name.startswith("lora_combined_") and " : " in str(part)
    ]
    values = {
        "tool": "Fooocus",
        "tool_version": plain.as_text(value.get("version")),
        "prompt": value.get("prompt"),
        "negative_prompt": value.get("negative_prompt"),
        "seed": value.get("seed"),
        "steps": value.get("steps"),
        "guidance": value.get("guidance_scale"),
        "scheduler": value.get("sampler"),
        "noise_schedule": value.get("scheduler"),
        "model": value.get("base_model"),
        "model_hash": plain.as_text(value.get("base_model_hash")),
        "width": size[1] if size else None,
        "height": size[2] if size else None,
        "loras": plain.loras((item[0], as_number(item[1])) for item in listed),
    }
    return Reading(source, values, scale=_scale(value))


def _scale(value: Mapping[str, Any]) -> float:
    # "Upscale (2x)" is what was asked for; its picture's size is not stated
    return float("nan") if "upscale" in str(value.get("uov_method", ""))[:100].lower() else 1.0
