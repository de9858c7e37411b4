"""Text-to-image diffusion models through diffusers: any hub id or local folder, and the embedded ``tiny-signs``."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import re
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from loupe.brain.core.errors import InputError, ModelError
from loupe.brain.core.records import Request
from loupe.brain.core.specs import Generator, GeneratorSession, param

if TYPE_CHECKING:
    from PIL.Image import Image

#: where the embedded checkpoints lie
MODELS = Path(__file__).resolve().parents[2] / "models"

_INDEX = "model_index.json"
# what a foreign folder or a foreign file in it can make diffusers, transformers and json raise
_LOADING = (OSError, ValueError, TypeError, KeyError, AttributeError, RuntimeError, ImportError)
_PICKLES = {".bin", ".ckpt", ".pt", ".pth", ".pkl"}
_READ = {".json", ".txt", ".model", ".safetensors", ".jinja"}


@dataclass(frozen=True)
class Diffusion(Generator):
    """Diffusion model.

    The image of a request depends on the model, the prompts, the seed and the settings, and on nothing else: not on the
    batch size, nor on what is drawn beside it. To the last bit that is only so when the networks always see inputs of
    one shape (kernels sum in another order for other shapes: measured on a CPU, one value in each of two of 24 images
    came out differently in batches of 3, 8, 16 and 24 than alone). So the model draws ``images_per_call`` images at
    once, one if nothing else is said, and a shorter rest is filled up; ``batch_size`` only says how many images lie
    between two reports.

    Only safetensors weights are loaded, and no code that comes with a model is run. ``HF_HUB_OFFLINE`` is honoured.
    A local folder may hold a ``loupe.json`` with its own defaults: ``{"steps": 20, "guidance": 3.0, "width": 96,
    "height": 32, "images_per_call": 8}``.

    >>> session = Diffusion("tiny-signs", steps=10).load("cpu")  # doctest: +SKIP
    >>> session.draw([Request('a red sign that says "42", day, clear', seed=1)])[0].size  # doctest: +SKIP
    (96, 32)
    """

    name: ClassVar[str] = "diffusion"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "https://huggingface.co/docs/diffusers"
    license: ClassVar[str] = "Apache-2.0"

    model: str = param("tiny-signs", "A hub id, a local folder in diffusers' format, or tiny-signs, which is built in.")
    steps: int | None = param(None, "Denoising steps; the model's own number if empty.", low=1, high=1000)
    guidance: float | None = param(
        None, "How strongly the prompt is followed; the model's own number if empty.", low=0, high=100
    )
    width: int | None = param(None, "Width in pixels, a multiple of 8; the model's own if empty.", low=8, high=8192)
    height: int | None = param(None, "Height in pixels, a multiple of 8; the model's own if empty.", low=8, high=8192)
    dtype: str = param(
        "auto",
        "Number format of the weights; auto is float32 on a CPU and 16 bits on a GPU.",
        choices=("auto", "float32", "float16", "bfloat16"),
    )
    batch_size: int = param(16, "Images between two progress reports; changes no pixel.", low=1, high=1024)
    images_per_call: int | None = param(
        None,
        "Images drawn at once; more can be faster, and is another setting. The model's own if empty.",
        low=1,
        high=256,
    )

    def load(self, device: str) -> GeneratorSession:
        """Returns the loaded model; its images' ``info`` has ``prompt_truncated``, and ``nsfw`` from a safety checker.

        Raises:
            InputError: a setting is out of its bounds
            ModelError: the model cannot be loaded
        """
        import torch

        self._check()
        folder, fingerprint = _locate(self.model)
        index = _read_index(folder, self.model)
        kind = torch.device(device).type
        dtype = self.dtype if self.dtype != "auto" else _dtype_for(kind, index)
        pipe = _load(folder, self.model, dtype, device)
        call = inspect.signature(pipe.__call__).parameters
        own = _own_defaults(folder)
        size = _own_size(folder)
        at_once = self.images_per_call or own.get("images_per_call") or 1
        settings = {
            "num_inference_steps": _first(self.steps, own.get("steps"), _default(call, "num_inference_steps")),
            "guidance_scale": _first(self.guidance, own.get("guidance"), _default(call, "guidance_scale")),
            "width": _first(self.width, own.get("width"), size[0]),
            "height": _first(self.height, own.get("height"), size[1]),
        }
        facts = {
            "model": folder.name if Path(self.model).is_dir() else self.model,
            "fingerprint": fingerprint,
            "steps": settings["num_inference_steps"],
            "guidance": None if settings["guidance_scale"] is None else float(settings["guidance_scale"]),
            "width": settings["width"],
            "height": settings["height"],
            "scheduler": type(pipe.scheduler).__name__,
            "dtype": dtype,
            "device": kind,
            "images_per_call": at_once,
        }
        settings = {key: value for key, value in settings.items() if value is not None and key in call}
        warned: set[str] = set()

        def draw(requests: Sequence[Request]) -> list[Image]:
            if "negative_prompt" not in call and any(request.negative_prompt for request in requests):
                raise InputError(f"{self.model} takes no negative prompt: leave it out")
            images: list[Image] = []
            with _quiet():
                for start in range(0, len(requests), at_once):
                    images += _draw(pipe, requests[start : start + at_once], at_once, self.model, settings)
            if any(image.info["prompt_truncated"] for image in images) and not warned:
                warned.add("truncated")
                warnings.warn(
                    f"a prompt is longer than {self.model} reads: the rest of it is left out "
                    "(generation.prompt_truncated says where)",
                    stacklevel=2,
                )
            return images

        return GeneratorSession(facts=facts, draw=draw, batch_size=self.batch_size)

    def price(self) -> float:
        """Returns 0: it is drawn on one's own machine."""
        return 0.0

    def _check(self) -> None:
        for field in fields(self):
            name, value = field.name, getattr(self, field.name)
            low, high = field.metadata["low"], field.metadata["high"]
            if field.metadata["choices"] and value not in field.metadata["choices"]:
                raise InputError(f"expected {name} to be one of {', '.join(field.metadata['choices'])}, got {value!r}")
            if low is None or (value is None and field.default is None):
                continue
            kinds = (int, float) if name == "guidance" else (int,)
            if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
                raise InputError(f"expected {name} to be a number from {low} to {high}, got {value!r}")
            if name in ("width", "height") and value % 8:
                raise InputError(f"expected {name} to be a multiple of 8, got {value}. Near is {round(value / 8) * 8}")


