"""Variants: ``{red|blue}``, ``{2$$a|b|c}``, ``{0.3::a|b}`` and wildcards become one text, by a seed.

The syntax is that of the extension Dynamic Prompts (its docs/SYNTAX.md): a number and ``$$`` choose so many, without
repetition, joined by a comma or by what stands between two ``$$``; a range as ``1-3$$``; a number and ``::`` before an
option is how often it comes, against 1. Options may hold variants and wildcards. Braces without a bar are no variants.
What stands in quotation marks is no exception: a sign that says "{OPEN|CLOSED}" says one of the two.
"""

from __future__ import annotations

import heapq
import math
import random
import re
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from loupe.brain.core.errors import PromptError
from loupe.brain.core.hashes import number_of
from loupe.brain.core.records import Record
from loupe.brain.prompts.texts import MAX_CHARACTERS, MAX_STORED, RESERVED, checked_text
from loupe.brain.prompts.wildcards import WILDCARD, Wildcards

_MAX_DEPTH = 50
#: what one prompt may choose: wildcards that double one another would go on for ever
_MAX_CHOICES = 10_000
_COUNT = re.compile(r"\s*(?:(\d{1,20})\s*(?:(-)\s*(\d{1,20})?)?|-\s*(\d{1,20}))\s*\$\$")
_SEPARATOR = re.compile(r"([^{}|$]{0,50})\$\$")
_WEIGHT = re.compile(r"\s*([+-]?(?:\d[\d.]*|\.\d+)(?:e[+-]?\d+)?|nan|inf)\s*::", re.IGNORECASE)
_BRACES = re.compile(r"[{}|]")


@dataclass(frozen=True)
class Expanded(Record):
    """A prompt with its variants chosen.

    Attributes:
        text: the prompt
        chosen: the value of each wildcard that was used once, by the last part of its name: scenario factors
        choices: how many choices were made
    """

    text: str
    chosen: Mapping[str, str] = field(default_factory=dict)
    choices: int = 0


def expanded(prompt: str, seed: int, number: int = 0, wildcards: Wildcards | None = None) -> Expanded:
    """Returns the prompt with one option of each variant.

    The choice depends on the prompt, the seed and the number, and on nothing else.

    Args:
        prompt: as it is written
        seed: of the call
        number: of the image among those of the same prompt
        wildcards: where the values of wildcards come from

    Raises:
        PromptError: a brace that is not closed, a count above the number of options, a weight that is no number, a
            wildcard without values, or more than can be expanded

    >>> expanded("a {red|blue} cup", seed=0).text, expanded("a {red} cup", seed=0).text
    ('a blue cup', 'a {red} cup')
    """
    if not has_variants(prompt):
        return Expanded(prompt)
    text = checked_text(prompt, "the prompt", "a prompt", MAX_STORED)
    choosing = _Choosing(random.Random(number_of([seed, text, number], 16)), wildcards)
    choosing.check(text)
    made = choosing.text_of(text, 0)
    used = {name: values for name, values in choosing.used.items() if len(values) == 1}
    chosen = {name: values[0] for name, values in used.items() if name.isidentifier() and name not in RESERVED}
    return Expanded(made.strip(), chosen, choosing.choices)


def has_variants(prompt: str) -> bool:
    """Returns whether a prompt may hold variants or wildcards; one that is JSON holds none.

    >>> has_variants("{a|b}"), has_variants("__animal__"), has_variants("a|b"), has_variants('{"prompt": "a|b"}')
    (True, True, False, False)
    """
    braces = "{" in prompt and ("|" in prompt or "$$" in prompt)
    return (braces or "__" in prompt) and not re.match(r"\s*[{\[]\s*['\"]", prompt)


class _Node:
    """What stands between two braces: where its own bars are, the nodes inside, and how many lie in one another."""

    def __init__(self, start: int) -> None:
        self.start, self.end, self.depth = start, -1, 0
        self.bars: list[int] = []
        self.inner: list[_Node] = []


