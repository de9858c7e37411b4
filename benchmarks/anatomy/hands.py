"""How well the check ``hands`` counts fingers, how seldom it accuses real hands, and whether it ranks as experts do."""

from __future__ import annotations

import csv
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from benchmarks import data
from benchmarks.anatomy.hand_defects import GLOVES, KINDS, gloved
from benchmarks.figures import header, rank_correlation, row, share
from loupe.brain.checks.hands import MAX, Hands, score_picture
from loupe.brain.core.records import SampleResult
from loupe.brain.measures.anatomy import glove_color
from loupe.brain.measures.anatomy.hand_views import HandViews
from loupe.brain.perception.detectors import small

#: how many fingers each sign of the sign digits stretches out, by looking at the pictures
STRETCHED = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 3, 7: 3, 8: 3, 9: 3}
_THRESHOLD = 0.5
Scorer = Callable[[np.ndarray], SampleResult]


def tools() -> tuple[Scorer, HandViews]:
    """Returns what the check says of a picture, and what finds the hands in it."""
    check = Hands()
    views = HandViews(levels=check.levels, max_hands=MAX, find_objects=small.finder(check.people))
    return lambda picture: score_picture(picture, views, None, check.min_side), views


def read(path: Path) -> np.ndarray:
    """Returns a picture, (H, W, 3) uint8 RGB, its long side at most 1280 pixels: what the check is given."""
    picture = cv2.imread(str(path))
    if picture is None:
        raise SystemExit(f"expected a picture, got {path}")
    scale = 1280 / max(picture.shape[:2])
    if scale < 1:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))


def is_even(path: Path) -> bool:
    """Returns whether the last number in a file's name is even."""
    return int(re.findall(r"\d+", path.stem)[-1]) % 2 == 0


def people_of(paths: Sequence[Path]) -> list[list[Path]]:
    """Returns the sign digits of each person: everybody was photographed making the ten signs in turn.

    So a file's number less its digit is the same for one person, or nearly so where a picture was taken again.
    """
    people: list[list[Path]] = []
    last = -10
    for number, path in sorted((int(re.findall(r"\d+", path.stem)[-1]), path) for path in paths):
        start = number - int(path.parent.name)
        if start - last > 4:
            people.append([])
            last = start
        people[-1].append(path)
    return people


def files_in(folder: Path, even: bool | None = None) -> list[Path]:
    """Returns the pictures in a folder and its folders; with ``even`` those with even or odd numbers only.

    Raises:
        MissingData: there are no pictures
    """
    paths = data.pictures(folder)
    if not paths:
        raise data.MissingData(f"expected pictures in {folder}, got none")
    return [path for path in paths if even is None or is_even(path) == even]


def signs(folder: Path, even: bool) -> None:
    """Prints false alarms, coverage and right counts for each digit, and the recall of each injected defect."""
    score_hands, views = tools()
    header("digit", "stretched out", "hands", "judged", "count right", "false alarms")
    strangers = {path for own in people_of(files_in(folder)) if not any(map(is_even, own)) for path in own}
    counts, of_strangers = [], []
    for digit, wanted in STRETCHED.items():
        judged = {path: score_hands(read(path)) for path in files_in(folder / str(digit), even)}
        counts.append(_counted([*judged.values()], wanted))
        of_strangers.append(_counted([result for path, result in judged.items() if path in strangers], wanted))
        _print_counts(str(digit), str(wanted), counts[-1])
    _print_counts("all", "", np.sum(counts, 0))
    _print_counts("all, of people without an even-numbered file", "", np.sum(of_strangers, 0))
    print()
    header("defect", "digit", "hands", "found", "judged sound", "unknown")
    for kind, inject in KINDS.items():
        for digit in (1, 2, 4, 5):
            outcome: Counter[str] = Counter()
            for seed, path in enumerate(files_in(folder / str(digit), even)):
                picture = read(path)
                hands, _ = views.find(picture)
                if not hands:
                    continue
                made = inject(picture, hands[0].points, np.random.default_rng(seed))
                score = score_hands(made).values["hand_malformed"]
                outcome["unknown" if np.isnan(score) else "found" if score > _THRESHOLD else "sound"] += 1
            n = outcome.total()
            row(kind, digit, n, *(share(outcome[name], n) for name in ("found", "sound", "unknown")))


def _counted(judged: Sequence[SampleResult], wanted: int) -> np.ndarray:
    """Pictures, judged ones, those with the right count, false alarms."""
    known = [result for result in judged if not np.isnan(result.values["hand_malformed"])]
    right = sum(any(hand.attributes.get("fingers_seen") == wanted for hand in result.points) for result in known)
    alarms = sum(result.values["hand_malformed"] > _THRESHOLD for result in known)
    return np.array([len(judged), len(known), right, alarms])


