"""What a prompt asks to be written: a pure function from a prompt to the texts in it.

A text is asked for by quotation marks, or by a phrase such as ``that says STOP`` without them. An apostrophe is no
quotation mark: not in ``don't``, ``the dogs' bowl``, ``rock 'n' roll`` or ``'90s``, nor inside ``'Mama's Kitchen'``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from loupe.brain.core.records import Record

#: opening mark -> the marks that can close it; " and ' are their own closers
_CLOSERS = {
    '"': '"',
    "'": "'",
    "“": "”",
    "„": "“”",
    "‟": "”",
    "”": "”",
    "‘": "’",
    "‚": "‘’",
    "«": "»",
    "‹": "›",
    "「": "」",
    "『": "』",
    "《": "》",
    "〈": "〉",
    "＂": "＂",
    "`": "`",
}
#: marks that also stand inside words, as apostrophes
_APOSTROPHES = "'’‘"
#: characters after which an ambiguous mark may open; letters of scripts that put no spaces are added in ``_may_open``
_BEFORE_OPENING = frozenset(" \t\r\n([{<-–—:;,./=|“\"'「『。、，：")
_ELISION = re.compile(r"['’‘](?:n['’]|\d0s\b|tis\b|twas\b|til\b|em\b|cause\b|bout\b|cuz\b)", re.IGNORECASE)
_NOT_WRITTEN = re.compile(
    r"(?:in the style of|so-called|the (?:movie|film|song|novel|painting|album)|a (?:scene|still) from)\s*$",
    re.IGNORECASE,
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SIGN = r"(?:signs?|banner|billboard|label|sticker|poster|plate|board|screen|note|card|text|(?:t-?)?shirt|mug|graffiti)"
#: phrases that bring a text without quotation marks; "reading" and "says" alone are also what people do
_BRINGS_TEXT = re.compile(
    r"\b(?:(?:that|which)\s+(?:says?|reads?|spells?(?:\s+out)?)"
    rf"|{_SIGN}\s+(?:says|reads|saying|reading|spelling(?:\s+out)?)"
    r"|with\s+the\s+(?:words?|text|letters?|numbers?|inscription|caption|title|slogan|message)"
    r"|the\s+(?:words?|numbers?|digits?)|labell?ed|captioned|inscribed|marked)\s*:?\s+",
    re.IGNORECASE,
)
#: of those, the ones after which only capitals or digits are taken for text
_WEAK = re.compile(r"^(?:the\s|marked|inscribed|captioned)", re.IGNORECASE)
_STOPS = _words(
    "in on at with and under over by next beside near above below behind during while against for from of to into as "
    "is are was that which who where written painted printed carved hanging made glowing standing across the a an his "
    "her its their this these those it he she they"
)
_CONNECTIVES = _words("of and the & to in on off at for a an or no not")

_NO_TEXT = re.compile(
    r"\b(?:no|without(?:\s+any)?|free\s+of|devoid\s+of)\s+(?:other\s+|visible\s+|additional\s+|extra\s+|any\s+)?"
    r"(?:text|words?|letters|lettering|writing|captions?|typography|signage|inscriptions?|characters\s+or\s+text)\b"
    r"|\btext[- ]?(?:free|less)\b|(?:没有|無|无)(?:任何)?文字|文字(?:は|が)?(?:なし|無し|入れない)",
    re.IGNORECASE,
)
_LETTERING = re.compile(
    r"\b(?:text|lettering|words|captions?|title[ds]?|slogan|headlines?|inscriptions?|writing|written|typography|"
    r"calligraphy|signage|graffiti|posters?|billboards?|signs?|book\s+covers?|magazine\s+covers?|labels?|labell?ed|"
    r"banners?|licen[cs]e\s+plates?|number\s+plates?|logos?|handwriting|handwritten|tattoo|speech\s+bubbles?|clock|"
    r"that\s+(?:says|reads)|quote|alphabet)\b|文字|看板|ポスター|标语|招牌|海报",
    re.IGNORECASE,
)
#: objects that are full of text, whatever else is written on them
_DENSE = re.compile(
    r"\b(?:newspapers?|magazines?|menus?|receipts?|documents?|articles?|dictionar(?:y|ies)|infographics?|screenshots?|"
    r"web\s?(?:site|page)s?|user\s+interface|ui|book\s+pages?|pages?\s+of|comics?|manga|letters?\s+to|maps?|keyboards?|"
    r"bookshel(?:f|ves)|library|diagrams?|charts?|tables?\s+of)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class RequestedText(Record):
    """What a prompt asks to be written.

    Attributes:
        texts: the texts in the prompt's order, white space collapsed, escapes resolved
        excluded: the prompt asks for no text (or for no other text than ``texts``)
        open_ended: the prompt asks for lettering, or for an object full of it, without saying which
    """

    texts: tuple[str, ...] = ()
    excluded: bool = False
    open_ended: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """The texts split at white space."""
        return tuple(word for text in self.texts for word in text.split())


def requested_text(prompt: str) -> RequestedText:
    r"""Returns what the prompt asks to be written.

    Quoted strings come first: ``'`` ``"`` ``‘’`` ``“”`` ``„“`` ``「」`` ``『』`` ``《》`` ``«»``; of nested ones the
    outer, with the inner marks in it. ``\"`` does not close. Then, where nothing is quoted, the words after
    ``that says``, ``reading``, ``labelled`` and the like. ``no text`` is asked for too. A prompt of any length takes
    linear time.

    >>> requested_text("the dogs' bowl says \"Mama's\"").texts
    ("Mama's",)
    >>> requested_text("a red sign that says STOP at night").texts
    ('STOP',)
    >>> requested_text("a quiet street, no text").excluded
    True
    """
    spans = quoted_spans(prompt)
    texts = [
        _clean(prompt[start:end])
        for start, end in spans
        if not _NOT_WRITTEN.search(prompt[max(0, start - 40) : start - 1])
    ]
    texts = [text for text in texts if any(character.isalnum() for character in text)]
    rest = _blank(prompt, [(start - 1, end + 1) for start, end in spans])
    excluded = _NO_TEXT.search(rest) is not None
    if not texts:
        texts = _unquoted(rest)
    open_ended = not excluded and (
        _DENSE.search(rest) is not None or (not texts and _LETTERING.search(rest) is not None)
    )
    return RequestedText(tuple(texts), excluded, open_ended)


def _blank(prompt: str, spans: list[tuple[int, int]]) -> str:
    """The prompt with a full stop in place of each span: what stands around a quotation is no phrase across it."""
    pieces, last = [], 0
    for start, end in spans:
        pieces += [prompt[last : max(start, last)], " . "]
        last = end
    return "".join([*pieces, prompt[last:]])


def _clean(text: str) -> str:
    text = re.sub(r"\\[nrt]", " ", text)
    text = re.sub(r"\\(.)", r"\1", text)
    return " ".join(text.split())


def quoted_spans(prompt: str) -> list[tuple[int, int]]:
    """Returns (start, end) of what stands between each pair of outermost quotation marks.

    >>> [prompt[start:end] for prompt in ['a sign that says "OPEN"'] for start, end in quoted_spans(prompt)]
    ['OPEN']
    """
    closings = _closings(prompt)
    spans, at = [], 0
    unclosed: set[tuple[str, bool]] = set()
    while at < len(prompt):
        mark = (prompt[at], _escaped(prompt, at))
        # where nothing closes a mark, nothing closes a later one: looked for once, the search stays linear
        if prompt[at] in _CLOSERS and mark not in unclosed and _may_open(prompt, at):
            end = _closing(prompt, at, closings)
            if end is None:
                unclosed.add(mark)
            else:
                spans.append((at + 1, end - 1 if _escaped(prompt, end) else end))
                at = end
        at += 1
    return spans


def _closings(prompt: str) -> dict[str, list[int]]:
    """For each closing mark its places, the last first, so that they can be popped as the search goes on."""
    wanted = set("".join(_CLOSERS.values()))
    places: dict[str, list[int]] = {mark: [] for mark in wanted}
    for at in range(len(prompt) - 1, -1, -1):
        if prompt[at] in wanted:
            places[prompt[at]].append(at)
    return places


def _escaped(prompt: str, at: int) -> bool:
    return at in _escaped_places(prompt)


@lru_cache(maxsize=8)
def _escaped_places(prompt: str) -> frozenset[int]:
    """Where a character stands that an odd number of backslashes precedes."""
    return frozenset(match.start(1) for match in re.finditer(r"\\(.)", prompt, re.DOTALL))


def _may_open(prompt: str, at: int) -> bool:
    mark = prompt[at]
    if at + 1 >= len(prompt) or (prompt[at + 1].isspace() and mark not in "«‹"):
        return False
    if mark not in "\"'‘`”":
        return True
    before = prompt[at - 1] if at else " "
    if before == "\\":
        before = prompt[at - 2] if at > 1 else " "
    if mark in _APOSTROPHES and _ELISION.match(prompt, at):
        return False
    return before in _BEFORE_OPENING or (ord(before) > 0x2E7F and not before.isspace())


def _closing(prompt: str, start: int, closings: dict[str, list[int]]) -> int | None:
    """The place of the mark that closes the one at ``start``; None when nothing does."""
    mark = prompt[start]
    escaped_pair = _escaped(prompt, start)
    candidates = []
    for closer in _CLOSERS[mark]:
        places = closings[closer]
        while places and places[-1] <= start:
            places.pop()
        candidates.append(places)
    if mark in "「『《〈«“‹" and len(_CLOSERS[mark]) == 1:
        return _balanced(prompt, start, mark, candidates[0])
    ordered = reversed(candidates[0]) if len(candidates) == 1 else sorted(candidates[0] + candidates[1])
    for place in ordered:
        if mark in "'‘" and not _closes_word(prompt, place):
            continue
        if prompt[place] in '"＂' and _escaped(prompt, place) != escaped_pair:
            continue
        if mark in "'‘" and _is_possessive(prompt, place):
            continue
        return place
    return None


def _balanced(prompt: str, start: int, mark: str, places: list[int]) -> int | None:
    """The closing mark at which as many have closed as opened; the first one where they never balance."""
    depth, at = 1, start
    for place in reversed(places):
        depth += prompt.count(mark, at + 1, place) - 1
        at = place
        if depth == 0:
            return place
    return places[-1] if places else None


def _closes_word(prompt: str, at: int) -> bool:
    """Whether an apostrophe stands after a word and before none: ``STOP'`` but not ``Mama's``."""
    after = prompt[at + 1] if at + 1 < len(prompt) else " "
    return not prompt[at - 1].isspace() and not (after.isalnum() and ord(after) < 0x2E80)


def _is_possessive(prompt: str, at: int) -> bool:
    """Whether the mark after an s is the possessive of a quoted phrase that goes on: ``'the dogs' bowl'``."""
    if prompt[at - 1] != "s" or at + 2 >= len(prompt) or prompt[at + 1] != " " or not prompt[at + 2].isalpha():
        return False
    following = re.compile(r"['’‘]").search(prompt, at + 1, at + 200)
    if following is None or _may_open(prompt, following.start()):
        return False
    later = following.start()
    after = prompt[later + 1] if later + 1 < len(prompt) else "."
    # "'Open' in the workers' hall": the later mark is a possessive itself, and closes nothing
    return _closes_word(prompt, later) and not (prompt[later - 1] == "s" and after == " ")


