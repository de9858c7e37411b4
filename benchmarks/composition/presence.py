"""Is it there: what YOLOX-nano says of photos that do and do not show it."""

from __future__ import annotations

import numpy as np
from PIL import Image

from benchmarks.composition.photos import asked_photos, model
from benchmarks.composition.scoring import scored
from benchmarks.figures import header, row, share, title
from loupe.brain.checks.composition import Composition
from loupe.brain.prompts.spec import PromptSpec, RequestedObject


def presence() -> None:
    """Prints what missing_object and negation_violated say of photos, with YOLOX-nano; half of them were fitted on."""
    asked = [question for question in asked_photos() if question[0] % 2]
    check = Composition(detector=model())
    pictures = [Image.open(path) for *_, path in asked]
    shown = np.array([is_shown for _, is_shown, _, _ in asked])
    specs = [PromptSpec(f"a photo of a {noun}", (RequestedObject(noun),)) for _, _, noun, _ in asked]
    missing = scored(check, specs, [None] * len(asked), pictures)["missing_object"]
    specs = [PromptSpec(f"a photo without a {noun}", excluded=(noun,)) for _, _, noun, _ in asked]
    negated = scored(check, specs, [None] * len(asked), pictures)["negation_violated"]
    title(f"Presence, YOLOX-nano: {shown.sum()} photos that show it, {(~shown).sum()} questions that they do not")
    header("output", "false alarms", "found", "known")
    for name, scores, bad in (("missing_object", missing, ~shown), ("negation_violated", negated, shown)):
        flagged, known = scores > 0.5, ~np.isnan(scores)
        row(
            name,
            share(int(flagged[~bad].sum()), int((~bad).sum())),
            share(int(flagged[bad].sum()), int(bad.sum())),
            share(int(known.sum()), len(known)),
        )
