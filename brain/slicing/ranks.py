"""Who is better than whom, as far as that can be told. Pure arithmetic.

N. Mogstad, J. P. Romano, A. M. Shaikh & D. Wilhelm, "Inference for Ranks", Review of Economic Studies 91 (2024):
of M contenders one that is surely better than k others has at worst rank M - k, and one that is surely worse than k at
best rank 1 + k, with all comparisons corrected together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from loupe.brain.core.comparison import Difference, Standing


def ranked(
    standing: Sequence[Standing], compared: Sequence[Difference], confidence: float = 0.95
) -> tuple[list[Standing], tuple[tuple[str, ...], ...]]:
    """Returns the standings with their ranks, the fewest failures first, and the groups of those that are tied.

    Args:
        standing: the rates of M contenders
        compared: each two of them
        confidence: that all ranks lie in their ranges at once

    Returns:
        the standings: by rank, then by rate; those of which nothing was judged last
        the groups: each the longest run of at least two, in that order, without any two that surely differ
    """
    judged = [own for own in standing if own.rate.n]
    surely = []
    for each in compared:
        if each.p_adjusted <= 1 - confidence and each.difference:
            surely.append((each.a, each.b) if each.difference < 0 else (each.b, each.a))
    bounds = ranges([own.name for own in judged], surely)
    made = [Standing(own.name, own.rate, own.effective_n, *bounds[own.name]) for own in judged]
    made.sort(key=lambda own: (own.rank_low, own.rank_high, own.rate.rate, own.name))
    names = [own.name for own in made]
    rest = [own for own in standing if not own.rate.n]
    return [*made, *rest], runs(names, surely)


def ranges(names: Sequence[str], surely: Iterable[tuple[str, str]]) -> dict[str, tuple[int, int]]:
    """Returns the best and the worst rank of each of M names, 1 the best.

    Args:
        names: the contenders
        surely: pairs of which the first is surely better, with all comparisons corrected together

    >>> ranges(["a", "b", "c"], [("a", "c")])
    {'a': (1, 2), 'b': (1, 3), 'c': (2, 3)}
    """
    better, worse = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
    for first, second in surely:
        worse[first] += 1
        better[second] += 1
    return {name: (1 + better[name], len(names) - worse[name]) for name in names}


def runs(names: Sequence[str], surely: Iterable[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    """Returns the longest runs of names, in order, of which no two surely differ, each at least two long.

    >>> runs(["a", "b", "c"], [("a", "c")])
    (('a', 'b'), ('b', 'c'))
    """
    differ = {frozenset(pair) for pair in surely}
    made: list[tuple[str, ...]] = []
    start = 0
    for end in range(len(names) + 1):
        if end < len(names) and not any(frozenset((names[end], name)) in differ for name in names[start:end]):
            continue
        if end - start > 1:
            made.append(tuple(names[start:end]))
        while end < len(names) and any(frozenset((names[end], name)) in differ for name in names[start:end]):
            start += 1
    return tuple(made)
