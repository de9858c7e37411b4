"""Cases of blur."""

from __future__ import annotations

import csv

from benchmarks import data
from benchmarks.pixels.changes import blur, chain, defocus, gain, gray, haze, jpeg, noise, oval
from benchmarks.pixels.sets import Sets, read_sets

DEFECTS = {
    "σ 1 %, then noise of 2 levels": chain(blur(1), noise(2)),
    # a lens, then what the sensor and the file add
    **{
        f"out of focus by a disc of {radius} %": chain(defocus(radius), noise(1.5), jpeg(85))
        for radius in (0.2, 0.3, 0.4, 0.6)
    },
}
NEGATIVES = {
    "dark (gain 0.25)": gain(0.25),
    "haze 0.4": haze(0.4),
    "sharp on plain, 10 %": oval(0.1, back=200),
    "bokeh, sharp 20 %": oval(0.2, blur_back=3),
    "grey": gray,
}


def real() -> Sets:
    """LIVE's Gaussian blur, where it differs from the reference, and references; a phone's shots."""
    live, phone = (data.at("2_blur", name) for name in ("live_iqa_subset", "kwentar_real_triplets"))
    if not live.is_dir():
        return {}
    with (live / "index.csv").open(encoding="utf-8") as file:
        blurred = [
            row["file"]
            for row in csv.DictReader(file)
            if row["distortion"] == "gblur" and row["identical_to_reference"] == "0"
        ]
    return {
        **read_sets("defect", {"LIVE, Gaussian blur": [live / name for name in blurred]}),
        **read_sets("hard negative", {"LIVE, references": data.files(live / "ref_images")}),
        **read_sets("defect", {"a phone's shots out of focus": data.files(phone, "*_F.*")}),
        **read_sets("hard negative", {"the same in focus": data.files(phone, "*_S.*")}),
    }
