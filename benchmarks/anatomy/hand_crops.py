"""Whether the crops that are taken for hands show hands, why the others are unknown, and what a picture costs.

``hand_labels.csv`` says of what was found at least 30 pixels large in the generated people and in the photos whether it
is a hand: read by eye, at 128 pixels, once, by one person; what could not be told is "unclear" and not
counted. The rule was chosen on the prompts at even places; the others, and the photos, are held out.
"""

from __future__ import annotations

import csv
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import data
from benchmarks.anatomy.hands import Scorer, read
from benchmarks.figures import header, row, share, title
from loupe.brain.checks.hands import UNSTEADY, Hands
from loupe.brain.core.records import Points, SampleResult
from loupe.brain.measures.anatomy import fingers
from loupe.brain.measures.anatomy.hand_crops import ANIMAL, UNSURE
from loupe.brain.measures.anatomy.hand_shape import implausibility
from loupe.brain.measures.anatomy.hand_views import HandViews, patch_of

_LABELS = Path(__file__).with_name("hand_labels.csv")
#: a label belongs to what is found nearer to it than that, in longer sides of the hand
_SAME = 0.5
MIN_SIDE = Hands().min_side


@dataclass(frozen=True)
class Labeled:
    """A picture, what the check says of it, and what was read by eye of what is in it: places in [0, 1] and labels."""

    result: SampleResult
    size: tuple[int, int]
    seconds: float
    name: str
    labels: tuple[tuple[float, float, str], ...]


def crops(score_hands: Scorer, views: HandViews) -> None:
    """Prints how many of the crops that are kept are hands, how many hands are kept, the reasons and the cost.

    And how far better detectors alone could go: in how many pictures the outline of a hand can be counted where the
    labels say which crops are hands, with and without the limit of steadiness.
    """
    labels: dict[str, list[tuple[float, float, str]]] = defaultdict(list)
    with _LABELS.open(newline="", encoding="utf-8") as stream:
        for line in csv.DictReader(stream):
            labels[line["image"]].append((float(line["x"]), float(line["y"]), line["label"]))
    root = data.required("4_hands/ai_human_anatomy").parents[1]
    prompts = sorted({Path(name).parent.name for name in labels if "ai_human_anatomy" in name})
    sets: dict[str, list[Labeled]] = defaultdict(list)
    for name, places in sorted(labels.items()):
        if (root / name).is_file():
            sets[_set_of(name, prompts)].append(_labeled(root, name, places, score_hands))
    header("pictures", "", "taken for hands", "hands among them", "kept: hands among them", "hands that are kept")
    for name, pictures in sets.items():
        _print_crops(name, pictures)
    title("Pictures with a hand that can be seen")
    header("pictures", "", "answered", "accused", "CPU seconds a picture")
    for name, pictures in sets.items():
        _print_answers(name, [judged for judged in pictures if any(label == "hand" for _, _, label in judged.labels)])
    title("The same, were the labels the detector")
    header("pictures", "", "a hand could be counted", "landmarks that are not steady, too", "outlines of these hands")
    for name, pictures in sets.items():
        _print_ceiling(name, pictures, views, root)
    for name, pictures in sets.items():
        title(f"Hands of {name}: answers, and why there is none")
        reasons = Counter(_reason(hand) for judged in pictures for hand in judged.result.points)
        header("reason", "hands")
        for reason, count in reasons.most_common():
            row(reason, share(count, reasons.total()))


def _set_of(name: str, prompts: Sequence[str]) -> str:
    if "ai_human_anatomy" in name:
        at = prompts.index(Path(name).parent.name)
        return "generated, prompts chosen on" if at % 2 == 0 else "generated, held-out prompts"
    return "malformed, held out" if "handrefiner" in name else "photos, held out"


def _labeled(root: Path, name: str, places: Sequence[tuple[float, float, str]], score_hands: Scorer) -> Labeled:
    picture, start = read(root / name), time.process_time()
    result = score_hands(picture)
    return Labeled(result, (picture.shape[1], picture.shape[0]), time.process_time() - start, name, tuple(places))


def _print_ceiling(name: str, pictures: Sequence[Labeled], views: HandViews, root: Path) -> None:
    steady, any_hand, reasons = 0, 0, Counter[str]()
    shown = [judged for judged in pictures if any(label == "hand" for _, _, label in judged.labels)]
    for judged in shown:
        picture = read(root / judged.name)
        ranks = []
        for hand in views.find(picture)[0]:
            if max(hand.box[2:]) < MIN_SIDE or _label(hand.to_points("hand"), judged) != "hand":
                continue
            count = fingers.count(*patch_of(picture, hand, fingers.SIDE))
            reasons[count.reason or "counted"] += 1
            if count.seen is not None:
                ranks.append(implausibility(views.steadiness(picture, hand), hand.score))
        any_hand += bool(ranks)
        steady += min(ranks, default=1.0) <= UNSTEADY
    row(
        name,
        len(shown),
        share(steady, len(shown)),
        share(any_hand, len(shown)),
        ", ".join(f"{reason} {number}" for reason, number in reasons.most_common()),
    )


def _print_crops(name: str, pictures: Sequence[Labeled]) -> None:
    numbers: Counter[tuple[bool, bool]] = Counter()
    for judged in pictures:
        for hand in judged.result.points:
            label = _label(hand, judged)
            if label in ("hand", "none") and "seen_by" in hand.attributes:
                numbers[label == "hand", hand.attributes["reason"] not in (UNSURE, ANIMAL)] += 1
    hands, kept = numbers[True, True] + numbers[True, False], numbers[True, True] + numbers[False, True]
    row(
        name,
        len(pictures),
        numbers.total(),
        share(hands, numbers.total()),
        share(numbers[True, True], kept),
        share(numbers[True, True], hands),
    )


def _label(hand: Points, judged: Labeled) -> str:
    """What was read by eye of what lies where a hand was found; empty where nothing was found then."""
    places = np.array(hand.points) * judged.size
    side = float(np.ptp(places, axis=0).max())
    off = [float(np.linalg.norm(places.mean(0) - np.array([x, y]) * judged.size)) for x, y, _ in judged.labels]
    nearest = int(np.argmin(off))
    return judged.labels[nearest][2] if off[nearest] < _SAME * side else ""


def _print_answers(name: str, pictures: Sequence[Labeled]) -> None:
    scores = np.array([judged.result.values["hand_malformed"] for judged in pictures])
    known = int((~np.isnan(scores)).sum())
    seconds = [judged.seconds for judged in pictures]
    row(
        name,
        len(pictures),
        share(known, len(pictures)),
        share(int((scores > 0.5).sum()), known),
        f"{np.mean(seconds):.2f}, at most {max(seconds):.2f}" if seconds else "–",
    )


def _reason(hand: Points) -> str:
    verdict = str(hand.attributes["verdict"])
    return str(hand.attributes["reason"]) if verdict == "unknown" else f"answered: {verdict}"
