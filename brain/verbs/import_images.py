"""``loupe.import_images``: a folder of images, with its prompts if there are any, becomes samples."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

from loupe.brain.core.errors import InputError, NoSamples, PromptError
from loupe.brain.core.records import ProgressCallback, Run
from loupe.brain.store import imported
from loupe.brain.verbs.lifecycle import running

if TYPE_CHECKING:
    import fiftyone as fo

_ENDINGS = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif"}
_CHUNK = 1000


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
        prompts: a .jsonl, .csv or .tsv file with the columns ``file`` (relative to the folder), ``prompt`` and any
            factors, which land in ``scenario.*``
        recursive: look into folders inside the folder, too
        progress: True for a bar, or a function

    Raises:
        InputError: no such folder
        NoSamples: no image in it
        PromptError: the prompt file is malformed: file, line and reason

    >>> loupe.import_images(fo.Dataset("renders"), "renders/", prompts="renders/prompts.csv")  # doctest: +SKIP
    Run(loupe_import_images_1: 120 done, 0 already done, 0 errors, unknown: none, 0.2 s on cpu)
    """
    with running(dataset, "import_images", progress, label="import", needs="nothing") as verb:
        root = Path(folder).expanduser().resolve()
        if not root.is_dir():
            raise InputError(f"expected a folder of images, got {'a file' if root.exists() else 'nothing'} at {root}")
        files = sorted(path for path in root.glob("**/*" if recursive else "*") if path.suffix.lower() in _ENDINGS)
        # a link may lead out of the folder; what was named is what is imported
        files = [path for path in files if path.is_file() and path.resolve().is_relative_to(root)]
        if not files:
            raise NoSamples(f"expected images ({', '.join(sorted(_ENDINGS))}) in {root}, got none")
        table = _table(Path(prompts).expanduser(), root) if prompts is not None else {}
        known = imported.known_paths(dataset)
        new = [path for path in files if str(path) not in known]
        for start in range(0, len(new), _CHUNK):
            part = new[start : start + _CHUNK]
            imported.add(dataset, [(str(path), *(table.get(path) or (_beside(path), {}))) for path in part])
            verb.step(start + len(part), len(new), "importing")
        params = {"folder": str(root), "prompts": str(prompts) if prompts else None, "recursive": recursive}
        return verb.finish(len(new), skipped=len(files) - len(new), params=params)


def _beside(path: Path) -> str | None:
    text = path.with_suffix(".txt")
    return text.read_text(encoding="utf-8", errors="replace").strip() or None if text.is_file() else None


def _table(file: Path, root: Path) -> dict[Path, tuple[str | None, dict[str, str]]]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise PromptError(f"{file}: expected a readable UTF-8 file: {error}") from error
    table: dict[Path, tuple[str | None, dict[str, str]]] = {}
    for number, row in _records(file, lines):
        if not isinstance(row, dict) or not row.get("file"):
            raise PromptError(f"{file}:{number}: expected the column 'file', got {row!r}"[:300])
        path = (root / str(row.pop("file"))).resolve()
        if not path.is_relative_to(root):
            raise PromptError(f"{file}:{number}: expected a file inside {root}, got one outside it")
        prompt = row.pop("prompt", None)
        factors = {str(name): str(value) for name, value in row.items() if value not in (None, "")}
        bad = [name for name in factors if not name.isidentifier() or name.startswith("_")]
        if bad:
            raise PromptError(f"{file}:{number}: expected factor names made of letters, digits and _, got {bad[0]!r}")
        table[path] = (str(prompt) if prompt else None, factors)
    return table


def _records(file: Path, lines: list[str]) -> list[tuple[int, dict[str, object]]]:
    kind = file.suffix.lower()
    if kind == ".jsonl":
        rows = []
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    rows.append((number, json.loads(line)))
                except json.JSONDecodeError as error:
                    raise PromptError(f"{file}:{number}: expected a JSON object: {error}") from error
        return rows
    if kind in (".csv", ".tsv"):
        reader = csv.DictReader(lines, delimiter="\t" if kind == ".tsv" else ",", strict=True)
        try:
            table = [(reader.line_num, dict(row)) for row in reader]
        except csv.Error as error:
            raise PromptError(f"{file}:{reader.line_num}: {error}") from error
        for number, row in table:
            if None in row or None in row.values():
                raise PromptError(f"{file}:{number}: expected {len(reader.fieldnames or [])} columns")
        return table
    raise PromptError(f"expected a .jsonl, .csv or .tsv file of prompts, got {file.name!r}")
