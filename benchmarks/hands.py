"""How well the check ``hands`` counts fingers, how seldom it accuses real hands, and whether it ranks as experts do.

    python -m benchmarks.hands signs FOLDER      real hands, a folder for each digit of the sign digits; and with a
                                                 sixth finger, without one, with two grown together
    python -m benchmarks.hands graded FOLDER     generated pictures of people with labels_tidy.csv, graded by experts
    python -m benchmarks.hands photos FOLDER     photos as they are: each accusation is a false alarm
    python -m benchmarks.hands malformed FOLDER  pictures with malformed hands: each accusation is right
    python -m benchmarks.hands gloves FOLDER     bare hands, as they are, in grey pictures and in gloves of five colours

Needs MediaPipe's weights (``loupe weights get``). Even-numbered files were used to choose thresholds; the figures are
of the odd-numbered ones, unless --even asks for the others. Intervals of shares are Wilson's, of rank correlations the
bootstrap's over 2000 resamples, at 95 %. Tables are Markdown.
"""

from __future__ import annotations

import argparse
import csv
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from benchmarks.figures import machine, share
from benchmarks.hand_defects import GLOVES, KINDS, gloved
from loupe.brain.checks.hands import MAX, Hands, judge_picture
from loupe.brain.core.records import SampleResult
from loupe.brain.measures.anatomy import glove_color
from loupe.brain.measures.anatomy.hand_views import Looker

#: how many fingers each sign of the sign digits stretches out, by looking at the pictures
STRETCHED = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 3, 7: 3, 8: 3, 9: 3}
_THRESHOLD = 0.5
_SUFFIXES = {".jpg", ".jpeg", ".png"}
Judge = Callable[[np.ndarray], SampleResult]


def read(path: Path) -> np.ndarray:
    """Returns a picture, (H, W, 3) uint8 RGB, its long side at most 1280 pixels: what the check is given."""
    found = cv2.imread(str(path))
    if found is None:
        raise SystemExit(f"expected a picture, got {path}")
    scale = 1280 / max(found.shape[:2])
    if scale < 1:
        found = cv2.resize(found, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(found, cv2.COLOR_BGR2RGB))


def is_even(path: Path) -> bool:
    """Returns whether the last number in a file's name is even."""
    return int(re.findall(r"\d+", path.stem)[-1]) % 2 == 0


def files_in(folder: Path, even: bool | None = None) -> list[Path]:
    """Returns the pictures in a folder and its folders; with ``even`` those with even or odd numbers only."""
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)
    if not found:
        raise SystemExit(f"expected pictures in {folder}, got none")
    return [path for path in found if even is None or is_even(path) == even]


def signs(judge: Judge, looker: Looker, folder: Path, even: bool) -> None:
    """Prints false alarms, coverage and right counts for each digit, and the recall of each injected defect."""
    print("| digit | stretched out | hands | judged | count right | false alarms |\n|---|---|---|---|---|---|")
    rows = {}
    for digit, wanted in STRETCHED.items():
        rows[digit] = _counted([judge(read(path)) for path in files_in(folder / str(digit), even)], wanted)
        print(_row(str(digit), str(wanted), rows[digit]))
    print(_row("all", "", np.sum([*rows.values()], 0)))
    print("\n| defect | digit | hands | found | judged sound | unknown |\n|---|---|---|---|---|---|")
    for kind, inject in KINDS.items():
        for digit in (4, 5):
            outcome: Counter[str] = Counter()
            for seed, path in enumerate(files_in(folder / str(digit), even)):
                picture = read(path)
                hands, _ = looker.find(picture)
                if not hands:
                    continue
                made = inject(picture, hands[0].points, np.random.default_rng(seed))
                score = judge(made).values["hand_malformed"]
                outcome["unknown" if np.isnan(score) else "found" if score > _THRESHOLD else "sound"] += 1
            n = outcome.total()
            cells = (share(outcome[name], n) for name in ("found", "sound", "unknown"))
            print(f"| {kind} | {digit} | {n} | {' | '.join(cells)} |")


def _counted(judged: Sequence[SampleResult], wanted: int) -> np.ndarray:
    """Pictures, judged ones, those with the right count, false alarms."""
    known = [one for one in judged if not np.isnan(one.values["hand_malformed"])]
    right = sum(any(point.attributes.get("fingers_seen") == wanted for point in one.points) for one in known)
    alarms = sum(one.values["hand_malformed"] > _THRESHOLD for one in known)
    return np.array([len(judged), len(known), right, alarms])


def _row(name: str, wanted: str, numbers: np.ndarray) -> str:
    n, known, right, alarms = (int(number) for number in numbers)
    return f"| {name} | {wanted} | {n} | {share(known, n)} | {share(right, known)} | {share(alarms, known)} |"


def graded(judge: Judge, folder: Path) -> None:
    """Prints the rank correlation of the score with the experts' severity of errors at hands, for both halves."""
    grades = defaultdict(list)
    with (folder / "labels_tidy.csv").open() as stream:
        for row in csv.DictReader(stream):
            if (folder / row["image"]).is_file():
                grades[row["image"]].append(float(row["total_hands"]))
    rows = []
    for name, severities in sorted(grades.items()):
        values = judge(read(folder / name)).values
        rows.append((is_even(Path(name)), np.mean(severities), values["hand_implausibility"], values["hand_malformed"]))
    table = np.array(rows, float)
    print("| files | pictures | ranked | Spearman with severity | hands counted | accused |\n|---|---|---|---|---|---|")
    for name, chosen in (("even: chosen on", table[:, 0] == 1), ("odd: held out", table[:, 0] == 0)):
        part = table[chosen]
        known = part[~np.isnan(part[:, 2])]
        counted = part[~np.isnan(part[:, 3]), 3]
        cells = (
            share(len(known), len(part)),
            _spearman(known[:, 1], known[:, 2]),
            share(len(counted), len(part)),
            share(int((counted > _THRESHOLD).sum()), len(counted)),
        )
        print(f"| {name} | {len(part)} | {' | '.join(cells)} |")


