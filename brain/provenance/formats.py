"""Which reader a text is for. It is tried for what it is, not for where it stands: tools copy from each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from loupe.brain.provenance import (
    a1111,
    draw_things,
    fooocus,
    generic,
    invokeai,
    midjourney,
    novelai,
    own,
    plain,
    swarmui,
)
from loupe.brain.provenance.comfyui import facts, graph, workflow
from loupe.brain.provenance.records import SOURCE_TYPES, MetadataError, Reading

#: names of texts, the most telling first
_ORDER = (
    *("loupe", "invokeai_metadata", "sd-metadata", "Dream", "Comment", "prompt", "workflow", "parameters"),
    *("Exif UserComment", "XMP UserComment", "Exif XPComment", "Exif ImageDescription"),
    *("comment", "Description", "generation_data", "sd-parameters"),
)


def readings(
    texts: Mapping[str, str], place: str, file_name: str | None = None, problems: list[str] | None = None
) -> Iterator[Reading]:
    """Yields what the texts of one file state, the most trusted first.

    Args:
        texts: by name
        place: what they stand in, for the sources: ``"PNG text"``
        file_name: of the picture
        problems: what could not be read is added to it
    """
    problems = problems if problems is not None else []
    texts = _with_graphs(texts)
    if novelai.knows(texts):
        yield from _tried(lambda: novelai.read(texts, f"{place} 'Comment'"), problems)
    listed = midjourney.read_description(texts, f"{place} 'Description'")
    if listed is not None:
        yield listed
    names = [name for name in _ORDER if name in texts]
    graphs = [name for name in names if name in ("prompt", "workflow")]
    for name in names:
        if name == "workflow" and "prompt" in graphs:
            continue
        if name in ("Comment", "Description") and (novelai.knows(texts) or listed is not None):
            continue
        stated = list(_of_text(name, texts, _source(name, place), file_name, problems))
        yield from stated
        if name == "loupe" and stated:
            # what Loupe writes beside it, for other tools, is the same and says less
            break
    declared = texts.get("XMP DigitalSourceType", "").strip()
    if declared:
        kind = declared.rsplit("/", 1)[-1] if SOURCE_TYPES.split("//")[1] in declared else declared
        yield Reading("XMP DigitalSourceType", {"digital_source_type": kind})


def _with_graphs(texts: Mapping[str, str]) -> dict[str, str]:
    """The texts with those that ComfyUI writes into the Exif of a WebP, as ``prompt:{…}`` and ``workflow:{…}``."""
    result = dict(texts)
    for name in ("Exif Make", "Exif Model", "Exif ImageDescription"):
        head, _, rest = texts.get(name, "").partition(":")
        if head.strip().lower() in ("prompt", "workflow") and plain.looks_like_json(rest):
            result.setdefault(head.strip().lower(), rest)
            del result[name]
    return result


def _source(name: str, place: str) -> str:
    return name if name.startswith(("Exif ", "XMP ")) else f"{place} {name!r}"


def _tried(read: Callable[[], Reading | None], problems: list[str]) -> Iterator[Reading]:
    try:
        reading = read()
    except MetadataError as error:
        problems.append(str(error))
        return
    if reading is not None:
        yield reading


def _of_text(
    name: str, texts: Mapping[str, str], source: str, file_name: str | None, problems: list[str]
) -> Iterator[Reading]:
    text = texts[name]
    if name == "Dream":
        yield from _tried(lambda: invokeai.read_dream(text, source), problems)
        return
    if not plain.looks_like_json(text):
        if name not in ("prompt", "workflow", "Description"):
            yield from _tried(lambda: a1111.read(text, source), problems)
        return
    try:
        value = plain.loaded(text, f"the text {name!r}")
    except MetadataError as error:
        problems.append(str(error))
        return
    beside = texts.get("workflow") if name == "prompt" else None
    yield from _tried(lambda: of_json(value, source, file_name, beside), problems)


def of_json(value: Any, source: str, file_name: str | None = None, beside: str | None = None) -> Reading | None:
    """Returns what a JSON value states; None where it is of no known kind.

    Args:
        value: the JSON
        source: where it stood
        file_name: of the picture
        beside: of a graph of ComfyUI's, the workflow beside it

    Raises:
        MetadataError: it is of a known kind, and damaged
    """
    if isinstance(value, str) and plain.looks_like_json(value):
        value = plain.loaded(value, "JSON in JSON")
    if graph.knows(value):
        return facts.read(graph.of_prompt(value, _output_names(beside)), source, file_name)
    if workflow.knows(value):
        return facts.read(workflow.of_workflow(value), source, file_name, edited=True)
    if not isinstance(value, Mapping):
        return None
    for module in (own, swarmui, fooocus, invokeai, draw_things):
        if module.knows(value):
            return module.read(value, source)
    if isinstance(value.get("image"), Mapping) and "model_weights" in value:
        return invokeai.read_version_2(value, source)
    if graph.knows(value.get("prompt")):
        return facts.read(graph.of_prompt(value["prompt"]), source, file_name)
    if novelai.knows(value):
        return novelai.read(value, source)
    return generic.read(value, source)


def _output_names(beside: str | None) -> dict[str, tuple[str, ...]]:
    try:
        return workflow.output_names(plain.loaded(beside, "the workflow")) if beside else {}
    except MetadataError:
        return {}
