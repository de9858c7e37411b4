"""What a selection was asked for, as plain JSON: its recipe, which can be replayed on other data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from loupe import __version__
from loupe.brain.core.errors import InputError
from loupe.brain.core.numbers import is_real, require_whole
from loupe.brain.core.taxonomy import ANY
from loupe.brain.selection.choose import STRATEGIES, weights_of
from loupe.brain.slicing.factors import Factor, listed

#: what a recipe holds beside the version and the embedder, with what holds where nothing is asked for
DEFAULTS: dict[str, Any] = {
    "n": None,
    "strategy": "diverse",
    "per": None,
    "score": None,
    "label": None,
    "embeddings": "embeddings",
    "without": ANY,
    "groups": None,
    "max_per_group": 1,
    "split": None,
    "seed": 0,
}


@dataclass(frozen=True)
class Recipe:
    """What was asked for; see ``loupe.select``. ``embedder``: what a recipe's vectors were made by."""

    n: float
    strategy: dict[str, float]
    per: tuple[str | Factor, ...]
    score: str | None
    label: str | None
    embeddings: str
    without: str | tuple[str, ...]
    groups: tuple[str, ...] | None
    max_per_group: int
    split: str | None
    seed: int
    embedder: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Recipe:
        """Returns it, once it is known to make sense.

        Raises:
            UnknownName: no such strategy
            InputError: a value that cannot be
        """
        n, per, without, groups = given["n"], given["per"], given["without"], given["groups"]
        n = n.item() if isinstance(n, np.generic) else n
        named = listed(per or (), "per")
        weights = weights_of(given["strategy"])
        _require_numbers(n, given["max_per_group"], given["seed"])
        _require_needs(weights, named, given["score"], given["label"])
        return cls(
            n=n if isinstance(n, int) or n < 1 else int(n),
            strategy=weights,
            per=tuple(Factor.from_dict(each) if isinstance(each, Mapping) else each for each in named),
            score=given["score"],
            label=given["label"],
            embeddings=given["embeddings"],
            without=without if isinstance(without, str) else tuple(without),
            groups=None if groups is None else (groups,) if isinstance(groups, str) else tuple(groups),
            max_per_group=given["max_per_group"],
            split=given["split"],
            seed=given["seed"],
            embedder=given.get("embedder"),
        )

    def budget(self, n: int) -> int:
        """Returns how many of n are to be chosen."""
        return self.n if isinstance(self.n, int) else max(1, math.floor(self.n * n + 0.5))

    @property
    def needs_vectors(self) -> bool:
        """Whether anything of it cannot be chosen without vectors."""
        return any(STRATEGIES[name] for name in self.strategy) or ("hard" in self.strategy and self.score is None)

    def facts(self, embedder: Mapping[str, Any] | None) -> dict[str, Any]:
        """Returns it as plain JSON, with what made the vectors."""
        facts = {name: getattr(self, name) for name in DEFAULTS}
        facts["per"] = [each.to_dict() if isinstance(each, Factor) else each for each in self.per]
        for name in ("without", "groups"):
            facts[name] = list(facts[name]) if isinstance(facts[name], tuple) else facts[name]
        return {"loupe": __version__, **facts, "embedder": None if embedder is None else dict(embedder)}


def _require_numbers(n: Any, maximum: Any, seed: Any) -> None:
    if not is_real(n) or not 0 < n < math.inf or (n > 1 and n != int(n)):
        raise InputError(f"expected n, a whole number of samples, or a share of them in (0, 1), got {n!r}")
    require_whole(max_per_group=(maximum, 1), seed=(seed, 0))


def _require_needs(weights: Mapping[str, float], per: list[Any], score: Any, label: Any) -> None:
    if "balanced" in weights and not per:
        raise InputError("expected per with 'balanced': the factors whose values are made even, e.g. per='class'")
    if "hard" in weights and not (score or label):
        raise InputError(
            "expected score or label with 'hard': a field of numbers or predictions, or the labels to be unsure of"
        )
    if score is not None and not str(score).lstrip("+-"):
        raise InputError(f"expected the field of a score, got {score!r}")


def replayed(held: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what a recipe asks for, with n as it was given beside it.

    Args:
        held: the recipe
        given: what ``select`` was called with

    Raises:
        InputError: something that a recipe holds was given beside it, or it is none
    """
    beside = sorted(name for name, value in given.items() if name != "n" and value != DEFAULTS[name])
    if beside:
        raise InputError(f"expected only n, keep, save_as and the export beside a recipe, got {', '.join(beside)}")
    missing = sorted(set(DEFAULTS) - set(held)) if isinstance(held, Mapping) else ["all of it"]
    if missing:
        raise InputError(f"expected the recipe of a selection (made.recipe), got one without {', '.join(missing)}")
    return {**held, **({} if given["n"] is None else {"n": given["n"]})}
