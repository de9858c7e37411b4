"""Photos: people and animals that nobody asked for.

The rules of extra_object were changed after one false alarm among these photos (a schnauzer that is called a bear), so
that its figure is no held-out one.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from benchmarks import data
from benchmarks.composition.photos import asked_photos, model
from benchmarks.composition.scoring import scored
from benchmarks.figures import header, row, share, title
from loupe.brain.checks.composition import Composition
from loupe.brain.prompts.spec import PromptSpec, RequestedObject

#: the people and animals in ten COCO photos, by eye: what a fair prompt names
COCO = {
    "000000001353": "child", "000000001675": "cat", "000000002923": "bird", "000000003934": "person",
    "000000006763": "person", "000000006954": "child", "000000007088": "child", "000000007278": "surfer",
    "000000007784": "kite", "000000008021": "man",
}  # fmt: skip


def extra() -> None:
    """Prints how often extra_object is said of photos whose prompt names their people and animals."""
    photos, specs = [], []
    for path in data.files(data.required(data.COCO), "*.jpg"):
        if path.stem in COCO:
            photos.append(path)
            specs.append(PromptSpec(f"a photo of a {COCO[path.stem]}", (RequestedObject(COCO[path.stem]),)))
    groups = {"COCO photos": (photos, specs)}
    photos, specs = [], []
    for _, is_shown, label, path in asked_photos():
        if is_shown:
            photos.append(path)
            specs.append(PromptSpec(f"a photo of a {label}", (RequestedObject(label),)))
    groups["ImageNet photos"] = (photos, specs)
    title("Extra people and animals in photos, YOLOX-nano")
    header("photos", "flagged", "unknown", "which")
    for name, (files, asked) in groups.items():
        opened = [Image.open(file) for file in files]
        scores = scored(Composition(detector=model()), asked, [None] * len(files), opened)["extra_object"]
        flagged = scores > 0.8
        which = ", ".join(f"{files[place].stem} {scores[place]:.2f}" for place in np.flatnonzero(flagged))
        row(name, share(int(flagged.sum()), len(files)), int(np.isnan(scores).sum()), which or "–")
