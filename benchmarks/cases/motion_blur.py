"""Cases of motion_blur."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.changes import blur, chain, gain, haze, motion, noise, oval
from loupe.brain.engine.reader import read

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"

DEFECTS = {
    **{f"{length} % along {angle}°": motion(length, angle) for length in (1, 4, 8) for angle in (0, 70, 120)},
    "4 %, then noise of 2 levels": chain(motion(4), noise(2)),
    "4 %, dark (gain 0.25)": chain(motion(4), gain(0.25)),
}
NEGATIVES = {
    **{f"Gaussian, σ {sigma:g} %": blur(sigma) for sigma in (0.5, 1, 4)},
    "dark (gain 0.25)": gain(0.25),
    "haze 0.4": haze(0.4),
    "sharp on plain, 10 %": oval(0.1, back=200),
    "bokeh, sharp 20 %": oval(0.2, blur_back=3),
    "noise of 10 levels": noise(10),
}


def real() -> dict[str, tuple[str, list[np.ndarray]]]:
    """ICDAR 2015 scenes, smeared by others by an amount that is not told; a phone's shots."""
    folder = DATA / "2_blur"
    if not folder.is_dir():
        return {}
    scenes = sorted((folder / "icdar15_test_motionblurred" / "images").iterdir())[:200:2]
    phone = folder / "kwentar_real_triplets"
    return {
        "ICDAR 2015, smeared by others": ("defect", [read(path, 1024).pixels for path in scenes]),
        "a phone's moved shots": ("defect", [read(path, 1024).pixels for path in sorted(phone.glob("*_M.*"))]),
        "the same held still": ("hard negative", [read(path, 1024).pixels for path in sorted(phone.glob("*_S.*"))]),
    }
