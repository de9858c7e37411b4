"""Confusion matrices that a person can read: the classes that are confused most, and samples of each cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loupe.brain.core.evaluation import Confusion
from loupe.brain.evaluation.confusion import Pairs

#: more classes than these are shown as one
MAX_CLASSES = 12
#: so many samples of a cell are kept, the surest first
MAX_EXAMPLES = 50
NOTHING_NAME, OTHER_NAME = "(none)", "(other)"


@dataclass(frozen=True, eq=False)
class Cells:
    """A confusion matrix and the samples of its cells.

    Attributes:
        confusion: the matrix
        examples: by row and column the images, each once, the surest first, at most ``MAX_EXAMPLES``
    """

    confusion: Confusion
    examples: dict[tuple[int, int], list[int]]


def shown_classes(counts: np.ndarray, names: Sequence[str], classes: int = MAX_CLASSES) -> list[int]:
    """Returns the classes that a matrix shows, in their order: those with the most mistakes, then the most frequent.

    Args:
        counts: (K + 1, K + 1), the last row and column of nothing
        names: of the K classes
        classes: how many, if there are more
    """
    if len(names) <= classes:
        return list(range(len(names)))
    own = counts[:-1, :-1]
    wrong = counts[:-1].sum(axis=1) + counts[:, :-1].sum(axis=0) - 2 * np.diag(own)
    order = np.lexsort((-counts[:-1].sum(axis=1), -wrong))
    return sorted(order[: classes - 1].tolist())


def cells(
    pairs: Pairs,
    names: Sequence[str],
    shown: Sequence[int],
    model: str,
    confidence: float | None,
    *,
    pixels: np.ndarray | None = None,
) -> Cells:
    """Returns the matrix of some pairs.

    Args:
        pairs: what was taken for what
        names: of the K classes
        shown: which of them have a row and a column of their own
        model: whose predictions
        confidence: the threshold that the pairs were made at
        pixels: (P,) of masks how many pixels each pair stands for; one each by default
    """
    other = len(shown) < len(names)
    labels = [*(names[code] for code in shown), *([OTHER_NAME] if other else []), NOTHING_NAME]
    place = np.full(len(names) + 1, len(labels) - 2 if other else -1)
    place[list(shown)] = np.arange(len(shown))
    place[-1] = len(labels) - 1  # nothing is -1
    row, column = place[pairs.truth], place[pairs.predicted]
    width = len(labels)
    flat = np.bincount(row * width + column, pixels, minlength=width * width).round().astype(np.int64)
    counts = flat.reshape(width, width)
    examples: dict[tuple[int, int], list[int]] = {}
    order = np.lexsort((-np.nan_to_num(pairs.score, nan=-np.inf), row * width + column))
    keys, starts = np.unique((row * width + column)[order], return_index=True)
    for key, own in zip(keys.tolist(), np.split(pairs.image[order], starts[1:]), strict=True):
        images = list(dict.fromkeys(own[: 8 * MAX_EXAMPLES].tolist()))
        examples[divmod(key, width)] = images[:MAX_EXAMPLES]
    made = Confusion(model, tuple(labels), tuple(tuple(line) for line in counts.tolist()), confidence)
    return Cells(made, examples)
