"""Cases of blur."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from benchmarks.changes import blur, chain, gain, gray, haze, noise, oval
from loupe.brain.engine.reader import read

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"

DEFECTS = {"σ 1 %, then noise of 2 levels": chain(blur(1), noise(2))}
NEGATIVES = {
    "dark (gain 0.25)": gain(0.25),
    "haze 0.4": haze(0.4),
    "sharp on plain, 10 %": oval(0.1, back=200),
    "bokeh, sharp 20 %": oval(0.2, blur_back=3),
    "grey": gray,
}


def real() -> dict[str, tuple[str, list[np.ndarray]]]:
    """LIVE's Gaussian blur, where it differs from the reference, and references; a phone's shots."""
    live, phone = (DATA / "2_blur" / name for name in ("live_iqa_subset", "kwentar_real_triplets"))
    if not live.is_dir():
        return {}
    with (live / "index.csv").open(encoding="utf-8") as file:
        blurred = [
            row["file"]
            for row in csv.DictReader(file)
            if row["distortion"] == "gblur" and row["identical_to_reference"] == "0"
        ]
    return {
        "LIVE, Gaussian blur": ("defect", [read(live / name, 1024).pixels for name in blurred]),
        "LIVE, references": (
            "hard negative",
            [read(path, 1024).pixels for path in sorted((live / "ref_images").iterdir())],
        ),
        "a phone's shots out of focus": ("defect", [read(path, 1024).pixels for path in sorted(phone.glob("*_F.*"))]),
        "the same in focus": ("hard negative", [read(path, 1024).pixels for path in sorted(phone.glob("*_S.*"))]),
    }
