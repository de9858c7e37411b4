"""Ten generated pictures, end to end."""

from __future__ import annotations

import math

from PIL import Image

from benchmarks import data
from benchmarks.composition.photos import model
from benchmarks.composition.scoring import scored
from benchmarks.figures import header, row, share, title
from loupe.brain.checks.composition import Composition
from loupe.brain.prompts.parse import parse
from loupe.brain.prompts.spec import Attribute, PromptSpec, Relation, RequestedObject

#: what the prompts of the ten pictures of Stable Diffusion ask for, and by eye what is wrong with them ("": nothing)
PICTURES: dict[str, tuple[PromptSpec, str]] = {
    "p01": (PromptSpec("A red colored car", (RequestedObject("car", attributes=(Attribute("color", "red"),)),)), ""),
    "p03": (
        PromptSpec(
            "A blue bird and a brown bear",
            (
                RequestedObject("bird", attributes=(Attribute("color", "blue"),)),
                RequestedObject("bear", attributes=(Attribute("color", "brown"),)),
            ),
        ),
        "",
    ),
    "p05": (
        PromptSpec("Two cars on the street", (RequestedObject("car", 2, True), RequestedObject("street"))),
        "wrong_count",
    ),
    "p06": (
        PromptSpec(
            "Two cats and one dog sitting on the grass",
            (RequestedObject("cat", 2, True), RequestedObject("dog", 1, True), RequestedObject("grass")),
        ),
        "wrong_count missing_object",
    ),
    "p08": (
        PromptSpec(
            "A couple of glasses are sitting on a table", (RequestedObject("glass", 2), RequestedObject("table"))
        ),
        "?",
    ),
    "p13": (
        PromptSpec(
            "A pear cut into seven pieces arranged in a ring",
            (RequestedObject("pear"), RequestedObject("piece", 7, True)),
        ),
        "wrong_count",
    ),
    "p14": (
        PromptSpec(
            "A zebra to the right of a fire hydrant",
            (RequestedObject("zebra"), RequestedObject("fire hydrant")),
            (Relation(0, "right of", 1),),
        ),
        "missing_object",
    ),
    "p21": (PromptSpec("A seagull in the blue sky", (RequestedObject("seagull"), RequestedObject("sky"))), ""),
    "p25": (
        PromptSpec(
            "Group of people in front of a fountain", (RequestedObject("person", None), RequestedObject("fountain"))
        ),
        "",
    ),
    "p26": (
        PromptSpec(
            "Black cows lying on the grass",
            (RequestedObject("cow", None, attributes=(Attribute("color", "black"),)), RequestedObject("grass")),
        ),
        "",
    ),
}

FAILURES = ("missing_object", "wrong_count", "wrong_attribute", "wrong_relation", "extra_object")


def pictures() -> None:
    """Prints the verdicts on ten generated pictures, with what they ask for written by hand and read by the rules."""
    folder = data.required("5_generated/avt_ai_images/images/stable_diffusion")
    names = [name for name in PICTURES if (folder / f"{name}.png").is_file()]
    files = [Image.open(folder / f"{name}.png") for name in names]
    by_hand = [PICTURES[name][0] for name in names]
    check = Composition(detector=model())
    limits = {output.name: output.default_threshold.value for output in check.outputs if output.default_threshold}
    for source, specs in (("by hand", by_hand), ("by the rules", [parse(spec.prompt) for spec in by_hand])):
        scores = scored(check, specs, [None] * len(names), files)
        title(f"Generated pictures (AVT-AI, Stable Diffusion), YOLOX-nano, what is asked for {source}")
        header("picture", "prompt", "by eye", "said to be wrong", "said to be right", "unknown")
        hits = flagged = flawed = held = false = 0
        for place, name in enumerate(names):
            wrong = {failure for failure in FAILURES if scores[failure][place] > limits[failure]}
            right = {failure for failure in FAILURES if scores[failure][place] <= limits[failure]}
            if (eye := PICTURES[name][1]) != "?":
                wanted = set(eye.split())
                hits, flagged, flawed = hits + len(wrong & wanted), flagged + len(wrong), flawed + len(wanted)
                held, false = held + len(right), false + len(right & wanted)
            unknown = scores["composition_unknown"][place]
            sets = (", ".join(sorted(failures)) or "–" for failures in (wrong, right))
            share_unknown = "–" if math.isnan(unknown) else f"{unknown:.0%}"
            row(name, specs[place].prompt, eye or "right", *sets, share_unknown)
        print(f"\nPrecision of wrong {share(hits, flagged)}, of right {share(held - false, held)}; ", end="")
        print(f"recall {share(hits, flawed)}")
