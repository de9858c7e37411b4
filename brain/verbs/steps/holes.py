"""The regions of a reference where the samples have none: what ``coverage`` and ``compare_to_real`` both look for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from loupe.brain.core.holes import Hole, Holes
from loupe.brain.core.proportions import Proportion
from loupe.brain.labels import holes as label_holes
from loupe.brain.labels.cells import short
from loupe.brain.similarity.gathered import Vectors
from loupe.brain.slicing.factors import Factor
from loupe.brain.store.realism import reference as store

if TYPE_CHECKING:
    import fiftyone as fo

#: so many ids of a hole are kept, and so many texts of those in its middle
_MAX_IDS, _TEXTS, _MOSTLY = 1000, 5, 3
#: a value that at least this share of a hole's pictures have tells what it is
_USUAL = 0.5


def of_reference(
    reference: fo.Dataset | fo.DatasetView,
    ids: Sequence[str],
    others: Vectors,
    own: Vectors,
    groups: np.ndarray | None,
    *,
    captions: str | None,
    label: str | Factor | None,
    fdr: float,
    seed: int,
    neighbors: np.ndarray | None = None,
    step: Callable[[int, int], None],
) -> Holes:
    """Returns how the samples cover a reference, and the regions without samples, in words as far as it has some.

    Args:
        reference: the pictures that are to be covered
        ids: theirs, as ``others`` counts them
        others, own: the vectors of the reference and of the samples
        groups: (M,) int64: the group of each of the samples' vectors; None: each is one of its own
        captions: the reference's field of sentences; None: ``caption`` or ``prompt``, where it has one
        label: its field of classes
        fdr: regions of a larger p are none
        seed: of what is drawn
        neighbors: as for ``uncovered``, where they are known
        step: called with how much is done

    Raises:
        UnknownName, InputError: ``captions`` is no field of texts, or the vectors are too few or of two sizes
    """
    store.texts_of(reference, captions, [])
    looked = label_holes.uncovered(others.unit, own.unit, groups, fdr=fdr, seed=seed, neighbors=neighbors, step=step)
    rows = [[ids[at] for at in others.index[region.rows].tolist()] for region in looked.regions]
    texts = store.texts_of(reference, captions, [each for own_ids in rows for each in own_ids[: 4 * _TEXTS]])
    classes = store.classes_of(reference, label) if rows else {}
    scenes = store.scenes_of(reference, [each for own_ids in rows for each in own_ids])
    path = label.path if isinstance(label, Factor) else label
    holes = []
    for number, (region, own_ids) in enumerate(zip(looked.regions, rows, strict=True), 1):
        described: dict[str, str] = {}
        for each in own_ids:
            if each in texts:
                described.setdefault(texts[each], each)
        first = list(described.items())[:_TEXTS]
        holes.append(
            Hole(
                number=number,
                size=len(own_ids),
                share=Proportion.of(len(own_ids), looked.compared),
                expected=len(own_ids) * looked.samples / looked.compared,
                p=region.p,
                ids=tuple(own_ids[:_MAX_IDS]),
                mostly=_mostly(own_ids, classes),
                texts=tuple(text for text, _ in first),
                label=path or "",
                scenario=_usual(own_ids, scenes),
                scenes=tuple(_scene(each, path, classes, scenes) for _, each in first),
            )
        )
    covered = Proportion.of(looked.covered, looked.compared)
    notes = _notes(looked, own, others)
    return Holes(covered, looked.expected, covered.rate / looked.expected, looked.k, tuple(holes), notes)


def _scene(
    sample_id: str, label: str | None, classes: Mapping[str, Sequence[str]], scenes: Mapping[str, Mapping[str, str]]
) -> dict[str, str]:
    """Returns the class and the scenario of one picture; of several classes none."""
    own = classes.get(sample_id, ())
    named = {short(label): own[0]} if label and len(set(own)) == 1 else {}
    return {**scenes.get(sample_id, {}), **named}


def _notes(looked: label_holes.Uncovered, own: Vectors, others: Vectors) -> tuple[str, ...]:
    samples, reference = len(own.unit), len(others.unit)
    notes = [
        f"{len(reasons):,} {what} could not be compared: {Counter(reasons.values()).most_common(1)[0][0]}"
        for what, reasons in (("samples", own.reasons), ("reference pictures", others.reasons))
        if reasons
    ]
    if looked.samples < samples:
        notes.append(
            f"{looked.samples:,} of {samples:,} samples count for what is covered: one of each group, at most "
            f"{label_holes.MAX_VECTORS:,}"
        )
    if looked.compared < reference:
        notes.append(f"{looked.compared:,} of {reference:,} reference pictures were drawn to look for holes")
    if looked.covered < 0.1 * looked.expected * looked.compared:
        notes.append(
            "Hardly any of the reference is covered: the two sets differ as wholes, and not in some regions. "
            "loupe.find_drift says in what"
        )
    return tuple(notes)


def _mostly(ids: Sequence[str], classes: Mapping[str, Sequence[str]]) -> tuple[tuple[str, float], ...]:
    counts = Counter(name for each in ids for name in set(classes.get(each, ())))
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple((name, count / len(ids)) for name, count in ranked[:_MOSTLY])


def _usual(ids: Sequence[str], scenes: Mapping[str, Mapping[str, str]]) -> tuple[tuple[str, str, float], ...]:
    """Returns of each scenario the value that most pictures have, where at least half of them do."""
    counts = Counter(pair for each in ids for pair in scenes.get(each, {}).items())
    made: dict[str, tuple[str, float]] = {}
    for (name, value), count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if count >= _USUAL * len(ids):
            made.setdefault(name, (value, count / len(ids)))
    return tuple((name, *own) for name, own in sorted(made.items()))
