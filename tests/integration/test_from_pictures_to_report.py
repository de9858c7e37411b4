"""What has to work with every version of Python and of what Loupe needs: `make matrix` runs it with each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import loupe


@pytest.mark.database
def test_from_pictures_to_a_report(dataset: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    folder = tmp_path / "pictures"
    folder.mkdir()
    for at in range(6):
        pixels = rng.integers(0, 256, (96, 128, 3)) // (1 if at % 2 else 40)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{at}.png")
    Image.open(folder / "1.png").save(folder / "copy.jpg", quality=95)
    (folder / "prompts.csv").write_text(
        "file,prompt,light\n" + "".join(f"{at}.png,a sign,{at % 2}\n" for at in range(6)), encoding="utf-8"
    )
    assert loupe.import_images(dataset, folder, prompts=folder / "prompts.csv").n == 7
    run = loupe.check(dataset, ["sharpness", "exposure", "text"])
    assert (run.n, run.errors) == (7, 0), run.messages
    loupe.embed(dataset, embedder="hog", visualize="pca")
    assert len(loupe.find_duplicates(dataset).groups) == 1
    assert sorted(rate.failures for rate in loupe.slice(dataset, "scenario.light", failure="dark")) == [0, 0, 3]
    drawn = loupe.generate(dataset, ["a red sign"], model="tiny-signs", steps=2, output_dir=tmp_path / "drawn")
    assert (drawn.n, drawn.errors) == (1, 0), drawn.messages
    assert Path(loupe.report(dataset, tmp_path / "report.html")).stat().st_size > 10_000
