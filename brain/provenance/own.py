"""What Loupe itself wrote: the JSON in the PNG text ``loupe``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loupe.brain.provenance.records import FIELDS, Reading

#: beside FIELDS, what ``generate`` knows of a picture
OWN = {
    "fingerprint": str,
    "generator": str,
    "family": str,
    "license": str,
    "guidance_kind": str,
    "changes": str,
    "written": str,
    "dropped": str,
    "source": str,
    "conditioning": str,
    "inputs": str,
    "strength": float,
    "upscale": float,
    "cost": float,
    "dtype": str,
    "device": str,
    "images_per_call": int,
    "seconds": float,
    "key": str,
    "prompt_truncated": bool,
    "nsfw": bool,
    "loupe_version": str,
}


def knows(value: Mapping[str, Any]) -> bool:
    """Returns whether this is Loupe's JSON."""
    return "loupe_version" in value and "key" in value


def read(value: Mapping[str, Any], source: str) -> Reading:
    """Returns what Loupe states of a picture of its own."""
    values = {name: value.get(name) for name in FIELDS}
    values["tool"] = "Loupe"
    own = {name: value[name] for name, kind in OWN.items() if _fits(value.get(name), kind)}
    given = value.get("factors")
    factors = {name: text for name, text in given.items() if isinstance(text, str)} if isinstance(given, dict) else {}
    return Reading(source, values, factors=factors, own=own)


def _fits(value: Any, kind: type) -> bool:
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
