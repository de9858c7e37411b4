"""Reads how many are asked for: "three", "exactly two", "at least four", "a pair of", "a group of"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from loupe.brain.prompts import words as lexicon
from loupe.brain.prompts.nouns import word_set
from loupe.brain.prompts.tokens import Token

DETERMINERS = word_set(
    """
    a an the this that these those my his her its their our your each every both another any
    """
)
POSSESSIVES = word_set("my his her its their our your")
_EXACTLY = word_set("exactly just only precisely")
_VAGUE = (
    ("at", "most"), ("up", "to"), ("no", "more", "than"), ("not", "more", "than"), ("fewer", "than"), ("less", "than"),
    ("no", "fewer", "than"), ("about",), ("around",), ("approximately",), ("roughly",), ("nearly",), ("almost",),
)  # fmt: skip
_MIN = (("at", "least"), ("more", "than"))


@dataclass(frozen=True)
class Quantity:
    """How many are asked for, and where the noun begins.

    Attributes:
        end: the place after it
        count: the number; None where more than one is asked for without a number; 0 where nothing is said
        exact: whether a number is said
        determiner: the last word of it that is no number
        unread: the words in it that were not understood
    """

    end: int
    count: int | None = 0
    exact: bool = False
    determiner: str = ""
    unread: str = ""
    multiplier: int = 1


def word_at(tokens: Sequence[Token], at: int) -> str:
    """Returns the word at a place in lower case; empty at the end, a comma is ``","``."""
    return tokens[at].low if at < len(tokens) else ""


def begins_with_bounds(tokens: Sequence[Token], at: int) -> bool:
    """Returns whether "at least three", "about ten" or the like begins there."""
    return _bound(tokens, at) is not None


def _bound(tokens: Sequence[Token], at: int) -> tuple[tuple[str, ...], bool] | None:
    """The words of "at least", "about" before a number, and whether they say the smallest number there is to be."""
    for group, known in ((_MIN, True), (_VAGUE, False)):
        for words in group:
            same = tuple(token.low for token in tokens[at : at + len(words)]) == words
            if same and _number(tokens, at + len(words)) is not None:
                return words, known
    return None


def read_quantity(tokens: Sequence[Token], at: int, depth: int = 0) -> Quantity:
    """Returns what is said about how many there are to be."""
    determiner, unread, min_count = "", "", 0
    vague = False
    while (word := word_at(tokens, at)) in _EXACTLY or (word == "all" and word_at(tokens, at + 1) in ("of", "the")):
        at += 2 if word_at(tokens, at + 1) == "of" else 1
    if bound := _bound(tokens, at):
        words, known = bound
        at += len(words)
        vague = not known
        min_count = 0 if vague else 1 if words[0] == "at" else 2
        unread = " ".join(words) if vague else ""
    if word_at(tokens, at) in DETERMINERS:
        determiner = word_at(tokens, at)
        at += 1
    count: int | None = 0
    exact = False
    if determiner == "both":
        count, exact = 2, True
        if word_at(tokens, at) in ("the", *POSSESSIVES):
            at += 1
    if (word_at(tokens, at), word_at(tokens, at + 1)) == ("couple", "of"):
        return Quantity(at + 2, 2, False, determiner or "a")
    number = _number(tokens, at)
    if number:
        value, at = number
        count, exact = value, True
        other = _number(tokens, at + 1) if word_at(tokens, at) in ("or", "to") else None
        if other:
            # "two or three": no number that could be checked
            unread = f"{tokens[at - 1].text} {tokens[at].text} {tokens[other[1] - 1].text}"
            vague, at = True, other[1]
    elif determiner in ("a", "an", "the", "") and word_at(tokens, at) == "single":
        count, exact, at = 1, True, at + 1
    while word_at(tokens, at) in lexicon.MANY and at + 1 < len(tokens):
        if word_at(tokens, at) == "all" and word_at(tokens, at + 1) == "over":
            break
        count = None if not exact else count
        at += 1
    if vague:
        count, exact = None, False
    elif min_count:
        count, exact = (count or 0) + min_count - 1, False
    return _group(tokens, Quantity(at, count, exact, determiner, unread), depth)


def _group(tokens: Sequence[Token], quantity: Quantity, depth: int) -> Quantity:
    """Reads on over "pair of", "large group of": what is counted are the objects in it."""
    if depth > 2:
        return quantity
    at = quantity.end
    place = at
    while place < at + 3 and lexicon.kind_of(word_at(tokens, place)) and word_at(tokens, place) not in lexicon.GROUPS:
        place += 1
    word = word_at(tokens, place)
    if word_at(tokens, place + 1) != "of" or not (quantity.determiner or quantity.count != 0 or word.endswith("s")):
        return quantity
    if word in lexicon.GROUP_NUMBERS:
        size = lexicon.GROUP_NUMBERS[word]
        inner = read_quantity(tokens, place + 2, depth + 1)
        times = quantity.count or 1 if quantity.count is not None else None
        count = None if times is None or (quantity.count == 0 and word == "pairs") else times * size
        multiplier = size if word.startswith("pair") else 1
        return Quantity(inner.end, count, count is not None, quantity.determiner or "a", quantity.unread, multiplier)
    if word in lexicon.GROUPS:
        inner = read_quantity(tokens, place + 2, depth + 1)
        if inner.exact:
            return replace(inner, determiner=quantity.determiner or "a", unread=quantity.unread)
        return Quantity(inner.end, None, False, quantity.determiner or "a", quantity.unread)
    return quantity


def _number(tokens: Sequence[Token], at: int) -> tuple[int, int] | None:
    """The number that begins there, and the place after it; None where none does, or none that counts objects."""
    word = word_at(tokens, at)
    value: int | None = None
    end = at + 1
    if word.isascii() and word.isdigit() and len(word) < 5:
        value = int(word)
        if value > 1000 or value == 0:
            return None
    elif word in lexicon.NUMBERS:
        value = lexicon.NUMBERS[word]
    elif word in lexicon.TENS:
        value = lexicon.TENS[word]
        if word_at(tokens, end) in lexicon.NUMBERS and lexicon.NUMBERS[word_at(tokens, end)] < 10:
            value, end = value + lexicon.NUMBERS[word_at(tokens, end)], end + 1
    elif "-" in word and word.partition("-")[0] in lexicon.TENS and word.partition("-")[2] in lexicon.NUMBERS:
        value = lexicon.TENS[word.partition("-")[0]] + lexicon.NUMBERS[word.partition("-")[2]]
    elif word == "half" and word_at(tokens, at + 1) in ("a", "dozen"):
        end = at + (3 if word_at(tokens, at + 1) == "a" else 2)
        return (6, end) if word_at(tokens, end - 1) == "dozen" else None
    elif word in ("dozen", "hundred", "thousand") and word_at(tokens, at + 1) != "of":
        value, end = 1, at
    if value is None:
        return None
    if scale := {"dozen": 12, "hundred": 100, "thousand": 1000}.get(word_at(tokens, end)):
        value, end = value * scale, end + 1
    return value, end
