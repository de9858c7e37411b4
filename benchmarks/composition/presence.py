"""Is it there: what YOLOX-nano says of photos that do and do not show it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.composition.photos import MODEL, asked_photos
from benchmarks.composition.scoring import scored
from benchmarks.figures import share
from loupe.brain.checks.composition import Composition
from loupe.brain.prompts.spec import PromptSpec, RequestedObject


def presence(data: Path) -> None:
    """Prints what missing_object and negation_violated say of photos, with YOLOX-nano; half of them were fitted on."""
    asked = [one for one in asked_photos(data) if one[0] % 2]
    check = Composition(detector=str(data / MODEL))
    pictures = [Image.open(path) for *_, path in asked]
    there = np.array([one[1] for one in asked])
    specs = [PromptSpec(f"a photo of a {noun}", (RequestedObject(noun),)) for _, _, noun, _ in asked]
    missing = scored(check, specs, [None] * len(asked), pictures)["missing_object"]
    specs = [PromptSpec(f"a photo without a {noun}", excluded=(noun,)) for _, _, noun, _ in asked]
    negated = scored(check, specs, [None] * len(asked), pictures)["negation_violated"]
    print(f"\n### Presence, YOLOX-nano: {there.sum()} photos that show it, {(~there).sum()} questions that they do not")
    print("\n| output | false alarms | found | known |\n|---|---|---|---|")
    for name, scores, bad in (("missing_object", missing, ~there), ("negation_violated", negated, there)):
        flagged, known = scores > 0.5, ~np.isnan(scores)
        print(
            f"| {name} | {share(int(flagged[~bad].sum()), int((~bad).sum()))} "
            f"| {share(int(flagged[bad].sum()), int(bad.sum()))} | {share(int(known.sum()), len(known))} |"
        )
