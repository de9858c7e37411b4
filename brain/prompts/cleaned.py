"""A prompt as its words: what tools write around them is taken out, and what it excludes is set apart.

This is the one place that knows how prompts are written down elsewhere. The objects (``parse``), the texts
(``requested_text``) and the overlays (``requested_overlays``) of a prompt are read from what it returns; the prompt
that is stored on a sample stays as its owner wrote it.
"""

from __future__ import annotations

import ast
import html
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from loupe.brain.core.errors import PromptError
from loupe.brain.core.records import Record
from loupe.brain.core.written import KINDS
from loupe.brain.prompts.flags import flags_in
from loupe.brain.prompts.quotes import quoted_spans
from loupe.brain.prompts.texts import MAX_STORED
from loupe.brain.prompts.variants import has_variants, variants_in
from loupe.brain.prompts.wildcards import WILDCARD
from loupe.brain.prompts.written import written

#: keys of a prompt that is JSON, the first that is there wins
_PROMPT_KEYS = ("prompt", "positive_prompt", "positive", "text_prompt", "text", "caption", "description")
_NEGATIVE_KEYS = ("negative_prompt", "negative", "neg_prompt", "exclude", "excluded")
#: what is deeper inside of JSON is no prompt
_MAX_DEPTH = 8

_NEGATIVE = re.compile(r"(?:^|(?<=[\s.,;]))negative\s+prompt\s*:", re.IGNORECASE)
#: A1111's line of settings, and all that comes after it
_SETTINGS = re.compile(
    r"(?:^[ \t]*|(?<=\s))steps\s*:\s*\d+\s*(?:,\s*[A-Za-z][\w ]{0,40}:|$)", re.IGNORECASE | re.MULTILINE
)
_TAG = re.compile(r"<[/!?]?[A-Za-z][^<>]{0,300}>")
_EMBEDDING = re.compile(r"\bembedding:[\w./\\-]{1,100}|\b(?:score_\d+(?:_up)?|(?:rating|source)_[a-z]+)\b")
_LEADING_LINKS = re.compile(r"(?:\s{0,20}https?://\S{1,2000})+")
_WEIGHT = re.compile(r"::\s{0,3}(-?(?:\d{1,6}(?:\.\d{0,6})?|\.\d{1,6}))?(?=[\s,]|$)")
_EDITED = re.compile(r"\[([^\[\]:|]{0,200}):([^\[\]:|]{0,200}):\s{0,3}\d{0,4}\.?\d{1,4}\s{0,3}\]")
#: one step this, one step that: neither is asked for alone, and the first is what a plain prompt keeps (``written``)
_ALTERNATED = re.compile(r"\[([^\[\]|]{1,200})\|[^\[\]]{0,400}\]")
_BRACKETS = re.compile(r"\[([^\[\]|]{1,200})\]|\{([^{}|]{1,200})\}")
_ESCAPED = re.compile(r"\\([()\[\]{}:])")
#: between two prompts of one picture; in a line of capitals it is a word
_WEIGHED = re.compile(r":\s{0,3}[\d.]{1,9}\s{0,3}\)|\(\(")
_PARTED = re.compile(
    r"(?:^|(?<=[^A-Z\s])|(?<=\n))\s{0,20}(?<!\S)(?:BREAK|AND|ADDCOMM|ADDROW|ADDCOL)(?=[\s,]|$)(?!\s{1,5}[A-Z]{2})"
)
_SIZE = r"\d{1,4}(?:\.\d{1,3})?(?:\s?\d?/\d{1,2})?\s?(?:\"|”|″|''|’’|′′|-?inch(?:es)?\b|cm\b)"
_FEET = r"\d{1,3}\s?['’′](?:\s?\d{1,2}\s?(?:\"|”|″|''|’’|′′))?"
_DEGREES = r"-?\d{1,4}(?:\.\d)?\s?(?:°(?:\s?[CF]\b)?|-?degrees?\b(?:\s(?:[Cc]elsius|[Ff]ahrenheit)\b)?)"
#: how large a thing is cannot be told from a picture, and the number is no count; in capitals it may be what is written
_MEASURE = re.compile(
    rf"(?<![\w.$])(?:of\s+|at\s+(?={_DEGREES}))?(?:{_SIZE}(?:\s{{0,3}}(?:x|×|by)\s{{0,3}}{_SIZE}){{0,2}}|{_FEET}|{_DEGREES})(?!\w)"
    r"(?:[\s-](?:tall|long|wide|high|thick|deep)\b)?"
)
#: what all of the marks have one of: most prompts have none
_MARKED = re.compile(
    r"[\[\]{}\\<&\d]|__|--|::|[—–]|BREAK|AND|ADD|https?:|embedding:|(?:rating|source)_|(?i:negative\s+prompt)"
)


