"""Files beside a picture: a text, JSON or YAML of the same name, as tools write them and people keep prompts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from loupe.brain.core.errors import PromptError
from loupe.brain.prompts import tables
from loupe.brain.provenance import a1111, formats, plain
from loupe.brain.provenance.records import MetadataError, Reading, as_number

#: what is put in the place of, or after, the picture's own ending; the first that is there is read, of each kind
ENDINGS = (".txt", ".json", ".yaml", ".yml", ".swarm.json")
SUFFIXES = frozenset((".txt", ".json", ".yaml", ".yml"))
_MAX_BYTES = 16 * 2**20
#: it is read slowly
_MAX_YAML = 200_000
_LEVEL = 1


def beside(path: Path, exists: Callable[[Path], bool]) -> list[Path]:
    """Returns the sidecars of a picture that are there: ``a.txt`` and ``a.png.txt`` of ``a.png``.

    Args:
        path: the picture
        exists: whether there is such a file; a set of names spares a look at the disk for each
    """
    candidates = [
        place for ending in ENDINGS for place in (path.with_suffix(ending), path.with_name(path.name + ending))
    ]
    return [place for place in candidates if exists(place)]


def read(path: Path, file_name: str) -> tuple[Reading | None, str]:
    """Returns what a sidecar states, None where it states nothing, and its text.

    A ``.txt`` is a prompt as a whole, unless it is A1111's text with its settings, or JSON.

    Args:
        path: the sidecar
        file_name: of the picture

    Raises:
        MetadataError: it cannot be read, or it is damaged
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise MetadataError(f"{path.name}: {error.strerror or error}") from None
    if size > _MAX_BYTES:
        raise MetadataError(f"{path.name}: expected at most {_MAX_BYTES // 2**20} MB, got {size:,} bytes")
    source, text = path.name, _text(path)
    if path.suffix == ".txt":
        if plain.looks_like_json(text):
            try:
                reading = formats.of_json(plain.loaded(text, source), source, file_name)
            except MetadataError:
                reading = None
            if reading is not None:
                return replace(reading, level=_LEVEL), text
        stated = a1111.read(text, source)
        if stated is None and text.strip() and not _are_boxes(text):
            stated = Reading(source, {"prompt": text})
    else:
        value = plain.loaded(text, path.name) if path.suffix == ".json" else _yaml(text, path.name)
        stated = formats.of_json(value, source, file_name)
    return (None if stated is None else replace(stated, level=_LEVEL)), text


def _text(path: Path) -> str:
    try:
        return tables.read_text(path)
    except PromptError as error:
        if path.suffix == ".txt":
            try:
                # a text beside a picture need be no prompt: what can be read of it is kept
                return path.read_text(encoding="utf-8", errors="replace")
            except OSError:
                pass
        raise MetadataError(str(error)[:300]) from None


def _are_boxes(text: str) -> bool:
    """Whether each line is a class and four or more numbers: YOLO's labels, and no prompt."""
    lines = [line.split() for line in text.split("\n") if line.strip()]
    return all(len(line) >= 5 and all(as_number(word) is not None for word in line) for line in lines)


def _yaml(text: str, what: str) -> Any:
    import yaml

    if len(text) > _MAX_YAML or text.count("*") + text.count("&") > 1000:
        raise MetadataError(f"expected {what} of at most {_MAX_YAML:,} characters and few references, got more")
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise MetadataError(f"expected {what} as YAML: {str(error)[:200]}") from None
    return {str(name): item for name, item in value.items()} if isinstance(value, Mapping) else value
