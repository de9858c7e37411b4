"""Who is better than whom, as far as that can be told. Pure arithmetic.

N. Mogstad, J. P. Romano, A. M. Shaikh & D. Wilhelm, "Inference for Ranks", Review of Economic Studies 91 (2024):
of M contenders one that is surely better than k others has at worst rank M - k, and one that is surely worse than k at
best rank 1 + k, with all comparisons corrected together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

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
        the groups, each in that order: any two that share a group are tied, and any two that share none surely differ
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
    return [*made, *rest], tied_groups(names, surely)


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


def tied_groups(names: Sequence[str], surely: Iterable[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    """Returns groups of names of which no two differ, each as large as it can be; any two that do not differ share one.

    A group may leave out a name that stands between its own: with samples of very different number the first and the
    last of three can be tied while the one between, of which more is known, differs from both.

    Args:
        names: in the order in which they are to stand
        surely: pairs that surely differ

    >>> tied_groups(["a", "b", "c"], [("a", "c")])
    (('a', 'b'), ('b', 'c'))
    """
    place = {name: at for at, name in enumerate(names)}
    tied = ~np.eye(len(names), dtype=bool)
    for first, second in surely:
        tied[place[first], place[second]] = tied[place[second], place[first]] = False
    left = np.triu(tied)
    groups: list[tuple[str, ...]] = []
    for first, second in np.argwhere(left):
        if not left[first, second]:
            continue
        members = [first, second]
        more = tied[first] & tied[second]
        while more.any():
            # one that makes another couple's group needless comes before one that does not
            members.append(int(np.argmax(more * (1 + left[members].any(0) + left[:, members].any(1)))))
            more = more & tied[members[-1]]
        members.sort()
        left[np.ix_(members, members)] = False
        groups.append(tuple(names[at] for at in members))
    return tuple(groups)
