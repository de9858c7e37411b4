"""What a prompt asks to be written: a pure function from a prompt to the texts in it.

A text is asked for by quotation marks (``quotes``), or by a phrase such as ``that says STOP`` without them. A name that
a prompt gives to something (``a dog named Max``, ``a Starbucks cup``) may be written, and need not be.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from loupe.brain.core.records import Record
from loupe.brain.prompts import nouns
from loupe.brain.prompts import words as lexicon
from loupe.brain.prompts.cleaned import cleaned
from loupe.brain.prompts.quotes import quoted_spans

_NOT_WRITTEN = re.compile(
    r"(?:in the style of|so-called|the (?:movie|film|song|novel|painting|album)|a (?:scene|still) from)\s*$",
    re.IGNORECASE,
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: what is there to be read
_SIGN = (
    r"(?:signs?|banners?|billboards?|labels?|stickers?|posters?|plates?|boards?|screens?|notes?|cards?|text|(?:t-?)?shirts?"
    r"|mugs?|graffiti|signboards?|signposts?|chalkboards?|blackboards?|whiteboards?|letterboards?|placards?|plaques?"
    r"|marquees?|headlines?|headstones?|tombstones?|gravestones?|captions?|titles?|inscriptions?|covers?|tags?|badges?"
    r"|name\s?tags?|tickets?|stamps?|envelopes?|flyers?|leaflets?|logos?|lettering|words?|letters?|neon|tattoos?|caps?|hats?"
    r"|hoodies?|jerseys?|sweatshirts?|displays?|scoreboards?|license\s+plates?|number\s+plates?|speech\s+bubbles?)"
)
#: phrases that bring a text without quotation marks; "reading" and "says" alone are also what people do
_BRINGS_TEXT = re.compile(
    r"\b(?:(?:that|which)\s+(?:says?|reads?|spells?(?:\s+out)?)"
    rf"|{_SIGN}\s+(?:says|reads|saying|reading|spelling(?:\s+out)?)"
    r"|with\s+the\s+(?:words?|text|letters?|numbers?|inscription|caption|title|slogan|message|name|label|headline)"
    r"|the\s+(?:words?|numbers?|digits?)|labell?ed(?:\s+as)?|captioned|inscribed(?:\s+with)?|marked(?:\s+(?:as|with))?"
    r"|(?:emblazoned|engraved|stamped|printed|embroidered)\s+with|(?:en)?titled|headlined"
    r"|(?:with|saying)\s+(?:words?|text|letters|title|caption|slogan))\s*:?\s+",
    re.IGNORECASE,
)
#: of those, the ones after which only capitals or digits are taken for text
_WEAK = re.compile(
    r"^(?:the\s|marked|inscribed|captioned|emblazoned|engraved|stamped|printed|embroidered|(?:en)?titled|headlined"
    r"|(?:with|saying)\s+(?!the\s))",
    re.IGNORECASE,
)
#: brings a name: it may be written there, on a boat or a collar
_BRINGS_NAME = re.compile(r"\b(?:named|called|branded|nicknamed|by\s+the\s+name\s+of)\s*:?\s+", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+(?:['’&.\-][^\W_]+)*")
#: after these, and at the start, any word has a capital
_ENDS_SENTENCE = frozenset('.!?:;\n"“”•|')
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
        names: what may be written and need not be: names of things, and words of the prompt that are spelled as names
    """

    texts: tuple[str, ...] = ()
    excluded: bool = False
    open_ended: bool = False
    names: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """The texts split at white space."""
        return tuple(word for text in self.texts for word in text.split())


def requested_text(prompt: str) -> RequestedText:
    r"""Returns what the prompt asks to be written.

    Quoted strings come first: ``'`` ``"`` ``‘’`` ``“”`` ``„“`` ``「」`` ``『』`` ``《》`` ``«»``; of nested ones the
    outer, with the inner marks in it. ``\"`` does not close. Then, where nothing is quoted, the words after
    ``that says``, ``reading``, ``labeled``, ``titled`` and the like. ``no text`` is asked for too, also by
    ``--no text`` (``cleaned``). A prompt of any length takes linear time.

    >>> requested_text("the dogs' bowl says \"Mama's\"").texts
    ("Mama's",)
    >>> requested_text("a red sign that says STOP at night").texts
    ('STOP',)
    >>> requested_text("a quiet street, no text").excluded
    True
    >>> requested_text("a dog named Max and a Starbucks cup").names
    ('Max and a Starbucks', 'Max', 'Starbucks')
    """
    return _requested(prompt)


# a check asks whether it can judge before the picture is read, and what is to be written once it is there
@lru_cache(maxsize=4096)
def _requested(prompt: str) -> RequestedText:
    clean = cleaned(prompt)
    prompt = clean.text
    spans = quoted_spans(prompt)
    texts = [
        _clean(prompt[start:end])
        for start, end in spans
        if not _NOT_WRITTEN.search(prompt[max(0, start - 40) : start - 1])
    ]
    texts = [text for text in texts if any(character.isalnum() for character in text)]
    rest = _blank(prompt, [(start - 1, end + 1) for start, end in spans])
    excluded = any(_NO_TEXT.search(part) for part in (rest, *(f"no {name}" for name in clean.excluded)))
    unquoted = _unquoted(rest)
    names = [] if excluded else [*(unquoted if texts else ()), *_names(rest)]
    texts = texts or unquoted
    open_ended = not excluded and (
        _DENSE.search(rest) is not None or (not texts and _LETTERING.search(rest) is not None)
    )
    return RequestedText(tuple(texts), excluded, open_ended, tuple(dict.fromkeys(names)))


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


def _names(prompt: str) -> list[str]:
    """What is named, and the words that are spelled as names: with a capital inside of a sentence, or another one."""
    named = []
    at = 0
    while match := _BRINGS_NAME.search(prompt, at):
        at = match.end()
        words = re.split(r"[,;:!?\n()\".]", prompt[at : at + 200], maxsplit=1)[0].split()
        if kept := _capitals(words) or _until_stop(words):
            named.append(" ".join(kept))
    matches = list(_WORD.finditer(prompt))
    capitals = [match for match in matches if match.group(0)[0].isupper()]
    if 2 * len(capitals) > len(matches) + 2:
        # a prompt in capitals, or one that is written as a title, tells no names apart
        return named
    for match in capitals:
        word = match.group(0)
        before = prompt[max(0, match.start() - 20) : match.start()].rstrip()[-1:]
        begins = not before or before in _ENDS_SENTENCE
        if len(word) > 1 and (not begins or not _is_common(word)):
            named.append(word)
    return named


def _is_common(word: str) -> bool:
    """Whether a word at the start of a sentence is no name: it is one of the grammar's own, or a short one."""
    low = word.lower()
    if word[1:] != low[1:]:
        return False
    return len(word) < 4 or nouns.is_noun(low) or lexicon.kind_of(low) is not None or low in nouns.ABSTRACT
