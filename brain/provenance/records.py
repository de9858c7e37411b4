"""What is known of how a picture was made, where each value comes from, and why the others are not known."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from loupe.brain.core.errors import LoupeError, PromptError
from loupe.brain.core.records import Record
from loupe.brain.prompts.files import MAX_STORED, checked_text

#: IPTC's digital source types, https://cv.iptc.org/newscodes/digitalsourcetype/
SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
#: the longest name of a model, a scheduler, a tool
_MAX_NAME = 1000
#: characters of raw metadata that are kept of a picture
MAX_RAW = 16_000
#: MongoDB's integers
_MAX_INTEGER = 2**63 - 1

TEXTS = ("prompt", "negative_prompt")
NAMES = (
    *("tool", "tool_version", "model", "model_hash", "scheduler", "noise_schedule", "loras", "upscaler"),
    *("prompt_part", "job", "digital_source_type"),
)
INTEGERS = {"seed": (0, _MAX_INTEGER), "steps": (0, 100_000), "width": (1, 2**20), "height": (1, 2**20)}
NUMBERS = {"guidance": (-1000.0, 1000.0), "distilled_guidance": (-1000.0, 1000.0), "denoise": (0.0, 1.0)}
#: every value that a reader may state
FIELDS = (*TEXTS, *NAMES, *INTEGERS, *NUMBERS)


class MetadataError(LoupeError):
    """The metadata of one file cannot be read."""


@dataclass(frozen=True)
class Reading(Record):
    """What one place states of a picture.

    Attributes:
        source: the place, e.g. ``"PNG text 'parameters'"``
        values: by the names of ``FIELDS``
        unknown: for a name without a value, why it has none
        factors: the scenario, where Loupe wrote the file
        own: what else Loupe wrote of a picture of its own
        scale: by how much the picture was enlarged after it had the stated size; NaN: by an amount that is not stated
        level: 0 a table, 1 a file beside the picture, 2 the picture's own file
    """

    source: str
    values: Mapping[str, Any]
    unknown: Mapping[str, str] = field(default_factory=dict)
    factors: Mapping[str, str] = field(default_factory=dict)
    own: Mapping[str, Any] = field(default_factory=dict)
    scale: float = 1.0
    level: int = 2


@dataclass(frozen=True)
class Provenance(Record):
    """How a picture was made, as far as its metadata tell.

    Attributes:
        values: by the names of ``FIELDS``: ``prompt``, ``negative_prompt`` (empty: there was none), ``model``,
            ``model_hash``, ``seed``, ``steps``, ``guidance``, ``width`` and ``height`` in pixels, ``scheduler`` (what
            took the steps; other tools say sampler), ``noise_schedule``, ``loras``, ``upscaler``, ``tool`` …
        sources: for each value, where it stood
        unknown: for a name without a value, why; names that nothing is said of are in neither
        factors: the scenario, of a picture that Loupe made
        own: what else Loupe wrote of a picture of its own (``fingerprint``, ``key`` …)
        raw: the metadata as they stood, by name, at most 16,000 characters together
        notes: what is odd: values that disagree, a size that is not the file's
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    unknown: Mapping[str, str] = field(default_factory=dict)
    factors: Mapping[str, str] = field(default_factory=dict)
    own: Mapping[str, Any] = field(default_factory=dict)
    raw: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={str(value)[:40]!r}" for name, value in self.values.items())
        unknown = f"; unknown: {', '.join(self.unknown)}" if self.unknown else ""
        return f"Provenance({shown or 'nothing known'}{unknown})"


def merged(
    readings: Iterable[Reading], size: tuple[int, int] | None = None, raw: Mapping[str, str] | None = None
) -> Provenance:
    """Returns what several places state together.

    The first place that states a value gives it: a table before a file beside the picture before the picture's own
    file. A note names prompts, negative prompts and seeds that differ. Where two places of one level differ in such a
    one, neither is taken: it is unknown. A width and height are kept where they are the file's.

    Args:
        readings: the places, the most trusted first
        size: the file's own width and height in pixels
        raw: the texts they were read from
    """
    readings = list(readings)
    values: dict[str, Any] = {}
    given: dict[str, Reading] = {}
    unknown: dict[str, str] = {}
    notes: list[str] = []
    for reading in readings:
        good, bad = _checked(reading.values)
        for name, reason in {**reading.unknown, **bad}.items():
            unknown.setdefault(name, reason)
        for name, value in good.items():
            if name not in given:
                values[name], given[name] = value, reading
            elif name in (*TEXTS, "seed") and not _same(values.get(name, value), value):
                first = given[name]
                tied = first.level == reading.level
                kept = "neither is taken" if tied else f"that of {first.source} is kept"
                notes.append(f"{name} differs: {first.source} and {reading.source} state two, {kept}")
                if tied:
                    del values[name]
                    unknown[name] = notes[-1]
    sources = {name: given[name].source for name in values}
    unknown = {name: reason for name, reason in unknown.items() if name not in values}
    notes += _sized(values, sources, unknown, size, readings)
    own = next((reading.own for reading in readings if reading.own), {})
    factors = next((reading.factors for reading in readings if reading.factors), {})
    return Provenance(values, sources, unknown, factors, own, bounded(raw or {}), tuple(notes))


