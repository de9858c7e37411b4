"""Puts the records of ``find_shortcuts`` together: which classes are tested, findings, all properties, the order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from loupe.brain.core.errors import InputError
from loupe.brain.core.interrupts import leavable
from loupe.brain.core.shares import percent
from loupe.brain.labels import order as orders
from loupe.brain.labels.probe import folds_of
from loupe.brain.labels.seen_together import MAX_CLASSES, predicted
from loupe.brain.labels.seen_together import MAX_SAMPLES as MAX_SEEN
from loupe.brain.labels.shortcut_records import Drifting, Order, PropertyResult, Shortcut, Together
from loupe.brain.labels.shortcuts import FOLDS, Association, Property, associations, placed, ranges_of
from loupe.brain.slicing.drift import drawn
from loupe.brain.stats.association import q_values
from loupe.brain.stats.auroc import auroc, auroc_interval
from loupe.brain.stats.intervals import Proportion
from loupe.brain.stats.permutation import labelings

#: samples that are compared; of more, so many are drawn
MAX_SAMPLES = 20_000
#: samples whose places and vectors are compared
MAX_PLACES = 100_000
#: with more classes nobody reads which property tells which
MAX_TESTED = 50
_EXAMPLES = 20
_MAX_DRIFTING = 5
#: properties that tell this well by themselves are named as the few
_TELLING = 0.55

Step = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Settings:
    """What ``find_shortcuts`` was asked for; see there."""

    min_auroc: float = 0.6
    min_samples: int = 20
    fdr: float = 0.05
    permutations: int = 999
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Given:
    """The labels of N samples.

    Attributes:
        codes: (N,) int64: the class of each, -1 for none
        names: of all classes
        tested: the classes that are tested by themselves
        notes: which are not
    """

    codes: np.ndarray
    names: Sequence[str]
    tested: Sequence[int]
    notes: Sequence[str] = ()

    def sizes(self) -> Mapping[str, int]:
        """Returns how many samples each tested class has, the largest first; of two classes both."""
        counts = np.bincount(self.codes[self.codes >= 0], minlength=len(self.names))
        shown = np.flatnonzero(counts) if (counts > 0).sum() == 2 else np.asarray(self.tested)
        return {self.names[at]: int(counts[at]) for at in shown[np.argsort(-counts[shown], kind="stable")].tolist()}


def usable(codes: np.ndarray, names: Sequence[str], label: str, settings: Settings) -> Given:
    """Returns the labels, and which classes are tested: of two classes the rarer, since the other is its mirror image.

    Raises:
        InputError: fewer than two classes, or none with enough samples
    """
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    present = np.flatnonzero(counts)
    if len(present) < 2:
        held = names[present[0]] if len(present) else "none"
        raise InputError(
            f"expected at least two classes in {label!r}, got {held}: with one there is nothing to tell apart"
        )
    order = present[np.argsort(-counts[present], kind="stable")]
    enough = [at for at in order.tolist() if counts[at] >= settings.min_samples]
    if not enough or (len(present) == 2 and len(enough) < 2):
        raise InputError(
            f"expected classes of at least {settings.min_samples} samples in {label!r}, got {len(present):,}, the "
            f"largest of {int(counts[order[0]]):,}, the smallest of {int(counts[order[-1]]):,}: give more samples, or "
            "a smaller min_samples"
        )
    notes = []
    if len(enough) < len(present):
        notes.append(
            f"{len(present) - len(enough):,} classes with fewer than {settings.min_samples} samples are not tested"
        )
    if len(enough) > MAX_TESTED:
        notes.append(f"of {len(enough):,} classes the {MAX_TESTED} most frequent are tested")
    return Given(codes, names, [order[1].item()] if len(present) == 2 else enough[:MAX_TESTED], notes)


@dataclass(frozen=True, eq=False)
class Results:
    """What was found of properties: parts of ``Shortcuts``."""

    findings: tuple[Shortcut, ...] = ()
    properties: tuple[PropertyResult, ...] = ()
    together: Together | None = None
    compared: int = 0
    groups: int = 0
    notes: tuple[str, ...] = ()


@leavable
def results(
    properties: Sequence[Property],
    given: Given,
    groups: np.ndarray,
    ids: Sequence[str],
    settings: Settings,
    step: Step = lambda done, total, message: None,
) -> Results:
    """Returns what properties tell of the labels, each and together.

    Args:
        properties: of N samples
        given: their labels
        groups: (N,) int64
        ids: the samples
        settings: what was asked for
        step: called with how much is done of how much, and what it is
    """
    rng = np.random.default_rng(settings.seed)
    labeled = np.flatnonzero(given.codes >= 0)
    rows = drawn(labeled, groups, MAX_SAMPLES, rng)
    own, labels = groups[rows], given.codes[rows]
    n_groups = len(np.unique(own))
    notes = []
    if len(rows) < len(labeled):
        notes.append(f"{len(rows):,} of {len(labeled):,} samples were drawn and compared")
    distinct = labelings(labels, own)[1]
    if distinct * settings.fdr < 20:
        notes.append(
            f"the labels stand in only {n_groups:,} groups, too few to find anything surely: groups=[] takes each "
            "sample by itself, if those of a group are independent"
        )
    kept = [each for each in (each.take(rows) for each in properties) if len(np.unique(each.values[each.known])) > 1]
    if not kept or n_groups < 2:
        what = "properties that differ" if not kept else "groups"
        return Results(compared=len(rows), groups=n_groups, notes=(*notes, f"there are no {what} to compare"))
    folds = _folds(labels, given.tested, own, rng)
    made = associations(
        kept,
        labels,
        given.tested,
        own,
        folds,
        permutations=settings.permutations,
        seed=settings.seed,
        step=lambda done, total: step(done, 2 * total, "permuting labels"),
    )
    compared = [ids[at] for at in rows.tolist()]
    shortcuts = [_shortcut(each, kept[each.property], given, labels, compared) for each in made]
    per = len(given.tested)
    listed = []
    for at, each in enumerate(kept):
        of_it = shortcuts[at * per : (at + 1) * per]
        # a class of which nothing is known with this property has no area
        known = [own for own in of_it if own.auroc == own.auroc]
        if known:
            worst = max(known, key=lambda own: (own.q <= settings.fdr, own.auroc))
            macro = float(np.mean([own.auroc for own in known]))
            listed.append(PropertyResult(each.name, each.kind, worst.n, worst, macro))
    listed.sort(key=lambda own: -own.macro)
    kept_places = _without_echoes(made, labels, settings)
    findings = sorted((shortcuts[at] for at in kept_places), key=lambda own: -own.auroc)
    step(1, 2, "what they tell together")
    together = _together(kept, listed, labels, own, folds, settings, rng)
    step(2, 2, "done")
    return Results(tuple(findings), tuple(listed), together, len(rows), n_groups, tuple(notes))


def _without_echoes(made: Sequence[Association], labels: np.ndarray, settings: Settings) -> list[int]:
    """Returns the places of what is sure and tells well enough, and not by being none of the classes told before.

    Where a property gives one of three classes away, the two others are told from the rest, too: as "not that class".
    A class is kept if the property tells it well without the classes of that property that were kept before.
    """
    by_property: dict[int, list[int]] = {}
    for at, each in enumerate(made):
        if each.q <= settings.fdr and each.auroc >= settings.min_auroc:
            by_property.setdefault(each.property, []).append(at)
    kept = []
    for places in by_property.values():
        gone: list[int] = []
        for at in sorted(places, key=lambda place: -made[place].auroc):
            own = made[at]
            rows = np.isfinite(own.score) & ~np.isin(labels, gone)
            if not gone or auroc(own.score[rows], labels[rows] == own.code) >= settings.min_auroc:
                kept.append(at)
                gone.append(own.code)
    return kept


def _folds(labels: np.ndarray, tested: Sequence[int], groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    _, of = np.unique(groups, return_inverse=True)
    if int(of.max()) + 1 <= FOLDS:
        return of
    return folds_of(placed(labels, tested), of, FOLDS, rng)


def _shortcut(made: Association, own: Property, given: Given, labels: np.ndarray, ids: Sequence[str]) -> Shortcut:
    is_it = labels == made.code
    detail, telling = _detail(made, own, is_it, given.names[made.code])
    shown = np.flatnonzero(is_it & telling)
    shown = shown[np.argsort(-made.score[shown], kind="stable")][:_EXAMPLES]
    return Shortcut(
        name=own.name,
        label=given.names[made.code],
        shape=made.shape,
        auroc=made.auroc,
        low=made.low,
        high=made.high,
        p=made.p,
        q=made.q,
        n=made.n,
        k=made.k,
        detail=detail,
        examples=tuple(ids[at] for at in shown.tolist()),
    )


def _detail(made: Association, own: Property, is_it: np.ndarray, label: str) -> tuple[str, np.ndarray]:
    """Returns what a property is like in a class and elsewhere, and which samples show it."""
    known = own.known
    values, inside = own.values[known], is_it[known]
    if not inside.any() or inside.all():
        return "it stands on one side only", known
    if made.shape in ("higher", "lower"):
        medians = np.median(values[inside]), np.median(values[~inside])
        return f"{made.shape} values, median {_figure(medians[0])} against {_figure(medians[1])}", known
    if made.shape == "missing":
        shares = values[inside].mean(), values[~inside].mean()
        return f"{percent(shares[0])} have none, {percent(shares[1])} elsewhere", known & (own.values == 1)
    if made.shape == "categories":
        codes, names = values.astype(np.int64), list(own.names)
    else:
        codes = ranges_of(values)
        names = [_range(values[codes == at]) for at in range(int(codes.max()) + 1)]
    n = np.bincount(codes, minlength=len(names))
    k = np.bincount(codes, weights=inside, minlength=len(names))
    best = int(np.argmax((k - n * inside.mean()) / np.sqrt(np.maximum(n, 1))))
    rest = (k.sum() - k[best]) / max(n.sum() - n[best], 1)
    telling = np.zeros(len(known), dtype=bool)
    telling[np.flatnonzero(known)[codes == best]] = True
    return f"{percent(k[best] / n[best])} of {names[best]!r} are {label}, {percent(rest)} of the others", telling


def _range(values: np.ndarray) -> str:
    return f"{_figure(values.min())} to {_figure(values.max())}" if len(values) else ""


def _figure(value: float) -> str:
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e15 else f"{value:.3g}"


def _together(
    properties: Sequence[Property],
    listed: Sequence[PropertyResult],
    labels: np.ndarray,
    groups: np.ndarray,
    folds: np.ndarray,
    settings: Settings,
    rng: np.random.Generator,
) -> Together | None:
    rows = drawn(np.arange(len(labels)), groups, MAX_SEEN, rng)
    codes, counts = np.unique(labels[rows], return_counts=True)
    usual = codes[np.argsort(-counts, kind="stable")][:MAX_CLASSES]
    shown = np.where(np.isin(labels[rows], usual), labels[rows], -1)
    # whether there is a value, trees see by themselves
    own = {each.name: each.take(rows) for each in properties if each.kind != "missing"}
    ordered = list(dict.fromkeys(each.name for each in listed if each.name in own))
    if not ordered or len(np.unique(shown)) < 2 or len(np.unique(folds[rows])) < 2:
        return None

    def seen(names: Sequence[str]) -> tuple[Proportion, float, float, float]:
        made = predicted([own[name] for name in names], shown, groups[rows], folds[rows], seed=settings.seed)
        return made.accuracy, made.guess, made.balanced, made.p

    accuracy, guess, balanced, p = seen(ordered)
    areas = {each.name: each.macro for each in listed}
    few = [name for name in ordered[:2] if areas[name] >= _TELLING]
    few = few if few and len(ordered) > len(few) else []
    few_accuracy = seen(few)[0] if few else accuracy
    return Together(accuracy, guess, balanced, len(np.unique(shown)), tuple(ordered), tuple(few), few_accuracy, p)


@leavable
def order_of(
    given: Given,
    position: np.ndarray,
    groups: np.ndarray,
    by: str,
    settings: Settings,
    vectors: Callable[[Sequence[str]], tuple[np.ndarray, np.ndarray]] | None,
    field: str,
    ids: Sequence[str],
) -> Order | None:
    """Returns whether the order of N samples says something of their labels and vectors; None where there is no order.

    Args:
        given: the labels
        position: (N,) float64; NaN where a sample has no place
        groups: (N,) int64; of each the first sample stands for all
        by: what the order is called
        settings: what was asked for
        vectors: gives (M, D) vectors of some ids, and their places among those; None without vectors
        field: of the vectors
        ids: the samples
    """
    rows = np.flatnonzero((given.codes >= 0) & np.isfinite(position))
    if len(rows) < 3:
        return None
    first = rows[orders.first_of_groups(groups[rows], position[rows])]
    labels = given.codes[first]
    if len(first) < 3 or len(np.unique(labels)) < 2:
        return None
    rng = np.random.default_rng(settings.seed)
    # samples of one time are in no order: by chance, and not as they are stored
    place = position[first]
    first = first[np.lexsort((rng.random(len(first)), place))]
    labels, place = given.codes[first], position[first]
    same, expected, p = orders.repeats_p(labels)
    nearness = orders.Nearness(float("nan"), float("nan"), float("nan"))
    if vectors is not None:
        chosen = (
            first if len(first) <= MAX_PLACES else first[np.sort(rng.choice(len(first), MAX_PLACES, replace=False))]
        )
        unit, at = vectors([ids[row] for row in chosen.tolist()])
        if len(unit) >= settings.min_samples:
            nearness = orders.nearness(
                unit,
                np.arange(len(unit)),
                given.codes[chosen[at]],
                permutations=settings.permutations,
                seed=settings.seed,
            )
    return Order(
        by=by,
        n=len(first),
        without=int((given.codes >= 0).sum()) - len(rows),
        repeats=Proportion.of(same, len(labels) - 1),
        expected=expected / (len(labels) - 1),
        repeats_p=p,
        drifting=_drifting(place, labels, given),
        distance=nearness.distance,
        distance_p=nearness.p,
        within_p=nearness.within_p,
        vectors=field if np.isfinite(nearness.distance) else "",
    )


def _drifting(place: np.ndarray, labels: np.ndarray, given: Given) -> tuple[Drifting, ...]:
    from scipy.stats import mannwhitneyu

    tested = [code for code in given.tested if 0 < (labels == code).sum() < len(labels)]
    p = [mannwhitneyu(place[labels == code], place[labels != code], method="asymptotic").pvalue for code in tested]
    q = q_values(p) if p else np.zeros(0)
    alone = np.arange(len(labels))
    order = np.argsort(q, kind="stable")[:_MAX_DRIFTING].tolist()
    areas = [auroc_interval(place, labels == tested[at], alone) for at in order]
    return tuple(Drifting(given.names[tested[at]], *area, float(q[at])) for at, area in zip(order, areas, strict=True))
