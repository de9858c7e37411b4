"""Very many small JPEGs: each a file of its own, so that reading them costs what it costs; their contents repeat."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

#: different contents
_CONTENTS = 400
_PER_FOLDER = 1_000


def write_files(folder: Path, n: int, side: int = 64, seed: int = 0) -> list[str]:
    """Writes n JPEGs of side × side pixels, a thousand a folder, and returns their paths; those that are there stay."""
    rng = np.random.default_rng(seed)
    contents = []
    for index in range(_CONTENTS):
        coarse = Image.fromarray(rng.integers(0, 256, (6 + index % 20, 6 + index % 20, 3), dtype=np.uint8))
        scratch = folder / "content.jpg"
        folder.mkdir(parents=True, exist_ok=True)
        coarse.resize((side, side), Image.Resampling.BICUBIC).save(scratch, quality=88)
        contents.append(scratch.read_bytes())
    scratch.unlink()
    paths = []
    for index in range(n):
        path = folder / f"{index // _PER_FOLDER:04}" / f"{index:07}.jpg"
        paths.append(str(path))
        if index % _PER_FOLDER == 0:
            path.parent.mkdir(exist_ok=True)
        if not path.exists():
            path.write_bytes(contents[index % _CONTENTS])
    return paths