@dataclass(frozen=True)
class CleanedPrompt(Record):
    """The words of a prompt.

    Attributes:
        text: what the picture is to show, without the marks of any tool
        excluded: what it is not to show, by ``--no``, a negative weight or a negative prompt: each entry as written
        removed: what was taken out, in order: flags, settings, tags
    """

    text: str
    excluded: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The words with what is excluded after them, as a person would say it."""
        return ", ".join([self.text, *(f"no {name}" for name in self.excluded)])


def prompt_text(prompt: Any) -> str | None:
    """Returns a prompt as one string: a list of strings is joined; None for anything else, and where nothing is said.

    >>> prompt_text(["a red cup", "on a table"])
    'a red cup, on a table'
    >>> prompt_text({"steps": 20}), prompt_text("--ar 16:9")
    (None, None)
    """
    text = _as_text(prompt)
    return text if text and cleaned(text).text else None


@lru_cache(maxsize=512)
def cleaned(prompt: str) -> CleanedPrompt:
    r"""Returns the words of a prompt, and what it excludes. What stands in quotation marks is left as it is.

    Taken out are Midjourney's flags (``--ar 16:9``; what ``--no`` names is excluded) and weights (``cat::2``; a
    negative one excludes), the negative prompt and the settings of A1111's blocks, ``<lora:name:0.8>``, ``[word]``,
    ``{word}``, ``\(`` for ``(``, ``BREAK`` and ``AND`` between prompts, links before the prompt, sizes (``4"``), HTML.
    Of a prompt that is JSON its ``prompt`` is taken, else its texts are joined. It takes linear time.

    >>> cleaned("a red cup --ar 16:9 --no plants, trees")
    CleanedPrompt(text='a red cup', excluded=('plants', 'trees'), removed=('--ar 16:9', '--no plants, trees'))
    """
    if not _MARKED.search(prompt):
        return CleanedPrompt(prompt.strip())
    text, negative = _unpacked(prompt)
    excluded, removed = _items(negative), list[str]()
    if "&" in text:
        text = html.unescape(text)
    if "<" in text:
        # before any quotation mark is looked for: a tag may hold some
        removed += _TAG.findall(text)
        text = _TAG.sub(" ", text)
    text, settings = _cut(text, _SETTINGS)
    text, negative = _cut(text, _NEGATIVE)
    excluded += _items(_NEGATIVE.sub("", negative, count=1))
    removed += [part.strip() for part in (negative, settings) if part]
    text = _less_variants(_less_weights(text, removed), removed)
    if links := _LEADING_LINKS.match(text):
        removed.append(links.group(0).strip())
        text = text[links.end() :]
    text = _outside(text, lambda part: _marks(part, removed))
    text, named = _without_flags(text, removed)
    excluded += named
    text, named = _without_weights(text, removed)
    excluded += named
    # the comma after what stood in front
    text = text.lstrip(" ,;\t\n") if removed else text
    return CleanedPrompt(text.strip(), tuple(dict.fromkeys(excluded)), tuple(removed))


def _less_weights(text: str, removed: list[str]) -> str:
    """The words of a prompt in which brackets are weights beyond doubt, as its generator reads them."""
    if not _WEIGHED.search(text) or len(text) > MAX_STORED:
        return text
    try:
        own = written(text, keep=[kind for kind in KINDS if kind != "weight"])
    except PromptError:
        # what no program could read is read as words
        return text
    removed += [mark.text for mark in own.dropped if mark.kind == "weight"]
    return own.text


def _less_variants(text: str, removed: list[str]) -> str:
    """The words less what was still to be chosen: nobody knows which option was drawn, so none is asked for."""
    if not has_variants(text):
        return text
    try:
        spans = [*variants_in(text), *(hit.span() for hit in WILDCARD.finditer(text))]
    except PromptError:
        return text
    pieces, last = [], 0
    for start, end in sorted(spans):
        if start >= last:
            removed.append(text[start:end])
            pieces += [text[last:start], " "]
            last = end
    return "".join([*pieces, text[last:]])


def _unpacked(prompt: str) -> tuple[str, str]:
    """The prompt and a negative prompt; of one that is JSON, or as Python prints a list, what is in it."""
    stripped = prompt.strip()
    if (stripped[:1], stripped[-1:]) not in (("{", "}"), ("[", "]")):
        return prompt, ""
    try:
        value = _value(stripped)
    except (RecursionError, MemoryError):
        return "", ""
    if isinstance(value, dict):
        text, negative = (
            next((text for key in keys if (text := _as_text(value.get(key)))), "")
            for keys in (_PROMPT_KEYS, _NEGATIVE_KEYS)
        )
        rest = {name: part for name, part in value.items() if name not in _NEGATIVE_KEYS}
        return text or _as_text(list(_texts(rest))), negative
    return (_as_text(list(_texts(value))), "") if isinstance(value, list) else (prompt, "")


def _value(text: str) -> Any:
    """What JSON or Python holds; None where it is neither, as in ``[red|blue]``."""
    try:
        # numbers are of no interest, and one of many digits is none that Python reads
        return json.loads(text, parse_int=float)
    except ValueError:
        pass
    if not re.match(r"[\[{]\s*['\"]", text):
        return None
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError):
        return None


def _as_text(value: Any) -> str:
    """A string, or the strings of a list joined; empty for anything else."""
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        parts = list(value)
        strings = all(isinstance(part, str) for part in parts)
        value = ", ".join(part.strip().rstrip(",") for part in parts if part.strip()) if strings else ""
    return value if isinstance(value, str) and value.strip() else ""


def _texts(value: Any, depth: int = 0) -> Iterator[str]:
    """The texts in a JSON value, in its order."""
    if isinstance(value, str):
        yield value
    elif depth < _MAX_DEPTH and isinstance(value, (dict, list)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part, depth + 1)


def _items(text: str) -> list[str]:
    """What a list of excluded things names: weights and brackets are left out."""
    text = re.sub(r"[:]{1,2}\s{0,3}-?\d{0,4}\.?\d{0,4}(?=[\s,)\]]|$)", "", _TAG.sub(" ", text))
    text = _EMBEDDING.sub(" ", _ESCAPED.sub(" ", text))
    parts = re.split(r"[,;.\n|]+|\bBREAK\b", re.sub(r"[()\[\]{}]", " ", text))
    return [" ".join(part.split()) for part in parts if any(character.isalnum() for character in part)]


def _cut(text: str, mark: re.Pattern[str]) -> tuple[str, str]:
    """What stands before the first mark that is not quoted, and the rest with the mark."""
    if not (hit := mark.search(text)):
        return text, ""
    spans = quoted_spans(text)
    while hit and any(start <= hit.start() < end for start, end in spans):
        hit = mark.search(text, hit.end())
    return (text[: hit.start()], text[hit.start() :]) if hit else (text, "")


def _outside(text: str, change: Callable[[str], str]) -> str:
    """The text with all that is not quoted changed."""
    pieces, last = [], 0
    for start, end in quoted_spans(text):
        start, end = max(start - 1, last), end + 1
        # an escaped mark belongs to its quotation
        start -= text[start - 1 : start] == "\\" and start - 1 >= last
        pieces += [change(text[last:start]), text[start:end]]
        last = end
    return "".join([*pieces, change(text[last:])])


def _marks(part: str, removed: list[str]) -> str:
    """A part without quotations, less tags, brackets and measures."""
    removed += _EMBEDDING.findall(part)
    part = _EMBEDDING.sub(" ", part)
    part = _ESCAPED.sub(r"\1", part)
    part = _ALTERNATED.sub(r"\1", part)
    part = _EDITED.sub(lambda hit: hit[2] or " ", part)
    for _ in range(3):
        part = _BRACKETS.sub(lambda hit: hit[1] or hit[2], part)
    part = _PARTED.sub(". ", part)
    removed += [hit.group(0).strip() for hit in _MEASURE.finditer(part)]
    return _MEASURE.sub(" ", part)


def _without_flags(text: str, removed: list[str]) -> tuple[str, list[str]]:
    pieces, excluded, last = [], list[str](), 0
    for flag in flags_in(text, quoted_spans(text)) if "--" in text or "—" in text or "–" in text else ():
        if flag.name == "no":
            excluded += _items(flag.value.strip(" \"'"))
        pieces.append(text[last : flag.start])
        removed.append(text[flag.start : flag.end])
        last = flag.end
    return "".join([*pieces, text[last:]]), excluded


def _without_weights(text: str, removed: list[str]) -> tuple[str, list[str]]:
    """Splits Midjourney's prompts of several parts: a part with a negative weight is excluded."""
    if "::" not in text:
        return text, []
    spans = quoted_spans(text)
    quoted = {place for start, end in spans for place in range(start, end)}
    kept, excluded, last = [], [], 0
    for hit in _WEIGHT.finditer(text):
        if hit.start() in quoted:
            continue
        part = text[last : hit.start()]
        removed.append(hit.group(0).strip())
        if hit[1] and hit[1].startswith("-"):
            excluded += _items(part)
        else:
            kept.append(part)
        last = hit.end()
    kept.append(text[last:])
    return ". ".join(part.strip(" ,") for part in kept if part.strip(" ,")), excluded
