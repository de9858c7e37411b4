"""Made stored_0_1_0/: a dataset as Loupe 0.1.0 left it, with the rates that it gave. Run once, with 0.1.0's own code.

LOGNAME=anna PYTHONPATH=<a folder in which `loupe` is a checkout of 0.1.0> python make_stored_0_1_0.py <a mongod's uri>
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

HERE = Path(__file__).parent / "stored_0_1_0"
N = 20
CHANGED = 1_790_000_000
BY = ([], ["scenario.time"], ["scenario.weather", "wet"], ["level"], ["duplicate_group"])


def draw(index: int) -> Image.Image:
    """Noise in blocks: every third dark, every fourth blurred, every fifth gray, 17 the same as 16."""
    rng = np.random.default_rng(min(index, 16) if index < 18 else index)
    blocks = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)
    picture = Image.fromarray(blocks).resize((96, 72 if index % 2 else 96), Image.Resampling.NEAREST)
    if index % 3 == 0:
        picture = picture.point(lambda value: value // 12)
    if index % 4 == 0 and index < 16:
        picture = picture.filter(ImageFilter.GaussianBlur(6))
    return picture.convert("L").convert("RGB") if index % 5 == 0 else picture


def _lines(tables: list[dict[str, Any]]) -> str:
    """A line for each rate."""
    blocks = [f'{{"by": {json.dumps(table["by"])}, "rates": [\n' for table in tables]
    rows = [",\n".join(json.dumps(rate) for rate in table["rates"]) for table in tables]
    return "[" + ",\n".join(f"{block}{row}\n]}}" for block, row in zip(blocks, rows, strict=True)) + "]\n"


def main() -> None:
    os.environ.update(FIFTYONE_DATABASE_URI=sys.argv[1], FIFTYONE_DATABASE_VALIDATION="false")
    import fiftyone as fo

    import loupe

    assert loupe.__version__ == "0.1.0"
    shutil.rmtree(HERE, ignore_errors=True)
    pictures = HERE / "pictures"
    pictures.mkdir(parents=True)
    for index in range(N):
        draw(index).save(pictures / f"{index:02}.jpg", quality=85)
    (pictures / "07.jpg").write_bytes(b"no picture")
    for file in pictures.iterdir():  # a file's time of change is part of what a check remembers
        os.utime(file, (CHANGED, CHANGED))

    dataset = fo.Dataset("stored-0-1-0")
    dataset.add_samples(
        [
            fo.Sample(
                filepath=str(pictures / f"{index:02}.jpg"),
                prompt=f"a sign that says {index}",
                level=index % 4 if index != 9 else None,
                wet=index % 3 == 1,
                scenario=fo.DynamicEmbeddedDocument(
                    time=("day", "night", "dusk 10", "dusk 9")[index % 4],
                    weather=(None, "fog", "rain")[index % 3],
                ),
            )
            for index in range(N)
        ],
        dynamic=True,
    )
    some = dataset.limit(N - 2)  # the last two are never checked
    loupe.check(some, ["file", "exposure", "sharpness", "grayscale", "local_blur", "seam"], workers=1)
    loupe.find_duplicates(some)
    loupe.flag(some, {"dark": 0.3, "blur": 0.2, "seam": loupe.Threshold(">", 0.9, source="user", basis="by eye")})
    loupe.calibrate(some, ["dark"], limit=10)
    # a label that nothing of Loupe's flags
    own = dataset.first()
    own.failures.classifications.append(fo.Classification(label="ugly"))
    own.save()

    rates = [{"by": by, "rates": [rate.to_dict() for rate in loupe.slice(dataset, by)]} for by in BY]
    (HERE / "rates.json").write_text(_lines(rates))
    dataset.export(str(HERE), dataset_type=fo.types.FiftyOneDataset, export_media=False, rel_dir=str(HERE))
    for file in HERE.rglob("*.json"):
        text = file.read_text()
        assert not re.search(r'"/(tmp|work|home|root)', text), file
        if file.name == "samples.json":  # a line each
            lines = ",\n".join(json.dumps(sample) for sample in json.loads(text)["samples"])
            file.write_text(f'{{"samples": [\n{lines}\n]}}\n')
        elif file.name != "rates.json":
            file.write_text(json.dumps(json.loads(text), indent=1) + "\n")
    dataset.delete()


if __name__ == "__main__":
    main()
