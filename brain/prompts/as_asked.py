"""Which failure modes a prompt asks for, and by which words: what was asked for is no failure.

The words stand in ``as_asked_table``. They are looked for in what the prompt grammar sees: tools' marks, negative
prompts and ``--no`` are taken out before (``cleaned``), what is to be written does not count (``texts_in``), nor does
what stands in the reach of a "no": up to the end of its clause, over the commas of a list that ends in "or".
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from loupe.brain.prompts.as_asked_table import TABLE, WORDS
from loupe.brain.prompts.cleaned import cleaned, prompt_text
from loupe.brain.prompts.nouns import word_set
from loupe.brain.prompts.tokens import COMMA, WRITTEN, sentences, texts_in

_NEGATORS = word_set(
    """
    no not without never nor neither none avoid avoiding exclude excluding except isn't aren't don't doesn't wasn't
    weren't lacking lacks minus cannot can't non
    """
)
#: "free of fog", "instead of night": negators of two words, by the first
_NEGATORS_OF = word_set("free devoid instead absence lack out clear void rid")
_RATHER = ("rather", "than")
#: after these, what a "no" excludes has ended
_LINKS = word_set(
    """
    but while with in on at under during through by against over from into beneath beside where whereas yet only just
    though as is are
    """
)
#: these words right after a "no" leave it as it is, and end nothing
_AFTER_NEGATOR = word_set("in at on a an the any single too as with is be under")
#: "not only at night"
_AFFIRMED = word_set("only just merely simply")
_MAX_REACH = 12
_ITEM = 4
#: without any of these nothing is to be written, and the words are the whole of the prompt
_TEXTUAL = re.compile(
    r"[\"'`“”„‟‘’‚«»‹›「」『』《》〈〉＂]|say|said|read|word|text|titl|label|letter|caption|writ|spell|inscri|print|nam|call|engrav|"
    r"sign|messag|slogan|head|mark|phras|logo|quot|type|font|display",
    re.IGNORECASE,
)
_WORD = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True)
class _Phrase:
    """What each token of a phrase may be, and the failure modes that it asks for; none: it takes hits away."""

    parts: tuple[frozenset[str], ...]
    modes: tuple[str, ...] = ()
    group: int = -1


@dataclass(frozen=True)
class _Word:
    """A word of a sentence in lower case, and as the prompt has it; ``.`` for a comma and the ends."""

    low: str
    text: str


def as_asked(prompt: object) -> dict[str, str]:
    """Returns the failure modes that a prompt asks for, each with the words that ask for it, as the prompt has them.

    Args:
        prompt: a text in English, or a list of texts; anything else asks for nothing

    >>> as_asked("a red sign, night, no fog")["dark"]
    'night'
    >>> as_asked("a knight beside a nightstand, no people --no night"), as_asked(None)
    ({}, {})
    """
    # cleaning takes far longer than to see that no phrase is there, and takes words out only
    text = prompt if isinstance(prompt, str) else prompt_text(prompt)
    return dict(_as_asked(text)) if text and _may_ask(text) else {}


def _may_ask(text: str) -> bool:
    """Returns whether any phrase may be there, whatever stands around it: most prompts are done after that."""
    words = _WORD.findall(text.lower())
    firsts = _bare_phrases()
    for at, word in enumerate(words):
        for parts in firsts.get(word, ()):
            if len(words) - at >= len(parts) and all(words[at + n] in part for n, part in enumerate(parts)):
                return True
    return False


# the prompts of a large set: a threshold is moved more than once
@lru_cache(maxsize=100_000)
def _as_asked(text: str) -> tuple[tuple[str, str], ...]:
    asked: dict[str, str] = {}
    phrases, exceptions = _index()
    text = prompt_text(text) or ""
    plain = texts_in(text)[0] if _TEXTUAL.search(text) else cleaned(text).text
    for tokens in sentences(plain):
        words = list(_words((token.low, token.text) for token in tokens))
        excluded = _excluded([word.low for word in words])
        apart = list(_hits(words, exceptions))
        # of two that begin at one word the longer one says more
        for start, end, phrase in sorted(_hits(words, phrases), key=lambda hit: (hit[0], -hit[1])):
            taken = any(
                other.group == phrase.group and first < end and last > start and last - first >= end - start
                for first, last, other in apart
            )
            if taken or start in excluded or _is_free(words, end):
                continue
            asking = " ".join(word.text for word in words[start:end] if word.low != ".")
            for mode in phrase.modes:
                asked.setdefault(mode, asking)
    return tuple(asked.items())


def _words(tokens: Iterable[tuple[str, str]]) -> Iterator[_Word]:
    """Yields the words of a sentence, those of "black-and-white" one by one, and its ends."""
    yield _Word(".", "")
    for low, text in tokens:
        if low in (COMMA, WRITTEN):
            yield _Word("." if low == COMMA else WRITTEN, "")
        else:
            texts = text.split("-")
            yield from (_Word(part, texts[at] if at < len(texts) else part) for at, part in enumerate(low.split("-")))
    yield _Word(".", "")


def _hits(words: Sequence[_Word], index: Mapping[str, Sequence[_Phrase]]) -> Iterator[tuple[int, int, _Phrase]]:
    for start, word in enumerate(words):
        for phrase in index.get(word.low, ()):
            end = start + len(phrase.parts)
            if end <= len(words) and all(words[start + at].low in part for at, part in enumerate(phrase.parts)):
                yield start, end, phrase


def _is_free(words: Sequence[_Word], end: int) -> bool:
    """Returns whether "-free" follows: of fog there is none then."""
    return end < len(words) and words[end].low in ("free", "less")


def _excluded(words: Sequence[str]) -> set[int]:
    """Returns the places of the words that a "no" excludes."""
    excluded: set[int] = set()
    for at, word in enumerate(words):
        following = words[at + 1] if at + 1 < len(words) else "."
        if (word, following) == _RATHER or (word in _NEGATORS_OF and following == "of"):
            start = at + 2
        elif word in _NEGATORS and following not in _AFFIRMED:
            start = at + 1
        else:
            continue
        excluded.update(range(start, _reach(words, start)))
    return excluded


def _reach(words: Sequence[str], start: int) -> int:
    """Returns where what a "no" before ``start`` excludes has ended."""
    at = start
    while at < len(words) and words[at] in _AFTER_NEGATOR:
        at += 1
    while at < min(len(words), start + _MAX_REACH):
        word = words[at]
        if word in _LINKS or (word == "and" and at + 1 < len(words) and words[at + 1] in ("a", "an", "the", "with")):
            break
        if word == "." and not _list_goes_on(words, at + 1):
            break
        at += 1
    return at


def _list_goes_on(words: Sequence[str], start: int) -> bool:
    """Returns whether a list goes on after a comma: short items up to one after "or", "nor"."""
    length = 0
    for word in words[start:]:
        if word in ("or", "nor"):
            return True
        length = 0 if word == "." else length + 1
        if length > _ITEM or word in _LINKS or word in _NEGATORS:
            return False
    return False


@lru_cache(maxsize=1)
def _bare_phrases() -> dict[str, list[tuple[frozenset[str], ...]]]:
    """Returns the phrases by each first word, without their commas and with "&" left out as ``_WORD`` leaves it."""
    phrases: dict[str, list[tuple[frozenset[str], ...]]] = {}
    for _, asking, _ in rows():
        for parts in asking:
            # up to an "and", which may be written as a sign, and to a comma: the whole is looked at later
            rest = itertools.dropwhile(lambda part: part == {"."}, parts)
            bare = tuple(itertools.takewhile(lambda part: part.isdisjoint({"and", "."}), rest))
            for first in bare[0]:
                phrases.setdefault(first, []).append(bare)
    return phrases


@lru_cache(maxsize=1)
def _index() -> tuple[dict[str, list[_Phrase]], dict[str, list[_Phrase]]]:
    """Returns the phrases of the table by each first word, and those that take hits away."""
    phrases: dict[str, list[_Phrase]] = {}
    exceptions: dict[str, list[_Phrase]] = {}
    for group, (modes, asking, apart) in enumerate(rows()):
        for parts in asking:
            _put(phrases, _Phrase(parts, modes, group))
        for parts in apart:
            _put(exceptions, _Phrase(parts, group=group))
    return phrases, exceptions


def _put(index: dict[str, list[_Phrase]], phrase: _Phrase) -> None:
    for first in phrase.parts[0]:
        index.setdefault(first, []).append(phrase)


Row = tuple[tuple[str, ...], list[tuple[frozenset[str], ...]], list[tuple[frozenset[str], ...]]]


def rows() -> Iterator[Row]:
    """Yields the table: failure modes, the phrases that ask for them, the phrases that take hits away."""
    for line in TABLE.strip().replace("\n ", " ").splitlines():
        modes, asking, apart = (cell.strip() for cell in line.split("|"))
        yield tuple(modes.split()), _parsed(asking), _parsed(apart)


def _parsed(cell: str) -> list[tuple[frozenset[str], ...]]:
    return [tuple(_part(part) for part in phrase.split()) for phrase in cell.split(";") if phrase.strip()]


def _part(part: str) -> frozenset[str]:
    words: set[str] = set()
    for word in part.split("/"):
        words |= set(WORDS[word[1:-1]].split()) if word.startswith("<") else {word}
    return frozenset(words)