def _sized(
    values: dict[str, Any],
    sources: dict[str, str],
    unknown: dict[str, str],
    size: tuple[int, int] | None,
    readings: list[Reading],
) -> list[str]:
    """Keeps a stated size only where it is the file's, or becomes the file's by the stated enlargement."""
    stated = (values.get("width"), values.get("height"))
    if size is None or stated == (None, None) or stated == size:
        return []
    scale = next((reading.scale for reading in readings if "width" in reading.values), 1.0)
    enlarged = all(side is None or abs(side * scale - own) <= 8 * scale for side, own in zip(stated, size, strict=True))
    if scale != 1 and (math.isnan(scale) or enlarged):
        values["width"], values["height"] = size
        sources["width"] = sources["height"] = "the file"
        return []
    shown = " x ".join("?" if side is None else str(side) for side in stated)
    reason = f"size differs: the metadata state {shown} pixels, the file has {size[0]} x {size[1]}"
    for name in ("width", "height"):
        values.pop(name, None)
        sources.pop(name, None)
        unknown[name] = reason
    return [reason]


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, str) and isinstance(second, str):
        return " ".join(first.split()) == " ".join(second.split())
    return bool(first == second)


def _checked(given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The values that are what they should be, and why the others are not."""
    good: dict[str, Any] = {}
    bad: dict[str, str] = {}
    for name, value in given.items():
        if value is None or name not in FIELDS:
            continue
        try:
            good[name] = _value(name, value)
        except ValueError as error:
            bad[name] = str(error)[:300]
    return good, bad


def _value(name: str, value: Any) -> Any:
    if name in (*TEXTS, *NAMES):
        longest = MAX_STORED if name in (*TEXTS, "prompt_part") else _MAX_NAME
        try:
            text = checked_text(value, "the metadata", name, longest)
        except PromptError as error:
            raise ValueError(str(error)) from None
        if not text and name != "negative_prompt":
            raise ValueError(f"the metadata have an empty {name}")
        return text
    number = as_number(value)
    low, high = INTEGERS[name] if name in INTEGERS else NUMBERS[name]
    if number is None or not low <= number <= high or (name in INTEGERS and number != int(number)):
        kind = "a whole number" if name in INTEGERS else "a number"
        raise ValueError(f"expected {name} to be {kind} from {low} to {high}, got {_short(value)}")
    return int(number) if name in INTEGERS else float(number)


def as_number(value: Any) -> int | float | None:
    """Returns a number, also one that is written as text; None for anything else, and for NaN and infinity.

    >>> as_number("7.5"), as_number(True), as_number("7,5"), as_number("1e999")
    (7.5, None, None, None)
    """
    if isinstance(value, str):
        text = value.strip()
        if not text.isascii() or len(text) > 40 or "_" in text:
            return None
        try:
            value = int(text)
        except ValueError:
            try:
                value = float(text)
            except ValueError:
                return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if isinstance(value, int) or math.isfinite(value) else None


def _short(value: Any) -> str:
    try:
        return repr(value)[:100]
    except ValueError:
        return "a number of too many digits"


def bounded(raw: Mapping[str, str], limit: int = MAX_RAW) -> dict[str, str]:
    """Returns the texts, the shortest whole, the last of them cut where together they are longer than the limit."""
    kept: dict[str, str] = {}
    for name, text in sorted(raw.items(), key=lambda item: len(item[1])):
        if limit <= 0:
            break
        clean = text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
        kept[name[:100]] = clean if len(clean) <= limit else f"{clean[:limit]} … ({len(text):,} characters)"
        limit -= len(clean)
    return kept