def variants_in(text: str) -> list[tuple[int, int]]:
    """Returns the span of each pair of braces that is a variant, those inside of others too, in order.

    Raises:
        PromptError: a variant is not closed

    >>> variants_in("{a|{b|c}} {d}")
    [(0, 9), (3, 8)]
    """
    spans: list[tuple[int, int]] = []
    waiting = [_tree(text)]
    while waiting:
        node = waiting.pop()
        if node.start >= 0 and _is_variant(text, node):
            spans.append((node.start, node.end + 1))
        waiting += node.inner
    return sorted(spans)


def doubled(template: str) -> str:
    """Returns a template with the braces of its variants doubled, so that they are no placeholders.

    Braces that are doubled already are left as they are, for a template has no other way to write one.

    >>> doubled("a {red|blue} {animal}, {{x}}")
    'a {{red|blue}} {animal}, {{x}}'
    """
    if not has_variants(template):
        return template
    places = {at for start, end in variants_in(template) for at in (start, end - 1)}
    return "".join(character * 2 if at in places else character for at, character in enumerate(template))


def _tree(text: str) -> _Node:
    """The braces of a text, without recursion."""
    root = _Node(-1)
    opened = [root]
    for hit in _BRACES.finditer(text):
        if hit.group() == "{":
            node = _Node(hit.start())
            opened.append(node)
        elif hit.group() == "|":
            opened[-1].bars.append(hit.start())
        elif len(opened) > 1:
            node = opened.pop()
            node.end = hit.start()
            node.depth += _is_variant(text, node)
            opened[-1].inner.append(node)
            opened[-1].depth = max(opened[-1].depth, node.depth)
    for node in opened[:0:-1]:
        if node.bars or _COUNT.match(text, node.start + 1):
            raise PromptError(
                f"expected }} for the {{ at character {node.start + 1} of {text[:60]!r}, got none: close it, or draw "
                "the prompt as it stands: syntax='keep'"
            )
    # a brace that nothing closes is a character as any other
    root.inner = [inner for node in opened for inner in node.inner]
    return root


def _is_variant(text: str, node: _Node) -> bool:
    return bool(node.bars) or bool(_COUNT.match(text, node.start + 1, node.end))


class _Choosing:
    """Chooses, depth first; what it has done so far is bounded."""

    def __init__(self, rng: random.Random, wildcards: Wildcards | None) -> None:
        self.rng, self.wildcards = rng, wildcards
        self.used: dict[str, list[str]] = {}
        self.choices = 0
        self.length = 0

    def text_of(self, text: str, depth: int) -> str:
        """A text with its variants and wildcards chosen."""
        return self._render(text, _tree(text), 0, len(text), depth)

    def _count(self, depth: int) -> None:
        self.choices += 1
        self._require(depth <= _MAX_DEPTH and self.choices <= _MAX_CHOICES)

    @staticmethod
    def _require(bounded: bool) -> None:
        if not bounded:
            raise PromptError(
                f"expected variants and wildcards at most {_MAX_DEPTH} inside of one another, and {_MAX_CHOICES:,} in "
                "one prompt, got more"
            )

    def _render(self, text: str, node: _Node, start: int, end: int, depth: int) -> str:
        pieces, last = [], start
        first = bisect_left(node.inner, start, key=lambda inner: inner.start)
        behind = bisect_left(node.inner, end, key=lambda inner: inner.start)
        waiting = node.inner[first:behind][::-1]
        while waiting:
            inner = waiting.pop()
            if not _is_variant(text, inner):
                waiting += reversed(inner.inner)
                continue
            pieces += [self._words(text[last : inner.start], depth), self._variant(text, inner, depth + 1)]
            last = inner.end + 1
        return "".join([*pieces, self._words(text[last:end], depth)])

    def _words(self, text: str, depth: int) -> str:
        """A text without variants, with its wildcards put in."""
        pieces, last = [], 0
        for hit in WILDCARD.finditer(text):
            pieces += [text[last : hit.start()], self._wildcard(hit[1], depth + 1)]
            last = hit.end()
        rest = text[last:] if last else text
        self.length += len(text)
        if self.length > MAX_STORED + 50 * MAX_CHARACTERS:
            raise PromptError("expected variants that give a prompt of some length, got one without end")
        return "".join([*pieces, rest])

    def _wildcard(self, name: str, depth: int) -> str:
        self._count(depth)
        values = self._values(name)
        value = self.text_of(values[int(self.rng.random() * len(values))], depth)
        self.used.setdefault(name.rsplit("/", 1)[-1], []).append(value)
        return value

    def _values(self, name: str) -> tuple[str, ...]:
        if self.wildcards is None:
            raise PromptError(
                f"expected wildcards= for __{name[:60]}__: a folder with {name[:60]}.txt, one value a line. To draw "
                "the prompt as it stands: syntax='keep'"
            )
        return self.wildcards.values(name)

    def check(self, text: str) -> None:
        """Looks at every option, whichever is chosen: what is wrong with a prompt is so with each seed."""
        texts = [text]
        while texts:
            text = texts.pop()
            for hit in WILDCARD.finditer(text):
                values = self._values(hit[1])
                assert self.wildcards is not None
                if hit[1] not in self.wildcards.sound:
                    self.wildcards.sound.add(hit[1])
                    texts += values
            waiting = [_tree(text)]
            self._require(waiting[0].depth <= _MAX_DEPTH)
            while waiting:
                node = waiting.pop()
                if node.start >= 0 and _is_variant(text, node):
                    _options(text, node, self._values)
                waiting += node.inner

    def _variant(self, text: str, node: _Node, depth: int) -> str:
        self._count(depth)
        options = _options(text, node, self._values)
        count = options.low + int(self.rng.random() * (options.high - options.low + 1))
        # Efraimidis and Spirakis 2006: as if one were drawn after the other, by their weights, in one pass
        keys = [math.log(1 - self.rng.random()) / weight if weight else -math.inf for weight in options.weights]
        picked = heapq.nlargest(count, range(len(keys)), key=keys.__getitem__)
        if options.values:
            return options.separator.join(self.text_of(options.values[at], depth) for at in picked)
        return options.separator.join(self._render(text, node, *options.places[at], depth).strip() for at in picked)


