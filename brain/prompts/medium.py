"""What is around the things in a sentence: how it is drawn, what is written, in which language it is."""

from __future__ import annotations

from collections.abc import Sequence

from loupe.brain.prompts import nouns, verbs
from loupe.brain.prompts import words as lexicon
from loupe.brain.prompts.nouns import word_set
from loupe.brain.prompts.quantity import word_at
from loupe.brain.prompts.tokens import COMMA, WRITTEN, Token

#: a prompt may be an order
_ORDERS = word_set(
    """
    create draw generate make paint render show give imagine design produce depict please me us i want
    """
)
#: what brings a text, and what comes after it
_SAYS = word_set(
    """
    that which says say reads read saying reading labelled labeled with the word words text letters phrase captioned
    titled title inscription message slogan spelling spells out caption inscribed marked written name called
    headline heading
    """
)
_TEXT_VERBS = word_set(
    """
    written printed painted engraved on in across above over it them displayed
    """
)
#: words of other languages that English has not: a sentence with them is not read
_FOREIGN = word_set(
    """
    der das ein eine einem einer und mit auf dem den von ist sind neben unter le les un une des du et avec sur dans
    est el los las una con en sobre junto il della gli uno di che um uma com na ao sob och ett een het van op met w
    z kot
    """
)
#: after these comes no verb
_OPENERS = word_set(
    """
    a an the one two three four five six seven eight nine ten his her its their of
    """
)


def after_medium(tokens: Sequence[Token]) -> int:
    """Returns the place after "create an oil painting of", also twice ("a photo of a drawing of"), and after tags.

    >>> from loupe.brain.prompts.tokens import sentences
    >>> after_medium(sentences("an oil painting of a dog")[0])
    4
    """
    start = 0
    while start < len(tokens):
        at = start
        while word_at(tokens, at) in _ORDERS or (at > start and word_at(tokens, at) == "of"):
            at += 1
        ordered = at
        medium, last = False, at
        while at < min(len(tokens), ordered + 12):
            word = word_at(tokens, at)
            if word in lexicon.MEDIA:
                medium = True
            elif not _modifies(word):
                break
            at += 1
            last = at if medium and word in lexicon.MEDIA else last
        link = tuple(token.low for token in tokens[at : at + 2])
        if medium and link[:1] and (link[0] in ("of", "showing", "depicting", "featuring", "shows", "depicts")):
            start = at + 1
            continue
        if medium and link in (("that", "shows"), ("which", "shows"), ("in", "which"), ("where", "there")):
            start = at + 2
            continue
        if medium and tokens[last - 1].low in nouns.ABSTRACT:
            start = last
            break
        if (ordered > start and at > ordered) or word_at(tokens, ordered) in ("a", "an", "the"):
            start = ordered
        break
    return after_tags(tokens, start)


def _modifies(word: str) -> bool:
    """Whether a word can stand before "photo"."""
    if word in lexicon.MEDIA_MODIFIERS or word in ("a", "an", "the"):
        return True
    return lexicon.kind_of(word) is not None or word.endswith(("ly", "ed")) or "-" in word


def after_tags(tokens: Sequence[Token], start: int) -> int:
    """Returns the place of the next comma if all up to it says how it is drawn ("highly detailed"); else the start."""
    end = start
    anchored = False
    while end < len(tokens) and tokens[end].low != COMMA:
        word = tokens[end].low
        if word not in lexicon.QUALITY:
            return start
        anchored = anchored or word in lexicon.QUALITY_ANCHORS
        end += 1
    if anchored and word_at(tokens, start) not in ("a", "an", "the"):
        return end
    return start


def is_other_language(tokens: Sequence[Token]) -> bool:
    """Returns whether a sentence is in another language than English: it is not read."""
    words = [token for token in tokens if token.low not in (COMMA, WRITTEN)]
    foreign = sum(token.low in _FOREIGN for token in words)
    return bool(words) and (foreign >= 2 or (foreign == 1 and len(words) <= 4)) and 5 * foreign >= len(words)


def is_prose(tokens: Sequence[Token]) -> bool:
    """Returns whether there is a verb that is not understood: then a noun that is not known is none."""
    before = "the"
    for token in tokens:
        word = token.low
        is_verb = word in verbs.VERBS and word not in verbs.POSTURES and not nouns.is_noun(word)
        if is_verb and before not in _OPENERS and lexicon.kind_of(word) is None and lexicon.kind_of(before) is None:
            return True
        before = word
    return False


def without_written(tokens: list[Token]) -> list[Token]:
    """Returns the sentence without what is to be written and the words around it: "that says", "written on it"."""
    if not any(token.low == WRITTEN for token in tokens):
        return tokens
    kept: list[Token] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        at += 1
        if token.low != WRITTEN:
            kept.append(token)
            continue
        while kept and (kept[-1].low in _SAYS or (kept[-1].low == COMMA and len(kept) > 1 and kept[-2].low in _SAYS)):
            kept.pop()
        end = at
        while end < min(len(tokens), at + 4) and tokens[end].low in _TEXT_VERBS:
            end += 1
        if end > at and tokens[end - 1].low in ("it", "them", "written", "printed", "displayed"):
            at = end
    return kept
