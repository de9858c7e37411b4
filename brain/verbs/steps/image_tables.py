"""Which row of a table is which image of a folder."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from loupe.brain.core.errors import PromptError, ReadError
from loupe.brain.media.addresses import address_of, shown
from loupe.brain.media.fetching import OFF
from loupe.brain.media.settings import is_on
from loupe.brain.prompts.files import RESERVED
from loupe.brain.provenance import midjourney, tabled
from loupe.brain.provenance.tabled import TabledImage
from loupe.brain.verbs.steps.import_folders import Folder


@dataclass(frozen=True)
class ImageTable:
    """A table, by the images of the folder.

    Attributes:
        rows: the row of each image that has one
        factors: the names of all factors
        missed: what is to be said of rows that name no image; empty where there are none
    """

    rows: Mapping[Path, TabledImage] = field(default_factory=dict)
    factors: tuple[str, ...] = ()
    missed: str = ""


def read(file: Path, folder: Folder) -> ImageTable:
    """Returns the rows of a table by the images that they name.

    Args:
        file: the table
        folder: that names are relative to. What the table names by an address is one more image of it

    Raises:
        PromptError: it is malformed, names a file outside the folder, or an address where nothing is fetched; two rows
            differ, or none names an image
    """
    places, root, files = _Places(folder), folder.root, folder.files
    rows: dict[Path, TabledImage] = {}
    missing: list[str] = []
    count = 0
    for row in tabled.read(file, places.is_name):
        count += 1
        path = places.path(row)
        if path is None:
            missing.append("" if missing else f"{row.where} names {row.name!r}"[:300])
        elif path in rows and (rows[path].reading.values, rows[path].factors) != (row.reading.values, row.factors):
            if not row.by_job:
                raise PromptError(
                    f"{row.where}: expected one row for {row.name!r}, got another one at {rows[path].where}"[:500]
                )
        else:
            rows[path] = row
    if not count:
        raise PromptError(f"{file}: expected at least one row, got none")
    if not rows:
        raise PromptError(
            f"{file}: expected rows that name images in {root}, got {count:,} that name none of its "
            f"{len(files):,}: {missing[0]}. Names are relative to the folder, with their ending"
        )
    missed = f"{len(missing):,} of {count:,} rows name no image here: {missing[0]}" if missing else ""
    return ImageTable(rows, tuple({name: None for row in rows.values() for name in row.factors}), missed)


def storable(factors: Mapping[str, str]) -> dict[str, str]:
    """Returns the factors whose names may be fields: a file's metadata may name them anyhow."""
    return {
        name: value
        for name, value in factors.items()
        if name.isidentifier()
        and not name.startswith("_")
        and len(name) <= 64
        and name not in RESERVED
        and value.strip()
    }


class _Places:
    """The images by their paths, and by the jobs that their names tell."""

    def __init__(self, folder: Folder) -> None:
        self.folder, self.root, files = folder, folder.root, folder.files
        self.images = {_normal(str(path)): path for path in files}
        self.names: dict[str, list[Path]] = {}
        for path in files:
            self.names.setdefault(_normal(path.name), []).append(path)
            job = midjourney.job_of(path.name)
            if job:
                self.names.setdefault(job, []).append(path)

    def is_name(self, name: str) -> bool:
        """Returns whether an image is called so, in whatever folder."""
        return _normal(PurePosixPath(name).name) in self.names

    def path(self, row: TabledImage) -> Path | None:
        """The image that a row names, also with Windows' separators or other code points for its accents."""
        if row.by_job:
            return self._only(row.name) or self._only(midjourney.job_of(row.name) or "")
        name = row.name
        address = address_of(name)
        if address is not None:
            return self._elsewhere(row, address)
        for spelled in (name, name.replace("\\", "/")):
            path = os.path.normpath(self.root / spelled)
            if not Path(path).is_relative_to(self.root):
                raise PromptError(
                    f"{row.where}: expected a file inside {self.root}, got one outside it: {name!r}"[:500]
                )
            if image := self.images.get(_normal(path)):
                return image
        if row.reading.source == tabled.DIFFUSIONDB:
            return self._only(name)
        try:
            # the table may name the file that a link in the folder leads to
            return self.images.get(_normal(str((self.root / name).resolve())))
        except OSError:
            return None

    def _elsewhere(self, row: TabledImage, address: str) -> Path:
        inside = self.root / address.removeprefix(f"{self.folder.address}/") if self.folder.address else None
        if inside is not None and (image := self.images.get(_normal(str(inside)))):
            return image
        try:
            if is_on():
                return self.folder.named(address)
            problem = f"got the address {shown(address)}: {OFF}"
        except ReadError as error:
            problem = str(error)
        raise PromptError(f"{row.where}: expected an image of the folder, or an address; {problem}"[:500])

    def _only(self, name: str) -> Path | None:
        """The only image of that name or job, in whatever folder; none where there are several."""
        paths = self.names.get(_normal(name), [])
        return paths[0] if len(paths) == 1 else None


def _normal(path: str) -> str:
    return unicodedata.normalize("NFC", path)
