"""``loupe.import_images``: a folder of images, with its prompts if there are any, becomes samples."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from loupe.brain.core.errors import InputError, NoSamples, PromptError
from loupe.brain.core.records import ProgressCallback
from loupe.brain.core.results import Run
from loupe.brain.prompts import tables
from loupe.brain.prompts.files import MAX_STORED, checked_text, of_image
from loupe.brain.store import imported
from loupe.brain.verbs.lifecycle import running

if TYPE_CHECKING:
    import fiftyone as fo

_ENDINGS = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif"}
_CHUNK = 1000
#: the columns that may name the file, the first that is there does
_FILE_COLUMNS = ("file", "file_name", "filename", "filepath", "path", "image")

#: prompt and factors of an image
_Facts: TypeAlias = tuple[str | None, dict[str, str]]


def import_images(
    dataset: fo.Dataset,
    folder: str | Path,
    *,
    prompts: str | Path | None = None,
    recursive: bool = True,
    progress: bool | ProgressCallback | None = None,
) -> Run:
    """Adds the images of a folder as samples, with their prompts where there are any.

    An image's prompt is its row in ``prompts``, else the text of a ``.txt`` file of the same name beside it, else none.
    Files that are in the dataset already are left as they are. Nothing is decoded or copied.

    Args:
        dataset: where the samples go
        folder: the images; PNG, JPEG, WebP, BMP, GIF, TIFF, AVIF by their ending
        prompts: a .csv, .tsv, .jsonl or .json file with the columns ``file`` (or ``file_name``, ``filename``,
            ``filepath``, ``path``, ``image``; relative to the folder), ``prompt`` and any factors, which land in
            ``scenario.*``; how many of its rows name no image of the folder is in the run's messages
        recursive: look into folders inside the folder, too
        progress: True for a bar, or a function

    Raises:
        InputError: no such folder, or no dataset that images can be added to
        NoSamples: no image in it
        PromptError: the prompt file is malformed, or none of its rows names an image: file, row and reason

    >>> loupe.import_images(fo.Dataset("renders"), "renders/", prompts="renders/prompts.csv")  # doctest: +SKIP
    Run(loupe_import_images_1: 120 done, 0 already done, 0 errors, unknown: none, 0.2 s on cpu)
    """
    with running(dataset, "import_images", progress, label="import", needs="dataset") as verb:
        root = Path(folder).expanduser().resolve()
        if not root.is_dir():
            raise InputError(f"expected a folder of images, got {'a file' if root.exists() else 'nothing'} at {root}")
        files = sorted(path for path in root.glob("**/*" if recursive else "*") if path.suffix.lower() in _ENDINGS)
        # a link may lead out of the folder; what was named is what is imported
        files = [path for path in files if path.is_file() and path.resolve().is_relative_to(root)]
        if not files:
            raise NoSamples(f"expected images ({', '.join(sorted(_ENDINGS))}) in {root}, got none")
        files, errors = _storable(files)
        messages: dict[str, str] = {}
        table: dict[Path, _Facts] = {}
        if prompts is not None:
            table, missed = _table(Path(prompts).expanduser(), root, files)
            messages = {str(prompts): missed} if missed else {}
        known = imported.known_paths(dataset)
        new = [path for path in files if str(path) not in known]
        if new:
            imported.prepare(dataset, (name for path in new if path in table for name in table[path][1]))
        for start in range(0, len(new), _CHUNK):
            part = new[start : start + _CHUNK]
            imported.add(dataset, [(str(path), *(table.get(path) or (_beside(path), {}))) for path in part])
            verb.step(start + len(part), len(new), "importing")
        params = {"folder": str(root), "prompts": str(prompts) if prompts else None, "recursive": recursive}
        skipped = len(files) - len(new)
        return verb.finish(len(new), skipped=skipped, params=params, errors=errors, messages=messages)


def _storable(files: Iterable[Path]) -> tuple[list[Path], dict[str, str]]:
    """The files whose names a database can hold, and why the others are left out."""
    kept, errors = [], {}
    for path in files:
        try:
            str(path).encode()
            kept.append(path)
        except UnicodeEncodeError:
            shown = str(path).encode(errors="backslashreplace").decode()
            errors[shown] = "expected a file name in UTF-8: rename the file"
    return kept, errors


def _beside(path: Path) -> str | None:
    text = path.with_suffix(".txt")
    if not text.is_file():
        return None
    try:
        prompt = tables.read_text(text)
    except PromptError:
        # a text beside a picture need be no prompt: what can be read of it is kept, as always
        prompt = text.read_text(encoding="utf-8", errors="replace")
    return prompt.strip() or None


def _table(file: Path, root: Path, files: Iterable[Path]) -> tuple[dict[Path, _Facts], str]:
    """The facts of each file, and what is to be said of rows that name none of the files."""
    rows = tables.read_table(file, _FILE_COLUMNS).rows
    if not rows:
        raise PromptError(f"{file}: expected at least one row, got none")
    images = {_normal(str(path)): path for path in files}
    table: dict[Path, _Facts] = {}
    places: dict[Path, str] = {}
    missing: list[str] = []
    for row in rows:
        values = dict(row.values)
        column = next((name for name in _FILE_COLUMNS if name in values), None)
        name = values.pop(column) if column else None
        path, facts = _path(name, row, root, images), of_image(values, row.where)
        if path is None:
            missing.append(f"{row.where} names {name!r}"[:300])
        elif table.get(path, facts) != facts:
            raise PromptError(f"{row.where}: expected one row for {name!r}, got another one at {places[path]}"[:500])
        else:
            table[path], places[path] = facts, row.where
    if not table:
        raise PromptError(
            f"{file}: expected rows that name images in {root}, got {len(rows):,} that name none of its "
            f"{len(images):,}: {missing[0]}. Names are relative to the folder, with their ending"
        )
    return table, f"{len(missing):,} of {len(rows):,} rows name no image here: {missing[0]}" if missing else ""


def _path(name: Any, row: tables.TableRow, root: Path, images: dict[str, Path]) -> Path | None:
    """The image that a row names, also with Windows' separators or other code points for its accents; None for none."""
    if not isinstance(name, str) or not name.strip():
        columns = ", ".join(map(repr, _FILE_COLUMNS))
        raise PromptError(
            f"{row.where}: expected a file in one of the columns {columns}, got {dict(row.values)!r}"[:300]
        )
    name = checked_text(name, row.where, "the file's name", MAX_STORED)
    for spelled in (name, name.replace("\\", "/")):
        path = os.path.normpath(root / spelled)
        if not Path(path).is_relative_to(root):
            raise PromptError(f"{row.where}: expected a file inside {root}, got one outside it: {name!r}"[:500])
        if image := images.get(_normal(path)):
            return image
    try:
        # the table may name the file that a link in the folder leads to
        return images.get(_normal(str((root / name).resolve())))
    except OSError:
        return None


def _normal(path: str) -> str:
    return unicodedata.normalize("NFC", path)
