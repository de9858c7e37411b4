"""The folder that images are imported from: on this machine, or in a bucket, of which a part at a time is fetched."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePath, PurePosixPath
from urllib.parse import unquote

from loupe.brain.core.errors import InputError, PromptError, ReadError
from loupe.brain.core.hashes import hex_hash
from loupe.brain.imaging.files import opened
from loupe.brain.media import fetching
from loupe.brain.media.addresses import Address, address_of, parsed, shown
from loupe.brain.provenance import sidecars

_THREADS, _THREADS_ELSEWHERE = 8, 32
#: bytes of a name in a folder, at most
_MAX_NAME = 255


@dataclass
class Folder:
    """A folder of images.

    Attributes:
        name: as it is told
        root: where its files lie, or where they are put for as long as they are looked at
        files: the images, in order
        beside: the files that may lie beside them
        address: of the folder, where it is in a bucket
        errors: why some of it is left out, by file
        elsewhere: images that a table names by their addresses, wherever the folder is
        aside: where those are put for as long as they are looked at
    """

    name: str
    root: Path
    files: list[Path] = field(default_factory=list)
    beside: set[Path] = field(default_factory=set)
    address: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    elsewhere: dict[Path, str] = field(default_factory=dict)
    aside: Path = Path()

    @property
    def threads(self) -> int:
        """How many files are looked at at a time."""
        return _THREADS_ELSEWHERE if self.address or self.elsewhere else _THREADS

    def stored(self, path: Path) -> str:
        """Returns the filepath of an image."""
        if path in self.elsewhere:
            return self.elsewhere[path]
        return f"{self.address}/{path.relative_to(self.root).as_posix()}" if self.address else str(path)

    def named(self, address: str) -> Path:
        """Returns one more image, which lies at an address.

        Raises:
            NotFetched: it is no address that is taken
        """
        own = parsed(address)
        # one that is signed anew is the same image
        path = self.aside / hex_hash(own.identity) / (_plain_name(own) or f"image{own.ending}")
        self.elsewhere.setdefault(path, address)
        return path

    @contextmanager
    def here(self, path: Path, picture: bool) -> Iterator[None]:
        """Inside of it an image and the files beside it can be read.

        Args:
            path: the image
            picture: whether the image itself is wanted, too

        Raises:
            ReadError: one of them cannot be had
        """
        if not self.address and path not in self.elsewhere:
            yield
            return
        wanted = [*([path] if picture else []), *sidecars.beside(path, self.beside.__contains__)]
        try:
            for each in wanted:
                # one may lie beside several images
                if not each.exists():
                    fetch(self.stored(each), each)
            yield
        finally:
            with suppress(OSError):
                path.unlink()

    @contextmanager
    def naming(self) -> Iterator[None]:
        """Inside of it, errors of a table name the folder as it was given."""
        try:
            yield
        except PromptError as error:
            if not self.address:
                raise
            raise PromptError(str(error).replace(str(self.root), self.name)) from None


@contextmanager
def folder_of(given: str | Path, recursive: bool, is_image: Callable[[PurePath], bool]) -> Iterator[Folder]:
    """Yields a folder, with its images listed.

    Args:
        given: as the caller gave it
        recursive: look into folders inside the folder, too
        is_image: tells images by their names

    Raises:
        InputError: there is no such folder, or it cannot be listed
    """
    address = address_of(given)
    with tempfile.TemporaryDirectory(prefix="loupe-import-") as place:
        here, aside = (Path(place).resolve() / name for name in ("folder", "aside"))
        if address is not None:
            folder = Folder(shown(address), here, address=address.rstrip("/"), aside=aside)
            _list_bucket(folder, recursive, is_image)
        else:
            folder = _on_this_machine(Path(given).expanduser().resolve(), aside, recursive, is_image)
        yield folder


def _plain_name(address: Address) -> str:
    """Returns the last part of an address, where a file may be called so."""
    name = PurePosixPath(unquote(address.key.partition("?")[0]) if address.is_web else address.key).name
    return name if name.isprintable() and len(name.encode(errors="replace")) <= _MAX_NAME else ""


def _on_this_machine(root: Path, aside: Path, recursive: bool, is_image: Callable[[PurePath], bool]) -> Folder:
    if not root.is_dir():
        raise InputError(f"expected a folder of images, got {'a file' if root.exists() else 'nothing'} at {root}")
    folder = Folder(str(root), root, aside=aside)
    for path in root.glob("**/*" if recursive else "*"):
        if is_image(path):
            folder.files.append(path)
        elif path.suffix in sidecars.SUFFIXES and path.is_file():
            folder.beside.add(path)
    # a link may lead out of the folder; what was named is what is imported
    files = (path for path in sorted(folder.files) if path.is_file() and path.resolve().is_relative_to(root))
    folder.files = list(_storable(folder, files))
    return folder


def _list_bucket(folder: Folder, recursive: bool, is_image: Callable[[PurePath], bool]) -> None:
    if not folder.address.startswith(("s3://", "gs://", "gcs://")):
        raise InputError(
            f"expected a folder here, or an s3:// or gs:// address, got {folder.name}: it cannot be listed"
        )
    try:
        names = fetching.listed(folder.address, recursive)
    except ReadError as error:
        raise InputError(f"expected a folder of images that can be listed: {error}") from error
    for name in names:
        path = PurePosixPath(name)
        if not is_image(path) and path.suffix not in sidecars.SUFFIXES:
            continue
        # a key is any text; a file has a name
        parts = name.split("/")
        if any(part in ("", ".", "..") or "\0" in part or len(part.encode()) > _MAX_NAME for part in parts):
            folder.errors[shown(f"{folder.address}/{name}")] = "expected a key that can be a file's name: rename it"
        elif is_image(path):
            folder.files.append(folder.root / name)
        else:
            folder.beside.add(folder.root / name)
    folder.files = sorted(folder.files)


def _storable(folder: Folder, files: Iterable[Path]) -> Iterator[Path]:
    """Yields the files whose names a database can hold, and notes why the others are left out."""
    for path in files:
        try:
            str(path).encode()
        except UnicodeEncodeError:
            name = str(path).encode(errors="backslashreplace").decode()
            folder.errors[name] = "expected a file name in UTF-8: rename the file"
        else:
            yield path


@contextmanager
def table_of(given: str | Path) -> Iterator[Path]:
    """Yields a table as a file here.

    Raises:
        PromptError: it lies elsewhere, and cannot be had
    """
    address = address_of(given)
    if address is None:
        yield Path(given).expanduser()
        return
    with tempfile.TemporaryDirectory(prefix="loupe-import-") as place:
        try:
            path = Path(place) / f"table{parsed(address).ending}"
            fetch(address, path)
        except ReadError as error:
            raise PromptError(f"expected a table of prompts: {error}") from error
        try:
            yield path
        except PromptError as error:
            raise PromptError(str(error).replace(str(path), shown(address))) from None


def fetch(address: str, target: Path) -> None:
    """Writes what lies at an address to a file.

    Raises:
        ReadError: it cannot be had
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    # whole or not there: another thread may look for it
    part = target.parent / f".{secrets.token_hex(8)}.part"
    with opened(address) as file, part.open("wb") as copy:
        shutil.copyfileobj(file, copy)
    os.replace(part, target)
