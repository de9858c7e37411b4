"""Low-rank adapters (LoRA) on top of a model: safetensors only, each with a weight.

E. J. Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022. diffusers loads them through peft.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loupe.brain.core.errors import InputError, MissingDependency, ModelError
from loupe.brain.core.hashes import file_hash
from loupe.brain.core.records import Record
from loupe.brain.diffusion import weighted
from loupe.brain.diffusion.locating import LOADING
from loupe.brain.diffusion.quiet import quiet

_MAX_WEIGHT = 10.0


@dataclass(frozen=True)
class Lora(Record):
    """One adapter.

    Attributes:
        source: a .safetensors file, a folder with one, or a hub id
        weight: how strongly it counts, in [-10, 10]; 1 as it was trained, 0 not at all
    """

    source: str
    weight: float = 1.0


def parse(text: str) -> tuple[Lora, ...]:
    """Returns the adapters that a text names: ``"details.safetensors:0.8, somebody/style"``.

    Raises:
        InputError: an empty name, a weight that is none, or the same adapter twice

    >>> parse("details.safetensors:0.8, somebody/style")
    (Lora(source='details.safetensors', weight=0.8), Lora(source='somebody/style', weight=1.0))
    """
    made = [Lora(*weighted.split(part, "a LoRA", -_MAX_WEIGHT, _MAX_WEIGHT)) for part in text.split(",")]
    twice = {own.source for own in made if sum(own.source == other.source for other in made) > 1}
    if twice:
        raise InputError(f"expected each LoRA once, got {', '.join(sorted(twice))} twice")
    return tuple(made)


def load(pipeline: Any, adapters: Sequence[Lora], model: str) -> list[str]:
    """Puts adapters on a pipeline; returns for each what changes when its file or its weight does.

    Raises:
        MissingDependency: peft is not installed
        ModelError: no such file, a file in a format that can run code, or one that fits no part of the model
    """
    if importlib.util.find_spec("peft") is None:
        raise MissingDependency("LoRAs need the package peft: pip install 'loupe-fiftyone[lora]'")
    from safetensors import SafetensorError

    names, facts = [], []
    for number, adapter in enumerate(adapters):
        path, name = _file(adapter.source), f"lora_{number}"
        try:
            with quiet():
                pipeline.load_lora_weights(
                    str(path.parent),
                    weight_name=path.name,
                    adapter_name=name,
                    use_safetensors=True,
                    local_files_only=True,
                )
        except (*LOADING, SafetensorError) as error:
            raise ModelError(
                f"{adapter.source} cannot be put on {model}: {type(error).__name__}: {error}"[:500]
            ) from error
        if not any(name in parts for parts in pipeline.get_list_adapters().values()):
            raise ModelError(f"expected a LoRA that fits {model}, got {adapter.source}, which is for none of its parts")
        names.append(name)
        facts.append(f"{path.name} {file_hash(path, 8)}:{adapter.weight:g}")
    pipeline.set_adapters(names, [adapter.weight for adapter in adapters])
    return facts


def _file(source: str) -> Path:
    given = weighted.place(source, "a LoRA")
    if not given.exists() and re.fullmatch(r"[\w.-]+/[\w.-]+", source):
        given = _fetch(source)
    if given.is_dir():
        files = sorted(given.glob("*.safetensors"))
        if len(files) != 1:
            raise ModelError(f"expected one .safetensors file in {given}, got {len(files)}: name the file itself")
        return files[0]
    if not given.is_file():
        raise ModelError(f"expected a LoRA as a .safetensors file, a folder with one, or a hub id, got {source!r}")
    if given.suffix != ".safetensors":
        raise ModelError(
            f"expected a LoRA as .safetensors, got {given.name}: other formats can run code when they are loaded"
        )
    return given


def _fetch(source: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(source, allow_patterns="*.safetensors"))
    except LOADING as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        raise ModelError(
            f"expected the LoRA {source!r} in the hub's cache or on the hub, got neither ({reason})"
        ) from error
