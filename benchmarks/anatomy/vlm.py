"""What a vision-language model says of hands: with and without examples, raw and calibrated, and against experts.

The prepared measurement for the day that weights and a GPU are there. Examples and calibration come from even-numbered
files of the sign digits, with flaws put in; what is printed of hands is of the odd ones. Generated pictures are graded
by experts, and none of them is used for anything but the measure.
"""

from __future__ import annotations

import csv
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.anatomy.hand_defects import KINDS
from benchmarks.anatomy.hands import files_in, read
from benchmarks.figures import header, rank_correlation, row, share, title
from loupe.brain.checks.hands import MAX, Hands
from loupe.brain.core.errors import InputError
from loupe.brain.measures.anatomy import vlm_questions
from loupe.brain.measures.anatomy.hand_views import HandViews
from loupe.brain.perception.landmarks.hand import hand_region
from loupe.brain.perception.vlm.answers import Answer, Question
from loupe.brain.perception.vlm.base import Vlm
from loupe.brain.perception.vlm.calibration import MIN_LABELS, calibrate
from loupe.brain.perception.vlm.few_shot import Example, FewShot
from loupe.brain.perception.vlm.questions import SPECIALISTS
from loupe.brain.stats.auroc import auroc_interval

#: the question for each flaw that is put in
ARTIFACTS = {"sixth": "extra_fingers", "missing": "too_few_fingers", "fused": "fused_fingers"}
#: the signs with four and five fingers stretched out: flaws can be put into these
_OPEN = (4, 5)
#: hands of generated pictures are asked about from this size on, in pixels
_MIN_SIDE = 40
_MIN_MASS = vlm_questions.MIN_MASS


@dataclass(frozen=True, eq=False)
class Pair:
    """A real hand, and the same hand with a flaw: crops as the check cuts them."""

    real: np.ndarray
    flawed: np.ndarray


def pairs(folder: Path, views: HandViews, kind: str, even: bool, limit: int) -> list[Pair]:
    """Returns real hands beside flawed ones, of the files with even or odd numbers."""
    made: list[Pair] = []
    paths = [path for digit in _OPEN for path in files_in(folder / str(digit), even)]
    # of both signs alike, however few are wanted
    for seed, path in enumerate(sorted(paths, key=lambda path: (path.stem, path.parent.name))):
        if len(made) == limit:
            break
        picture = read(path)
        hands, _ = views.find(picture)
        if not hands:
            continue
        flawed = KINDS[kind](picture, hands[0].points, np.random.default_rng(seed))
        region = hand_region(hands[0].points).scaled(1.1)
        made.append(Pair(vlm_questions.cut(picture, region), vlm_questions.cut(flawed, region)))
    return made


def shown(chosen: Sequence[Pair], shots: int) -> tuple[Example, ...]:
    """Returns so many examples, yes and no in turn; the pictures of one pair are never both shown."""
    examples: list[Example] = []
    for index, pair in enumerate(chosen[:shots]):
        examples.append((pair.flawed, "yes") if index % 2 == 0 else (pair.real, "no"))
    return tuple(examples)


def measure(vlm: Vlm, signs: Path, graded: Path, shots: Iterable[int], limit: int) -> None:
    """Prints the tables.

    Args:
        vlm: the model
        signs: real hands, a folder for each digit
        graded: generated people with labels_tidy.csv
        shots: numbers of examples, each measured
        limit: hands of a kind, and graded pictures, at most
    """
    views = HandViews(levels=Hands().levels, max_hands=MAX)
    chosen = {kind: pairs(signs, views, kind, True, limit) for kind in KINDS}
    held_out = {kind: pairs(signs, views, kind, False, limit) for kind in KINDS}
    crops = _graded_crops(graded, views, limit)
    for number in shots:
        examples = {ARTIFACTS[kind]: shown(own, number) for kind, own in chosen.items()}
        asked = FewShot(vlm, examples) if number else vlm
        _print_flaws(asked, chosen, held_out, number)
        _print_grades(asked, crops, number)


def _print_flaws(vlm: Vlm, chosen: dict[str, list[Pair]], held_out: dict[str, list[Pair]], shots: int) -> None:
    title(f"Flaws put into real hands, {shots} examples; calibrated on even files, measured on odd ones")
    header(
        "flaw",
        "hands",
        "answered",
        "AUROC",
        "found at .5",
        "false at .5",
        "calibrated: decided",
        "right",
        "s a question",
    )
    for kind, own in held_out.items():
        # what was shown as an example is not calibrated on
        _print_flaw(vlm, kind, chosen[kind][shots:], own)


