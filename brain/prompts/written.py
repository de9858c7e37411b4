r"""Takes a prompt apart as A1111, ComfyUI and Midjourney read it: words, weights, LoRAs, flags, what is excluded.

A pure function, in linear time. What stands in quotation marks is to be written on the picture, and is never touched.
Some marks are unmistakable: ``(word:1.3)``, ``((word))``, ``[a|b]``, ``[a:b:0.5]``, ``<lora:name:0.8>``,
``embedding:name``, ``\(``, ``--ar 16:9``, ``word::2``. A bracket alone is a weight only beside one of these, for
English has brackets, too: "a cat (sitting)" stays as it is.

Sources: A1111's wiki "Features" (attention, prompt editing, alternating words, composable diffusion), Midjourney's
parameter list, ComfyUI's README.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import get_args

from loupe.brain.core.errors import PromptError
from loupe.brain.core.written import Adapter, Dialect, Kind, Mark, WrittenPrompt
from loupe.brain.prompts import brackets
from loupe.brain.prompts.brackets import Pair, number_of
from loupe.brain.prompts.flags import Flag, flags_in
from loupe.brain.prompts.kept import Kept
from loupe.brain.prompts.quotes import quoted_spans
from loupe.brain.prompts.texts import MAX_STORED, checked_text

_NEGATIVE = re.compile(r"^[ \t]*negative prompt[ \t]*:", re.IGNORECASE | re.MULTILINE)
_SETTINGS = re.compile(r"^[ \t]*steps[ \t]*:[ \t]*\d+[ \t]*(?:,|$)", re.IGNORECASE | re.MULTILINE)
_SEED = re.compile(r"\bseed:\s*(\d{1,30})\b", re.IGNORECASE)
_SIZE = re.compile(r"\bsize:\s*(\d{1,6})x(\d{1,6})\b", re.IGNORECASE)
_TAG = re.compile(r"<(lora|lyco|lycoris|hypernet)\s*:\s*([^<>:]{1,300})((?::[^<>:]{0,100}){0,8})>", re.IGNORECASE)
_EMBEDDING = re.compile(r"\bembedding:([\w./\\-]{1,200})(?::([\d.eE+-]{1,20})(?=\s*[,)]|\s*$))?")
_LINKS = re.compile(r"(?:\s{0,20}https?://\S{1,2000})+")
_PART = re.compile(r"(?<!\S)BREAK(?=\s|,|$)")
_AND = re.compile(r"(?:\s{0,3}:\s{0,3}(-?\d{0,4}\.?\d{1,4}))?\s{1,3}AND(?=\s)")
#: a weight whose bracket is not there
_HALF = re.compile(r"[^\s\d]:\d\.\d")
_COLONS = re.compile(r"::(-?(?:\d{1,9}\.?\d{0,9}|\.\d{1,9})(?:e\d{1,9})?)?(?=[\s,]|$)")
_MARKED = re.compile(
    r"[()\[\]<\\]|--|::|[—–]|BREAK|https?:|embedding:|(?i:^[ \t]*(?:negative prompt|steps)[ \t]*:)", re.MULTILINE
)
#: of a picture's sides: beyond, no model draws
_MAX_RATIO, _MAX_SIDE = 16, 8192
_SIDES = {"width": 0, "height": 1}


def written(prompt: str, *, dialect: Dialect = "auto", keep: Collection[str] = ()) -> WrittenPrompt:
    """Returns a prompt taken apart.

    Args:
        prompt: as somebody wrote it; variants such as ``{a|b}`` are put in before (``variants.expanded``)
        dialect: whose it is. ``"auto"`` looks for marks that are unmistakable; with ``"a1111"`` or ``"comfyui"`` every
            round bracket is a weight, and with ``"a1111"`` every square one
        keep: the kinds of marks that a generator reads by itself: they stay in ``text``

    Raises:
        PromptError: it is no text or too long, holds control characters or halves of surrogate pairs; a weight is no
            finite number from -10 to 10; a seed, a size or an aspect ratio is none

    >>> made = written("a (red hat:1.3), <lora:felt:0.8> --ar 16:9 --no plants")
    >>> made.plain, made.negative, made.aspect, [mark.text for mark in made.dropped]
    ('a red hat', 'plants', (16.0, 9.0), ['(red hat:1.3)', '<lora:felt:0.8>'])
    >>> written("a cat (sitting) in a 3:4 frame").plain
    'a cat (sitting) in a 3:4 frame'
    """
    if dialect not in get_args(Dialect):
        raise PromptError(f"expected dialect to be {' or '.join(get_args(Dialect))}, got {dialect!r}")
    text = checked_text(prompt, "the prompt", "a prompt", MAX_STORED)
    return _written(text, dialect, tuple(sorted(keep)))


# a prompt is drawn several times, and a form reads it as it is typed
@lru_cache(maxsize=256)
def _written(raw: str, dialect: Dialect, keep: tuple[str, ...]) -> WrittenPrompt:
    if not _MARKED.search(raw):
        return WrittenPrompt(raw, raw, raw)
    reading = _Reading(raw, dialect)
    plain = Kept(reading.text)
    for mark in reading.marks:
        mark.cut(plain)
    words = plain.result()
    others = [mark for mark in reading.marks if mark.kind not in keep]
    kept = Kept(reading.text)
    for mark in others:
        mark.cut(kept)
    resolved = ("size", "seed", "negative", "escape")
    as_marks = [(mark, Mark(mark.kind, mark.text)) for mark in reading.marks]
    return WrittenPrompt(
        raw=raw,
        plain=words,
        text=kept.result() if len(others) < len(reading.marks) else words,
        negative=", ".join(dict.fromkeys(reading.negative)),
        weights=brackets.spans_of(reading.factors, plain.place),
        adapters=tuple(reading.adapters),
        size=reading.size,
        aspect=reading.aspect,
        seed=reading.seed,
        dropped=tuple(own for mark, own in as_marks if mark.kind not in keep and mark.kind not in resolved)
        + reading.settings,
        kept=tuple(own for mark, own in as_marks if mark.kind in keep),
        resolved=tuple(own for mark, own in as_marks if mark.kind not in keep and mark.kind in resolved),
        odd=tuple(reading.odd),
    )


class _Cut:
    """A mark, and how it is taken out of the text: the spans of it that are no words."""

    def __init__(self, kind: Kind, text: str, spans: Iterable[tuple[int, int]], comma: bool = False) -> None:
        self.kind, self.text, self.spans, self.comma = kind, text, list(spans), comma

    def cut(self, kept: Kept) -> None:
        for start, end in self.spans:
            kept.cut(start, end, comma=self.comma)


class _Reading:
    """What is read of a prompt."""

    def __init__(self, raw: str, dialect: Dialect) -> None:
        self.dialect = dialect
        self.marks: list[_Cut] = []
        self.settings: tuple[Mark, ...] = ()
        self.negative: list[str] = []
        self.adapters: list[Adapter] = []
        self.size: tuple[int, int] | None = None
        self.aspect: tuple[float, float] | None = None
        self.seed: int | None = None
        self.odd: list[str] = []
        #: (start, end, factor) of the text, each inside of another or apart from it
        self.factors: list[tuple[int, int, float]] = []
        self.text = self._without_block(raw)
        self.quoted = quoted_spans(self.text)
        self._links()
        self._flags()
        self._tags()
        self._parts()
        self._brackets()
        self._colons()
        self.marks.sort(key=lambda mark: mark.spans[0] if mark.spans else (0, 0))

    def _free(self, pattern: re.Pattern[str]) -> list[re.Match[str]]:
        """The hits of a pattern that begin in no quotation."""
        hits, at = [], 0
        for hit in pattern.finditer(self.text):
            while at < len(self.quoted) and self.quoted[at][1] <= hit.start():
                at += 1
            if not (at < len(self.quoted) and self.quoted[at][0] <= hit.start()):
                hits.append(hit)
        return hits

    def _without_block(self, raw: str) -> str:
        """The prompt of what A1111 writes below a picture: a negative prompt and a line of settings follow it."""
        text, settings = raw, ""
        if hit := _SETTINGS.search(text):
            text, settings = text[: hit.start()], text[hit.start() :].strip()
            self.settings = (Mark("setting", settings[:1000]),)
        if hit := _NEGATIVE.search(text):
            text, negative = text[: hit.start()], text[hit.end() :].strip()
            self._exclude(negative)
            self.marks.append(_Cut("negative", negative, ()))
        if hit := _SEED.search(settings):
            self._seed(hit[1])
        if hit := _SIZE.search(settings):
            self._sized(int(hit[1]), int(hit[2]))
        return text.strip()

    def _exclude(self, negative: str) -> None:
        """What is not to be drawn, in words: the marks in it are lost, as those beside it are."""
        if not negative:
            return
        # one that holds another would be read level by level
        own = written(_NEGATIVE.sub(" ", negative), dialect="a1111" if self.dialect == "auto" else self.dialect)
        self.settings += own.dropped
        if own.plain:
            self.negative.append(own.plain)

    def _links(self) -> None:
        if hit := _LINKS.match(self.text):
            self.marks.append(_Cut("link", hit.group().strip(), [hit.span()]))

    def _flags(self) -> None:
        flags = flags_in(self.text, self.quoted, known=True)
        # one side alone is no size
        sides = {
            _SIDES[flag.name]: int(flag.value)
            for flag in flags
            if flag.name in _SIDES and re.fullmatch(r"[0-9]{1,9}", flag.value)
        }
        for flag in flags:
            kind = self._flag(flag, len(sides) == 2)
            self.marks.append(_Cut(kind, self.text[flag.start : flag.end], [(flag.start, flag.end)]))
        if len(sides) == 2:
            self._sized(sides[0], sides[1])

    def _flag(self, flag: Flag, sized: bool) -> Kind:
        if flag.name == "no":
            self._exclude(flag.value.strip(" \"',."))
            return "negative"
        if flag.name in ("ar", "aspect"):
            self._ratio(flag.value)
            return "size"
        if flag.name == "seed":
            self._seed(flag.value)
            return "seed"
        return "size" if sized and flag.name in _SIDES else "flag"

    def _seed(self, value: str) -> None:
        if not (value.isascii() and value.isdigit() and len(value) < 20 and int(value) < 2**63):
            raise PromptError(f"expected --seed as a whole number from 0 to 2**63 - 1, got {value[:60]!r}")
        self.seed = int(value)

    def _sized(self, width: int, height: int) -> None:
        if not (1 <= width <= _MAX_SIDE and 1 <= height <= _MAX_SIDE):
            raise PromptError(f"expected a size from 1 to {_MAX_SIDE} pixels a side, got {width} x {height}")
        self.size = (width, height)

    def _ratio(self, value: str) -> None:
        hit = re.fullmatch(r"(\d{1,5}(?:\.\d{1,5})?)[:x/](\d{1,5}(?:\.\d{1,5})?)\.?", value)
        width, height = (float(hit[1]), float(hit[2])) if hit else (0.0, 0.0)
        if not (width and height and 1 / _MAX_RATIO <= width / height <= _MAX_RATIO):
            raise PromptError(
                f"expected --ar as width:height, such as 16:9, at most {_MAX_RATIO}:1, got {value[:60]!r}"
            )
        self.aspect = (width, height)

    def _tags(self) -> None:
        for hit in self._free(_TAG):
            kind: Kind = "hypernetwork" if hit[1].lower() == "hypernet" else "lora"
            weight = 1.0
            if number := re.match(r":\s*([+-]?[\d.]+(?:e[+-]?\d+)?|nan|inf)\s*(?=:|$)", hit[3], re.IGNORECASE):
                weight = _number(number[1], hit.group())
            self.adapters.append(Adapter(kind, hit[2].strip(), weight))
            self.marks.append(_Cut(kind, hit.group(), [hit.span()]))
        for hit in self._free(_EMBEDDING):
            self.adapters.append(Adapter("embedding", hit[1], _number(hit[2], hit.group()) if hit[2] else 1.0))
            self.marks.append(_Cut("embedding", hit.group(), [hit.span()]))

    def _parts(self) -> None:
        for hit in self._free(_PART):
            before, after = self._around(hit)
            # in a line of capitals it is a word, and in the middle of a sentence, too
            apart = not before or before[-1] in ",.;\n" or not after or after[0] in ",\n\r"
            if apart and not _shouts(before.split()[-1:]) and not _shouts(after.split()[:1]):
                self.marks.append(_Cut("part", "BREAK", [hit.span()], comma=True))

    def _around(self, hit: re.Match[str]) -> tuple[str, str]:
        """Some of what stands before a hit, and after it."""
        before = self.text[max(0, hit.start() - 200) : hit.start()].rstrip(" \t")
        return before, self.text[hit.end() : hit.end() + 200].lstrip(" \t")

    def _brackets(self) -> None:
        pairs, escaped, alone = brackets.pairs_in(self.text, self._closed())
        read = {id(pair): cut for pair in pairs if (cut := self._sure(pair))}
        if len(escaped) > 1:
            self.marks += [_Cut("escape", self.text[at : at + 2], [(at, at + 1)]) for at in escaped]
        a1111 = self.dialect == "a1111" or (
            self.dialect == "auto" and (bool(read) or len(escaped) > 1 or bool(self.adapters) or self._has_part())
        )
        for pair in pairs:
            cut = read.get(id(pair))
            if cut is None and (a1111 or (self.dialect == "comfyui" and pair.kind == "(")):
                cut = self._emphasis(pair)
            if cut is not None:
                self.marks.append(cut)
        if a1111:
            self._joined()
        if alone and (read or self.dialect != "auto" or _HALF.search(self.text)):
            self.odd += [f"{self.text[at]!r} at character {at + 1} has no partner" for at in alone[:20]]

    def _has_part(self) -> bool:
        return any(mark.kind == "part" for mark in self.marks)

    def _closed(self) -> list[tuple[int, int]]:
        """The spans in which no bracket is looked for: quotations, and marks that are read already."""
        spans = sorted([*self.quoted, *(span for mark in self.marks for span in mark.spans)])
        merged: list[tuple[int, int]] = []
        for start, end in spans:
            if merged and start < merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        return merged

    def _sure(self, pair: Pair) -> _Cut | None:
        """The order of a bracket that is nothing else in any language."""
        if pair.kind == "(":
            weight = brackets.weight_of(self.text, pair)
            if weight:
                return self._weighed(pair, weight[0], weight[1])
            return self._emphasis(pair) if pair.doubled else None
        if pair.bars:
            rest = [(pair.start, pair.start + 1), (pair.bars[0], pair.end + 1)]
            filled = self.text[pair.start + 1 : pair.end].strip(" |")
            return _Cut("alternation", self._shown(pair), rest) if filled else None
        if span := brackets.schedule_of(self.text, pair):
            return _Cut("schedule", self._shown(pair), [(pair.start, span[0]), (span[1], pair.end + 1)])
        return None

    def _weighed(self, pair: Pair, end: int, weight: float) -> _Cut:
        self.factors.append((pair.start + 1, end, weight))
        return _Cut("weight", self._shown(pair), [(pair.start, pair.start + 1), (end, pair.end + 1)])

    def _emphasis(self, pair: Pair) -> _Cut:
        factor = brackets.ROUND if pair.kind == "(" else brackets.SQUARE
        return self._weighed(pair, pair.end, factor)

    def _shown(self, pair: Pair) -> str:
        start, end = pair.start, pair.end + 1
        if end - start <= 200:
            return self.text[start:end]
        return f"{self.text[start : start + 150]} … {self.text[end - 40 : end]}"

    def _joined(self) -> None:
        """``AND`` between two prompts of one picture, with the weight of the first before it."""
        for hit in self._free(_AND):
            before, after = self._around(hit)
            if _shouts(before.split()[-1:]) or _shouts(after.split()[:1]):
                continue
            if hit[1]:
                _number(hit[1], hit.group())
            self.marks.append(_Cut("part", hit.group().strip(), [hit.span()], comma=True))

    def _colons(self) -> None:
        """Midjourney's parts, each with its weight: one below 0 is excluded."""
        hits = [
            hit for hit in self._free(_COLONS) if not (self.text[hit.start() - 1 : hit.start()].isdigit() and hit[1])
        ]
        if not any(hit[1] for hit in hits) and self.dialect != "midjourney":
            return
        start = max((end for mark in self.marks if mark.kind == "link" for _, end in mark.spans), default=0)
        for hit in hits:
            weight = _number(hit[1], self.text[max(0, hit.start() - 40) : hit.end()], 1000) if hit[1] else 1.0
            part = self.text[start : hit.start()]
            if weight < 0:
                self._exclude(part.strip(" ,"))
                self.marks.append(_Cut("negative", part.strip() + hit.group(), [(start, hit.end())]))
            else:
                if weight != 1:
                    self.factors.append((start, hit.start(), weight))
                self.marks.append(_Cut("weight", f"{part.strip()[-60:]}{hit.group()}", [hit.span()], comma=True))
            start = hit.end()


def _number(written_as: str, where: str, highest: float = brackets.MAX_WEIGHT) -> float:
    try:
        return number_of(written_as, where, highest)
    except ValueError as error:
        if isinstance(error, PromptError):
            raise
        raise PromptError(f"expected a number as a weight, got {written_as[:40]!r} in {where[:80]!r}") from None


def _shouts(words: list[str]) -> bool:
    """Whether a word is written in capitals."""
    return bool(words) and len(words[0].strip(",.;:")) > 1 and words[0].isupper()
