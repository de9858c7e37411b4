"""Fingerprints stand on samples until their files change."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.database


def test_what_is_written_is_loaded_until_the_file_changes(dataset: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    from loupe.brain.engine.reader import Row
    from loupe.brain.similarity.fingerprints import Fingerprint
    from loupe.brain.store.duplicates import fingerprints

    paths = [tmp_path / f"{index}.png" for index in range(4)]
    for path in paths:
        path.write_bytes(b"x")
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in paths], progress=False)
    rows = [Row(*columns, {}) for columns in zip(*dataset.values(["id", "filepath"]), strict=True)]
    assert list(fingerprints.load(dataset, rows)) == []
    assert list(fingerprints.load(dataset, rows)) == [], "none of them has one yet"

    rng = np.random.default_rng(0)
    prints = {
        row.id: Fingerprint(
            bytes=None if index else "a" * 32,
            pixels=f"{index}" * 32,
            area=index + 1,
            luma=rng.integers(0, 256, (64, 64), dtype=np.uint8),
            chroma=rng.integers(-127, 128, (2, 16, 16), dtype=np.int8),
        )
        for index, row in enumerate(rows[:3])
    }
    fingerprints.write(dataset, rows, prints)
    loaded = dict(fingerprints.load(dataset, rows))
    assert list(loaded) == [row.id for row in rows[:3]]
    for sample_id, made in prints.items():
        assert (loaded[sample_id].bytes, loaded[sample_id].pixels) == (made.bytes, made.pixels)
        assert loaded[sample_id].area == made.area
        np.testing.assert_array_equal(loaded[sample_id].luma, made.luma)
        np.testing.assert_array_equal(loaded[sample_id].chroma, made.chroma)
    assert list(dict(fingerprints.load(dataset[1:], rows[2:]))) == [rows[2].id], "of the rows that were asked for"
    assert list(dict(fingerprints.load(dataset[:2], rows[:2]))) == [row.id for row in rows[:2]]

    os.utime(paths[1], (1, 1))
    assert list(dict(fingerprints.load(dataset, rows))) == [rows[0].id, rows[2].id]
    fingerprints.write(dataset, rows[:1], {})
    assert list(dict(fingerprints.load(dataset, rows))) == [rows[2].id], "a file that cannot be read any more has none"