def _unquoted(prompt: str) -> list[str]:
    """The words that phrases such as ``that says`` bring without quotation marks."""
    texts: list[str] = []
    at = 0
    while match := _BRINGS_TEXT.search(prompt, at):
        at = match.end()
        clause = re.match(r"[^,;:!?\n()\".]*(?:[!?]|\.(?=\d)[^,;:!?\n()\".]*)?", prompt[at : at + 200])
        words = clause.group(0).split() if clause else []
        kept = _capitals(words) or ([] if _WEAK.match(match.group(0)) else _until_stop(words))
        if kept:
            texts.append(" ".join(kept))
    return texts


def _capitals(words: list[str]) -> list[str]:
    """The leading words with a capital or a digit, and the small words between them."""
    kept: list[str] = []
    for index, word in enumerate(words):
        if word[0].isupper() or word[0].isdigit() or word[0] in "$€£#@&":
            kept = words[: index + 1]
        elif (
            word.lower() not in _CONNECTIVES
            or not kept
            or not any(w[0].isupper() for w in words[index + 1 : index + 3])
        ):
            break
    return kept


def _until_stop(words: list[str]) -> list[str]:
    kept: list[str] = []
    for word in words[:6]:
        if word.lower() in _STOPS:
            break
        kept.append(word)
    return kept
