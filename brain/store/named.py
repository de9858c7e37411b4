"""Datasets by their name, for the doors that know no FiftyOne."""

from __future__ import annotations

from pathlib import Path

import fiftyone as fo

from loupe.brain.core.hashes import hex_hash
from loupe.brain.store.connection import database_errors


def of_folder(folder: Path) -> str:
    """Returns the name of the dataset of a folder: that of the folder, and what tells it from others so called."""
    digest = hex_hash(str(folder.resolve()).encode(errors="surrogateescape"), 3)
    return f"{folder.resolve().name or 'root'}-{digest}".encode(errors="replace").decode()


def opened(name: str) -> fo.Dataset:
    """Returns the dataset of that name, made where there is none; it stays.

    Raises:
        DatabaseGone: the database does not answer
    """
    with database_errors():
        return fo.load_dataset(name) if fo.dataset_exists(name) else fo.Dataset(name, persistent=True)