def _spearman(one: np.ndarray, other: np.ndarray) -> str:
    from scipy.stats import spearmanr

    rng = np.random.default_rng(0)
    drawn = [rng.integers(0, len(one), len(one)) for _ in range(2000)]
    low, high = np.nanpercentile([spearmanr(one[at], other[at])[0] for at in drawn], [2.5, 97.5])
    return f"{spearmanr(one, other)[0]:.2f} [{low:.2f}, {high:.2f}]"


def photos(judge: Judge, folder: Path) -> None:
    """Prints how many pictures with hands are judged and accused, why the others are not, and what a picture costs."""
    numbers: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    seconds = []
    for path in files_in(folder):
        picture, start = read(path), time.perf_counter()
        one = judge(picture)
        seconds.append(time.perf_counter() - start)
        score = one.values["hand_malformed"]
        numbers["pictures"] += 1
        numbers["with hands"] += one.values["hands"] > 0
        numbers["hands"] += int(one.values["hands"])
        numbers["judged"] += not np.isnan(score)
        numbers["accused"] += bool(score > _THRESHOLD)
        reasons.update(
            str(point.attributes["reason"]) for point in one.points if point.attributes["verdict"] == "unknown"
        )
        if score > _THRESHOLD:
            print(f"accused: {path.name}: {[point.attributes['reason'] for point in one.points]}")
    print("| pictures | with hands | hands | judged | accused | seconds a picture |\n|---|---|---|---|---|---|")
    judged = share(numbers["judged"], numbers["with hands"])
    accused = share(numbers["accused"], numbers["with hands"])
    cost = f"{np.mean(seconds):.2f}, at most {max(seconds):.2f}"
    print(f"| {numbers['pictures']} | {numbers['with hands']} | {numbers['hands']} | {judged} | {accused} | {cost} |")
    for reason, count in reasons.most_common():
        print(f"- unknown: {reason}: {count}")


def in_gloves(looker: Looker, folder: Path, even: bool, min_side: int) -> None:
    """Prints how many bare hands are taken for gloved ones, in colour and in grey, and how many gloves are found."""
    bare: Counter[str] = Counter()
    worn: dict[str, Counter[str]] = defaultdict(Counter)
    for seed, path in enumerate(files_in(folder, even)):
        picture = read(path)
        hands = [hand for hand in looker.find(picture)[0] if max(hand.box[2:]) >= min_side]
        gray = np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
        bare["hands"] += len(hands)
        for name, shown in (("in colour", picture), ("in grey", gray)):
            said = glove_color.of_hands(shown, hands)
            bare[name] += sum(map(bool, said))
            if any(said):
                print(f"taken for gloves: {path.name}, {name}: {said}")
        for number, color in enumerate(GLOVES if hands else ()):
            made, rng = picture, np.random.default_rng([seed, number])
            for hand in hands:
                made = gloved(made, hand.points, color, rng)
            found, _ = looker.find(made)
            said = glove_color.of_hands(made, found)
            worn[color]["told"] += sum(map(bool, glove_color.of_hands(made, hands)))
            for hand in hands:
                # the same hand: its points are the nearest ones, and not farther than a third of it
                off = [float(np.linalg.norm(one.points - hand.points, axis=1).mean()) for one in found]
                seen = min(off, default=np.inf) < max(hand.box[2:]) / 3
                worn[color]["hands"] += 1
                worn[color]["seen"] += seen
                worn[color]["seen and told"] += seen and bool(said[int(np.argmin(off))])
    print("| bare hands | taken for gloves | in grey pictures |\n|---|---|---|")
    print(f"| {bare['hands']} | {' | '.join(share(bare[name], bare['hands']) for name in ('in color', 'in gray'))} |")
    print("\n| glove | hands | told, by the bare hand's points | still seen as a hand | of these told |")
    print("|---|---|---|---|---|")
    for color, n in worn.items():
        cells = share(n["told"], n["hands"]), share(n["seen"], n["hands"]), share(n["seen and told"], n["seen"])
        print(f"| {color} | {n['hands']} | {' | '.join(cells)} |")


def main() -> None:
    """Prints the tables that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("signs", "graded", "photos", "malformed", "gloves"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--even", action="store_true", help="the files that thresholds were chosen on")
    args = parser.parse_args()
    check = Hands()
    looker = Looker(levels=check.levels, maximum=MAX)

    def judge(picture: np.ndarray) -> SampleResult:
        return judge_picture(picture, looker, None, check.min_side)

    if args.what == "signs":
        signs(judge, looker, args.folder, args.even)
    elif args.what == "graded":
        graded(judge, args.folder)
    elif args.what == "gloves":
        in_gloves(looker, args.folder, args.even, check.min_side)
    else:
        photos(judge, args.folder)
    print(machine())


if __name__ == "__main__":
    main()
