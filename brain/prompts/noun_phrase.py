"""Reads one noun phrase: how many, what like, and of what: ``three small yellow boxes``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from loupe.brain.prompts import nouns, verbs
from loupe.brain.prompts import words as lexicon
from loupe.brain.prompts.phrases import phrase_at
from loupe.brain.prompts.quantity import DETERMINERS, Quantity, read_quantity, word_at
from loupe.brain.prompts.spec import Attribute, AttributeKind
from loupe.brain.prompts.tokens import COMMA, WRITTEN, Token, is_foreign

#: words that end a noun phrase and are no phrase of their own
STOPS = nouns.word_set(
    """
    and or but nor not never of that which who whose whom when while if then so than too also there here it they
    them he she him himself itself themselves where because very sometimes often always usually whether that's it's
    there's who's what's he's she's
    """
)
PRONOUNS = nouns.word_set("it them him her they itself himself herself themselves")
_ARTICLES = nouns.word_set("a an another each every this that")
_COUNTED_TAG = re.compile(r"^(\d{1,3})(girls?|boys?|people|persons?|dogs?|cats?)$")
_CORE = frozenset(("color", "size", "shape", "material", "texture"))
_COLORED = nouns.word_set("colored coloured color colour")
_COVERED = nouns.word_set("covered capped topped filled lined walled themed")
_GLASS = nouns.word_set(
    """
    wine drinking shot beer champagne martini cocktail water pint whiskey whisky juice milk
    """
)
#: "no dog in the picture" is about this one
_PICTURES = nouns.word_set("picture photo photograph painting drawing")
#: the longest noun phrase that is read
_MAX_WORDS = 10


@dataclass(frozen=True)
class NounPhrase:
    """A noun phrase in a sentence.

    Attributes:
        end: the place after it
        name: its noun in the singular
        head: the last word of the name
        count, exact: as in ``RequestedObject``
        attributes: what its adjectives say
        determiner: ``"the"``, ``"a"``, ``"his"`` ...; empty where there is none
        known: whether the noun is in the word list
        plural: whether it stands in the plural
        unread: the words in it that were not understood
    """

    end: int
    name: str
    head: str
    count: int | None
    exact: bool
    attributes: tuple[Attribute, ...]
    determiner: str
    known: bool
    plural: bool
    unread: str

    @property
    def is_object(self) -> bool:
        """Whether this is an object that can be seen: the time, a style or a color is none."""
        if self.name in nouns.TEXT_NOUNS or self.head in nouns.TEXT_NOUNS:
            return False
        if self.name in _PICTURES and self.determiner == "the":
            return False
        if self.head not in nouns.ABSTRACT:
            words = self.name.split()
            if not self.known and (len(words) > 3 or any(len(word) < 2 for word in words)):
                return False
            return self.known or self.determiner != "" or self.exact or self.count is None
        # "a light" and "a front door" are objects; "light" and "the night" are none
        return self.head in nouns.NOUNS and (self.determiner != "" or self.exact or " " in self.name)


def is_verb(tokens: Sequence[Token], at: int, after_noun: bool) -> bool:
    """Returns whether the word at a place is a verb; after a noun more words are."""
    word = word_at(tokens, at)
    before = word_at(tokens, at - 1) if at else ""
    if word in verbs.BASES and after_noun and not nouns.is_plural(before) and before not in nouns.ONE_FORM:
        # "cake stand", "throw pillow": a verb in this form has a plural before it
        return False
    if word in verbs.POSTURES:
        return not (word in ("set", "left") and not after_noun)
    if word in verbs.VERBS and not nouns.is_noun(word):
        return True
    if word in verbs.VERBS and after_noun and word.endswith("s"):
        # "watches": what comes after tells the verb from the noun
        return word_at(tokens, at + 1) in DETERMINERS
    return after_noun and lexicon.is_participle(word)


def read(tokens: Sequence[Token], at: int) -> NounPhrase | None:
    """Returns the noun phrase that begins there; None where none does.

    >>> from loupe.brain.prompts.tokens import sentences
    >>> phrase = read(sentences("three small yellow boxes on a table")[0], 0)
    >>> phrase.name, phrase.count, phrase.exact, [attribute.value for attribute in phrase.attributes], phrase.end
    ('box', 3, True, ['small', 'yellow'], 4)
    """
    counted = _COUNTED_TAG.match(word_at(tokens, at))
    if counted:
        noun, count = nouns.singular(counted[2]), int(counted[1])
        return NounPhrase(at + 1, noun, noun, count, True, (), "", True, count > 1, "") if count else None
    quantity = read_quantity(tokens, at)
    words, end = _words(tokens, quantity)
    if not words:
        return None
    attributes, name = _split(words)
    if not name:
        return None
    return _named(quantity, attributes, name, end)


def _words(tokens: Sequence[Token], quantity: Quantity) -> tuple[list[str], int]:
    at = quantity.end
    words: list[str] = []
    while at < len(tokens) and len(words) < _MAX_WORDS:
        word = tokens[at].low
        adjectives_only = all(map(lexicon.kind_of, words)) if words else True
        if word == COMMA or word == "and":
            joined = _joins(tokens, at, words) if words and adjectives_only else ""
            if not joined:
                break
            if joined == "color":
                words[-1] = f"{words[-1]} and {tokens[at + 1].low}"
                at += 2
            else:
                at += 2 if word == COMMA and word_at(tokens, at + 1) == "and" else 1
            continue
        if _ends(tokens, at, quantity, words):
            break
        if word == "very" or (word.endswith("ly") and lexicon.kind_of(word) is None and not nouns.is_noun(word)):
            at += 1
            continue
        words.append(word)
        at += 1
    return words, at


def _ends(tokens: Sequence[Token], at: int, quantity: Quantity, words: list[str]) -> bool:
    """Whether the word at a place is no part of the noun phrase."""
    word = word_at(tokens, at)
    determined = bool(quantity.determiner) or quantity.count != 0
    if word == WRITTEN or is_foreign(tokens[at]) or (word in STOPS and word != "very"):
        return True
    if words and (word in DETERMINERS or word in lexicon.NUMBERS):
        return True
    if not word[0].isalpha() and not ("-" in word or (word[0].isdigit() and word[-1].isalpha())):
        return True
    phrase = phrase_at(tokens, at)
    if word == "no" and not words and quantity.determiner:
        phrase = None  # "a no parking sign"
    if phrase and not (word == "like" and not words):
        adjective = phrase.kind == "link" and phrase.length == 1 and determined and _before_noun(tokens, at)
        if not adjective:
            return True
    if word in verbs.PRESENCE and word not in ("show", "shows", "features"):
        return True
    noun_before = bool(words) and (not all(map(lexicon.kind_of, words)) or nouns.is_noun(words[-1]))
    if word in verbs.BASES and (words or determined) and not noun_before:
        return False  # "a throw pillow"
    if word in _COLORED and words and words[-1] in lexicon.COLORS:
        return False  # "an orange colored cat"
    if _compound([word, word_at(tokens, at + 1)], 0):
        return False  # "an orange potted plant"
    if word in _COVERED and words and nouns.is_noun(word_at(tokens, at + 1)):
        return False  # "a snow covered slope"
    several = quantity.count is None or quantity.count > 1
    if several and words and nouns.is_plural(word) and not nouns.is_plural(words[-1]) and noun_before:
        return False  # "six cinnamon rolls"
    if word == "set" and noun_before and not phrase_at(tokens, min(at + 1, len(tokens) - 1)):
        return False  # "a building set"
    pointed = quantity.determiner in ("this", "that", "these", "those")
    may_be_verb = bool(words) or pointed or not determined
    return may_be_verb and is_verb(tokens, at, noun_before) and not _modifies(tokens, at, words)


def _before_noun(tokens: Sequence[Token], at: int) -> bool:
    """Whether a word that may be a phrase is an adjective here: "a round clock"."""
    after = word_at(tokens, at + 1)
    known = lexicon.kind_of(word_at(tokens, at)) is not None or word_at(tokens, at) in ("past", "opposite")
    return known and after.isalpha() and after not in STOPS and after not in DETERMINERS


def _modifies(tokens: Sequence[Token], at: int, words: list[str]) -> bool:
    """Whether a form of a verb stands inside a noun phrase: "a red flying bird", "two frosted glasses"."""
    word, after = word_at(tokens, at), word_at(tokens, at + 1)
    if words and not all(map(lexicon.kind_of, words)):
        return False
    if word in nouns.NOUN_MODIFIERS and nouns.is_noun(after):
        return True
    follows_noun = bool(words) and nouns.is_noun(words[-1])
    return (
        not follows_noun
        and (lexicon.is_participle(word) or lexicon.kind_of(word) is not None)
        and (nouns.is_noun(after) or lexicon.kind_of(after) is not None)
    )


def _joins(tokens: Sequence[Token], at: int, words: list[str]) -> str:
    """Whether the comma or "and" stands between adjectives: "color" joins two colors into one attribute."""
    place = at + 1
    if word_at(tokens, at) == COMMA and word_at(tokens, place) == "and":
        place += 1
    after = word_at(tokens, place)
    if lexicon.kind_of(after) is None and not (lexicon.is_participle(after) and word_at(tokens, at) == COMMA):
        # "the soft, warm blanket" goes on; "a red apple, a dog" and "red, car" do not
        return ""
    following = word_at(tokens, place + 1)
    if following in ("", COMMA, "and") and nouns.is_noun(after):
        return ""
    if following in ("",):
        return ""
    if nouns.is_noun(words[-1]) and words[-1] not in lexicon.COLORS:
        return ""
    if word_at(tokens, at) == "and" and words[-1].split()[-1] in lexicon.COLORS and after in lexicon.COLORS:
        return "color"
    return "other"


def _split(words: list[str]) -> tuple[list[Attribute], list[str]]:
    """The adjectives, and the words of the name."""
    attributes: list[Attribute] = []
    last = len(words) - 1
    core = max((at for at in range(last) if _kind(words, at) in _CORE), default=-1)
    at = 0
    while at < last:
        word = words[at]
        kind = _kind(words, at)
        if _compound(words, at) or word in nouns.NOUN_MODIFIERS:
            break
        if at + 1 < last and words[at + 1] in _COVERED:
            attributes.append(Attribute("other", f"{word} {words[at + 1]}"))
            at += 2
            continue
        if word in _COLORED and attributes:
            at += 1
            continue
        if kind is None and lexicon.is_participle(word):
            kind = "other"
        if kind is None and at < core and not nouns.is_noun(word):
            kind = "other"
        if kind is None:
            break
        if word in lexicon.SHADES and words[at + 1].split()[0] in lexicon.COLORS and at + 1 < last:
            word, kind, at = f"{word} {words[at + 1]}", "color", at + 1
        attributes.append(Attribute(kind, word))
        at += 1
    name = words[at:]
    head = name[-1]
    if not nouns.is_noun(head) and not _compound(name, 0) and (lexicon.kind_of(head) is not None or head in _COLORED):
        return attributes, []
    return attributes, name


def _kind(words: list[str], at: int) -> AttributeKind | None:
    word = words[at]
    if " and " in word:
        return "color"
    if _compound(words, at):
        return None
    return lexicon.kind_of(word)


def _compound(words: list[str], at: int) -> bool:
    for length in (3, 2):
        if at + length <= len(words):
            joined = [*words[at : at + length - 1], nouns.singular(words[at + length - 1])]
            if "_".join(joined) in nouns.COMPOUNDS or "_".join(words[at : at + length]) in nouns.COMPOUNDS:
                return True
    return False


def _named(quantity: Quantity, attributes: list[Attribute], name: list[str], end: int) -> NounPhrase:
    determiner = quantity.determiner
    head = name[-1]
    count, exact = quantity.count, quantity.exact
    single = (count in (0, 1) and determiner in _ARTICLES) or (count == 1 and exact)
    if head == "glasses" and ((len(name) > 1 and name[-2] in _GLASS) or (exact and quantity.multiplier == 1)):
        noun = "glass"
    elif single:
        # "a skis": what is written is the name
        noun = head if determiner in ("a", "an") else nouns.singular(head)
    else:
        noun = nouns.singular(head)
    plural = noun != head or (count is None) or (count or 0) > 1
    if quantity.multiplier == 2 and head in nouns.PAIRED:
        count, exact = (count or 2) // 2, (count or 2) > 2
    if count == 0:
        count = None if noun != head and not single else 1
    elif count is None and head in nouns.MASS and noun == head:
        count = 1
    known = nouns.is_noun(head) or noun in nouns.NOUNS or _compound(name, 0)
    full = " ".join([*name[:-1], noun])
    return NounPhrase(end, full, noun, count, exact, tuple(attributes), determiner, known, plural, quantity.unread)
