"""Datasets by their name, for the doors that know no FiftyOne."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import fiftyone as fo

from loupe.brain.core.errors import InputError
from loupe.brain.core.hashes import hex_hash
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import count


def of_folder(folder: Path) -> str:
    """Returns the name of the dataset of a folder: that of the folder, and what tells it from others so called."""
    digest = hex_hash(str(folder.resolve()).encode(errors="surrogateescape"), 3)
    return f"{folder.resolve().name or 'root'}-{digest}".encode(errors="replace").decode()


def opened(name: str) -> fo.Dataset:
    """Returns the dataset of that name, made where there is none; it stays.

    Raises:
        InputError: FiftyOne takes no such name
        DatabaseGone: the database does not answer
    """
    with database_errors():
        try:
            return fo.load_dataset(name) if fo.dataset_exists(name) else fo.Dataset(name, persistent=True)
        except ValueError as error:
            raise InputError(f"expected another name for a dataset than {name[:80]!r}: {error}"[:400]) from error


@contextmanager
def not_for_nothing(name: str) -> Iterator[None]:
    """Deletes the dataset again that the block made, where it is left by an error before there is a sample in it."""
    with database_errors():
        known = fo.dataset_exists(name)
    try:
        yield
    except BaseException:
        with database_errors():
            if not known and fo.dataset_exists(name):
                dataset = fo.load_dataset(name)
                if not count(dataset):
                    dataset.delete()
        raise
