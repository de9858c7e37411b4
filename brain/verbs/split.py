"""``loupe.split``: training, validation and test sets, or folds, that no group stands on both sides of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from loupe.brain.core.errors import InputError
from loupe.brain.core.numbers import require_whole
from loupe.brain.core.records import ProgressCallback
from loupe.brain.core.splits import Split
from loupe.brain.labels import splits
from loupe.brain.labels.splits import NOWHERE, Targets
from loupe.brain.slicing.factors import Factor, factors_of
from loupe.brain.store import fields as store_fields
from loupe.brain.store import rows as store_rows
from loupe.brain.store import splits as store_splits
from loupe.brain.verbs.lifecycle import running

if TYPE_CHECKING:
    import fiftyone as fo


#: the splits where nothing else is asked for
SIZES = {"train": 0.8, "val": 0.1, "test": 0.1}


def split(
    samples: fo.Dataset | fo.DatasetView,
    sizes: Mapping[str, float] | None = None,
    *,
    stratify: str | Factor | Iterable[str | Factor] | None = None,
    groups: str | Sequence[str] | None = None,
    order: str | None = None,
    gap: float | timedelta = 0.0,
    folds: int | None = None,
    repair: str | None = None,
    field: str = "split",
    seed: int = 0,
    progress: bool | ProgressCallback | None = None,
) -> Split:
    """Puts each sample into a split, so that no group stands in two, and writes the splits to a field.

    Three ways: ``sizes`` makes new splits; ``folds`` makes k of equal size; ``repair`` takes an existing split and
    moves as few samples as possible until no group is torn. Groups that touch each other, such as a scene and a patient
    that share a picture, are joined. Run ``find_duplicates`` first, so that copies stay on one side.

    Args:
        samples: a dataset or view
        sizes: the share of each split, of sum 1; with ``order`` the earliest first. None: 0.8 ``train``, 0.1 ``val``
            and 0.1 ``test``
        stratify: field paths or factors whose values each split should have in the same shares: a class, several
            classes a sample, a scenario
        groups: fields whose values no split may part: a prompt, a scene, a patient. None: ``duplicate_group``, where
            ``find_duplicates`` has run; an empty list: none
        order: a field of dates, times or numbers: every split lies after the one before it. Groups across a cut are
            left out
        gap: seconds (or a ``timedelta``; of numbers in their own unit) between two splits in time, at least 0
        folds: make so many folds of equal size, at least 2, called ``"0"``, ``"1"`` …
        repair: a field with splits that are kept as far as possible
        field: where the splits go
        seed: decides among equals
        progress: True for a bar, or a function; see ``loupe.Progress``

    Returns:
        the sizes, how far each class is from its share, and a certificate that ``verify_split`` makes anew

    Raises:
        InputError: more than one of sizes, folds and repair; sizes that do not sum to 1; a group larger than any split
            may be; fewer groups than splits; or a field of the user's own has that name
        UnknownName: no such field; the nearest name is suggested
        NoSamples: the view is empty

    Example::

        loupe.find_duplicates(dataset)
        made = loupe.split(dataset, {"train": 0.8, "test": 0.2}, stratify="ground_truth")
        assert made.certificate.holds
    """
    if sum(way is not None for way in (sizes, folds, repair)) > 1:
        raise InputError("expected just one of sizes, folds and repair, e.g. sizes={'train': 0.8, 'test': 0.2}")
    if order is not None and (folds is not None or repair is not None or stratify is not None):
        raise InputError("expected sizes, and nothing to stratify by, with an order: time alone decides then")
    seconds = gap.total_seconds() if isinstance(gap, timedelta) else gap
    if seconds and order is None:
        raise InputError("expected an order with a gap: the field that says when, e.g. order='created_at'")
    targets = None
    if repair is None:
        targets = Targets.of(_equal(folds) if folds is not None else SIZES if sizes is None else sizes)
    with running(samples, "split", progress) as verb:
        view = verb.samples
        store_rows.require_samples(view)
        store_fields.require(view, store_splits.own_field(field))
        paths = store_splits.group_fields(view, groups)
        own = store_splits.groups(view, paths)
        verb.step(1, 3, "reading")
        classes, names = store_splits.classes(view, stratify) if stratify is not None else (None, [])
        moved: int | None = None
        if targets is None:
            assert repair is not None
            before, splits_before = store_splits.standing(view, repair)
            made = splits.repaired(before, len(splits_before), own)
            moved = int((made != before).sum())
            counts = np.bincount(before[before != NOWHERE], minlength=len(splits_before))
            targets = Targets(tuple(splits_before), counts / counts.sum())
        elif order is not None:
            made = splits.in_order(targets, store_splits.times(view, order), own, seconds)
        else:
            made = splits.assign(targets, len(own), classes=classes, groups=own, seed=seed)
        verb.step(2, 3, "writing")
        store_splits.write(view, field, made, targets.names)
        shares = dict(zip(targets.names, targets.shares.tolist(), strict=True))
        params: dict[str, Any] = {"sizes": shares, "groups": list(paths)}
        params |= {"stratify": _names(stratify), "order": order, "gap": seconds, "repair": repair, "seed": seed}
        verb.finish(len(own), params={**params, "field": field})
    off, rounding = splits.deviation(made, targets, classes)
    return Split(
        field=field,
        sizes={name: int((made == at).sum()) for at, name in enumerate(targets.names)},
        nowhere=int((made == NOWHERE).sum()),
        moved=moved,
        classes=_counts(made, targets, classes, names),
        deviation=off,
        rounding=rounding,
        certificate=store_splits.certify(view, field, paths),
    )


def _equal(folds: int) -> dict[str, float]:
    require_whole(folds=(folds, 2))
    return {str(number): 1 / folds for number in range(folds)}


def _names(stratify: str | Factor | Iterable[str | Factor] | None) -> list[str]:
    return [] if stratify is None else [factor.name for factor in factors_of(stratify)]


def _counts(
    made: np.ndarray, targets: Targets, classes: sparse.csr_matrix | None, names: Sequence[str]
) -> dict[str, dict[str, int]]:
    if classes is None:
        return {}
    held: Any = np.stack([np.asarray(classes[made == at].sum(axis=0)).ravel() for at in range(len(targets.names))])
    order = np.argsort(held.sum(axis=0), kind="stable")
    return {names[at]: {name: int(held[row, at]) for row, name in enumerate(targets.names)} for at in order.tolist()}
