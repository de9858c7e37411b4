"""A prompt as sentences of tokens: markup, weights and what is to be written are taken out of it first."""

from __future__ import annotations

import re
from typing import NamedTuple

from loupe.brain.prompts.cleaned import cleaned
from loupe.brain.prompts.quotes import quoted_spans
from loupe.brain.prompts.requested_text import RequestedText, requested_text

#: stands for what is to be written, so that the grammar sees that something stood there
WRITTEN = "\ue000"
#: a comma, or what is read as one
COMMA = ","

_WEIGHT = re.compile(r":\s{0,3}-?\d{0,4}(?:\.\d{1,4})?$")
_TOKEN = re.compile(
    r"\ue000"
    r"|\d+(?:[.,:]\d+)*(?:-?[^\W\d_]+(?:-[^\W\d_]+)*)?"
    r"|[^\W\d_][^\W_]*(?:['’\-][^\W_]+)*(?:['’](?!\w))?"
    r"|\n+|\S"
)
_ENDS = frozenset(".!?;:\n。！？；：…")
_COMMAS = frozenset(",-–—()[]{}/\\|，、·•*+~=<>")
_IGNORED = frozenset("\"'`’‘“”«»‹›_^#%$€£@©®™\ufe0f\u200d\u200b\ufeff")
# Latin letters with their accents; other scripts are not read
_LATIN_END = 0x24F


class Token(NamedTuple):
    """A word, a comma or ``WRITTEN``, as it stands and in lower case."""

    text: str
    low: str


def texts_in(prompt: str) -> tuple[str, RequestedText]:
    """Returns the prompt with ``WRITTEN`` in place of each text that is to be written, and those texts.

    >>> texts_in('a sign that says "OPEN" above a door')[0].replace(WRITTEN, "_")
    'a sign that says  _  above a door'
    """
    plain = cleaned(prompt).text
    requested = requested_text(prompt)
    spans = quoted_spans(plain)
    pieces, last = [], 0
    for start, end in spans:
        pieces += [plain[last : max(start - 1, last)], f" {WRITTEN} "]
        last = end + 1
    rest = "".join([*pieces, plain[last:]])
    if requested.texts and not any(plain[start:end].strip() for start, end in spans):
        # without quotation marks: the words stand as they are, but for the white space between them
        pieces, last = [], 0
        for text in requested.texts:
            gaps = r"\s+".join(map(re.escape, text.split()))
            if match := re.compile(rf"(?<!\w){gaps}(?!\w)").search(rest, last):
                pieces += [rest[last : match.start()], f" {WRITTEN} "]
                last = match.end()
        rest = "".join([*pieces, rest[last:]])
    return rest, requested


def sentences(text: str) -> list[list[Token]]:
    """Returns the sentences of a text without markup; dashes and brackets are commas.

    >>> [[token.low for token in sentence] for sentence in sentences("A (red car:1.3), a dog. Night")]
    [['a', 'red', 'car', ',', 'a', 'dog'], ['night']]
    """
    every: list[list[Token]] = [[]]
    for match in _TOKEN.finditer(_unweighted(text)):
        token = match.group(0)
        if token[0] in _ENDS:
            every.append([])
        elif token in _COMMAS:
            every[-1].append(Token(COMMA, COMMA))
        elif token == "&":
            every[-1].append(Token("&", "and"))
        elif token not in _IGNORED:
            every[-1].append(Token(token, token.lower().replace("’", "'").rstrip("'")))
    return [sentence for sentence in every if any(token.low != COMMA for token in sentence)]


def is_foreign(token: Token) -> bool:
    """Returns whether a token has letters of another script than Latin, or is a sign such as an emoji."""
    return any(ord(character) > _LATIN_END for character in token.low) and token.low != WRITTEN


def _unweighted(text: str) -> str:
    """Takes out the brackets that weigh words, ``(red car:1.3)``, ``((red car))`` and ``[red]``, in one pass."""
    characters = list(text)
    open_brackets: list[int] = []
    last_closed = (-2, -2)
    for place, character in enumerate(text):
        if character == "(":
            open_brackets.append(place)
        elif character == ")" and open_brackets:
            start = open_brackets.pop()
            inside = max(start + 1, place - 12)
            weight = _WEIGHT.search(text[inside:place])
            doubled = last_closed == (start + 1, place - 1)
            if weight and len(weight.group(0)) > 1:
                characters[start] = " "
                characters[inside + weight.start() : place + 1] = " " * (place + 1 - inside - weight.start())
            elif doubled:
                for at in (start, start + 1, place - 1, place):
                    characters[at] = " "
            last_closed = (start, place)
    return "".join(characters)
