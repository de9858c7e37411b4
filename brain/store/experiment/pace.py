"""What of an experiment is done already, and how fast checks and vectors were the last time, as its datasets say."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import fiftyone as fo
import numpy as np

from loupe.brain.core.errors import LoupeError
from loupe.brain.store import runs
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples
from loupe.brain.store.experiment.datasets import ARM, Real
from loupe.brain.store.fields import CHECKED

#: samples of a run below which its pace is mostly that of its start
_MIN = 8


@dataclass(frozen=True)
class Done:
    """What there is.

    Attributes:
        checked, embedded: images of arms that have scores, and a vector
        real_without: real samples without a vector
        numbers: of a vector; 0 where there is none
    """

    checked: int
    embedded: int
    real_without: int
    numbers: int


def done(dataset: fo.Dataset, real: Real, path: str) -> Done:
    """Returns what of an experiment is done already.

    Args:
        dataset: where the images go
        real: the real samples
        path: of the vectors
    """
    with database_errors():
        arms = dataset.match({ARM: {"$ne": None}}) if dataset.has_field(ARM) else None
        checked = embedded = 0
        if arms is not None:
            checked = arms.match({CHECKED: {"$nin": [None, {}]}}).count() if dataset.has_field(CHECKED) else 0
            embedded = arms.exists(path).count() if dataset.has_field(path) else 0
        sides = real.train, real.test
        without = sum(len(side) - (side.exists(path).count() if side.has_field(path) else 0) for side in sides)
        numbers = 0
        if real.train.has_field(path) and (some := real.train.exists(path).limit(1)).count():
            numbers = int(np.size(some.first()[path]))
    return Done(checked, embedded, without, numbers)


def rate(datasets: Iterable[Samples], verb: str) -> float:
    """Returns the seconds that a sample took in the newest run of a verb that did enough of them; NaN without one.

    Args:
        datasets: in the order in which they are asked
        verb: e.g. ``"embed"``
    """
    for samples in datasets:
        keys = [key for key in runs.listed(samples) if key.startswith(f"loupe_{verb}_")]
        for key in sorted(keys, key=_number, reverse=True):
            try:
                facts = runs.load(samples, key)
                n, seconds = int(facts["n"]), float(facts["seconds"])
            except (LoupeError, KeyError, TypeError, ValueError):
                continue  # another version kept it in another form
            if n >= _MIN and seconds > 0:
                return seconds / n
    return math.nan


def _number(key: str) -> int:
    last = key.rpartition("_")[2]
    return int(last) if last.isdigit() else -1