def _print_flaw(vlm: Vlm, kind: str, chosen: Sequence[Pair], own: Sequence[Pair]) -> None:
    started = time.perf_counter()
    answers, flawed = _asked(vlm, ARTIFACTS[kind], own)
    seconds = (time.perf_counter() - started) / max(1, len(answers))
    known = np.array([answer.mass >= _MIN_MASS for answer in answers], dtype=bool)
    yes = np.array([answer.yes for answer in answers], dtype=np.float64)
    pair = np.repeat(np.arange(len(own)), 2)
    area = "–"
    if flawed[known].any() and (~flawed[known]).any():
        area = "{:.3f} [{:.3f}, {:.3f}]".format(*auroc_interval(yes[known], flawed[known], pair[known]))
    says = yes > 0.5
    decided, right = _calibrated(*_asked(vlm, ARTIFACTS[kind], chosen), answers, flawed)
    row(
        kind,
        f"{len(own)} + {len(own)}",
        share(int(known.sum()), len(known)),
        area,
        share(int((says & flawed & known).sum()), int((flawed & known).sum())),
        share(int((says & ~flawed & known).sum()), int((~flawed & known).sum())),
        decided,
        right,
        f"{seconds:.3f}",
    )


def _asked(vlm: Vlm, artifact: str, own: Sequence[Pair]) -> tuple[list[Answer], np.ndarray]:
    """Returns the answers, real and flawed in turn, and which are of flawed ones."""
    text = SPECIALISTS[artifact].text
    questions = [Question(text, crop) for pair in own for crop in (pair.real, pair.flawed)]
    return vlm.answer(questions) if questions else [], np.arange(2 * len(own)) % 2 == 1


def _calibrated(
    known: list[Answer], labels: np.ndarray, answers: Sequence[Answer], flawed: np.ndarray
) -> tuple[str, str]:
    """Returns how many get a verdict by a calibration on the others, and how many of these verdicts are right."""
    try:
        made = calibrate(known, [bool(label) for label in labels])
    except InputError:
        return f"fewer than {MIN_LABELS} answers", "–"
    verdicts = [made.apply(answer).verdict for answer in answers]
    decided = [(verdict == "yes") == bad for verdict, bad in zip(verdicts, flawed, strict=True) if verdict != "unknown"]
    return share(len(decided), len(verdicts)), share(sum(decided), len(decided))


@dataclass(frozen=True, eq=False)
class Graded:
    """A graded picture: who drew it, how severe experts find its hands, and the crops of them."""

    generator: str
    severity: float
    crops: tuple[np.ndarray, ...]


def _graded_crops(folder: Path, views: HandViews, limit: int) -> list[Graded]:
    grades: dict[tuple[str, str], list[float]] = defaultdict(list)
    with (folder / "labels_tidy.csv").open() as stream:
        for label in csv.DictReader(stream):
            if (folder / label["image"]).is_file():
                grades[label["model"], label["image"]].append(float(label["total_hands"]))
    made = []
    # of all generators and prompts alike, however few are wanted
    order = np.random.default_rng(0).permutation(len(grades))[:limit]
    listed = sorted(grades.items())
    for (generator, image), severities in (listed[at] for at in sorted(order)):
        picture = read(folder / image)
        hands = [hand for hand in views.find(picture)[0] if max(hand.box[2:]) >= _MIN_SIDE]
        crops = tuple(vlm_questions.cut(picture, hand_region(hand.points).scaled(1.1)) for hand in hands)
        made.append(Graded(generator, float(np.mean(severities)), crops))
    return made


def _print_grades(vlm: Vlm, pictures: Sequence[Graded], shots: int) -> None:
    title(f"Generated people, graded by experts, {shots} examples: the worst answer about any hand")
    header("generator", "pictures", "with a hand", "answered", "Spearman with severity")
    shown_hands = [picture for picture in pictures if picture.crops]
    worst = vlm_questions.worst(vlm, [crop for each in shown_hands for crop in each.crops], "hand_malformed")
    scores, start = [], 0
    for each in shown_hands:
        own = [answer.score for answer in worst[start : start + len(each.crops)] if not np.isnan(answer.score)]
        scores.append(max(own, default=np.nan))
        start += len(each.crops)
    values, severities = np.array(scores), np.array([each.severity for each in shown_hands])
    by = np.array([each.generator for each in shown_hands])
    total = np.array([each.generator for each in pictures])
    for name in ("all", *sorted(set(by))):
        part = np.ones(len(by), dtype=bool) if name == "all" else by == name
        known = part & ~np.isnan(values)
        n = len(total) if name == "all" else int((total == name).sum())
        ranked = known.sum() >= 10 and len(set(values[known])) > 1
        rank = rank_correlation(severities[known], values[known], np.random.default_rng(0)) if ranked else "too few"
        row(name, n, share(int(part.sum()), n), share(int(known.sum()), int(part.sum())), rank)
