"""How the checks of faces, bodies and skin do on real people, on injected flaws and on generated people.

Every face and every person is cut out with its surroundings and judged alone. There are too few real people to keep
any back: the limits of the measures and the thresholds were set with all of them in view, and several faces are of the
same man. Even and odd places only show how much the figures vary; none of them is a figure of unseen data. Flaws are
put into the ones at odd places, half of which the measures were chosen on. Animals in whose heads a face is found are
counted apart.
"""

from __future__ import annotations

import csv
import math
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import data
from benchmarks.anatomy import people_defects as defects
from benchmarks.batches import Scorer, batch_of
from benchmarks.figures import header, rank_correlation, row, share
from loupe.brain.core import registry
from loupe.brain.core.records import Output
from loupe.brain.engine.reader import read
from loupe.brain.perception import weights
from loupe.brain.perception.detectors import yolox
from loupe.brain.perception.landmarks.crop import Roi
from loupe.brain.perception.landmarks.face import Faces
from loupe.brain.perception.landmarks.pose import Poses
from loupe.brain.stats.calibration import auroc

LONG_SIDE = 1280
Picture = np.ndarray
#: output by output: the columns of the experts' severities that it should follow
EXPERTS = {
    "face_malformed": "total_face",
    "limb_malformed": "total_limbs",
    "wrong_proportions": "proportion",
}


@dataclass(frozen=True)
class Cut:
    """A face or a person, cut out."""

    name: str
    picture: Picture
    animal: bool


def load(path: Path) -> Picture:
    """Returns a picture as a check sees it."""
    batch = batch_of(read(path, LONG_SIDE).pixels)
    return np.ascontiguousarray(batch.at(LONG_SIDE).pixels[0].permute(1, 2, 0).numpy())


@cache
def scorer_of(check: str) -> Scorer:
    """Returns the check that asks no vision-language model."""
    return registry.checks()[check](backend="landmarks").load("cpu")  # type: ignore[call-arg]


def judged(check: str, picture: Picture) -> dict[str, float]:
    """Returns the scores of one picture."""
    scores = scorer_of(check)(batch_of(picture))
    return {name: float(values[0]) for name, values in scores.items()}


@cache
def find_faces() -> Faces:
    names = ("face_detection_full_range_sparse", "face_landmark", "iris_landmark")
    return Faces(*(weights.path(name) for name in names), levels=2)


@cache
def find_poses() -> Poses:
    return Poses(weights.path("pose_detection"), weights.path("pose_landmark_full"))


@cache
def find_objects() -> Any:
    return yolox.load(weights.path("yolox_nano")).find


def is_animal(path: Path) -> bool:
    """Whether a photo of ImageNet is of one of its animals: their WordNet numbers come first."""
    return path.name.startswith("n0") and path.name[:9] < "n02600000"


