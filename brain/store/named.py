"""Datasets by their name, for the doors that know no FiftyOne."""

from __future__ import annotations

import hashlib
from pathlib import Path

import fiftyone as fo

from loupe.brain.store.connection import database_errors


def of_folder(folder: Path) -> str:
    """Returns the name of the dataset of a folder: that of the folder, and what tells it from others so called."""
    digest = hashlib.blake2b(str(folder.resolve()).encode(errors="surrogateescape"), digest_size=3).hexdigest()
    return f"{folder.resolve().name or 'root'}-{digest}".encode(errors="replace").decode()


def opened(name: str) -> fo.Dataset:
    """Returns the dataset of that name, made where there is none; it stays.

    Raises:
        DatabaseGone: the database does not answer
    """
    with database_errors():
        return fo.load_dataset(name) if fo.dataset_exists(name) else fo.Dataset(name, persistent=True)