def _draw(pipe: Any, requests: Sequence[Request], at_once: int, model: str, settings: dict[str, Any]) -> list[Image]:
    import torch

    # always the same shape, see the class; what is filled up is thrown away
    filled = [*requests, *[requests[-1]] * (at_once - len(requests))]
    extra: dict[str, Any] = {}
    if any(request.negative_prompt for request in requests):
        extra["negative_prompt"] = [request.negative_prompt for request in filled]
    try:
        output = pipe(
            prompt=[request.prompt for request in filled],
            # noise from the CPU is the same noise on every device
            generator=[torch.Generator("cpu").manual_seed(request.seed) for request in filled],
            output_type="pil",
            **settings,
            **extra,
        )
    except torch.OutOfMemoryError as error:
        raise ModelError(
            f"{model} does not fit into the memory of {pipe.device}: choose a smaller width and height, "
            "images_per_call=1, or dtype='float16'"
        ) from error
    except (ValueError, RuntimeError) as error:
        raise ModelError(f"{model} cannot draw with {settings}: {error}"[:1000]) from error
    flagged = output.get("nsfw_content_detected")
    images = []
    for position, request in enumerate(requests):
        image = output.images[position].convert("RGB")
        image.info = {"prompt_truncated": _is_truncated(pipe, request)}
        if flagged is not None:
            image.info["nsfw"] = bool(flagged[position])
        images.append(image)
    return images


def _is_truncated(pipe: Any, request: Request) -> bool:
    """Returns whether every text encoder gets less than the whole of one of the prompts."""
    tokenizers = [part for name, part in pipe.components.items() if name.startswith("tokenizer") and part is not None]
    return any(
        bool(tokenizers) and all(len(part(text).input_ids) > part.model_max_length for part in tokenizers)
        for text in (request.prompt, request.negative_prompt)
    )


def _locate(model: str) -> tuple[Path, str]:
    """Returns the model's folder, and what changes when anything in it does."""
    given = Path(model).expanduser()
    if not model.strip() or "\0" in model:
        raise ModelError(f"expected the name of a model, got {model!r}")
    if model == "tiny-signs" and not given.is_dir():
        given = MODELS / model
        if not (given / _INDEX).is_file():
            raise ModelError(
                f"expected the built-in model tiny-signs in {given}, got nothing: install Loupe again, or name another "
                "model: a hub id or a folder"
            )
    if given.is_dir():
        if not (given / _INDEX).is_file():
            contents = ", ".join(sorted(path.name for path in given.iterdir())[:8]) or "an empty folder"
            raise ModelError(
                f"expected a model folder in diffusers' format with {_INDEX} in {given}, got {contents}. Name the "
                "folder that holds it, or write one with pipeline.save_pretrained(folder)"
            )
        return given, _fingerprint(given)
    if given.is_file():
        raise ModelError(
            f"expected a model folder with {_INDEX}, got the file {given}. Load it once with diffusers' "
            "StableDiffusionPipeline.from_single_file(file), pipeline.save_pretrained(folder), and name that folder"
        )
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", model):
        raise ModelError(
            f"expected a model folder, a hub id such as 'stabilityai/stable-diffusion-xl-base-1.0', or 'tiny-signs', "
            f"got {model!r}, and there is no such folder"
        )
    return _fetch(model)


