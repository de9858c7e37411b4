"""Whether simple measures of pupils and teeth tell flaws that are put into faces, and rank faces as experts do.

A face's score is how far its numbers are from those of untouched faces of all other pictures (Mahalanobis, Ledoit and
Wolf's covariance). No flaw is ever fitted on: every picture and every method is one that was left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.covariance import LedoitWolf

from benchmarks import data
from benchmarks.anatomy.people import around, expert_severities, find_faces, is_animal, load
from benchmarks.figures import header, rank_correlation, row, share
from loupe.brain.perception.landmarks.face import Face
from loupe.brain.stats.calibration import auroc

Numbers = Callable[[np.ndarray, Face], np.ndarray | None]
_SEED, _RESAMPLES = 16, 1000
#: generated pictures with faces beside the rated ones
_GENERATED = ("5_generated/pal4vst_text2image_sd", "5_generated/gpt4o_cases", "5_generated/avt_ai_images")
#: fewer other faces say nothing of what is usual
_MIN_OTHERS = 10
#: outer corners of the eyes are at least so far apart, in pixels: smaller faces show neither pupils nor teeth
_MIN_UNIT = 45.0


@dataclass(frozen=True, eq=False)
class Host:
    """A face that flaws are put into.

    Attributes:
        path: its picture
        real: whether it is a photo
        picture: (H, W, 3) uint8 RGB: the face with its surroundings
        face: as it is found in that
    """

    path: Path
    real: bool
    picture: np.ndarray
    face: Face


def hosts(photos: Sequence[Path]) -> list[Host]:
    """Returns the faces in the real photos, in those of further folders, and in generated pictures.

    Raises:
        MissingData: the photos are not there
    """
    real = [path for path in data.photos() + data.files(data.required(data.COCO)) if not is_animal(path)]
    real += [path for folder in photos for path in data.pictures(folder)]
    made = list(expert_severities()) + [path for name in _GENERATED for path in data.pictures(data.at(name))]
    kept = []
    for path in [*real, *made]:
        picture = load(path)
        for face in find_faces()(picture):
            if np.linalg.norm(face.points[33] - face.points[263]) < _MIN_UNIT:
                continue
            part = around(picture, face.roi, 1.5)
            again = found_again(part)
            if again is not None:
                kept.append(Host(path, path in real, part, again))
    return kept


def found_again(picture: np.ndarray) -> Face | None:
    """Returns the largest face in a picture, None where none is found."""
    return max(find_faces()(picture), key=lambda face: face.roi.side, default=None)


def distance(numbers: np.ndarray, others: np.ndarray) -> float:
    """Returns how far (F,) numbers are from (N, F) others: the root of the mean squared distance a number."""
    fitted = LedoitWolf().fit(others)
    return math.sqrt(float(fitted.mahalanobis(numbers[None])[0]) / len(numbers))


def area(good: Sequence[float], bad: Sequence[float]) -> str:
    """Returns the AUROC with its 95 % bootstrap interval, of faces without and with a flaw."""
    if len(good) < 2 or len(bad) < 2:
        return "–"
    rng = np.random.default_rng(_SEED)
    clean, flawed = np.array(good), np.array(bad)
    spread = [
        auroc(clean[rng.integers(0, len(clean), len(clean))], flawed[rng.integers(0, len(flawed), len(flawed))])
        for _ in range(_RESAMPLES)
    ]
    low, high = np.percentile(spread, [2.5, 97.5])
    return f"{auroc(clean, flawed):.2f} [{low:.2f}, {high:.2f}]"


def family(
    name: str,
    faces: Sequence[Host],
    numbers: Numbers,
    flaws: dict[str, Callable[[np.ndarray, Face], np.ndarray]],
) -> None:
    """Prints the AUROC of each flaw in real and in generated faces, and the rank correlation with the experts."""
    clean = [(host, made) for host in faces if (made := numbers(host.picture, host.face)) is not None]

    def score(made: np.ndarray, path: Path) -> float:
        others = np.array([known for host, known in clean if host.path != path])
        return distance(made, others) if len(others) >= _MIN_OTHERS else math.nan

    untouched = [score(made, host.path) for host, made in clean]
    for real in (True, False):
        good = [value for (host, _), value in zip(clean, untouched, strict=True) if host.real == real]
        for flaw, put in flaws.items():
            bad, tried = [], 0
            for host, _ in clean:
                if host.real != real:
                    continue
                tried += 1
                picture = put(host.picture, host.face)
                face = found_again(picture)
                made = numbers(picture, face) if face is not None else None
                if made is not None:
                    bad.append(score(made, host.path))
            limit = sorted(good)[-1] if good else math.nan
            row(
                name,
                "photos" if real else "generated",
                flaw,
                share(len(good), sum(host.real == real for host in faces)),
                share(len(bad), tried),
                area(good, bad),
                share(sum(value > limit for value in bad), len(bad)),
            )
    labels = expert_severities()
    by_path: dict[Path, list[float]] = {}
    for (host, _), value in zip(clean, untouched, strict=True):
        if host.path in labels and not math.isnan(value):
            by_path.setdefault(host.path, []).append(value)
    if len(by_path) > 4:
        wanted = np.array([labels[path]["total_face"] for path in by_path])
        means = np.array([np.mean(values) for values in by_path.values()])
        ranked = rank_correlation(means, wanted, np.random.default_rng(_SEED))
        print(f"\n{name}: rank correlation with the experts on {len(by_path)} pictures {ranked}\n")


def run(photos: Sequence[Path]) -> None:
    """Prints the tables of eyes and of teeth."""
    from training.anatomy import eyes, teeth

    faces = hosts(photos)
    print(f"{sum(host.real for host in faces)} faces in photos, {sum(not host.real for host in faces)} generated ones")
    header("of", "faces in", "flaw", "measured", "flawed ones measured", "AUROC", "above every untouched one")
    family("eyes", faces, eyes.measures, eyes.FLAWS)
    family("teeth", faces, teeth.measures, teeth.FLAWS)
