"""Synthetic sets side by side: which of them trains better, as far as that can be told, and is it the prettiest?

All are tested on the same real samples, so that two are compared sample by sample. The ranks are those of Mogstad,
Romano, Shaikh & Wilhelm, "Inference for Ranks" (2024), see ``slicing.ranks``, with Holm's correction of all pairs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from loupe.brain.core.experiment import ArmResult
from loupe.brain.core.realism import USEFUL
from loupe.brain.realism.estimates import p_value
from loupe.brain.slicing.ranks import ranges, tied_groups
from loupe.brain.stats.differences import holm

#: that all ranks lie in their ranges at once
CONFIDENCE = 0.95


@dataclass(frozen=True, eq=False)
class Tested:
    """How a set that was trained on does on the real test samples.

    Attributes:
        correct: (T,) bool: which are right
        halves: (H, T) bool: the same after training on each of some halves of the set
    """

    correct: np.ndarray
    halves: np.ndarray


def surely_better(tested: Mapping[str, Tested], clusters: np.ndarray) -> list[tuple[str, str]]:
    """Returns the pairs of names of which the first surely trains better than the second.

    Each pair's difference varies with the test samples, paired, and with the draw of either training set. Sets that
    were drawn from the same noise vary together: that they count as independent makes for more ties, and not for fewer.

    Args:
        tested: by name, on the same T test samples
        clusters: (T,) int: test samples of one are no independent evidence
    """
    pairs = list(combinations(tested, 2))
    differences = [tested[a].correct.astype(float) - tested[b].correct for a, b in pairs]
    raw = [
        p_value(own, clusters, [tested[a].halves, tested[b].halves])
        for own, (a, b) in zip(differences, pairs, strict=True)
    ]
    adjusted = holm(raw) if raw else np.zeros(0)
    return [
        (a, b) if own.mean() > 0 else (b, a)
        for own, (a, b), p in zip(differences, pairs, adjusted, strict=True)
        if p <= 1 - CONFIDENCE and own.mean()
    ]


def ranked(
    arms: Sequence[ArmResult], surely: Sequence[tuple[str, str]]
) -> tuple[tuple[ArmResult, ...], tuple[tuple[str, ...], ...]]:
    """Returns the arms with their ranks, the most useful first and those without a utility last, and which are tied.

    Args:
        arms: in any order
        surely: pairs of names, of which the first surely trains better
    """
    measured = [arm for arm in arms if arm.measured]
    bounds = ranges([arm.name for arm in measured], surely)
    made = [replace(arm, rank_low=bounds[arm.name][0], rank_high=bounds[arm.name][1]) for arm in measured]
    # by the rank first: an arm that is surely better stands above, whatever the estimates say
    made.sort(key=lambda arm: (arm.rank_low, arm.rank_high, -arm.utility.value, arm.name))
    rest = [arm for arm in arms if not arm.measured]
    return (*made, *rest), tied_groups([arm.name for arm in made], surely)


#: what is held against utility: what it is called, and a number that is higher the prettier a set is
_PRETTY: tuple[tuple[str, str, Callable[[ArmResult], float]], ...] = (
    ("precision", "the highest precision", lambda arm: arm.precision.value),
    ("Fréchet distance", "the lowest Fréchet distance", lambda arm: -arm.frechet),
)
_DIVERSE = ("recall", lambda arm: arm.recall.value)


def sentences(arms: Sequence[ArmResult], surely: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Returns what follows of arms that are ranked: which is the most useful, and whether that is the prettiest.

    Args:
        arms: as ``ranked`` returns them
        surely: as there
    """
    measured = [arm for arm in arms if arm.measured]
    if not measured:
        return ()
    made = [_best(measured)]
    made += _pretty(measured) if len(measured) > 1 else []
    if surely:
        made.append(_orders(measured, surely))
    if not any(each.name == USEFUL for arm in measured for each in arm.findings):
        made.append("None of them surely does in place of as many real pictures")
    made += [f"{arm.name}: {arm.reason}" for arm in arms if arm.reason]
    return tuple(f"{sentence}." for sentence in made)


def _best(measured: Sequence[ArmResult]) -> str:
    first, *others = [arm for arm in measured if arm.rank_low == 1]
    worth = f"utility {first.utility}"
    if len(measured) == 1:
        return f"{first.name} has {worth}; it is the only one that was measured"
    if not others:
        return f"The most useful is {first.name}: {worth}"
    names = ", ".join(arm.name for arm in others)
    return f"The most useful seems to be {first.name}, {worth}, which nothing tells from {names}"


def _pretty(measured: Sequence[ArmResult]) -> list[str]:
    made: dict[str, list[str]] = {}
    for _, words, pretty in _PRETTY:
        known = [arm for arm in measured if not math.isnan(pretty(arm))]
        if len(known) > 1:
            made.setdefault(max(known, key=pretty).name, []).append(words)
    return [_verdict(arm, " and ".join(made[arm.name]), measured) for arm in measured if arm.name in made]


def _verdict(arm: ArmResult, words: str, measured: Sequence[ArmResult]) -> str:
    n, head = len(measured), f"The prettiest, {arm.name} with {words}"
    if words == _PRETTY[0][1]:
        alike = [each.name for each in measured if each is not arm and each.precision.value >= arm.precision.low]
        if alike:
            head = f"Among the prettiest, {arm.name} with {words}, which nothing tells from that of {', '.join(alike)}"
    if arm.rank_low > 1:
        return f"{head}, is not the most useful: it surely ranks {arm.rank} of {n}, utility {arm.utility}"
    if arm.rank_high == 1:
        return f"{head}, is also the most useful"
    return f"{head}, may or may not be the most useful: it ranks {arm.rank} of {n}"


def _orders(measured: Sequence[ArmResult], surely: Sequence[tuple[str, str]]) -> str:
    """Says how many of the pairs that surely differ each measure puts in the same order as utility does."""
    by_name = {arm.name: arm for arm in measured}
    counted = []
    for name, value in ((_PRETTY[0][0], _PRETTY[0][2]), (_PRETTY[1][0], _PRETTY[1][2]), _DIVERSE):
        known = [(value(by_name[a]), value(by_name[b])) for a, b in surely]
        known = [pair for pair in known if not any(map(math.isnan, pair))]
        if known:
            of = "" if len(known) == len(surely) else f" of {len(known)}"
            counted.append(f"{name} {sum(first > second for first, second in known)}{of}")
    pairs = "1 pair of arms surely differs" if len(surely) == 1 else f"{len(surely)} pairs of arms surely differ"
    return f"{pairs} in use. Put in the order of use: by {', by '.join(counted)}" if counted else f"{pairs} in use"
