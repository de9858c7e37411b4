"""Reads what a selection is made of, and says what came of it: the work of ``loupe.select``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from loupe.brain.core.errors import InputError
from loupe.brain.core.selections import Selection
from loupe.brain.labels.probe import probe
from loupe.brain.selection import ranked
from loupe.brain.selection.choose import Chosen, Pool
from loupe.brain.selection.measures import against_random
from loupe.brain.selection.recipe import Recipe
from loupe.brain.similarity.gathered import Vectors
from loupe.brain.slicing.columns import Column
from loupe.brain.slicing.factors import Factor
from loupe.brain.store import assigned as store_assigned
from loupe.brain.store import selections as store_selections
from loupe.brain.store import sets as store_sets
from loupe.brain.store import splits as store_splits
from loupe.brain.store import vectors as store_vectors
from loupe.brain.store.datasets import Samples
from loupe.brain.store.labels import given as store_labels
from loupe.brain.verbs.lifecycle import Lifecycle

_STEPS = 1000
_KEPT = "chosen already"


@dataclass(frozen=True, eq=False)
class Known:
    """What was read.

    Attributes:
        ids: of M samples: the n that were looked at, then those outside of them that were chosen already
        n: how many were looked at
        pool: what can be chosen of them
        columns: what the chosen are counted by
        reasons: why each cannot be chosen; None where it can
        kept: how many were chosen already
        grouped: whether at most so many of a group are chosen
        embedder: what made the vectors
        notes: what else is to be known
    """

    ids: list[str]
    n: int
    pool: Pool
    columns: Mapping[str, Column]
    reasons: list[str | None]
    kept: int
    grouped: bool
    embedder: Mapping[str, Any] | None
    notes: list[str]

    def left_out(self) -> str:
        """Returns a sentence about why samples cannot be chosen, the most frequent reasons first; "" where all can."""
        counts = Counter(why for why in self.reasons[: self.n] if why is not None)
        if not counts:
            return ""
        reasons = ", ".join(f"{number:,} {why}" for why, number in counts.most_common(3))
        return f"Left out of {self.n:,}: {reasons}{', …' if len(counts) > 3 else ''}"


class _Reasons:
    """Why samples cannot be chosen: the first reason counts."""

    def __init__(self, n: int) -> None:
        self.of: list[str | None] = [None] * n

    def add(self, why: Sequence[str | None]) -> None:
        self.of = [before or reason for before, reason in zip(self.of, why, strict=True)]

    def none(self) -> np.ndarray:
        """Returns for which samples there is no reason: (N,) bool."""
        return np.array([reason is None for reason in self.of], dtype=bool)


def read(verb: Lifecycle, wanted: Recipe, keep: Any) -> Known:
    """Returns what is known of the samples; see ``loupe.select`` for the errors."""
    samples, own, kept = store_selections.looked_at(verb.samples, keep)
    verb.step(0, _STEPS, "reading")
    rows = store_assigned.rows(samples)
    ids = [row.id for row in rows]
    n, notes, reasons = len(ids), list[str](), _Reasons(len(ids))
    taken = np.array([each in kept for each in ids], dtype=bool)
    reasons.add([_KEPT if each else None for each in taken.tolist()])
    paths = store_splits.group_fields(samples, wanted.groups)
    score = None if wanted.score is None else wanted.score.lstrip("+-")
    failing = store_selections.failing(samples, wanted.without, score, bool(paths))
    reasons.add([None if name is None else f"flagged {name}" for name in failing])
    reasons.add([None if name is None else f"in {name}" for name in store_selections.held_out(samples, wanted.split)])
    columns = store_selections.factors(samples, wanted.per, wanted.label)
    cells, matrix, unvalued = _cells(columns, wanted, n)
    reasons.add(unvalued)
    vectors, embedder = _vectors(samples, rows, wanted, notes)
    unit = None
    if vectors is not None:
        unit = np.zeros((n, vectors.unit.shape[1]), np.float32)
        unit[vectors.index] = vectors.unit
        if wanted.needs_vectors:
            without = ~unit.any(axis=1)
            if (without & taken).any():
                notes.append(f"{(without & taken).sum():,} of those chosen already have no usable vector")
                taken = taken & ~without
            reasons.add([vectors.reasons.get(at) for at in range(n)])
    known = reasons.none() | taken
    hardness, typicality = _ranks(verb, samples, wanted, unit, known, notes)
    for ranks, name in ((hardness, score or wanted.label), (typicality, wanted.label)):
        if ranks is not None:  # whoever has no rank is not chosen by it, not even as the last
            reasons.add([None if each else f"no {name}" for each in np.isfinite(ranks).tolist()])
    open_ = reasons.none() & (np.arange(n) < len(own))
    groups = store_splits.groups(samples, paths) if paths else np.arange(n)
    pool = Pool(open_, taken, groups, cells, matrix, unit, hardness, typicality)
    return Known(ids, len(own), pool, columns, reasons.of, len(kept), bool(paths), embedder, notes)


def _cells(columns: Mapping[str, Column], wanted: Recipe, n: int) -> tuple[Any, Any, list[str | None]]:
    """Returns the cells of each sample, as ``store.selections.cells`` does, and who has no value to balance."""
    of_per = {name: columns[name] for name in list(columns)[: len(columns) - _extra(wanted, columns)]}
    if not wanted.per:
        return None, None, [None] * n
    cells, matrix, has_value = store_selections.cells(of_per, n)
    names = ", ".join(of_per)
    if cells is None and set(wanted.strategy) - {"balanced"}:
        raise InputError(
            f"expected one value a sample in {names}, but some have several: only 'balanced' alone can take of each"
        )
    unvalued = [None if has or "balanced" not in wanted.strategy else f"no {names}" for has in has_value.tolist()]
    return cells, matrix, unvalued


def _extra(wanted: Recipe, columns: Mapping[str, Column]) -> int:
    """Returns how many of the columns are not those of ``per``: the labels, which come last."""
    names = {each.name if isinstance(each, Factor) else each for each in wanted.per}
    return int(wanted.label is not None and wanted.label in columns and wanted.label not in names)


def _vectors(
    samples: Samples, rows: Sequence[Any], wanted: Recipe, notes: list[str]
) -> tuple[Vectors | None, Mapping[str, Any] | None]:
    field = wanted.embeddings
    embedder = store_vectors.made_by(samples, field)
    if not samples.has_field(field) and not wanted.needs_vectors:
        return None, embedder
    if not samples.has_field(field) and field == "embeddings":
        raise InputError("expected vectors in 'embeddings', got none: run loupe.embed first, or give embeddings=")
    vectors = store_sets.comparable(samples, rows, field)
    if wanted.needs_vectors and not len(vectors.index):
        raise InputError(f"expected vectors in {field!r}, but no sample has a usable one: run loupe.embed first")
    before = wanted.embedder
    if wanted.needs_vectors and before is not None and dict(before) != dict(embedder or {}):
        raise InputError(
            f"expected vectors of the recipe's embedder ({before.get('name')}) in {field!r}, got those of "
            f"{(embedder or {}).get('name', 'another one')}: run loupe.embed(samples, embedder={before.get('name')!r})"
        )
    if wanted.needs_vectors and (embedder or {}).get("name") == "hog":
        notes.append("The vectors are of hog, which sees shapes and no meaning: so does the choice")
    return (vectors if len(vectors.index) else None), embedder


def _ranks(
    verb: Lifecycle, samples: Samples, wanted: Recipe, unit: np.ndarray | None, usable_: np.ndarray, notes: list[str]
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Returns how hard and how typical each sample is: (N,) floats, where that is asked for."""
    hardness = typicality = None
    given = None
    if wanted.label is not None and {"hard", "typical"} & set(wanted.strategy):
        given = store_labels.read(samples, wanted.label).codes()
    if "hard" in wanted.strategy and wanted.score is not None:
        hardness, why = store_selections.hardness(samples, wanted.score)
        notes.append(f"Hard: {why}")
    elif "hard" in wanted.strategy:
        assert given is not None
        assert unit is not None
        verb.step(0, _STEPS, "asking a probe")
        hardness = _unsure(unit, given, usable_)
        notes.append(f"Hard: small margin of a probe for {wanted.label} that has not seen the sample")
    if "typical" in wanted.strategy:
        assert unit is not None
        verb.step(0, _STEPS, "looking for dense places")
        typicality = np.full(len(unit), -np.inf, np.float32)
        if given is None:
            places = np.flatnonzero(usable_)
            typicality[places] = ranked.density(unit[places], np.random.default_rng(wanted.seed))
        else:
            places = np.flatnonzero(usable_ & (given >= 0))
            typicality[places] = ranked.of_class(unit[places], given[places])
    return hardness, typicality


