"""A ControlNet beside a model: a second network that makes the image keep to edges, a pose, depth.

L. Zhang, A. Rao & M. Agrawala, "Adding Conditional Control to Text-to-Image Diffusion Models", ICCV 2023,
https://arxiv.org/abs/2302.05543. diffusers has a pipeline for it in the families of ``FAMILIES``; it draws on the same
weights. Only safetensors are loaded, and no code that comes with them is run.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loupe.brain.core.errors import InputError, ModelError
from loupe.brain.core.parsing import from_json
from loupe.brain.core.records import Record
from loupe.brain.diffusion import weighted
from loupe.brain.diffusion.locating import LOADING
from loupe.brain.diffusion.quiet import quiet

_MAX_SCALE = 2.0
_CONFIG = "config.json"


@dataclass(frozen=True)
class ControlNet(Record):
    """What is put beside a model.

    Attributes:
        source: a folder in diffusers' format, or a hub id
        scale: how much it counts, in [0, 2]; 1 as it was trained, 0 not at all
    """

    source: str
    scale: float = 1.0


@dataclass(frozen=True)
class Family:
    """How a family is controlled.

    Attributes:
        network: the class of its ControlNets
        pipeline: the class that draws with one
        alike: what the configurations of both networks have to agree in, as far as both have it
    """

    network: str
    pipeline: str
    alike: tuple[str, ...]


_UNET = ("cross_attention_dim", "addition_embed_type", "block_out_channels")
_TRANSFORMER = ("num_attention_heads", "attention_head_dim", "joint_attention_dim", "cross_attention_dim")
#: by the class of the model's pipeline
FAMILIES = {
    "StableDiffusionPipeline": Family("ControlNetModel", "StableDiffusionControlNetPipeline", _UNET),
    "StableDiffusionInpaintPipeline": Family("ControlNetModel", "StableDiffusionControlNetInpaintPipeline", _UNET),
    "StableDiffusionXLPipeline": Family("ControlNetModel", "StableDiffusionXLControlNetPipeline", _UNET),
    "StableDiffusion3Pipeline": Family("SD3ControlNetModel", "StableDiffusion3ControlNetPipeline", _TRANSFORMER),
    "FluxPipeline": Family("FluxControlNetModel", "FluxControlNetPipeline", (*_TRANSFORMER, "in_channels")),
    "QwenImagePipeline": Family("QwenImageControlNetModel", "QwenImageControlNetPipeline", _TRANSFORMER),
    "SanaPipeline": Family("SanaControlNetModel", "SanaControlNetPipeline", _TRANSFORMER),
}
# what marks a network that takes more than a control picture
_FURTHER = {
    "num_mode": "a union of several kinds, which has to be told which",
    "extra_conditioning_channels": "one for inpainting, which takes a mask beside the control",
    "extra_condition_channels": "one for inpainting, which takes a mask beside the control",
}


def parse(text: str) -> ControlNet:
    """Returns the ControlNet that a text names: ``"folder-or-hub-id:0.8"``.

    Raises:
        InputError: an empty name, or a scale that is none or outside of [0, 2]

    >>> parse("lllyasviel/sd-controlnet-openpose:0.8")
    ControlNet(source='lllyasviel/sd-controlnet-openpose', scale=0.8)
    """
    return ControlNet(*weighted.split(text, "a ControlNet", 0, _MAX_SCALE))


def put_beside(pipeline: Any, given: ControlNet, model: str, dtype: Any) -> tuple[Any, str]:
    """Returns the pipeline that draws with a ControlNet on a pipeline's weights, and what of it decides pixels.

    Args:
        pipeline: of diffusers, not placed on a device yet
        given: the ControlNet
        model: its name, for errors
        dtype: of torch, of the weights

    Raises:
        InputError: the model's family has no ControlNet
        ModelError: no such folder, weights that can run code, broken ones, or a ControlNet of another family
    """
    kind = type(pipeline).__name__
    family = FAMILIES.get(kind)
    if family is None:
        known = ", ".join(sorted({name.removesuffix("Pipeline").removesuffix("Inpaint") for name in FAMILIES}))
        raise InputError(
            f"expected a model of a family that diffusers has ControlNets for ({known}), got {model}, a {kind}: leave "
            "controlnet out, or name another model"
        )
    folder, fingerprint = _locate(given.source)
    config = _config(folder, given.source)
    _require_fit(pipeline, family, config, given.source, model)
    network = _load(folder, family, given.source, dtype)
    import diffusers

    made = _made(getattr(diffusers, family.pipeline), pipeline, network)
    return made, f"ControlNet {folder.name} {fingerprint}:{given.scale:g}"


def _locate(source: str) -> tuple[Path, str]:
    """Returns the folder of a ControlNet, and what changes when anything in it does."""
    given = weighted.place(source, "a ControlNet")
    hub = not given.exists() and re.fullmatch(r"[\w.-]+/[\w.-]+", source)
    if hub:
        given = _fetch(source)
    if not (given / _CONFIG).is_file():
        what = "a file" if given.is_file() else "a folder without" if given.is_dir() else "nothing"
        raise ModelError(
            f"expected a ControlNet in diffusers' format, a folder with {_CONFIG} or a hub id, got {source!r}: {what}"
        )
    files = sorted(given.glob("*.safetensors"))
    if not files:
        pickled = sorted({path.suffix for path in given.iterdir()} & {".bin", ".ckpt", ".pt", ".pth", ".pkl"})
        got = f"{', '.join(pickled)} only, which can run code when loaded" if pickled else "no weights"
        raise ModelError(f"expected the ControlNet {source} as safetensors, got {got}: save it with save_pretrained")
    return given, f"hub:{given.name}" if hub else weighted.digest([given / _CONFIG, *files])


def _fetch(source: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(source, allow_patterns=[_CONFIG, "diffusion_pytorch_model*.safetensors*"]))
    except LOADING as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        raise ModelError(
            f"expected the ControlNet {source!r} in the hub's cache or on the hub, got neither ({reason})"
        ) from error


def _config(folder: Path, source: str) -> dict[str, Any]:
    try:
        config = from_json((folder / _CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{source}: expected readable JSON in {_CONFIG}: {error}") from error
    if not isinstance(config, dict) or not isinstance(config.get("_class_name"), str):
        raise ModelError(f"{source}: expected {_CONFIG} of a ControlNet, which names its _class_name")
    return config


def _require_fit(pipeline: Any, family: Family, config: dict[str, Any], source: str, model: str) -> None:
    kind = config["_class_name"]
    if kind != family.network:
        raise ModelError(
            f"expected a ControlNet for {model}, a {family.network}, got {source}, a {kind}: name one of its family"
        )
    for key, what in _FURTHER.items():
        if config.get(key):
            raise ModelError(f"expected a ControlNet of one kind, got {source}, {what}: name another")
    own = getattr(pipeline, "unet", None) or pipeline.transformer
    for key in family.alike:
        ours, theirs = own.config.get(key), config.get(key)
        ours = list(ours) if isinstance(ours, tuple) else ours
        absent = key != "addition_embed_type" and None in (ours, theirs)
        if key in config and not absent and ours != theirs:
            raise ModelError(
                f"expected a ControlNet for {model}, whose {key} is {ours}, got {source}, made for another family with "
                f"{theirs}: name one of its family"
            )


def _load(folder: Path, family: Family, source: str, dtype: Any) -> Any:
    import diffusers
    from safetensors import SafetensorError

    try:
        with quiet():
            return getattr(diffusers, family.network).from_pretrained(
                str(folder), use_safetensors=True, local_files_only=True, dtype=dtype
            )
    except (*LOADING, SafetensorError) as error:
        raise ModelError(
            f"expected a ControlNet in diffusers' format, and {source} cannot be loaded as one: "
            f"{type(error).__name__}: {error}"[:500]
        ) from error


def _made(kind: Any, pipeline: Any, network: Any) -> Any:
    """Returns a pipeline of a class with the parts of another one; ``from_pipe`` would change their number format."""
    parts = {**pipeline.components, **pipeline.config, "controlnet": network}
    known = inspect.signature(kind.__init__).parameters
    held = {name: value for name, value in pipeline.components.items() if name in known}
    settings = {name: parts[name] for name in known if name in parts and name not in held}
    with quiet():
        made = kind(**{**settings, **held})
    made.register_to_config(_name_or_path=pipeline.config.get("_name_or_path"))
    made.set_progress_bar_config(disable=True)
    return made


@contextmanager
def without_chance(pipeline: Any) -> Iterator[None]:
    """Encodes a control picture to the middle of its distribution where a pipeline would draw from it without a seed.

    Stable Diffusion 3's does: its image would depend on what was drawn before.
    """
    if type(pipeline).__name__ != "StableDiffusion3ControlNetPipeline":
        yield
        return
    encode = pipeline.vae.encode
    pipeline.vae.encode = lambda pixels: _Certain(encode(pixels).latent_dist)
    try:
        yield
    finally:
        del pipeline.vae.encode


class _Certain:
    """What an encoder says of a picture, of which each draw is the middle."""

    def __init__(self, distribution: Any) -> None:
        self._distribution = distribution

    @property
    def latent_dist(self) -> _Certain:
        return self

    def sample(self) -> Any:
        return self._distribution.mode()
