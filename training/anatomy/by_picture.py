"""Rows of what is seen in pictures, any number of each: made once, and kept in the work folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks import data

Rows = dict[str, np.ndarray]


def kept(work: Path, name: str, paths: Sequence[Path], of: Callable[[Path], Sequence[Rows]]) -> tuple[list[str], Rows]:
    """Returns the pictures' names, one for each row, and the rows by column, each of the same first length.

    Args:
        work: the folder; a picture whose rows are there is not looked at again
        name: of the rows
        paths: of the pictures, below the data's folder
        of: makes the rows of one picture, all with the same columns
    """
    folder = work / "rows" / name
    folder.mkdir(parents=True, exist_ok=True)
    names: list[str] = []
    made: list[Rows] = []
    for path in paths:
        own = path.relative_to(data.at()).as_posix()
        file = folder / f"{hashlib.sha256(own.encode()).hexdigest()[:16]}.npz"
        if not file.exists():
            rows = of(path)
            part = file.with_suffix(".part.npz")
            np.savez_compressed(
                part, n=len(rows), **({key: np.array([row[key] for row in rows]) for key in rows[0]} if rows else {})
            )
            part.replace(file)
        with np.load(file) as stored:
            n = int(stored["n"])
            names += [own] * n
            made += [{key: stored[key] for key in stored.files if key != "n"}] * (n > 0)
    columns = made[0].keys() if made else ()
    return names, {key: np.concatenate([rows[key] for rows in made]) for key in columns}
