"""A line for each verb that writes: what it needs before, and what it is called with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: verbs that write and have no line, and why
WITHOUT_LINE = {
    "experiment": "it calls verbs that have lines; tests/verbs/test_experiment_killed.py kills it at each stage",
    "rebalance": "it calls verbs that have lines; tests/verbs/test_rebalance_killed.py kills it at five moments",
    "find_words": "it needs a model that reads pictures and texts",
}

#: thresholds that flag about half
_THRESHOLDS = {"dark": ["<", 0.9], "blur": ["<", 0.9], "low_contrast": ["<", 0.9]}
_Before = tuple[tuple[str, Mapping[str, Any]], ...]


@dataclass(frozen=True)
class Line:
    """A verb.

    Attributes:
        given: its arguments; ``FOLDER`` is a new folder of the case's own, ``PICTURES`` that of the pictures
        before: actions with their arguments that have to have run
        samples: how many pictures the dataset has
        dark: whether they are dark, and have prompts
    """

    given: Mapping[str, Any] = field(default_factory=dict)
    before: _Before = ()
    samples: int = 160
    dark: bool = False


_EMBEDDED: _Before = (("embed", {}),)
_REPAIRED: _Before = (("check", {"checks": ["exposure"]}), ("repair", {"folder": "FOLDER"}))

LINES: dict[str, Line] = {
    "check": Line(
        {"checks": ["file", "exposure", "sharpness", "size", "grayscale", "information"]},
    ),
    "generate": Line({"folder": "FOLDER", "prompts": 60}, samples=0),
    "embed": Line(),
    "find_duplicates": Line(),
    "flag": Line(
        {"thresholds": _THRESHOLDS},
        (("check", {"checks": ["exposure", "sharpness", "size"], "batch_size": 16}),),
    ),
    "import_images": Line({"folder": "PICTURES"}, samples=0),
    "augment": Line({"output_dir": "FOLDER", "train": ["train", "test"]}, samples=60),
    "repair": Line({"folder": "FOLDER"}, _REPAIRED[:1], samples=12, dark=True),
    "decide_repairs": Line({"decision": "undo"}, _REPAIRED, samples=12, dark=True),
    "deduplicate": Line({}, (("find_duplicates", {}),), samples=80),
    "find_label_issues": Line({"label": "ground_truth", "embeddings": "vectors"}, samples=80),
    "relabel": Line(
        {"label": "ground_truth", "top": 10},
        (("find_label_issues", {"label": "ground_truth", "embeddings": "vectors"}),),
        samples=80,
    ),
    "select": Line({"n": 20}, _EMBEDDED, samples=80),
    "split": Line({"sizes": {"train": 0.7, "test": 0.3}, "groups": []}),
    "coverage": Line({"by": [], "label": "ground_truth", "weights": "weight"}, samples=80),
    "find_leaks": Line({"splits": ["train", "test"]}, samples=80),
    "find_memorized": Line({}, samples=80),
    "find_outliers": Line({}, _EMBEDDED, samples=80),
    "find_clusters": Line({"n": 3}, _EMBEDDED, samples=80),
    "compare_to_real": Line({}, _EMBEDDED, samples=160),
    "test_transfer": Line({}, _EMBEDDED, samples=160),
    "calibrate": Line({"failures": ["dark"]}, samples=24),
}
