"""JSON from strangers: bounded, with NaN as ComfyUI writes it; and what stands in it, if it is what it should be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from loupe.brain.provenance.records import MetadataError

#: characters; the largest workflows have some 1,000,000
MAX_JSON = 16 * 2**20
#: levels; a workflow has about ten
_MAX_DEPTH = 100


def loaded(text: str, what: str) -> Any:
    """Returns a JSON value; NaN and infinities become None.

    Raises:
        MetadataError: it is no JSON, too large, or nested too deeply
    """
    if len(text) > MAX_JSON:
        raise MetadataError(f"expected {what} of at most {MAX_JSON:,} characters, got {len(text):,}")
    if _depth(text) > _MAX_DEPTH:
        raise MetadataError(f"expected {what} nested at most {_MAX_DEPTH} deep, got more")
    try:
        return json.loads(text, parse_constant=lambda name: None, parse_int=_integer)
    except (ValueError, RecursionError) as error:
        raise MetadataError(f"expected {what} as JSON: {str(error)[:200]}") from None


def _integer(digits: str) -> int:
    if len(digits) > 100:
        raise ValueError(f"a number of {len(digits):,} digits is too large")
    return int(digits)


def _depth(text: str) -> int:
    """At least how deep it is nested; brackets in texts count, too, so that it is at most too high by those."""
    if text.count("{") + text.count("[") <= _MAX_DEPTH:
        return 0
    depth = deepest = 0
    quoted = escaped = False
    for character in text:
        if quoted:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                quoted = False
        elif character == '"':
            quoted = True
        elif character in "{[":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "}]":
            depth -= 1
    return deepest


def mapping(value: Any, what: str) -> Mapping[str, Any]:
    """Returns a mapping.

    Raises:
        MetadataError: it is none
    """
    if not isinstance(value, Mapping):
        raise MetadataError(f"expected {what} to be an object, got {type(value).__name__}")
    return value


def as_mapping(value: Any) -> Mapping[str, Any]:
    """Returns a mapping, an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def as_list(value: Any) -> list[Any]:
    """Returns a list, an empty one for anything else."""
    return value if isinstance(value, list) else []


def as_text(value: Any) -> str | None:
    """Returns a text that is not blank, None for anything else."""
    return value if isinstance(value, str) and value.strip() else None


def looks_like_json(text: str) -> bool:
    """Returns whether a text can only be meant as a JSON object."""
    return text.lstrip()[:1] == "{" and text.rstrip()[-1:] == "}"


def loras(pairs: Any) -> str | None:
    """Returns LoRAs as one text, e.g. ``"detail:0.8, ink"``; None where there are none.

    Args:
        pairs: (name, weight) each; a weight that is no number is left out
    """
    parts = []
    for name, weight in pairs:
        if isinstance(name, str) and name.strip() and name.strip().lower() != "none":
            known = isinstance(weight, (int, float)) and not isinstance(weight, bool)
            parts.append(f"{name.strip()}:{weight:g}" if known else name.strip())
    return ", ".join(dict.fromkeys(parts)) or None
