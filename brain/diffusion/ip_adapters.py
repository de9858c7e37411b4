"""An IP-Adapter on a model: the image takes over the look of a picture beside the prompt.

H. Ye, J. Zhang, S. Liu, X. Han & W. Yang, "IP-Adapter: Text Compatible Image Prompt Adapter for Text-to-Image Diffusion
Models", 2023, https://arxiv.org/abs/2308.06721. Its file holds attention of its own; an image encoder, which lies in a
folder ``image_encoder`` beside it or above it, reads the picture. Only safetensors are loaded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loupe.brain.core.errors import InputError, ModelError
from loupe.brain.core.records import Record
from loupe.brain.diffusion import weighted
from loupe.brain.diffusion.locating import LOADING
from loupe.brain.diffusion.quiet import quiet

_MAX_SCALE = 2.0
_ENCODER = "image_encoder"


@dataclass(frozen=True)
class IpAdapter(Record):
    """What is put on a model.

    Attributes:
        source: a .safetensors file with a folder image_encoder beside or above it; or one in a hub repository, as
            ``"owner/name/folder/file.safetensors"``
        scale: how much it counts, in [0, 2]; 1: as much as the prompt, 0: not at all
    """

    source: str
    scale: float = 1.0


def parse(text: str) -> IpAdapter:
    """Returns the IP-Adapter that a text names: ``"folder/file.safetensors:0.6"``.

    Raises:
        InputError: an empty name, or a scale that is none or outside of [0, 2]

    >>> parse("h94/IP-Adapter/models/ip-adapter_sd15.safetensors:0.6")
    IpAdapter(source='h94/IP-Adapter/models/ip-adapter_sd15.safetensors', scale=0.6)
    """
    return IpAdapter(*weighted.split(text, "an IP-Adapter", 0, _MAX_SCALE))


def put_on(pipeline: Any, given: IpAdapter, model: str, dtype: Any) -> str:
    """Puts an IP-Adapter on a pipeline; returns what of it decides pixels.

    Args:
        pipeline: of diffusers, not placed on a device yet
        given: the IP-Adapter
        model: its name, for errors
        dtype: of torch, of the weights

    Raises:
        InputError: the model's family has none
        ModelError: no such file, weights that can run code, no image encoder, or an IP-Adapter of another family
    """
    from safetensors import SafetensorError

    if not hasattr(pipeline, "load_ip_adapter") or not hasattr(pipeline, _ENCODER):
        raise InputError(
            f"expected a model of a family that diffusers has IP-Adapters for (StableDiffusion, StableDiffusionXL, "
            f"StableDiffusion3, Flux), got {model}, a {type(pipeline).__name__}: leave ip_adapter out, or name another "
            "model"
        )
    path, encoder = _locate(given.source)
    try:
        with quiet():
            pipeline.register_modules(**_read_by(encoder, pipeline, dtype))
            pipeline.load_ip_adapter(str(path.parent), subfolder="", weight_name=path.name, local_files_only=True)
            pipeline.set_ip_adapter_scale(given.scale)
    except (*LOADING, SafetensorError) as error:
        raise ModelError(
            f"expected an IP-Adapter that fits {model}, and {given.source} cannot be put on it: "
            f"{type(error).__name__}: {error}"[:500]
        ) from error
    fingerprint = weighted.digest([path, *sorted(file for file in encoder.iterdir() if file.suffix in _READ)])
    return f"IP-Adapter {path.name} {fingerprint}:{given.scale:g}"


_READ = {".json", ".safetensors"}


def _locate(source: str) -> tuple[Path, Path]:
    """Returns the file of an IP-Adapter, and the folder of its image encoder."""
    given = weighted.place(source, "an IP-Adapter")
    hub = re.fullmatch(r"([\w.-]+/[\w.-]+)/((?:[\w.-]+/)*[\w.-]+\.safetensors)", source)
    if not given.exists() and hub:
        given = _fetch(*hub.groups())
    if not given.is_file():
        raise ModelError(
            f"expected an IP-Adapter as a .safetensors file, or as owner/name/folder/file.safetensors of the hub, got "
            f"{source!r}"
        )
    if given.suffix != ".safetensors":
        raise ModelError(
            f"expected an IP-Adapter as .safetensors, got {given.name}: other formats can run code when they are loaded"
        )
    encoder = next((path for path in (given.parent / _ENCODER, given.parent.parent / _ENCODER) if path.is_dir()), None)
    if encoder is None or not any(encoder.glob("*.safetensors")):
        raise ModelError(
            f"expected a folder {_ENCODER} with safetensors weights beside {given.name} or above it, got none: the "
            "IP-Adapter reads pictures by it"
        )
    return given, encoder


def _fetch(repository: str, file: str) -> Path:
    from huggingface_hub import snapshot_download

    folder = Path(file).parent
    patterns = [file]
    for place in {folder, folder.parent}:
        patterns += [(place / _ENCODER / kind).as_posix() for kind in ("*.json", "*.safetensors")]
    try:
        return Path(snapshot_download(repository, allow_patterns=patterns)) / file
    except LOADING as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        raise ModelError(
            f"expected {file} of {repository!r} in the hub's cache or on the hub, got neither ({reason})"
        ) from error


def _read_by(encoder: Path, pipeline: Any, dtype: Any) -> dict[str, Any]:
    """Returns the parts that read a picture: Stable Diffusion 3 has SigLIP, others CLIP."""
    import transformers

    sigmoid = type(pipeline).__name__.startswith("StableDiffusion3")
    kind = transformers.SiglipVisionModel if sigmoid else transformers.CLIPVisionModelWithProjection
    network = kind.from_pretrained(str(encoder), use_safetensors=True, local_files_only=True, dtype=dtype)
    own = transformers.SiglipImageProcessor if sigmoid else transformers.CLIPImageProcessor
    if not sigmoid and getattr(pipeline, "feature_extractor", None) is not None:
        return {_ENCODER: network.eval()}  # that of the safety checker, as diffusers has it
    if (encoder / "preprocessor_config.json").is_file():
        reads = own.from_pretrained(str(encoder), local_files_only=True)
    else:
        side = network.config.image_size
        reads = own(size={"height": side, "width": side}) if sigmoid else own(size=side, crop_size=side)
    return {_ENCODER: network.eval(), "feature_extractor": reads}