class _Options(NamedTuple):
    """What a variant chooses from: how many, and of each option how often it comes and where it stands."""

    low: int
    high: int
    separator: str
    weights: list[float]
    places: list[tuple[int, int]]
    values: tuple[str, ...] = ()


def _options(text: str, node: _Node, values_of: Callable[[str], tuple[str, ...]]) -> _Options:
    start = node.start + 1
    low = high = 1
    separator = ", "
    if count := _COUNT.match(text, start, node.end):
        start = count.end()
        low, high = _bounds(count)
        if own := _SEPARATOR.match(text, start, node.end):
            separator, start = own[1], own.end()
    bars = node.bars[bisect_left(node.bars, start) :]
    weights, places = [], []
    for begin, end in zip([start, *(bar + 1 for bar in bars)], [*bars, node.end], strict=True):
        weight = _WEIGHT.match(text, begin, end)
        weights.append(_weight(weight[1], text, node) if weight else 1.0)
        places.append((weight.end() if weight else begin, end))
    values: tuple[str, ...] = ()
    if len(places) == 1 and (only := WILDCARD.fullmatch(text[places[0][0] : places[0][1]].strip())):
        # {2$$__color__}: two values of one wildcard
        values = values_of(only[1])
        weights = [1.0] * len(values)
    possible = sum(weight > 0 for weight in weights)
    high = possible if high < 0 else high
    if not low <= high <= possible:
        raise PromptError(
            f"expected to choose at most {possible} of {possible} options, got {max(low, high)} in {_shown(text, node)}"
        )
    return _Options(low, high, separator, weights, places, values)


def _bounds(count: re.Match[str]) -> tuple[int, int]:
    """How many options are chosen; -1: all there are."""
    if count[4]:
        return 0, int(count[4])
    low = int(count[1])
    return low, (int(count[3]) if count[3] else -1) if count[2] else low


def _weight(written: str, text: str, node: _Node) -> float:
    try:
        weight = float(written)
    except ValueError:
        weight = math.nan
    if not 0 <= weight <= 1e9:
        raise PromptError(
            f"expected how often an option comes as a number of at least 0, got {written[:40]} in {_shown(text, node)}"
        )
    return weight


def _shown(text: str, node: _Node) -> str:
    whole = text[node.start : min(node.end + 1, node.start + 80)]
    return repr(whole)
