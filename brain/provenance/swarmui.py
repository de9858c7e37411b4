"""SwarmUI: JSON with ``sui_image_params`` (docs/Image Metadata Format.md of SwarmUI)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from loupe.brain.provenance import plain
from loupe.brain.provenance.records import Reading, as_number


def knows(value: Mapping[str, Any]) -> bool:
    """Returns whether this is SwarmUI's JSON."""
    return "sui_image_params" in value


def read(value: Mapping[str, Any], source: str) -> Reading:
    """Returns what SwarmUI states.

    Raises:
        MetadataError: its parts are no objects
    """
    given = plain.mapping(value.get("sui_image_params"), "sui_image_params")
    hashes = {
        item.get("name"): item.get("hash")
        for item in map(plain.as_mapping, plain.as_list(value.get("sui_models")))
        if isinstance(item.get("name"), str)
    }
    name = given.get("model")
    values = {
        "tool": "SwarmUI",
        "tool_version": plain.as_text(given.get("swarm_version")),
        "prompt": given.get("prompt") or None,
        # it is left out where it is empty
        "negative_prompt": given.get("negativeprompt", ""),
        "seed": given.get("seed"),
        "steps": given.get("steps"),
        "guidance": given.get("cfgscale"),
        "distilled_guidance": given.get("fluxguidancescale"),
        "scheduler": given.get("sampler"),
        "noise_schedule": plain.as_text(given.get("scheduler")),
        "model": name,
        "model_hash": plain.as_text(_hash(hashes, name)),
        "width": given.get("width"),
        "height": given.get("height"),
        "loras": plain.loras(_loras(given)),
        "upscaler": plain.as_text(given.get("refinerupscalemethod")),
    }
    scale = as_number(given.get("refinerupscale"))
    return Reading(source, values, scale=float(scale) if scale else math.nan if values["upscaler"] else 1.0)


def _hash(hashes: Mapping[Any, Any], name: Any) -> Any:
    if not isinstance(name, str):
        return None
    return hashes.get(name) or hashes.get(f"{name}.safetensors")


def _loras(given: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    names, weights = (
        value.split(",") if isinstance(value, str) else plain.as_list(value)
        for value in (given.get("loras"), given.get("loraweights"))
    )
    known = len(names) == len(weights)
    return [(name, as_number(weights[at]) if known else None) for at, name in enumerate(names)]
