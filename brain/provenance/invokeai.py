"""InvokeAI: ``invokeai_metadata`` since 3.0, ``sd-metadata`` in 2, ``Dream`` before (docs/features/IMAGE2METADATA)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from loupe.brain.provenance import plain
from loupe.brain.provenance.records import MetadataError, Reading

_DREAM = re.compile(r'^\s*"(.*)"((?:\s+-\S+(?:\s+[^\s-]\S*)?)*)\s*$', re.DOTALL)
_OPTION = re.compile(r"-([A-Za-z])\s*(\S+)")
_TEXT = "prompt"


def knows(value: Mapping[str, Any]) -> bool:
    """Returns whether this is the JSON of ``invokeai_metadata``."""
    return "positive_prompt" in value and ("app_version" in value or "generation_mode" in value or "scheduler" in value)


def read(value: Mapping[str, Any], source: str) -> Reading:
    """Returns what ``invokeai_metadata`` states."""
    model = plain.as_mapping(value.get("model"))
    listed = []
    for item in plain.as_list(value.get("loras")):
        item = plain.as_mapping(item)
        lora = plain.as_mapping(item.get("model") or item.get("lora"))
        listed.append((lora.get("name") or lora.get("model_name"), item.get("weight")))
    values = {
        "tool": "InvokeAI",
        "tool_version": plain.as_text(value.get("app_version")),
        _TEXT: value.get("positive_prompt") or None,
        # null where a model knows none
        "negative_prompt": "" if value.get("negative_prompt", 0) is None else value.get("negative_prompt"),
        "seed": value.get("seed"),
        "steps": value.get("steps"),
        "guidance": value.get("cfg_scale"),
        "distilled_guidance": value.get("guidance"),
        "scheduler": value.get("scheduler"),
        "model": model.get("name") or model.get("model_name"),
        "model_hash": plain.as_text(model.get("hash")),
        "width": value.get("width"),
        "height": value.get("height"),
        "loras": plain.loras(listed),
        "upscaler": plain.as_text(value.get("esrgan_model")) or _name(value.get("upscale_model")),
        "denoise": value.get("strength"),
    }
    enlarged = values["upscaler"] or "hrf_enabled" in value
    return Reading(source, values, scale=float("nan") if enlarged else 1.0)


def _name(value: Any) -> str | None:
    return plain.as_text(plain.as_mapping(value).get("name"))


def read_version_2(value: Mapping[str, Any], source: str) -> Reading:
    """Returns what ``sd-metadata`` states.

    Raises:
        MetadataError: it has no ``image``
    """
    image = plain.mapping(value.get("image"), "the 'image' of sd-metadata")
    prompts = image.get("prompt")
    if isinstance(prompts, list):
        texts = [plain.as_mapping(item).get("prompt") for item in prompts]
        # several are weighted against each other: which is the prompt, nothing says
        prompts = texts[0] if len(texts) == 1 else None
    values, unknown = _texts(prompts)
    values |= {
        "tool": "InvokeAI",
        "tool_version": plain.as_text(value.get("app_version")),
        "seed": image.get("seed"),
        "steps": image.get("steps"),
        "guidance": image.get("cfg_scale"),
        "scheduler": image.get("sampler"),
        "model": plain.as_text(value.get("model_weights")),
        "model_hash": plain.as_text(value.get("model_hash")),
        "width": image.get("width"),
        "height": image.get("height"),
    }
    return Reading(source, values, unknown, scale=float("nan") if image.get("upscale") else 1.0)


def read_dream(text: str, source: str) -> Reading:
    """Returns what the command of ``Dream`` states.

    Raises:
        MetadataError: it is no such command
    """
    hit = _DREAM.match(text)
    if len(text) > 200_000 or hit is None:
        raise MetadataError('expected a command as "a prompt" -s 50 -S 1, got another text')
    options = dict(_OPTION.findall(hit[2]))
    values, unknown = _texts(hit[1])
    values |= {
        "tool": "InvokeAI",
        "seed": options.get("S"),
        "steps": options.get("s"),
        "guidance": options.get("C"),
        "scheduler": options.get("A"),
        "width": options.get("W"),
        "height": options.get("H"),
    }
    return Reading(source, values, unknown, scale=float("nan") if "U" in options else 1.0)


def _texts(text: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """In these versions what stands in brackets is the negative prompt."""
    if not isinstance(text, str):
        reason = "it states several prompts with weights, or none"
        return {}, {_TEXT: reason, "negative_prompt": reason}
    if text.count("[") != text.count("]") or re.search(r"\[[^\]]*\[", text):
        reason = "its brackets, which mark the negative prompt, do not pair up"
        return {}, {_TEXT: reason, "negative_prompt": reason}
    negative = [part.strip(" ,") for part in re.findall(r"\[([^\[\]]*)\]", text)]
    positive = " ".join(re.sub(r"\[[^\[\]]*\]", " ", text).split())
    return {_TEXT: positive.strip(" ,") or None, "negative_prompt": ", ".join(filter(None, negative))}, {}