def _print_counts(name: str, wanted: str, counts: np.ndarray) -> None:
    n, known, right, alarms = (int(count) for count in counts)
    row(name, wanted, n, share(known, n), share(right, known), share(alarms, known))


def graded(folder: Path) -> None:
    """Prints the rank correlation of the score with the experts' severity of errors at hands, for both halves."""
    score_hands, _ = tools()
    grades = defaultdict(list)
    with (folder / "labels_tidy.csv").open() as stream:
        for label in csv.DictReader(stream):
            if (folder / label["image"]).is_file():
                grades[label["image"]].append(float(label["total_hands"]))
    rows = []
    for name, severities in sorted(grades.items()):
        values = score_hands(read(folder / name)).values
        rows.append((is_even(Path(name)), np.mean(severities), values["hand_implausibility"], values["hand_malformed"]))
    table = np.array(rows, float)
    header("files", "pictures", "ranked", "Spearman with severity", "hands counted", "accused")
    for name, chosen in (("even: chosen on", table[:, 0] == 1), ("odd: held out", table[:, 0] == 0)):
        part = table[chosen]
        known = part[~np.isnan(part[:, 2])]
        counted = part[~np.isnan(part[:, 3]), 3]
        row(
            name,
            len(part),
            share(len(known), len(part)),
            rank_correlation(known[:, 1], known[:, 2], np.random.default_rng(0)),
            share(len(counted), len(part)),
            share(int((counted > _THRESHOLD).sum()), len(counted)),
        )


def photos(folder: Path) -> None:
    """Prints how many pictures with hands are judged and accused, why the others are not, and what a picture costs."""
    score_hands, _ = tools()
    numbers: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    seconds = []
    for path in files_in(folder):
        picture, start = read(path), time.perf_counter()
        result = score_hands(picture)
        seconds.append(time.perf_counter() - start)
        score = result.values["hand_malformed"]
        numbers["pictures"] += 1
        numbers["with hands"] += result.values["hands"] > 0
        numbers["hands"] += int(result.values["hands"])
        numbers["judged"] += not np.isnan(score)
        numbers["accused"] += bool(score > _THRESHOLD)
        reasons.update(
            str(hand.attributes["reason"]) for hand in result.points if hand.attributes["verdict"] == "unknown"
        )
        if score > _THRESHOLD:
            print(f"accused: {path.name}: {[hand.attributes['reason'] for hand in result.points]}")
    header("pictures", "with hands", "hands", "judged", "accused", "seconds a picture")
    row(
        *(numbers[name] for name in ("pictures", "with hands", "hands")),
        *(share(numbers[name], numbers["with hands"]) for name in ("judged", "accused")),
        f"{np.mean(seconds):.2f}, at most {max(seconds):.2f}",
    )
    for reason, count in reasons.most_common():
        print(f"- unknown: {reason}: {count}")


def in_gloves(folder: Path, even: bool) -> None:
    """Prints how many bare hands are taken for gloved ones, in color and in gray, and how many gloves are found."""
    _, views = tools()
    min_side = Hands().min_side
    bare: Counter[str] = Counter()
    worn: dict[str, Counter[str]] = defaultdict(Counter)
    for seed, path in enumerate(files_in(folder, even)):
        picture = read(path)
        hands = [hand for hand in views.find(picture)[0] if max(hand.box[2:]) >= min_side]
        gray = np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
        bare["hands"] += len(hands)
        for name, shown in (("in color", picture), ("in gray", gray)):
            colors = glove_color.glove_colors(shown, hands)
            bare[name] += sum(map(bool, colors))
            if any(colors):
                print(f"taken for gloves: {path.name}, {name}: {colors}")
        for number, color in enumerate(GLOVES if hands else ()):
            made, rng = picture, np.random.default_rng([seed, number])
            for hand in hands:
                made = gloved(made, hand.points, color, rng)
            others, _ = views.find(made)
            colors = glove_color.glove_colors(made, others)
            worn[color]["recognized"] += sum(map(bool, glove_color.glove_colors(made, hands)))
            for hand in hands:
                # the same hand: its points are the nearest ones, and not farther than a third of it
                off = [float(np.linalg.norm(other.points - hand.points, axis=1).mean()) for other in others]
                seen = min(off, default=np.inf) < max(hand.box[2:]) / 3
                worn[color]["hands"] += 1
                worn[color]["seen"] += seen
                worn[color]["seen and recognized"] += seen and bool(colors[int(np.argmin(off))])
    header("bare hands", "taken for gloves", "in gray pictures")
    row(bare["hands"], *(share(bare[name], bare["hands"]) for name in ("in color", "in gray")))
    print()
    header("glove", "hands", "told, by the bare hand's points", "still seen as a hand", "of these told")
    for color, n in worn.items():
        of_seen = share(n["seen and recognized"], n["seen"])
        row(color, n["hands"], share(n["recognized"], n["hands"]), share(n["seen"], n["hands"]), of_seen)
