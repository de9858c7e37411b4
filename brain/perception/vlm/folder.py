"""Finds the folder of an image-text-to-text model, and refuses one that could run code when loaded."""

from __future__ import annotations

import re
from pathlib import Path

from loupe.brain.core.errors import ModelError
from loupe.brain.core.hashes import file_hash, parts_hash

#: the VLM where none is named, Apache-2.0
DEFAULT = "Qwen/Qwen3-VL-2B-Instruct"
_CONFIG = "config.json"
_PICKLES = {".bin", ".ckpt", ".pt", ".pth", ".pkl"}
# what transformers reads of a model that holds safetensors; nothing else is fetched, nothing else is hashed
_READ = {".json", ".txt", ".model", ".jinja", ".safetensors"}


def is_here(model: str = DEFAULT) -> bool:
    """Returns whether a model is a folder here, or its weights lie in the hub's cache; asks no network."""
    if Path(model).expanduser().is_dir():
        return True
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return False
    config = try_to_load_from_cache(model, _CONFIG) if model.count("/") == 1 else None
    return isinstance(config, str) and any(Path(config).parent.glob("*.safetensors"))


def locate(model: str, revision: str | None = None) -> tuple[Path, str]:
    """Returns the model's folder, and a fingerprint that changes when anything in it does.

    Args:
        model: a local folder in transformers' format, or a hub id; ``HF_HUB_OFFLINE`` is honoured
        revision: of a hub id: a branch, a tag or a commit; its main branch if None

    Raises:
        ModelError: there is no such model, or its weights are not safetensors

    >>> locate("Qwen/Qwen3-VL-2B-Instruct")  # doctest: +SKIP
    (PosixPath('.../snapshots/<commit>'), 'hub:<commit>')
    """
    if not isinstance(model, str) or not model.strip() or "\0" in model:
        raise ModelError(f"expected the name of a model, got {model!r}")
    folder = Path(model).expanduser()
    if folder.is_dir():
        if revision is not None:
            raise ModelError(f"expected no revision of a local folder, got {revision!r} for {folder}")
        _refuse_unsafe(folder, model)
        return folder, _fingerprint(folder)
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", model):
        raise ModelError(
            f"expected a model folder or a hub id such as 'Qwen/Qwen3-VL-2B-Instruct', got {model!r}, and there is no "
            "such folder"
        )
    folder = _fetch(model, revision)
    _refuse_unsafe(folder, model)
    # the hub's cache keeps each commit in a folder of its name
    return folder, f"hub:{folder.name}"


def _fetch(model: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(model, revision=revision, allow_patterns=[f"*{suffix}" for suffix in _READ]))
    # the hub's client raises what it likes for a missing name, revision or connection
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        raise ModelError(
            f"expected the model {model!r}{f' at {revision!r}' if revision else ''} in the hub's local cache or on the "
            f"hub, got neither ({reason}). Check the name; offline, fetch it where there is a network with `hf "
            f"download {model}`, and copy the cache ($HF_HOME) here, or copy the model's folder and name that"
        ) from error


def _refuse_unsafe(folder: Path, model: str) -> None:
    files = [path for path in folder.iterdir() if path.is_file()]
    contents = ", ".join(sorted(path.name for path in files)[:8]) or "nothing"
    if not (folder / _CONFIG).is_file():
        raise ModelError(f"{model}: expected a folder in transformers' format with {_CONFIG}, got {contents}")
    suffixes = {path.suffix for path in files}
    if ".safetensors" in suffixes:
        return
    pickled = ", ".join(sorted(suffixes & _PICKLES))
    if pickled:
        raise ModelError(
            f"{model}: expected weights as safetensors, got {pickled} only, which can run code when loaded. Where you "
            "trust it, convert it: model.save_pretrained(folder)"
        )
    raise ModelError(f"{model}: expected weights as safetensors, got {contents}")


def _fingerprint(folder: Path) -> str:
    """Returns a hash of the names and contents of the files that transformers may read: 32 hexadecimal digits."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix in _READ and path.is_file())
        return parts_hash(f"{path.name}\0{file_hash(path)}\0" for path in paths)
    except OSError as error:
        raise ModelError(f"{folder}: expected a readable model folder: {error}") from error
