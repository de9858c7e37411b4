"""All that is known of how a picture was made: from beside it and from within it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from loupe.brain.provenance import c2pa, dalle, files, formats, midjourney, sidecars, stealth
from loupe.brain.provenance.records import MetadataError, Provenance, Reading, merged


def of_file(
    path: Path,
    *,
    exists: Callable[[Path], bool] | None = None,
    hidden: bool | None = None,
    before: Sequence[Reading] = (),
    embedded: bool = True,
) -> Provenance:
    """Returns what is known of a picture: by a table, by the files beside it, by what is in it, by its name.

    The first that states a value gives it. The picture is decoded only to look for a hidden text.

    Args:
        path: the picture
        exists: whether a file is there; by a look at the disk by default
        hidden: look for a text hidden in the pixels; None: in the alpha channel of a PNG that holds no other metadata
        before: what a table says of it
        embedded: read what is in the file, too

    Raises:
        MetadataError: some of it cannot be read; ``known`` of the error is what could be
        OSError: the file cannot be read

    >>> of_file(Path("a.png")).values["seed"]  # doctest: +SKIP
    42
    """
    readings, raw, problems = list(before), {}, []
    for place in sidecars.beside(path, exists or Path.is_file):
        try:
            reading, text = sidecars.read(place, path.name)
        except MetadataError as error:
            problems.append(str(error))
            continue
        if reading is not None:
            readings.append(reading)
            raw[place.name] = text
    size = None
    if embedded:
        inside, size, texts = _within(path, hidden, problems)
        readings += inside
        raw.update(texts)
    named = midjourney.read_name(path.name) or dalle.read_name(path.name)
    if named is not None:
        readings.append(named)
    known = merged(readings, size, raw)
    if problems:
        raise UnreadableMetadata("; ".join(dict.fromkeys(problems))[:1000], known)
    return known


class UnreadableMetadata(MetadataError):
    """Some metadata of a file cannot be read; ``known`` is what the rest says."""

    def __init__(self, message: str, known: Provenance) -> None:
        super().__init__(message)
        self.known = known


def _within(
    path: Path, hidden: bool | None, problems: list[str]
) -> tuple[list[Reading], tuple[int, int] | None, dict[str, str]]:
    try:
        inside = files.read(path)
    except MetadataError as error:
        problems.append(str(error))
        return [], None, {}
    problems += inside.problems
    place = "PNG text" if path.suffix.lower() == ".png" else "text"
    readings = list(formats.readings(inside.texts, place, path.name, problems))
    if inside.has_c2pa and c2pa.available():
        try:
            reading = c2pa.read(path)
        except MetadataError as error:
            problems.append(str(error))
        else:
            readings += [reading] if reading is not None else []
    elif inside.has_c2pa:
        readings.append(
            Reading("C2PA manifest", {}, {"digital_source_type": f"it has a C2PA manifest: {c2pa.INSTALL}"})
        )
    if hidden or (hidden is None and inside.has_alpha and not readings and not problems):
        _look_into_pixels(path, bool(hidden), readings, inside, problems)
    # how the editor lays a graph out is much, and says nothing more of the picture
    left_out = {"workflow"} if "prompt" in inside.texts else set()
    kept = {name: text for name, text in inside.texts.items() if readings and name not in left_out}
    return readings, inside.size, kept


def _look_into_pixels(
    path: Path, colors: bool, readings: list[Reading], inside: files.Embedded, problems: list[str]
) -> None:
    try:
        text = stealth.read(path, colors)
    except (MetadataError, ValueError, OSError, SyntaxError) as error:
        problems.append(f"its pixels cannot be looked into: {str(error)[:200]}")
        return
    if text is None:
        return
    inside.texts["hidden"] = text
    named = formats.readings({"parameters": text}, "hidden text", path.name, problems)
    readings += [replace(reading, source="text hidden in the pixels") for reading in named]
