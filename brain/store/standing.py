"""The failures that stand on samples, and the scores beside them: what ``flag`` compares with what it would write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from loupe.brain.core.records import Failure
from loupe.brain.store import bulk, plain
from loupe.brain.store.datasets import Samples
from loupe.brain.store.fields import FAILURES, QUALITY
from loupe.brain.store.raw import MISSING, NULL, Irregular

_LABELS = f"{FAILURES}.classifications"
_FACTS = ("label", "score", "threshold", "check")


@dataclass(frozen=True, eq=False)
class Standing:
    """The failures that stand on N samples: M labels, those of a sample one after the other.

    Attributes:
        flagged: (N,) bool: whether a sample was ever flagged; it may have no failure then
        owners: (M,) int64: the sample of each, ascending
        labels, checks: M names
        scores, thresholds: (M,) float64: NaN where there is none
    """

    flagged: np.ndarray
    owners: np.ndarray
    labels: Sequence[Any]
    checks: Sequence[Any]
    scores: np.ndarray
    thresholds: np.ndarray

    def of(self, sample: int) -> tuple[Failure, ...] | None:
        """Returns the failures of a sample; None: never flagged."""
        if not self.flagged[sample]:
            return None
        first, end = np.searchsorted(self.owners, [sample, sample + 1]).tolist()
        return tuple(
            Failure(self.labels[at], _number(self.scores[at]), _number(self.thresholds[at]), self.checks[at])
            for at in range(first, end)
        )


def _number(value: float) -> Any:
    return None if np.isnan(value) else float(value)


def read(samples: Samples, outputs: Sequence[str]) -> tuple[list[str], Standing, np.ndarray]:
    """Returns the sample ids, what stands in ``failures``, and scores, in sample order, in one pass over the database.

    Args:
        samples: a dataset or view of N samples
        outputs: the names of K outputs whose scores are stored

    Returns:
        ids: N
        standing: their failures
        scores: (N, K) float32, NaN where there is none
    """
    scores = [f"{QUALITY}.{name}" for name in outputs]
    try:
        return _in_bulk(samples, scores)
    except Irregular:
        return _by_sample(samples, scores)


def _in_bulk(samples: Samples, outputs: Sequence[str]) -> tuple[list[str], Standing, np.ndarray]:
    names = [f"{_LABELS}.{name}" for name in _FACTS]
    ids: list[str] = []
    labels: list[Any] = []
    checks: list[Any] = []
    parts: list[tuple[np.ndarray, ...]] = []
    for batch, stands in bulk.batches(samples, [plain.ID, _LABELS, *names, *outputs]):
        # where no sample has a list, nothing stands in one
        label, score, threshold, check = (
            stands[name] if stands[name].lists is not None else stands[name][:0] for name in names
        )
        kinds = stands[_LABELS].kinds
        table = np.zeros((batch.n, len(outputs)), np.float32)
        for at, name in enumerate(outputs):
            table[:, at] = batch.numbers(stands[name])
        flagged = (kinds != MISSING) & (kinds != NULL)
        parts.append((flagged, label.owners + len(ids), batch.numbers(score), batch.numbers(threshold), table))
        labels += batch.objects(label)
        checks += batch.objects(check)
        ids += batch.objects(stands[plain.ID])
    flagged, owners, score_of, threshold_of, scores = (np.concatenate(part) for part in zip(*parts, strict=True))
    return ids, Standing(flagged, owners, labels, checks, score_of, threshold_of), scores


def _by_sample(samples: Samples, outputs: Sequence[str]) -> tuple[list[str], Standing, np.ndarray]:
    (ids, failures), scores = plain.read(samples, [plain.ID, plain.elements(_LABELS, _FACTS)], outputs)
    entries = [own for listed in failures for own in listed or ()]
    numbers = [[value if isinstance(value, (int, float)) else np.nan for value in own[1:3]] for own in entries]
    standing = Standing(
        np.array([listed is not None for listed in failures], dtype=bool),
        np.repeat(np.arange(len(ids)), [len(listed or ()) for listed in failures]),
        [own[0] for own in entries],
        [own[3] for own in entries],
        *np.array(numbers, dtype=np.float64).reshape(-1, 2).T,
    )
    return ids, standing, scores.astype(np.float32)
