"""Croissant metadata of a dataset of images, with what the report knows of its flaws.

MLCommons Croissant 1.0 with its responsible-AI vocabulary: https://docs.mlcommons.org/croissant/
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import datetime

from loupe.brain.core.errors import InputError, MissingDependency
from loupe.brain.core.taxonomy import failure_title
from loupe.brain.report.contents import Contents
from loupe.brain.report.words import of_rate

#: by it a file is known as one of Loupe's, which the next one of that name may replace
MARK = "checked by Loupe"
_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp", ".tif": "image/tiff"}
_TYPES |= {".tiff": "image/tiff", ".bmp": "image/bmp", ".gif": "image/gif", ".avif": "image/avif"}


def draw(contents: Contents, names: Iterable[str], *, license: str | None = None) -> str:
    """Returns the metadata as JSON-LD, which mlcroissant has validated.

    Args:
        contents: what the report tells
        names: of the image files, without their folders
        license: of the images, an SPDX name or an address; None: none is stated

    Raises:
        MissingDependency: mlcroissant is not installed
        InputError: mlcroissant refuses it; with its reason
    """
    try:
        import mlcroissant as mlc
    except ImportError as error:
        raise MissingDependency("Croissant metadata need mlcroissant: pip install mlcroissant") from error

    endings = sorted({os.path.splitext(name)[1].lower() for name in names} - {""})
    files = mlc.FileSet(
        id="image-files",
        name="image-files",
        description="The images; their folders are not part of it.",
        encoding_formats=sorted({_TYPES.get(ending, "application/octet-stream") for ending in endings}),
        includes=[f"**/*{ending}" for ending in endings],
    )
    fields = [
        mlc.Field(
            id=f"samples/{name}",
            name=name,
            description=text,
            data_types=[kind],
            source=mlc.Source(file_set="image-files", extract=mlc.Extract(file_property=taken)),
        )
        for name, text, kind, taken in (
            ("image", "The picture.", mlc.DataType.IMAGE_OBJECT, mlc.FileProperty.content),
            ("filename", "The name of its file.", mlc.DataType.TEXT, mlc.FileProperty.filename),
        )
    ]
    flaws = [f"{failure_title(rate.failure)}: {of_rate(rate)}" for rate in contents.overview.failing]
    try:
        metadata = mlc.Metadata(
            name=contents.title,
            description=f"{contents.n:,} images, {MARK} on {contents.created[:10]}.",
            license=[license] if license else None,
            date_created=datetime.fromisoformat(contents.created),
            distribution=[files],
            record_sets=[mlc.RecordSet(id="samples", name="samples", fields=fields)],
            data_limitations=flaws or None,
            data_biases=_biases(contents) or None,
        )
        return json.dumps(metadata.to_json(), indent=2, ensure_ascii=False, default=str) + "\n"
    except mlc.ValidationError as error:
        raise InputError(f"expected metadata that Croissant allows, but mlcroissant says: {error}") from error


def _biases(contents: Contents) -> list[str]:
    """Returns the slices whose whole interval lies above that of all samples."""
    return [
        f"{failure_title(rate.failure)}, {rate.slice}: {of_rate(rate)}; of all samples: {of_rate(overall)}"
        for table in contents.tables
        for row in table.cells
        for rate, overall in zip(row, table.overall, strict=True)
        if rate.n and rate.low > overall.high
    ]
