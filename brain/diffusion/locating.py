"""Where a model lies, what changes when anything in it does, and that nothing in it may run as code."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from loupe.brain.core import machine
from loupe.brain.core.errors import ModelError
from loupe.brain.core.hashes import file_hash, json_hash
from loupe.brain.core.parsing import from_json
from loupe.brain.diffusion.quiet import quiet

#: where the embedded checkpoints lie
MODELS = Path(__file__).resolve().parents[2] / "models"
#: what a foreign folder or a foreign file in it can make diffusers, transformers and json raise
LOADING = (OSError, ValueError, TypeError, KeyError, AttributeError, RuntimeError, ImportError)

_INDEX = "model_index.json"
_PICKLES = {".bin", ".ckpt", ".pt", ".pth", ".pkl"}
_READ = {".json", ".txt", ".model", ".safetensors", ".jinja"}


def locate(model: str) -> tuple[Path, str]:
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
        with quiet():
            folder = Path(DiffusionPipeline.download(model, use_safetensors=True, trust_remote_code=False))
    except LOADING as error:
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

    try:
        with ThreadPoolExecutor(min(4, machine.cores())) as pool:
            listing = [
                [path.relative_to(folder).as_posix(), sum_]
                for path, sum_ in zip(files, pool.map(file_hash, files), strict=True)
            ]
    except OSError as error:
        raise ModelError(f"{folder}: expected a readable model folder: {error}") from error
    return json_hash(listing)


def read_index(folder: Path, model: str) -> dict[str, Any]:
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
        return from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: expected readable JSON: {error}") from error


def own_defaults(folder: Path) -> dict[str, Any]:
    path = folder / "loupe.json"
    own = _read_json(path) if path.is_file() else {}
    kinds: dict[str, Any] = {
        "steps": int,
        "guidance": (int, float),
        "width": int,
        "height": int,
        "images_per_call": int,
        "family": str,
        "license": str,
    }
    if not isinstance(own, dict) or not all(isinstance(own[name], kind) for name, kind in kinds.items() if name in own):
        raise ModelError(
            f"{path}: expected a JSON object with the numbers steps, guidance, width, height and images_per_call, and "
            f"the texts family and license, as far as it has them, got {str(own)[:200]}"
        )
    return {name: own[name] for name in kinds if name in own}


def own_size(folder: Path) -> tuple[int | None, int | None]:
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
