"""Sets of pictures that a failure mode's cases have beside the changes to photos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks import data

#: by name: whether the pictures have the flaw ("defect") or only look like it ("hard negative"), and (H, W, 3) uint8
Sets = dict[str, tuple[str, list[np.ndarray]]]


def read_sets(kind: str, sets: Mapping[str, Sequence[Path]]) -> Sets:
    """Returns the pictures in these files, by the name of the set; a set without files is left out."""
    return {name: (kind, data.pixels(list(files))) for name, files in sets.items() if files}
