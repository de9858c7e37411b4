"""NanoDet, which a package index carries, beside YOLOX-nano, which it stands in for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import data
from benchmarks.composition.photos import asked_photos
from loupe.brain.core.records import Box
from loupe.brain.measures.composition.calibrated import PRESENCE
from loupe.brain.perception import weights
from loupe.brain.perception.detectors import nanodet, yolox

#: the confidence from which a detection counts: that of the composition check
_CONFIDENCE = 0.25
#: the confidence from which the body check takes a box for a person
_PERSON = 0.4

_Find = Callable[[np.ndarray, Sequence[str]], tuple[Box, ...]]


def detectors() -> None:
    """Prints presence on the half of the photos that nothing was fitted on, and how far both detectors agree."""
    finders: dict[str, _Find] = {
        "yolox_nano": yolox.load(weights.path("yolox_nano")).find,
        "nanodet": nanodet.load(weights.path("nanodet"), weights.path("nanodet_graph")).find,
    }
    paths = data.photos() + data.files(data.required(data.COCO))
    boxes = {
        name: {path: find(np.array(Image.open(path).convert("RGB")), ()) for path in paths}
        for name, find in finders.items()
    }
    for name, detections in boxes.items():
        _print_presence(name, detections)
    # the ImageNet photos at odd places and all of COCO's
    held = [path for at, path in enumerate(data.photos()) if at % 2] + data.files(data.required(data.COCO))
    _print_agreement(boxes["yolox_nano"], boxes["nanodet"], held)


def _print_presence(name: str, boxes: dict[Path, tuple[Box, ...]]) -> None:
    from sklearn.metrics import roc_auc_score

    asked = [case for case in asked_photos() if case[0] % 2]
    shown = np.array([is_shown for _, is_shown, _, _ in asked])
    scores = np.array([_score(boxes[path], noun) for _, _, noun, path in asked])
    likely = 1 / (1 + np.exp(-(PRESENCE[0] + PRESENCE[1] * np.log(scores / (1 - scores)))))
    print(
        f"{name:10}  AUROC of presence {roc_auc_score(shown, scores):.3f}; with the one regression: "
        f"{(likely[shown] > 0.5).sum()} of {shown.sum()} that are there, "
        f"{(likely[~shown] > 0.5).sum()} of {(~shown).sum()} that are not"
    )


def _score(boxes: Sequence[Box], noun: str) -> float:
    return float(np.clip(max((box.confidence or 0 for box in boxes if box.label == noun), default=0.05), 0.05, 0.99))


def _print_agreement(
    first: dict[Path, tuple[Box, ...]], second: dict[Path, tuple[Box, ...]], paths: Sequence[Path]
) -> None:
    counts: Counter[str] = Counter()
    for path in paths:
        ours, theirs = (
            Counter(box.label for box in boxes[path] if (box.confidence or 0) >= _CONFIDENCE)
            for boxes in (first, second)
        )
        counts["both"] += len(ours.keys() & theirs.keys())
        counts["yolox_nano"] += len(ours)
        counts["nanodet"] += len(theirs)
        counts["same count"] += sum(ours[label] == theirs[label] for label in ours.keys() & theirs.keys())
        people = [
            any(box.label == "person" and (box.confidence or 0) >= _PERSON for box in boxes[path])
            for boxes in (first, second)
        ]
        counts["people: same"] += people[0] == people[1]
    print(
        f"{len(paths)} photos, labels from {_CONFIDENCE}: nanodet gives {counts['both']} of {counts['yolox_nano']} of "
        f"yolox_nano's, and {counts['nanodet'] - counts['both']} others; the same count for {counts['same count']} of "
        f"{counts['both']}. A person from {_PERSON} or none: the same in {counts['people: same']} of {len(paths)}"
    )
