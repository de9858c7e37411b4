"""The folder that generated images are written to: whole files only, one writer at a time, provenance in each file."""

from __future__ import annotations

import errno
import io
import json
import logging
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from loupe.brain.core.errors import OutputError
from loupe.brain.core.parsing import from_json
from loupe.brain.media.addresses import require_here
from loupe.brain.provenance import xmp

if TYPE_CHECKING:
    from PIL.Image import Image

#: the PNG text chunk that holds what the image was made from, as JSON
METADATA = "loupe"

_LOCK = ".loupe.lock"
_TEMPORARY = re.compile(r"\.[0-9a-f]{32}\.png\.tmp")


def image_path(folder: Path, key: str) -> Path:
    """Returns where the image of that key lies. No user's text is part of it."""
    return folder / f"{key}.png"


@contextmanager
def opened(folder: Path) -> Iterator[None]:
    """Makes the folder, keeps other writers out, and removes what a killed one left half written.

    The lock is the operating system's own, so that it ends with the process, however that ends.

    Raises:
        OutputError: the folder cannot be written, is none of this machine, or another process writes to it
    """
    require_here(folder)
    lock: IO[str] | None = None
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = (folder / _LOCK).open("a+", encoding="utf-8")
        except OSError as error:
            raise writing_error(folder, error) from error
        _take(lock, folder)
        try:
            remove_temporary(folder)
        except OSError as error:
            raise writing_error(folder, error) from error
        yield
    finally:
        if lock is not None:
            lock.close()


def remove_temporary(folder: Path) -> None:
    """Removes what killed processes left half written.

    Raises:
        OSError: it cannot be removed
    """
    for path in folder.iterdir():
        if _TEMPORARY.fullmatch(path.name):
            path.unlink()


def _take(lock: IO[str], folder: Path) -> None:
    try:
        if sys.platform == "win32":
            import msvcrt

            lock.seek(1 << 20)  # beyond the text: a locked byte cannot be read by others
            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
            # some network file systems have no locks
            logging.getLogger("loupe").warning("%s cannot be locked (%s): run one writer at a time", folder, error)
            return
        lock.seek(0)
        owner = lock.read(20).strip()
        raise OutputError(
            f"expected to be the only one that writes to {folder}, but process {owner or 'unknown'} does so now. "
            "Wait until it has ended, or give another output_dir"
        ) from error
    lock.seek(0)
    lock.truncate()
    lock.write(str(os.getpid()))
    lock.flush()


def write(folder: Path, key: str, image: Image, facts: Mapping[str, Any]) -> Path:
    """Writes an image with its provenance, under a temporary name first; returns its path.

    Raises:
        OSError: it cannot be written; then nothing is left of it
    """
    return put(folder, key, encoded(image, facts))


def encoded(image: Image, facts: Mapping[str, Any]) -> bytes:
    """Returns the file of an image with its provenance."""
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text(METADATA, json.dumps(facts))
    info.add_text("parameters", _parameters(facts))
    info.add_itxt(xmp.KEYWORD, xmp.packet(str(facts.get("digital_source_type") or xmp.GENERATED)))
    file = io.BytesIO()
    image.save(file, format="PNG", pnginfo=info)
    return file.getvalue()


def put(folder: Path, key: str, png: bytes) -> Path:
    """Writes the file of an image, under a temporary name first; returns its path.

    Raises:
        OSError: it cannot be written; then nothing is left of it
    """
    path = image_path(folder, key)
    temporary = folder / f".{key}.png.tmp"
    try:
        with temporary.open("wb") as file:
            file.write(png)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        # unlink may fail for the reason that the writing did; the next run removes what is left
        try:
            temporary.unlink(missing_ok=True)
        except OSError:
            logging.getLogger("loupe").debug("left %s", temporary)
        raise
    return path


def size_of(path: Path) -> int | None:
    """Returns the bytes of an image that was written; None where it was taken away since: its sample is added all the
    same, so that it is known what is missing, and the folder may come back.
    """
    try:
        return path.stat().st_size
    except OSError:
        return None


def sync(folder: Path) -> None:
    """Makes the names of the files written so far survive a loss of power, where the system can."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_facts(path: Path, key: str) -> dict[str, Any] | None:
    """Returns the provenance of a whole image that carries that key, else None."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=["PNG"]) as image:
            image.load()
            facts = from_json(image.info.get(METADATA, "null"))
            size = image.size
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError):
        return None
    if not isinstance(facts, dict) or facts.get("key") != key:
        return None
    return {**facts, "width": size[0], "height": size[1]}


def writing_error(folder: Path, error: OSError, kept: str = "") -> OutputError:
    """Returns what is wrong with the folder, and what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        reason, remedy = "the disk is full", "Free some space"
    elif error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        reason, remedy = "it may not be written", "Give it write access, or another output_dir"
    elif error.errno in (errno.EEXIST, errno.ENOTDIR):
        reason, remedy = "there is a file in its place", "Move that file, or give another output_dir"
    else:
        reason, remedy = error.strerror or str(error), "Look into it, or give another output_dir"
    return OutputError(
        f"expected a folder to write images to, but {folder}: {reason}. {kept}{remedy}, and repeat the same call"
        + (", which goes on from there" if kept else "")
    )


def _parameters(facts: Mapping[str, Any]) -> str:
    """Returns the text that other tools for generated images show: prompt, negative prompt, settings."""
    lines = [str(facts["prompt"])]
    if facts.get("negative_prompt"):
        lines.append(f"Negative prompt: {facts['negative_prompt']}")
    settings = {
        "Steps": facts.get("steps"),
        "Sampler": facts.get("scheduler"),
        "CFG scale": facts.get("guidance"),
        "Seed": facts.get("seed"),
        "Size": f"{facts.get('width')}x{facts.get('height')}",
        "Model": facts.get("model"),
    }
    lines.append(", ".join(f"{name}: {value}" for name, value in settings.items() if value is not None))
    return "\n".join(lines)
