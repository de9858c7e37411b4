"""The holes of ``compare_to_real``, out of the distances that its measures are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loupe.brain.core.holes import Holes
from loupe.brain.labels.holes import MAX_VECTORS, MIN_REFERENCE, looked_at
from loupe.brain.realism.angles import Angles
from loupe.brain.similarity.gathered import Vectors, scaled
from loupe.brain.store.datasets import Samples
from loupe.brain.store.realism import sides as store
from loupe.brain.store.realism.sides import Side
from loupe.brain.verbs.lifecycle import Lifecycle
from loupe.brain.verbs.steps.holes import of_reference


@dataclass(frozen=True, eq=False)
class Looking:
    """What holes are looked for among.

    Attributes:
        own, others: the vectors of the synthetic and of the real samples at unit length
        groups: of the synthetic ones; None: each is one of its own
        angles: finds the neighbors while distances are read; None of sets so large that a part of them is drawn
    """

    own: Vectors
    others: Vectors
    groups: np.ndarray | None
    angles: Angles | None


def look(
    sides: tuple[Samples, Samples], theirs: Side, ours: Side, together: Sequence[str], seed: int
) -> Looking | None:
    """Returns what is looked for; None where either side has too few vectors that have a direction."""
    own, others = scaled(theirs.vectors), scaled(ours.vectors)
    if not len(own.unit) or len(others.unit) < MIN_REFERENCE:
        return None
    groups = store.groups(sides[0], together, theirs)[own.index]
    by = groups if len(np.unique(groups)) < len(groups) else None
    if max(len(own.unit), len(others.unit)) > MAX_VECTORS:
        return Looking(own, others, by, None)
    looked = looked_at(len(others.unit), len(own.unit), by, seed=seed)
    lengths = np.linalg.norm(ours.vectors, axis=1), np.linalg.norm(theirs.vectors, axis=1)
    chosen = others.index[looked.reference], own.index[looked.samples]
    return Looking(own, others, by, Angles(lengths, chosen, looked.k))


def of_looked(
    verb: Lifecycle,
    sides: tuple[Samples, Samples],
    ours: Side,
    looked: Looking,
    captions: str | None,
    label: str | None,
    seed: int,
) -> Holes:
    """Returns the regions of the real set without synthetic samples, as ``coverage`` looks for them."""
    return of_reference(
        sides[1],
        ours.ids,
        looked.others,
        looked.own,
        looked.groups,
        captions=captions,
        label=label,
        fdr=0.05,
        seed=seed,
        neighbors=None if looked.angles is None else looked.angles.nearest(),
        step=lambda done, total: verb.step(done, total, "looking for holes"),
    )
