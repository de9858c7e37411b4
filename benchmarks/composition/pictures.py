"""Ten generated pictures, end to end."""

from __future__ import annotations

import math
from pathlib import Path

from PIL import Image

from benchmarks.composition.photos import MODEL
from benchmarks.composition.scoring import scored
from benchmarks.figures import share
from loupe.brain.checks.composition import Composition
from loupe.brain.prompts.parse import parse
from loupe.brain.prompts.spec import Asked, Attribute, Relation, Spec

#: what the prompts of the ten pictures of Stable Diffusion ask for, and by eye what is wrong with them ("": nothing)
PICTURES: dict[str, tuple[Spec, str]] = {
    "p01": (Spec("A red colored car", (Asked("car", attributes=(Attribute("color", "red"),)),)), ""),
    "p03": (
        Spec(
            "A blue bird and a brown bear",
            (
                Asked("bird", attributes=(Attribute("color", "blue"),)),
                Asked("bear", attributes=(Attribute("color", "brown"),)),
            ),
        ),
        "",
    ),
    "p05": (Spec("Two cars on the street", (Asked("car", 2, True), Asked("street"))), "wrong_count"),
    "p06": (
        Spec(
            "Two cats and one dog sitting on the grass", (Asked("cat", 2, True), Asked("dog", 1, True), Asked("grass"))
        ),
        "wrong_count missing_object",
    ),
    "p08": (Spec("A couple of glasses are sitting on a table", (Asked("glass", 2), Asked("table"))), "?"),
    "p13": (
        Spec("A pear cut into seven pieces arranged in a ring", (Asked("pear"), Asked("piece", 7, True))),
        "wrong_count",
    ),
    "p14": (
        Spec(
            "A zebra to the right of a fire hydrant",
            (Asked("zebra"), Asked("fire hydrant")),
            (Relation(0, "right of", 1),),
        ),
        "missing_object",
    ),
    "p21": (Spec("A seagull in the blue sky", (Asked("seagull"), Asked("sky"))), ""),
    "p25": (Spec("Group of people in front of a fountain", (Asked("person", None), Asked("fountain"))), ""),
    "p26": (
        Spec(
            "Black cows lying on the grass",
            (Asked("cow", None, attributes=(Attribute("color", "black"),)), Asked("grass")),
        ),
        "",
    ),
}

FAILURES = ("missing_object", "wrong_count", "wrong_attribute", "wrong_relation", "extra_object")


def pictures(data: Path) -> None:
    """Prints the verdicts on ten generated pictures, with what they ask for written by hand and read by the rules."""
    folder = data / "5_generated/avt_ai_images/images/stable_diffusion"
    names = [name for name in PICTURES if (folder / f"{name}.png").is_file()]
    files = [Image.open(folder / f"{name}.png") for name in names]
    by_hand = [PICTURES[name][0] for name in names]
    check = Composition(detector=str(data / MODEL))
    limits = {output.name: output.fails.value for output in check.outputs if output.fails}
    for title, specs in (("by hand", by_hand), ("by the rules", [parse(spec.prompt) for spec in by_hand])):
        scores = scored(check, specs, [None] * len(names), files)
        print(f"\n### Generated pictures (AVT-AI, Stable Diffusion), YOLOX-nano, what is asked for {title}\n")
        print(
            "| picture | prompt | by eye | said to be wrong | said to be right | unknown |\n|---|---|---|---|---|---|"
        )
        hits = flagged = there = held = false = 0
        for place, name in enumerate(names):
            said = {one for one in FAILURES if scores[one][place] > limits[one]}
            right = {one for one in FAILURES if scores[one][place] <= limits[one]}
            if (eye := PICTURES[name][1]) != "?":
                wanted = set(eye.split())
                hits, flagged, there = hits + len(said & wanted), flagged + len(said), there + len(wanted)
                held, false = held + len(right), false + len(right & wanted)
            unknown = scores["composition_unknown"][place]
            print(
                f"| {name} | {specs[place].prompt} | {eye or 'right'} | {', '.join(sorted(said)) or '–'} "
                f"| {', '.join(sorted(right)) or '–'} | {'–' if math.isnan(unknown) else f'{unknown:.0%}'} |"
            )
        print(f"\nPrecision of wrong {share(hits, flagged)}, of right {share(held - false, held)}; ", end="")
        print(f"recall {share(hits, there)}")