def _fetch(model: str) -> tuple[Path, str]:
    from diffusers import DiffusionPipeline

    try:
        with _quiet():
            folder = Path(DiffusionPipeline.download(model, use_safetensors=True, trust_remote_code=False))
    except _LOADING as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        raise ModelError(
            f"expected the model {model!r} in the hub's local cache or on the hub, got neither ({reason}). Check the "
            f"name; offline, fetch it where there is a network with `hf download {model}`, and copy the cache "
            "($HF_HOME) here, or copy the model's folder and name that"
        ) from error
    # the cache keeps each commit in a folder of its name
    return folder, f"hub:{folder.name}"


def _fingerprint(folder: Path) -> str:
    """Returns a hash of the names and contents of the files that diffusers may read: 32 hexadecimal digits."""
    paths = [folder / _INDEX, *folder.glob("*/**/*")]
    files = sorted(path for path in paths if path.suffix in _READ and path.is_file())

    def digest(path: Path) -> str:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()

    try:
        with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
            listing = [
                [path.relative_to(folder).as_posix(), sum_]
                for path, sum_ in zip(files, pool.map(digest, files), strict=True)
            ]
    except OSError as error:
        raise ModelError(f"{folder}: expected a readable model folder: {error}") from error
    return hashlib.blake2b(json.dumps(listing).encode(), digest_size=16).hexdigest()


def _read_index(folder: Path, model: str) -> dict[str, Any]:
    index = _read_json(folder / _INDEX)
    if not isinstance(index, dict) or not isinstance(index.get("_class_name"), str):
        raise ModelError(f"{folder / _INDEX}: expected a JSON object that names its pipeline as _class_name")
    for name, value in index.items():
        if not (isinstance(value, list) and len(value) == 2 and isinstance(value[0], str)):
            continue
        part = folder / name
        files = {path.suffix for path in part.iterdir()} if part.is_dir() else set()
        if ".py" in files:
            raise ModelError(f"{model}: {name} brings code of its own, which Loupe does not run")
        if files & _PICKLES and ".safetensors" not in files:
            raise ModelError(
                f"{model}: expected {name} as safetensors, got {', '.join(sorted(files & _PICKLES))} only, which can "
                "run code when loaded. Where you trust it, convert it: pipeline.save_pretrained(folder)"
            )
    return index


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: expected readable JSON: {error}") from error


def _own_defaults(folder: Path) -> dict[str, Any]:
    path = folder / "loupe.json"
    own = _read_json(path) if path.is_file() else {}
    kinds: dict[str, Any] = {
        "steps": int,
        "guidance": (int, float),
        "width": int,
        "height": int,
        "images_per_call": int,
    }
    if not isinstance(own, dict) or not all(isinstance(own.get(name, 1), kind) for name, kind in kinds.items()):
        raise ModelError(f"{path}: expected a JSON object with the numbers {', '.join(kinds)}")
    return {name: own[name] for name in kinds if name in own}


def _own_size(folder: Path) -> tuple[int | None, int | None]:
    """Returns the (width, height) that the model was made for, where its folder says so."""
    parts = (folder / "unet" / "config.json", folder / "vae" / "config.json")
    if not all(part.is_file() for part in parts):
        return None, None
    unet, vae = map(_read_json, parts)
    sample, blocks = unet.get("sample_size"), vae.get("block_out_channels")
    height, width = sample if isinstance(sample, list) and len(sample) == 2 else (sample, sample)
    if not (isinstance(width, int) and isinstance(height, int) and isinstance(blocks, list) and blocks):
        return None, None
    scale = 2 ** (len(blocks) - 1)
    return width * scale, height * scale


def _dtype_for(kind: str, index: dict[str, Any]) -> str:
    if kind != "cuda":
        return "float32"
    # diffusion transformers are trained in bfloat16 and overflow in float16; U-Nets lose fewer bits in float16
    return "bfloat16" if "transformer" in index else "float16"


def _load(folder: Path, model: str, dtype: str, device: str) -> Any:
    import torch
    from diffusers import AutoPipelineForText2Image
    from safetensors import SafetensorError

    try:
        with _quiet():
            pipe = AutoPipelineForText2Image.from_pretrained(
                str(folder),
                dtype=getattr(torch, dtype),
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
            ).to(device)
    except (*_LOADING, SafetensorError) as error:
        raise ModelError(
            f"expected a text-to-image model in diffusers' format, and {model} cannot be loaded as one: "
            f"{type(error).__name__}: {error}"[:1000]
        ) from error
    pipe.set_progress_bar_config(disable=True)
    return pipe


def _default(call: Any, name: str) -> Any:
    parameter = call.get(name)
    return None if parameter is None or parameter.default is inspect.Parameter.empty else parameter.default


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silences the bars and warnings of diffusers and transformers, and puts their settings back."""
    import diffusers.utils.logging
    import transformers.utils.logging

    rooms = (diffusers.utils.logging, transformers.utils.logging)
    before = [(room.get_verbosity(), room.is_progress_bar_enabled()) for room in rooms]
    try:
        for room in rooms:
            room.set_verbosity_error()
            room.disable_progress_bar()
        yield
    finally:
        for room, (verbosity, bars) in zip(rooms, before, strict=True):
            room.set_verbosity(verbosity)
            if bars:
                room.enable_progress_bar()
