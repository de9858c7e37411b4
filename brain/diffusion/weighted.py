"""What is put on a model, as people write it: where it lies and how much it counts; and a hash of its files."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

from loupe.brain.core.errors import InputError, ModelError
from loupe.brain.core.hashes import file_hash, json_hash


def split(text: str, what: str, low: float, high: float) -> tuple[str, float]:
    """Returns a source and its number, 1 where none is given.

    Args:
        text: as it was written
        what: it is called, for errors, e.g. "a LoRA"
        low, high: bounds of the number

    Raises:
        InputError: an empty name, or a number that is none or out of bounds

    >>> split("details.safetensors:0.8", "a LoRA", -10, 10)
    ('details.safetensors', 0.8)
    """
    source, number = text.strip(), 1.0
    head, colon, tail = source.rpartition(":")
    # behind a colon there may also be the rest of a path on Windows
    if colon and not re.search(r"[\\/]", tail):
        try:
            source, number = head.strip(), float(tail)
        except ValueError:
            raise InputError(f"expected a weight behind the colon of {text.strip()!r}, got {tail!r}") from None
    if not source or "\0" in source:
        raise InputError(f"expected {what} as 'name:0.8', got {text!r}")
    if not math.isfinite(number) or not low <= number <= high:
        raise InputError(f"expected a weight from {low:g} to {high:g} for {source}, got {number}")
    return source, number


def place(source: str, what: str) -> Path:
    """Returns the path that a source would have on this machine, whether something lies there or not.

    Args:
        source: a path, or a hub id
        what: it is called, for errors, e.g. "a LoRA"

    Raises:
        ModelError: no path can be like that
    """
    try:
        given = Path(source).expanduser()
        given.exists()
    except (OSError, RuntimeError) as error:
        raise ModelError(f"expected {what}, got {source[:200]!r}: {error}"[:500]) from error
    return given


def digest(paths: Sequence[Path]) -> str:
    """Returns what changes when the name or a byte of a file does: 16 hexadecimal digits.

    Raises:
        ModelError: a file cannot be read
    """
    try:
        listing = []
        for path in paths:
            listing.append([path.name, file_hash(path)])
    except OSError as error:
        raise ModelError(f"expected readable files of a model: {error}") from error
    return json_hash(listing, 8)
