"""Cases of motion_blur."""

from __future__ import annotations

from benchmarks import data
from benchmarks.pixels.changes import blur, chain, gain, haze, motion, noise, oval
from benchmarks.pixels.sets import Sets, read_sets

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


def real() -> Sets:
    """ICDAR 2015 scenes, smeared by others by an amount that is not told; a phone's shots."""
    scenes = data.files(data.at("2_blur/icdar15_test_motionblurred/images"))[:200:2]
    phone = data.at("2_blur/kwentar_real_triplets")
    moved = {"ICDAR 2015, smeared by others": scenes, "a phone's moved shots": data.files(phone, "*_M.*")}
    still = {"the same held still": data.files(phone, "*_S.*")}
    return read_sets("defect", moved) | read_sets("hard negative", still)
