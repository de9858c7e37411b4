"""AUTOMATIC1111's text, which Forge, SD.Next, Fooocus, Civitai, ComfyUI's saver nodes and Loupe write, too.

The prompt; a line that begins with ``Negative prompt:``; a last line of ``Steps: 20, Sampler: Euler a, …``. After
``modules/infotext_utils.py`` of stable-diffusion-webui, which writes and reads it. A text that could be read in two
ways is read in none.
"""

from __future__ import annotations

import math
import re
from typing import Any

from loupe.brain.core.parsing import from_json
from loupe.brain.provenance import plain
from loupe.brain.provenance.records import Reading, as_number

_SETTING = re.compile(r'(\w[\w \-/]{0,60}):\s*("(?:\\.|[^\\"])*"|[^,]*)(?:,|$)')
_SETTINGS_LINE = re.compile(r"^\s*(?:Steps: *\d+|Sampler: *\w[^,]*),")
_NEGATIVE = "Negative prompt:"
_LORA = re.compile(r"<(?:lora|lyco):([^:<>]{1,200})(?::(-?\d{0,4}\.?\d{0,6}))?[^<>]{0,50}>")
_MAX_LINE = 1_000_000


def read(text: str, source: str) -> Reading | None:
    """Returns what such a text states; None where it is none: it has no line of settings."""
    lines = text.replace("\r\n", "\n").strip("\n").split("\n")
    at = next((place for place in reversed(range(len(lines))) if _is_settings(lines[place])), None)
    if at is None:
        return None
    given = settings(lines[at])
    values, unknown = _of_settings(given)
    _prompts(lines[:at], values, unknown)
    if values.get("prompt"):
        tags = ((name, as_number(weight)) for name, weight in _LORA.findall(values["prompt"]))
        values["loras"] = plain.loras(tags)
    return Reading(source, values, unknown, scale=_scale(given))


def _is_settings(line: str) -> bool:
    return len(line) <= _MAX_LINE and bool(_SETTINGS_LINE.match(line)) and len(settings(line)) >= 3


def settings(line: str) -> dict[str, str]:
    """Returns the settings of such a line.

    >>> settings('Steps: 20, Sampler: Euler a, Hashes: "a: 1, b: 2"')
    {'Steps': '20', 'Sampler': 'Euler a', 'Hashes': 'a: 1, b: 2'}
    """
    # Civitai and ADetailer append JSON without quotes
    line = re.split(r",\s*(?:Civitai (?:resources|metadata)|Hashes): *[\[{]", line, maxsplit=1)[0]
    given: dict[str, str] = {}
    for name, value in _SETTING.findall(line):
        if value[:1] == value[-1:] == '"' and len(value) > 1:
            try:
                value = from_json(value)
            except ValueError:
                value = value[1:-1]
        given.setdefault(name.strip(), str(value).strip())
    return given


def _prompts(lines: list[str], values: dict[str, Any], unknown: dict[str, str]) -> None:
    starts = [place for place, line in enumerate(lines) if line.strip().startswith(_NEGATIVE)]
    if len(starts) > 1:
        reason = f"{len(starts)} lines begin with {_NEGATIVE!r}"
        unknown.update(prompt=reason, negative_prompt=reason)
        return
    start = starts[0] if starts else len(lines)
    values["prompt"] = "\n".join(lines[:start]).strip() or None
    if values["prompt"] is None:
        unknown["prompt"] = "it was empty"
    # the line is only written where there is a negative prompt
    negative = [lines[start].strip()[len(_NEGATIVE) :], *lines[start + 1 :]] if starts else []
    values["negative_prompt"] = "\n".join(negative).strip()


def _of_settings(given: dict[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    values: dict[str, Any] = {
        "steps": given.get("Steps"),
        "guidance": given.get("CFG scale"),
        "distilled_guidance": given.get("Distilled CFG Scale"),
        "scheduler": given.get("Sampler"),
        "noise_schedule": given.get("Schedule type"),
        "model": given.get("Model"),
        "model_hash": given.get("Model hash"),
        "upscaler": given.get("Hires upscaler"),
        "denoise": given.get("Denoising strength"),
    }
    unknown: dict[str, str] = {}
    seed = given.get("Seed")
    if seed == "-1":
        unknown["seed"] = "it states -1, which asks for a random one"
    else:
        values["seed"] = seed
    size = re.fullmatch(r"(\d{1,7})x(\d{1,7})", given.get("Size", ""))
    if size:
        values["width"], values["height"] = int(size[1]), int(size[2])
    values["tool"], values["tool_version"] = _tool(given)
    return {name: value for name, value in values.items() if value}, unknown


def _tool(given: dict[str, str]) -> tuple[str | None, str | None]:
    """Which of the tools that write this format wrote it, by how it writes its version; None for the others."""
    version = given.get("Version", "")
    app = given.get("App", "")
    if app:
        return app, version or None
    if re.match(r"f\d", version) or version.startswith("neo"):
        return "Forge", version
    if re.match(r"v?\d+\.\d+", version):
        return "A1111", version
    name = re.match(r"(Fooocus|ComfyUI|SD\.Next|RuinedFooocus|reForge|Draw Things)\b", version)
    return (name[1], version) if name else (None, version or None)


def _scale(given: dict[str, str]) -> float:
    upscaled = as_number(given.get("Hires upscale", given.get("Postprocess upscale by")))
    if upscaled:
        return float(upscaled)
    return math.nan if {"Hires resize", "Hires upscaler", "Postprocess upscaler"} & given.keys() else 1.0
