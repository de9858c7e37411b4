"""Exports a selection through FiftyOne, with a manifest of what was kept, what was dropped, and why."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fiftyone as fo

from loupe import __version__
from loupe.brain.core.errors import InputError, OutputError, ReadError, UnknownName
from loupe.brain.core.selections import NOT_CHOSEN, Selection
from loupe.brain.core.shown import cell
from loupe.brain.imaging.files import opened
from loupe.brain.media.addresses import address_of, require_here, shown
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples, require_images, root

MANIFEST, RECIPE = "manifest.csv", "recipe.json"
COLUMNS = ("id", "filepath", "status", "rank", "reason", "exported", "loupe")
#: of FiftyOne's types those that a form offers; any other can be named
TYPES = (
    *("ImageDirectory", "FiftyOneDataset", "ImageClassificationDirectoryTree", "FiftyOneImageClassificationDataset"),
    *("COCODetectionDataset", "YOLOv5Dataset", "VOCDetectionDataset", "CSVDataset"),
)
_SAFE = re.compile(r"[^A-Za-z0-9_-]+")
_MAX_STEM = 60


def export_selection(
    samples: Samples,
    selection: Selection,
    folder: str | os.PathLike[str],
    *,
    dataset_type: str = "ImageDirectory",
    label_field: str | Sequence[str] | None = None,
) -> Path:
    """Exports the chosen samples through FiftyOne, and writes which were kept and which dropped, and why.

    Beside what FiftyOne writes there are ``manifest.csv``, a row for each sample that was looked at (``id, filepath,
    status, rank, reason, exported, loupe``; ``exported`` is the file within the folder), and ``recipe.json``. Files get
    names of letters and digits, with the sample's id: what they are called elsewhere cannot lead out of the folder. In
    ``manifest.csv`` a text that a spreadsheet would take for a formula begins with a space.

    Args:
        samples: the dataset or view that was chosen from
        selection: what ``loupe.select`` returned
        folder: is made; it has to be empty
        dataset_type: a type of FiftyOne's, e.g. ``"COCODetectionDataset"``, ``"FiftyOneDataset"``
        label_field: the field or fields of labels to export; of types of labels by default what FiftyOne takes

    Raises:
        UnknownName: no such type or field
        InputError: samples of the selection are not there any more, or labels that cannot be names of folders
        OutputError: the folder is not empty, or cannot be written

    Example::

        made = loupe.select(dataset, 500)
        loupe.export_selection(dataset, made, "subset", dataset_type="ImageClassificationDirectoryTree",
                               label_field="ground_truth")
    """
    require_images(samples)
    if not isinstance(selection, Selection):
        raise InputError(f"expected what loupe.select returned, got {type(selection).__name__}")
    kind, target = type_of(dataset_type), empty_folder(folder)
    for name in [label_field] if isinstance(label_field, str) else label_field or ():
        if not samples.has_field(name):
            raise UnknownName("field of labels", name, samples.get_field_schema())
        if issubclass(kind, (fo.types.ImageClassificationDirectoryTree,)):
            _require_names(samples, selection.ids, name)
    with database_errors():
        paths = dict(zip(*samples.values(["id", "filepath"]), strict=True))
        absent = [each for each in selection.ids if each not in paths]
        if absent:
            raise InputError(f"{len(absent):,} of the chosen samples are not in these samples any more: choose again")
        try:
            if not target.exists():
                target.mkdir(parents=True)
                # FiftyOne makes it, too, and warns of one that is there
                target.rmdir()
            with _safely_named(samples, selection.ids) as view:
                view.export(
                    export_dir=str(target),
                    dataset_type=kind,
                    export_media=True,
                    progress=False,
                    **({} if label_field is None else {"label_field": label_field}),
                )
            _write_manifest(target, selection, paths)
        except OSError as error:
            raise OutputError(f"cannot export to {target}: {error.strerror or error}") from error
    return target


def type_of(name: str) -> type[fo.types.Dataset]:
    """Returns one of FiftyOne's dataset types.

    Raises:
        UnknownName: no such type; the nearest name is suggested
    """
    kinds = {
        each: kind
        for each, kind in vars(fo.types).items()
        if isinstance(kind, type) and issubclass(kind, fo.types.Dataset) and not each.startswith("_")
    }
    short = name.rpartition(".")[2]
    if short not in kinds:
        raise UnknownName("dataset type", name, kinds)
    return kinds[short]


def empty_folder(folder: str | os.PathLike[str]) -> Path:
    """Returns the folder of an export.

    Raises:
        OutputError: something is in it, it is no folder, or none of this machine
    """
    require_here(folder)
    target = Path(folder).expanduser().absolute()
    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise OutputError(f"expected an empty folder to export to, got {target}: something is there already")
    except (OSError, ValueError) as error:
        raise OutputError(f"cannot export to {str(target)!r}: {error}") from error
    return target


def _require_names(samples: Samples, ids: Sequence[str], field: str) -> None:
    """A tree of folders is named by the labels: one with a slash in it would lead out of it."""
    labels = root(samples).select(list(ids)).distinct(f"{field}.label")
    bad = [each for each in labels if each in (".", "..") or set(each) & set("/\\\0")]
    if bad:
        raise InputError(
            f"expected labels that can be names of folders, got {', '.join(map(repr, bad[:5]))}: export another type, "
            "e.g. FiftyOneImageClassificationDataset"
        )


@contextmanager
def _safely_named(samples: Samples, ids: Sequence[str]) -> Iterator[fo.Dataset]:
    """Yields copies of the samples whose files have names of their own that are safe everywhere; they go at the end."""
    dataset = root(samples)
    copies = dataset.select(list(ids), ordered=True).clone()
    try:
        with tempfile.TemporaryDirectory(prefix="loupe-export-") as place:
            named = {}
            for sample_id, path in zip(*copies.values(["id", "filepath"]), strict=True):
                link = os.path.join(place, file_name(sample_id, path))
                if address_of(path) is not None:
                    _fetch(path, link)
                elif os.path.isfile(path):
                    os.symlink(os.path.abspath(path), link)
                else:
                    raise OutputError(f"cannot export {path!r}: there is no such file. Leave it out, or bring it back")
                named[sample_id] = link
            copies.set_values("filepath", [named[each] for each in copies.values("id")])
            yield copies
    finally:
        copies.delete()


def _fetch(path: str, target: str) -> None:
    try:
        with opened(path) as file, open(target, "xb") as copy:
            shutil.copyfileobj(file, copy)
    except ReadError as error:
        raise OutputError(f"cannot export it: {error}. Leave it out, or bring it back") from error


def file_name(sample_id: str, path: str) -> str:
    """Returns what a file is called in an export: letters, digits and its id.

    >>> file_name("65f0c0ffee65f0c0ffee65f0", "/pictures/../my cat's (2).JPG")
    'my_cat_s_2-65f0c0ffee65f0c0ffee65f0.jpg'
    """
    address = address_of(path)
    stem, extension = os.path.splitext(os.path.basename(path if address is None else shown(address)))
    stem = _SAFE.sub("_", stem).strip("_")[:_MAX_STEM] or "image"
    return f"{stem}-{sample_id}.{_SAFE.sub('', extension).lower() or 'img'}"


def _write_manifest(target: Path, selection: Selection, paths: Mapping[str, str]) -> None:
    written = {each.name: each.relative_to(target).as_posix() for each in target.rglob("*") if each.is_file()}
    reasons = {sample_id: reason for reason, ids in selection.left_out.items() for sample_id in ids}
    rank = {sample_id: at for at, sample_id in enumerate(selection.ids)}
    recipe = {"loupe": __version__, "recipe": dict(selection.recipe), "dropped": selection.dropped}
    (target / RECIPE).write_text(json.dumps(recipe, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    with (target / MANIFEST).open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for sample_id in [*selection.ids, *(each for each in paths if each not in rank)]:
            table.writerow(map(cell, _row(sample_id, paths[sample_id], rank, reasons, written)))


def _row(
    sample_id: str, path: str, rank: Mapping[str, int], reasons: Mapping[str, str], written: Mapping[str, str]
) -> list[Any]:
    address = address_of(path)
    shown_path = path if address is None else shown(address)
    if sample_id in rank:
        place = written.get(file_name(sample_id, path), "")
        return [sample_id, shown_path, "kept", rank[sample_id], "", place, __version__]
    return [sample_id, shown_path, "dropped", "", reasons.get(sample_id, NOT_CHOSEN), "", __version__]
