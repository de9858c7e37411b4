"""What a prompt asks for as values of a factor: counts, constructs, words. Pure: the grammar is brain/prompts'."""

from __future__ import annotations

import functools
import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

from loupe.brain.prompts.nouns import word_set
from loupe.brain.prompts.parse import parse
from loupe.brain.prompts.spec import PromptSpec

#: of words nobody named, so many are taken
WORDS = 20
_WORD = re.compile(r"[^\W\d_][\w'’-]*")
#: what says nothing of a picture
_STOP = word_set(
    """
    a an and are as at be by for from has have her his in into is it its of on or over that the their there they this
    to under was were which while who with without no not very some any one two three
    """
)

#: what is taken of a prompt, and of which kind it is
KINDS: dict[str, Literal["text", "bool", "int", "float"]] = {
    "objects": "int",
    "count": "int",
    "negation": "bool",
    "quoted": "bool",
    "relation": "bool",
    "length": "int",
    "words": "text",
}


def value_of(prompt: Any, part: str) -> Any:
    """Returns the value of a part of a prompt; None where there is no prompt, or where it gives none.

    >>> parts = ("objects", "count", "negation", "relation")
    >>> [value_of("three red cups on a table, no people", part) for part in parts]
    [2, 3, True, True]
    >>> value_of('a sign that says "OPEN"', "quoted"), value_of("a cup", "count"), value_of("", "length")
    (True, None, None)
    """
    if not isinstance(prompt, str) or not prompt.strip():
        return None
    if part == "length":
        return len(prompt.split())
    if part == "words":
        return words(prompt)
    spec = _parsed(prompt)
    if part == "objects":
        return len(spec.objects)
    if part == "count":
        given = [requested.count for requested in spec.objects if requested.exact and requested.count is not None]
        return max(given, default=None)
    if part == "negation":
        return bool(spec.excluded) or spec.text_free
    return bool(spec.texts) if part == "quoted" else bool(spec.relations)


def words(prompt: str) -> list[str]:
    """Returns the words of a prompt, each once, in lower case, without those that say nothing of a picture.

    >>> words("A dog and a DOG in the rain")
    ['dog', 'rain']
    """
    every = (word.lower() for word in _WORD.findall(prompt))
    return list(dict.fromkeys(word for word in every if word not in _STOP and len(word) > 1))


def telling_words(prompts: Sequence[Sequence[str] | None]) -> tuple[str, ...]:
    """Returns the words that tell prompts apart the most: of the largest sum of tf-idf, and not in all of them.

    Args:
        prompts: the words of each, each word once; None: it has none

    >>> telling_words([["red", "cup"], ["red", "dog"], ["red", "dog", "rain"], ["red"]])
    ('cup', 'dog', 'rain')
    """
    kept = [own for own in prompts if own]
    counts = Counter(word for own in kept for word in own)
    telling = {word: count * math.log(len(kept) / count) for word, count in counts.items()}
    ranked = sorted((word for word, weight in telling.items() if weight > 0), key=lambda word: (-telling[word], word))
    return tuple(ranked[:WORDS])


@functools.lru_cache(maxsize=100_000)
def _parsed(prompt: str) -> PromptSpec:
    return parse(prompt)
