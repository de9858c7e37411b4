"""What ``find_label_issues`` was asked for: each kind of label takes of it what it reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from numpy.typing import ArrayLike


@dataclass(frozen=True, eq=False)
class Request:
    """The arguments of ``loupe.find_label_issues``; its docstring says what each is."""

    label: str
    probabilities: str | ArrayLike | None = None
    classes: Sequence[str] | None = None
    embeddings: str = "embeddings"
    predictions: str | None = None
    groups: str | Sequence[str] | None = None
    folds: int = 5
    threshold: float | None = None
    overlap: float = 0.5
    evidence: Mapping[str, float] | None = None
    seed: int = 0