def _unsure(unit: np.ndarray, given: np.ndarray, usable_: np.ndarray) -> np.ndarray:
    """Returns 1 minus the margin of an out-of-fold probe, in [0, 1]; NaN without a label."""
    places = np.flatnonzero(usable_ & (given >= 0))
    present, own = np.unique(given[places], return_inverse=True)
    if len(present) < 2:
        raise InputError(f"expected at least two classes to be unsure between, got {len(present)}: give score=")
    logs, _ = probe(unit[places], np.ravel(own), len(present), folds=min(5, len(places)))
    odds = np.sort(np.exp(logs), axis=1)
    hardness = np.full(len(unit), np.nan)
    hardness[places] = 1 - (odds[:, -1] - odds[:, -2]) / np.maximum(odds.sum(axis=1), 1e-12)
    return hardness


def result(verb: Lifecycle, wanted: Recipe, known: Known, chosen: Chosen) -> Selection:
    """Returns what was chosen, once it is measured; neither saved nor exported."""
    pool, ids = known.pool, known.ids
    verb.step(_STEPS, _STEPS, "measuring")
    left_out: dict[str, list[str]] = {}
    for at in range(known.n):
        why = known.reasons[at] or ("of a group that has its share" if chosen.grouped[at] else None)
        if why is not None:
            left_out.setdefault(why, []).append(ids[at])
    notes = list(known.notes)
    if chosen.copies:
        notes.append(f"{chosen.copies:,} of the chosen are copies of others: there were no more different vectors")
    measures: tuple[Any, ...] = ()
    measured = 0
    if pool.unit is not None:
        usable_ = np.asarray(pool.unit.any(axis=1))
        places = np.flatnonzero(pool.open & usable_)
        own = np.searchsorted(places, chosen.order[usable_[chosen.order]])
        if len(own):
            rng = np.random.default_rng(wanted.seed)
            measures, measured = against_random(pool.unit[places], own, rng, pool.unit[pool.taken & usable_])
    return Selection(
        ids=tuple(ids[at] for at in chosen.order.tolist()),
        n=known.n,
        kept=known.kept,
        counts=store_selections.counts(known.columns, chosen.order),
        available=store_selections.counts(known.columns, np.arange(known.n)),
        left_out={reason: tuple(own) for reason, own in sorted(left_out.items(), key=lambda item: -len(item[1]))},
        measures=measures,
        measured=measured,
        notes=tuple(notes),
        view=None,
        exported=None,
        recipe=wanted.facts(known.embedder),
    )