def around(picture: Picture, roi: Roi, factor: float) -> Picture:
    """Returns the upright square around a region as far as the picture has it, on whole blocks of a JPEG."""
    half, (height, width) = roi.side * factor / 2, picture.shape[:2]
    left, top = (max(int(at - half) // 8 * 8, 0) for at in (roi.x, roi.y))
    right, bottom = min(int(roi.x + half), width), min(int(roi.y + half), height)
    return np.ascontiguousarray(picture[top:bottom, left:right])


def cut_faces(paths: Sequence[Path]) -> list[Cut]:
    """Returns every face that is found in the photos, with its surroundings."""
    cuts = []
    for path in paths:
        picture = load(path)
        cuts += [Cut(path.name, around(picture, face.roi, 1.5), is_animal(path)) for face in find_faces()(picture)]
    return cuts


def cut_people(paths: Sequence[Path]) -> list[Cut]:
    """Returns every person of YOLOX's in the photos, with some surroundings."""
    cuts = []
    for path in paths:
        picture = load(path)
        height, width = picture.shape[:2]
        for box in find_objects()(picture):
            x, y, wide, high = (round(at * size) for at, size in zip(box.bounds, (width, height) * 2, strict=True))
            if box.label == "person" and (box.confidence or 0) >= 0.4 and high >= 120:
                left, top = max(x - wide // 4, 0), max(y - high // 8, 0)
                part = picture[top : y + high + high // 8, left : x + wide + wide // 4]
                cuts.append(Cut(path.name, np.ascontiguousarray(part), is_animal(path)))
    return cuts


def failing(check: str) -> list[Output]:
    return [output for output in registry.checks()[check].outputs if output.default_threshold is not None]


def fails(output: Output, values: Sequence[float]) -> int:
    assert output.default_threshold is not None
    return int(output.default_threshold.violates(np.array(values, float)).sum())


def cut_out(check: str, photos: Sequence[Path]) -> list[Cut]:
    """Returns the faces, or the people, in the real photos that are here and in the folders given.

    Raises:
        MissingData: the photos are not there
    """
    folders = [data.required(data.IMAGENET), data.required(data.COCO), *photos]
    paths = [path for folder in folders for path in sorted(folder.iterdir())]
    return cut_people(paths) if check == "body" else cut_faces(paths)


def real(check: str, cuts: list[Cut]) -> None:
    """Prints how many real ones are judged, and how many of those are flagged."""
    scores = [judged(check, cut.picture) for cut in cuts]
    for output in failing(check):
        for name, chosen in (
            ("even", [s for s, cut in zip(scores, cuts, strict=True) if not cut.animal][::2]),
            ("odd", [s for s, cut in zip(scores, cuts, strict=True) if not cut.animal][1::2]),
            ("animals", [s for s, cut in zip(scores, cuts, strict=True) if cut.animal]),
        ):
            known = [s[output.name] for s in chosen if not math.isnan(s[output.name])]
            top = ", ".join(f"{value:.3f}" for value in sorted(known)[-4:])
            row(output.name, name, share(len(known), len(chosen)), share(fails(output, known), len(known)), top)


def injected(check: str, names: Sequence[str], cuts: list[Cut]) -> None:
    """Prints the recall and the AUROC of flaws put into the real ones at odd places."""
    outputs = {output.name: output for output in failing(check)}
    clean: dict[str, list[float]] = defaultdict(list)
    flawed: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for cut in [cut for cut in cuts if not cut.animal][1::2]:
        before = judged(check, cut.picture)
        if all(math.isnan(before[name]) for name in outputs):
            continue
        figures = find_poses()(cut.picture) if check == "body" else find_faces()(cut.picture)
        if not figures:
            continue
        figure = max(figures, key=lambda figure: figure.roi.side)
        for name in outputs:
            clean[name].append(before[name])
        for what in names:
            for output, unit, severities, put in CASES[what]:
                for severity in severities:
                    made = put(cut.picture, figure, severity)
                    if made is not None:
                        flawed[output, what, f"{severity:g} {unit}"].append(judged(check, made)[output])
    for (name, what, severity), values in flawed.items():
        good = np.array([value for value in clean[name] if not math.isnan(value)])
        bad = np.array([value for value in values if not math.isnan(value)])
        area = auroc(good, bad) if len(good) and len(bad) else math.nan
        row(
            name,
            what,
            severity,
            share(len(bad), len(values)),
            share(fails(outputs[name], bad.tolist()), len(bad)),
            f"{area:.2f}",
        )


CASES: dict[str, list[tuple[str, str, tuple[float, ...], Callable[..., Picture | None]]]] = {
    **{name: [("face_malformed", *case)] for name, case in defects.FACES.items()},
    "masked (hard negative)": [("face_malformed", "color", (0, 1, 2, 3), defects.masked)],
    "half mirrored": [("symmetric_face", "mixed in", (0.5, 0.75, 1.0), defects.half_mirrored)],
    "smoothed": [("oversmooth_skin", "passes", (1, 2, 4), defects.smoothed)],
    "defocus (hard negative)": [("oversmooth_skin", "eye distances", (0.01, 0.02, 0.04), defects.defocused)],
    "JPEG (hard negative)": [("oversmooth_skin", "quality", (90, 70, 50, 30), defects.jpeg)],
    "forearm longer": [("limb_malformed", *defects.BODIES["forearm longer"])],
    "lower leg longer": [("limb_malformed", *defects.BODIES["lower leg longer"])],
    "head larger": [("wrong_proportions", *defects.BODIES["head larger"])],
}
OF_CHECK = {
    "faces": [*defects.FACES, "masked (hard negative)", "half mirrored"],
    "skin": ["smoothed", "defocus (hard negative)", "JPEG (hard negative)"],
    "body": ["forearm longer", "lower leg longer", "head larger"],
}


def expert_severities() -> dict[Path, dict[str, float]]:
    """Returns the experts' mean severities of each generated picture that is here."""
    folder = data.required("4_hands/ai_human_anatomy")
    rows: dict[str, list[dict[str, str]]] = defaultdict(list)
    with (folder / "labels_tidy.csv").open(newline="", encoding="utf-8") as file:
        for label in csv.DictReader(file):
            rows[label["image"]].append(label)
    severities = {}
    for image, several in rows.items():
        means = {
            key: float(np.mean([float(label[key]) for label in several]))
            for key in several[0]
            if key.startswith(("total_", "proportion_"))
        }
        means["proportion"] = means["proportion_limbs"] + means["proportion_torso"] + means["proportion_face"]
        if (folder / image).is_file():
            severities[folder / image] = means
    return severities


def generated() -> None:
    """Prints the rank correlation of the scores with the experts' severities, and what is flagged."""
    rng = np.random.default_rng(0)
    header("output", "pictures judged", "flagged", "rank correlation with the experts")
    labels = expert_severities()
    pictures = {path: load(path) for path in labels}
    for check in ("faces", "body", "skin"):
        scores = {path: judged(check, picture) for path, picture in pictures.items()}
        for output in failing(check):
            known = [path for path in labels if not math.isnan(scores[path][output.name])]
            values = np.array([scores[path][output.name] for path in known])
            cells = [share(len(known), len(labels)), share(fails(output, values.tolist()), len(known))]
            if output.name in EXPERTS and len(known) > 4:
                wanted = np.array([labels[path][EXPERTS[output.name]] for path in known])
                cells.append(rank_correlation(values, wanted, rng))
            row(output.name, *cells)


def cost() -> None:
    """Prints the seconds that each check takes for a picture."""
    header("check", "pictures", "mean", "median", "most")
    pictures = [load(path) for path in data.pictures(data.required("4_hands/ai_human_anatomy/images"))[::4]]
    for check in ("faces", "body", "skin"):
        judged(check, pictures[0])
        took = []
        for picture in pictures:
            start = time.perf_counter()
            judged(check, picture)
            took.append(time.perf_counter() - start)
        row(check, len(pictures), f"{np.mean(took):.2f} s", f"{np.median(took):.2f} s", f"{max(took):.2f} s")
