"""How rates and means differ between groups of samples, with intervals and corrected for how many there are.

Rates are Wilson's and their differences Newcombe's (``stats.differences``), at the effective number where samples come
in groups. No bootstrap: of one sample, and of what never or always happens, every resample is the same, so that
fairlearn's gives a group of one the interval [0, 0]. Pure arithmetic.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from loupe.brain.core.interrupts import leavable
from loupe.brain.evaluation.bias_records import Apart, Group, GroupRate, Kind, ScoreGap
from loupe.brain.evaluation.slicing import Model
from loupe.brain.slicing.columns import Slices, shown
from loupe.brain.stats.association import q_values
from loupe.brain.stats.differences import unpaired, unpaired_p
from loupe.brain.stats.effective_n import Cells, effective_n_of_slices, effective_n_of_values
from loupe.brain.stats.intervals import Proportion, wilson
from loupe.brain.stats.mean_differences import difference_of_means

#: metrics that are shares of something, and can be compared as such
_METRICS = ("accuracy", "selection_rate", "recall", "false_positive_rate", "precision")
#: what parity is of: by fairlearn's names
PARITY = {"demographic parity": ("selection_rate",), "equalized odds": ("recall", "false_positive_rate")}


@dataclass(frozen=True, eq=False)
class Parts:
    """The groups of N samples.

    Attributes:
        names: of the groups
        members: of each the samples: (K,) int64
        cluster: (N,) int64 from 0: samples of one cluster are alike; where each has its own, all are independent
    """

    names: Sequence[str]
    members: Sequence[np.ndarray]
    cluster: np.ndarray

    @classmethod
    def of(cls, slices: Slices, cluster: np.ndarray) -> Parts:
        """Returns the groups that slices are."""
        order = np.argsort(slices.codes, kind="stable")
        ends = np.searchsorted(slices.codes[order], np.arange(1, len(slices.values)))
        members = np.split(slices.samples[order], ends)
        names = [", ".join(f"{name}={shown(value)}" for name, value in own.items()) for own in slices.values]
        return cls(names, members, np.unique(cluster, return_inverse=True)[1].ravel())


@dataclass(frozen=True)
class Rated:
    """k of n, and as how many independent samples they count."""

    k: int
    n: int
    worth: float

    @property
    def counts(self) -> tuple[float, float]:
        """Returns (k, n) of as many independent samples."""
        return (self.k / self.n * self.worth if self.n else 0.0), self.worth

    def proportion(self, interval: float) -> Proportion:
        """Returns it with its interval."""
        low, high = wilson(*self.counts, interval)
        return Proportion(self.n, self.k, _number(low), _number(high))


@dataclass(frozen=True)
class Settings:
    """How groups are compared.

    Attributes:
        min_samples: groups that count as fewer are shown and not tested
        interval: how sure the intervals are, in (0, 1)
    """

    min_samples: int = 20
    interval: float = 0.95


#: of some clusters: their numbers, and (C,) each, how many have it and how many there are
Counts = tuple[np.ndarray, np.ndarray, np.ndarray]


def rated(parts: Sequence[Counts], every: Counts) -> list[tuple[Rated, Rated]]:
    """Returns each group's k of n, and that of all other samples, with what they are worth.

    How alike the samples of a cluster are is learned of all groups together: a group has few clusters.

    Args:
        parts: of each group
        every: of all samples
    """
    worths = None
    if every[2].max(initial=0) > 1:
        slices = np.concatenate([np.full(len(own[0]), at) for at, own in enumerate(parts)])
        clusters, has, asked = (np.concatenate([own[column] for own in parts]) for column in range(3))
        whole = _occupied(Cells(np.zeros(len(every[0]), np.int64), every[0], every[2], every[1]))
        design = effective_n_of_slices(_occupied(Cells(slices, clusters, asked, has)), whole, len(parts))
        worths = np.stack([design.effective_n, design.rest_effective_n], axis=1)
    total_k, total_n = float(every[1].sum()), float(every[2].sum())
    made = []
    for at, (_, own_k, own_n) in enumerate(parts):
        k, n = float(own_k.sum()), float(own_n.sum())
        worth = (n, total_n - n) if worths is None else worths[at].tolist()
        own, rest = (round(k), round(n)), (round(total_k - k), round(total_n - n))
        made.append((Rated(*own, min(worth[0], n)), Rated(*rest, min(worth[1], total_n - n))))
    return made


def _occupied(cells: Cells) -> Cells:
    own = cells.n > 0
    return Cells(cells.slice[own], cells.group[own], cells.n[own], cells.failures[own])


def group_sizes(parts: Parts, settings: Settings) -> list[Group]:
    """Returns the groups, the largest first."""
    made = []
    n = len(parts.cluster)
    for name, own in zip(parts.names, parts.members, strict=True):
        # as if all of a cluster were as one, where nothing tells how alike they are
        worth = effective_n_of_values(np.ones(len(own)), parts.cluster[own], settings.interval) if len(own) else 0.0
        few = len(np.unique(parts.cluster[own])) < settings.min_samples
        made.append(Group(name, Proportion.of(len(own), n, settings.interval), min(worth, len(own)), few))
    return sorted(made, key=lambda each: -each.share.k)


def rates_of(
    parts: Parts, asked: np.ndarray, holds: np.ndarray, kind: Kind, measure: str, settings: Settings
) -> list[GroupRate]:
    """Returns how often something holds in each group, of the samples of which it is asked.

    Args:
        parts: the groups
        asked: (N,) bool
        holds: (N,) bool
        kind: what it is
        measure: what holds
        settings: how groups are compared
    """

    def counted(rows: np.ndarray) -> Counts:
        rows = rows[asked[rows]]
        clusters, of = np.unique(parts.cluster[rows], return_inverse=True)
        return clusters, np.bincount(of, weights=holds[rows]), np.bincount(of).astype(np.float64)

    pairs = rated([counted(own) for own in parts.members], counted(np.arange(len(parts.cluster))))
    return [
        _compared(name, *pair, settings, kind=kind, measure=measure)
        for name, pair in zip(parts.names, pairs, strict=True)
    ]


@leavable
def rates_of_model(
    model: Model, parts: Parts, settings: Settings, *, label: str = "", confidence: float | None = None
) -> list[GroupRate]:
    """Returns what a model does on each group: metric by metric, group by group.

    Args:
        model: what it did
        parts: the groups
        settings: how groups are compared
        label: the class that counts as positive
        confidence: the threshold
    """
    place = np.cumsum(model.judged) - 1

    def counted(rows: np.ndarray) -> dict[str, Counts]:
        rows = rows[model.judged[rows]]
        clusters = np.unique(parts.cluster[rows])
        ratios = model.whole.take(place[rows]).ratios(confidence)
        return {metric: (clusters, *ratios[metric]) for metric in _METRICS if metric in ratios}

    own, every = [counted(rows) for rows in parts.members], counted(np.arange(len(parts.cluster)))
    made = []
    for metric in every:
        pairs = rated([each[metric] for each in own], every[metric])
        for name, pair in zip(parts.names, pairs, strict=True):
            made.append(_compared(name, *pair, settings, kind="model", measure=metric, model=model.name, label=label))
    return made


def _compared(
    name: str,
    own: Rated,
    rest: Rated,
    settings: Settings,
    *,
    kind: Kind,
    measure: str,
    model: str = "",
    label: str = "",
) -> GroupRate:
    low, high = unpaired(*own.counts, *rest.counts, settings.interval)
    few = min(own.worth, rest.worth) < settings.min_samples
    known = own.n > 0 and rest.n > 0
    return GroupRate(
        group=name,
        kind=kind,
        measure=measure,
        model=model,
        label=label,
        share=own.proportion(settings.interval),
        rest=rest.proportion(settings.interval),
        effective_n=own.worth,
        difference=own.k / own.n - rest.k / rest.n if known else math.nan,
        low=_number(low),
        high=_number(high),
        p=float(unpaired_p(*own.counts, *rest.counts)) if known else math.nan,
        q=math.nan,
        few=few,
    )


@leavable
def score_gaps(parts: Parts, name: str, values: np.ndarray, settings: Settings) -> list[ScoreGap]:
    """Returns how the mean of a score differs in each group.

    Args:
        parts: the groups
        name: of the score
        values: (N,) float64; NaN where a sample has none
        settings: how groups are compared
    """
    known = np.isfinite(values)
    spread = float(values[known].std()) if known.any() else 0.0
    if spread == 0:
        return []
    made = []
    for group, own in zip(parts.names, parts.members, strict=True):
        inside = np.zeros(len(values), dtype=bool)
        inside[own] = True
        side, cluster = inside[known], parts.cluster[known]
        gap = difference_of_means(values[known], side, cluster, settings.interval)
        few = min(len(np.unique(cluster[side])), len(np.unique(cluster[~side]))) < settings.min_samples
        facts = (gap.new, gap.reference, int(side.sum()), gap.value, gap.low, gap.high, gap.value / spread, gap.p)
        made.append(ScoreGap(group, name, *facts, q=math.nan, few=few))
    return made


def corrected_rates(rates: Sequence[GroupRate]) -> list[GroupRate]:
    """Returns rates with q, over all of them that are tested."""
    q = q_values([math.nan if each.few else each.p for each in rates])
    return [replace(each, q=_number(own)) for each, own in zip(rates, q, strict=True)]


def corrected_gaps(gaps: Sequence[ScoreGap]) -> list[ScoreGap]:
    """Returns differences of scores with q, over all of them that are tested."""
    q = q_values([math.nan if each.few else each.p for each in gaps])
    return [replace(each, q=_number(own)) for each, own in zip(gaps, q, strict=True)]


def how_far_apart(rates: Sequence[GroupRate], settings: Settings) -> list[Apart]:
    """Returns how far the groups are apart in each measure, the farthest first; parity instead of what it is made of.

    The interval is that of all pairs of groups at once, each at a higher confidence (Bonferroni): the largest of their
    lower ends to the largest of their upper ends. That of the two that happen to be farthest would be too narrow.
    """
    by_measure: dict[tuple[Kind, str, str, str], list[GroupRate]] = {}
    for each in rates:
        by_measure.setdefault((each.kind, each.model, each.label, each.measure), []).append(each)
    made: list[Apart] = []
    for (kind, model, label, measure), own in by_measure.items():
        if not label or measure in ("accuracy", "precision"):
            made += _spread(own, measure, kind, model, label, settings, 1)
    for model, label in dict.fromkeys((each.model, each.label) for each in rates if each.label):
        for name, metrics in PARITY.items():
            parts: list[Apart] = []
            for metric in metrics:
                own = by_measure.get(("model", model, label, metric), [])
                parts += _spread(own, name, "model", model, label, settings, len(metrics))
            if len(parts) == len(metrics):
                worst = max(parts, key=lambda each: each.difference)
                low, high = max(each.low for each in parts), max(each.high for each in parts)
                left_out = tuple(dict.fromkeys(name for each in parts for name in each.left_out))
                made.append(replace(worst, low=low, high=high, left_out=left_out))
    return sorted(made, key=lambda each: -each.difference)


def _spread(
    rates: Sequence[GroupRate], name: str, kind: Kind, model: str, label: str, settings: Settings, together: int
) -> Iterator[Apart]:
    """Yields how far groups are apart in one measure; nothing where fewer than two of them have enough."""
    kept = [each for each in rates if each.effective_n >= settings.min_samples]
    if len(kept) < 2:
        return
    left_out = tuple(each.group for each in rates if each.effective_n < settings.min_samples)
    ordered = sorted(kept, key=lambda each: -each.share.rate)
    pairs = list(itertools.combinations(ordered, 2))
    confidence = 1 - (1 - settings.interval) / (len(pairs) * together)
    (k_a, n_a), (k_b, n_b) = (
        np.array([(each.share.rate * each.effective_n, each.effective_n) for each in side]).T
        for side in zip(*pairs, strict=True)
    )
    low, high = unpaired(k_a, n_a, k_b, n_b, confidence)
    yield Apart(
        name=name,
        kind=kind,
        model=model,
        label=label,
        difference=ordered[0].share.rate - ordered[-1].share.rate,
        low=max(float(low.max()), 0.0),
        high=float(high.max()),
        highest=ordered[0].group,
        lowest=ordered[-1].group,
        groups=len(ordered),
        left_out=left_out,
    )


def _number(value: float | np.ndarray) -> float:
    # one NaN for all: records that hold it are equal
    return math.nan if math.isnan(value) else float(value)
