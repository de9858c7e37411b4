"""Brackets in a prompt that are orders to A1111: weights, alternation, a change on the way. Linear, no recursion."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from loupe.brain.core.errors import PromptError
from loupe.brain.core.written import Weight

#: a heavier or a lighter word is drawn by no model: such a number is a slip
MAX_WEIGHT = 10.0
#: what a bracket alone does to a weight, as A1111 has it
ROUND, SQUARE = 1.1, 1 / 1.1
_NUMBER = r"[+-]?(?:\d{1,300}(?:\.\d{0,300})?|\.\d{1,300})(?:[eE][+-]?\d{1,9})?|[+-]?(?:nan|inf(?:inity)?)"
#: ":1.3" at the end of what stands in a bracket, and what stands before the colon
_WEIGHT = re.compile(rf":(\s{{0,3}})({_NUMBER})\s{{0,3}}$", re.IGNORECASE)
_OPENERS = {"(": ")", "[": "]"}
_CLOSERS = {closer: opener for opener, closer in _OPENERS.items()}
#: how far back a weight reaches
_TAIL = 40


@dataclass
class Pair:
    """An opening bracket and the one that closes it, with the colons and bars that are its own.

    Attributes:
        start, end: where the two stand
        kind: the opening one
        colons, bars: where they stand, and not in a bracket inside
        doubled: whether it holds another pair and nothing else
    """

    start: int
    kind: str
    end: int = -1
    colons: list[int] = field(default_factory=list)
    bars: list[int] = field(default_factory=list)
    doubled: bool = False


def pairs_in(text: str, quoted: Sequence[tuple[int, int]]) -> tuple[list[Pair], list[int], list[int]]:
    r"""Returns the pairs of brackets in the order in which they open, the escaped ones, and those without a partner.

    Args:
        text: a prompt
        quoted: the spans in which a bracket is a character as any other, in order

    >>> pairs, escaped, alone = pairs_in(r"a (cat) \(sitting\) [", [])
    >>> [(pair.start, pair.end) for pair in pairs], escaped, alone
    ([(2, 6)], [8, 17], [20])
    """
    pairs: list[Pair] = []
    escaped: list[int] = []
    alone: list[int] = []
    opened: list[Pair] = []
    last = Pair(-2, "", -2)
    for at, character in _unquoted(text, quoted):
        if at and text[at - 1] == "\\" and character in "()[]" and not (escaped and escaped[-1] == at - 2):
            escaped.append(at - 1)
        elif character in _OPENERS:
            opened.append(Pair(at, character))
            pairs.append(opened[-1])
        elif character in _CLOSERS:
            if opened and opened[-1].kind == _CLOSERS[character]:
                pair = opened.pop()
                pair.end = at
                pair.doubled = (last.start, last.end, last.kind) == (pair.start + 1, at - 1, pair.kind)
                last = pair
            else:
                alone.append(at)
        elif opened and character == ":":
            opened[-1].colons.append(at)
        elif opened and character == "|":
            opened[-1].bars.append(at)
    alone += [pair.start for pair in opened]
    return [pair for pair in pairs if pair.end >= 0], escaped, sorted(alone)


def _unquoted(text: str, quoted: Sequence[tuple[int, int]]) -> Iterator[tuple[int, str]]:
    last = 0
    for start, end in [*quoted, (len(text), len(text))]:
        yield from ((hit.start(), hit.group()) for hit in _MARKS.finditer(text, last, start))
        last = max(last, end)


_MARKS = re.compile(r"[()\[\]:|]")


def weight_of(text: str, pair: Pair) -> tuple[int, float] | None:
    """Returns where the weight at the end of a round bracket begins, and the weight; None where there is none.

    "(ratio 3:4)", "(chapter: 3)" and "(Room:12)" have none.

    Raises:
        PromptError: a weight that is no number that could be drawn with

    >>> weight_of("(red hat:1.3)", pairs_in("(red hat:1.3)", [])[0][0])
    (8, 1.3)
    """
    if not pair.colons:
        return None
    colon = pair.colons[-1]
    if (
        pair.end - colon > 400
        or not text[max(pair.start + 1, colon - _TAIL) : colon].strip()
        or text[colon - 1].isdigit()
    ):
        return None
    hit = _WEIGHT.match(text, colon, pair.end)
    if not hit:
        return None
    whole = hit[2].isdigit()
    # a number of a thing, and no weight
    if whole and (hit[1] or len(hit[2]) > 1):
        return None
    return colon, number_of(hit[2], text[max(pair.start, colon - _TAIL) : pair.end + 1])


def number_of(written: str, where: str, highest: float = MAX_WEIGHT) -> float:
    """Returns a weight.

    Raises:
        PromptError: it is no finite number, or beyond ``highest``
    """
    weight = float(written)
    if not math.isfinite(weight) or abs(weight) > highest:
        raise PromptError(
            f"expected a weight from {-highest:g} to {highest:g}, got {written[:40]} in {where[:80]!r}. "
            "Where that is no weight, put it into quotation marks, or draw the prompt as it stands: syntax='keep'"
        )
    return weight


def schedule_of(text: str, pair: Pair) -> tuple[int, int] | None:
    """Returns the span of a square bracket's text as it is at the end: of ``[a:b:0.5]`` b, of ``[a::0.5]`` nothing.

    None where the bracket is no such order: "[10:30]", "[note: see]".

    Raises:
        PromptError: as for a weight
    """
    if not pair.colons or len(pair.colons) > 2 or pair.bars:
        return None
    colon, first = pair.colons[-1], pair.colons[0]
    hit = _WEIGHT.match(text, colon, pair.end) if pair.end - colon < 400 else None
    if not hit or (text[colon - 1].isdigit() and colon == first):
        return None
    if colon == first and (hit[2].isdigit() or not text[max(pair.start + 1, colon - _TAIL) : colon].strip()):
        return None
    number_of(hit[2], text[max(pair.start, colon - _TAIL) : pair.end + 1], 1000)
    return (pair.start + 1, colon) if colon == first else (first + 1, colon)


def spans_of(factors: Sequence[tuple[int, int, float]], placed: Callable[[int], int]) -> tuple[Weight, ...]:
    """Returns the weights of the words: what brackets inside of one another do is multiplied.

    Args:
        factors: (start, end, weight) of the text
        placed: where a place of the text is among its words

    Raises:
        PromptError: so many brackets in one another that no model could draw with their product

    >>> spans_of([(1, 8, 1.2), (3, 5, 1.5)], lambda at: at)
    (Weight(start=1, end=3, weight=1.2), Weight(start=3, end=5, weight=1.8), Weight(start=5, end=8, weight=1.2))
    """
    events: list[tuple[int, int, float]] = []
    for start, end, factor in factors:
        low, high = placed(start), placed(end)
        if low < high:
            events += [(low, 1, factor), (high, 0, factor)]
    events.sort(key=lambda event: event[:2])
    weights: list[Weight] = []
    logarithm, zeros, negatives, active, at = 0.0, 0, 0, 0, 0
    for place, opens, factor in events:
        if place > at and active:
            weight = 0.0 if zeros else _weight(logarithm, active) * (-1) ** negatives
            if weights and weights[-1].end == at and weights[-1].weight == weight:
                weights[-1] = Weight(weights[-1].start, place, weight)
            elif weight != 1:
                weights.append(Weight(at, place, weight))
        at, sign = place, 1 if opens else -1
        active += sign
        zeros += sign * (factor == 0)
        negatives += sign * (factor < 0)
        # a sum that is taken back is not exactly 0
        logarithm = logarithm + sign * math.log(abs(factor) or 1) if active else 0.0
    return tuple(weights)


def _weight(logarithm: float, brackets_open: int) -> float:
    """A product of weights, to six digits."""
    if logarithm > math.log(1e6):
        raise PromptError(
            f"expected weights that can be drawn with, got {brackets_open:,} brackets in one another. Where they are "
            "no weights, draw the prompt as it stands: syntax='keep'"
        )
    return float(f"{math.exp(logarithm):.6g}")
