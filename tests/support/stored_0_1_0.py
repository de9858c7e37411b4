"""A dataset as Loupe 0.1.0 left it, see tests/store/data/make_stored_0_1_0.py."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

STORED = Path(__file__).resolve().parents[1] / "store" / "data" / "stored_0_1_0"
#: when its pictures were changed, in seconds since 1970
_CHANGED = 1_790_000_000


@contextmanager
def loaded(folder: Path) -> Iterator[Any]:
    """Yields it with its pictures: real files, as old as 0.1.0 saw them."""
    import fiftyone as fo

    copied = folder / "stored"
    if not copied.exists():
        shutil.copytree(STORED, copied)
    for picture in (copied / "pictures").iterdir():
        os.utime(picture, (_CHANGED, _CHANGED))
    dataset = fo.Dataset.from_dir(
        str(copied), dataset_type=fo.types.FiftyOneDataset, rel_dir=str(copied), progress=False
    )
    yield dataset
    dataset.delete()


def documents(dataset: Any) -> dict[str, dict[str, Any]]:
    """Returns the raw documents by file name, without what FiftyOne itself changes."""
    by_name = {}
    for document in dataset._sample_collection.find({}):
        kept = {name: value for name, value in document.items() if name not in ("last_modified_at", "_dataset_id")}
        by_name[Path(document["filepath"]).name] = kept
    return by_name
