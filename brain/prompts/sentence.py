"""Reads one sentence of a prompt; the grammar stands in ``parse``."""

from __future__ import annotations

from dataclasses import replace

from loupe.brain.prompts import nouns, verbs
from loupe.brain.prompts import words as lexicon
from loupe.brain.prompts.found import Found
from loupe.brain.prompts.medium import after_medium, after_tags, is_other_language, is_prose, without_written
from loupe.brain.prompts.noun_phrase import PRONOUNS, NounPhrase, is_verb, read
from loupe.brain.prompts.nouns import word_set
from loupe.brain.prompts.phrases import Phrase, phrase_at
from loupe.brain.prompts.quantity import POSSESSIVES, begins_with_bounds, word_at
from loupe.brain.prompts.spec import Attribute
from loupe.brain.prompts.tokens import COMMA, WRITTEN, Token, is_foreign

#: relations that "and" hands on: a thing can be next to two, and stands on one
_SHARED = frozenset(("left of", "right of", "above", "below", "in front of", "behind", "next to", "near"))
#: words that carry nothing of their own
_EMPTY = word_set("there that which who also both together please very then and")
#: what is worn: "in a red dress" is no place
_CLOTHES = word_set(
    """
    hat cap helmet crown tiara hood scarf glove mitten shirt t-shirt tshirt blouse sweater hoodie jacket coat vest
    suit tuxedo dress skirt gown robe kimono pants trousers jeans shorts sock stocking shoe boot sandal sneaker
    slipper tie bowtie necktie belt bracelet necklace earring watch glasses eyeglasses sunglasses goggles mask wig
    apron uniform costume cape cloak armor armour backpack clothes
    """
)
#: in a longer sentence a noun that is not known is more often a word that was not understood
_FEW_WORDS = 16
_BE = word_set("is are was were be being")


class Sentence:
    """One sentence: reads its tokens from left to right, once."""

    def __init__(self, tokens: list[Token], number: int, found: Found) -> None:
        self.tokens = without_written(tokens)
        self.number = number
        self.found = found
        self.at = 0
        self.unread: list[tuple[int, int]] = []
        self.group: list[int] = []  # the things that the next relation belongs to
        self.first: list[int] = []  # the sentence's first things
        self.pending: list[str] = []  # relations whose other side is to come
        self.pending_span = (0, 0)
        self.front: list[tuple[str, list[int]]] = []  # relations whose first side is to come: "on a table, a cat"
        self.shared: tuple[str, list[int]] | None = None  # what "and" would hand on: its name and first sides
        self.side = "subject"  # of what stands in ``group``
        self.moved = False  # whether the group is where something moves to: a relation after it is not clear
        self.lost = False  # whether the thing that a relation would belong to was not understood
        self.held = False  # whether the group is what somebody holds
        self.comma = self.joined = False
        self.present = False  # after "with", "has"
        self.acting = False  # after a verb that is not understood
        self.strict = False  # in this sentence only nouns of the word list are things

    def read(self) -> None:
        """Reads the whole sentence into ``found``."""
        tokens = self.tokens
        if is_other_language(tokens):
            self.found.unparsed.append(" ".join(token.text for token in tokens if token.low != WRITTEN))
            return
        self.at = after_medium(tokens)
        self.strict = is_prose(tokens[self.at :])
        while self.at < len(tokens):
            self._step()
        if self.pending:
            self._leave(*self.pending_span)
        self._report()

    def _step(self) -> None:
        token = self.tokens[self.at]
        word = token.low
        if word == COMMA:
            self._separate()
            self.comma, self.moved, self.lost = True, False, False
            self.at += 1
            self.at = after_tags(self.tokens, self.at)
            return
        if word == WRITTEN:
            self.at += 1
            return
        if is_foreign(token):
            self._leave(self.at, self.at + 1)
            self.at += 1
            return
        if word in ("and", "or", "but", "while"):
            self.joined = True
            if word != "and":
                self.comma = True
            self.at += 1
            return
        if (word in ("not", "never") or word.endswith("n't")) and self._leave_negated():
            return
        if word in _BE and self._predicate():
            return
        phrase = phrase_at(self.tokens, self.at)
        if phrase and not begins_with_bounds(self.tokens, self.at) and not self._begins_name(phrase):
            self._phrase(phrase)
            return
        if word in verbs.PRESENCE:
            self._presence(word)
            return
        new = self.comma or self.joined or self.present or bool(self.pending)
        if is_verb(self.tokens, self.at, bool(self.group) and not new) and not self._participle_noun():
            self._verb(word)
            return
        if word == "of":
            self._of()
            return
        phrase_read = read(self.tokens, self.at)
        if phrase_read and phrase_read.end > self.at:
            self._noun_phrase(phrase_read)
            return
        if word not in _EMPTY or (word in PRONOUNS and word != "there"):
            self._leave(self.at, self.at + 1)
            self.lost = self.lost or word in PRONOUNS or word in ("he", "she", "him")
        self.at += 1

    def _begins_name(self, phrase: Phrase) -> bool:
        """Whether the word is an adjective here: "round tables"."""
        word, after = self.tokens[self.at].low, word_at(self.tokens, self.at + 1)
        return (
            phrase.length == 1 and phrase.kind == "link" and lexicon.kind_of(word) is not None and nouns.is_noun(after)
        )

    def _participle_noun(self) -> bool:
        """ "flying birds" at the start of a phrase is a noun phrase, "eating apples" none."""
        word = self.tokens[self.at].low
        if word in verbs.POSTURES or (self.group and not (self.comma or self.joined)):
            return False
        return lexicon.kind_of(word) is not None or (
            word in nouns.NOUN_MODIFIERS and nouns.is_noun(word_at(self.tokens, self.at + 1))
        )

    # the parts

    def _separate(self) -> None:
        """At a comma or the end: a relation without its other side was none."""
        if self.pending:
            self._leave(*self.pending_span)
            self.pending = []
        self.present = self.acting = False

    def _phrase(self, phrase: Phrase) -> None:
        start, end = self.at, self.at + phrase.length
        if phrase.kind == "relation":
            self._relation(phrase.name, start, end)
        elif phrase.kind == "without":
            self._without(start, end)
        elif phrase.kind == "made":
            self._made(start, end)
        elif phrase.kind == "style":
            while end < len(self.tokens) and self.tokens[end].low != COMMA:
                end += 1
            self.at = end
        elif phrase.kind == "aside":
            self._separate()
            shaped = word_at(self.tokens, start) in ("in", "shaped") and word_at(self.tokens, end - 2) != "texture"
            skipped = read(self.tokens, end)
            self.at = skipped.end if skipped else end
            if shaped and skipped and self.group and skipped.name in lexicon.SHAPE_NOUNS:
                self.found.describe(self.group, [Attribute("shape", skipped.name)])
            else:
                self._leave(start, self.at)
        else:
            self._separate()
            self._leave(start, end)
            self.side, self.shared, self.moved = "object", None, True
            self.comma = self.joined = False
            self.acting = True
            self.at = end
            word = word_at(self.tokens, end)
            if word_at(self.tokens, start) == "to" and end == start + 1 and word in verbs.BASES:
                # "to take out": a verb
                self._leave(start, end + 1)
                self.at += 1

    def _relation(self, name: str, start: int, end: int) -> None:
        self.at = end
        after = word_at(self.tokens, end)
        if after in PRONOUNS and (after != "her" or read(self.tokens, end) is None or end + 1 >= len(self.tokens)):
            self._pronoun(name, start, end)
            return
        if after == "each" or (after == "one" and word_at(self.tokens, end + 1) == "another"):
            # "next to each other"
            self.at = min(len(self.tokens), end + 2)
            if name in ("next to", "near") and len(self.group) == 2:
                self.found.relate(self.group[:1], name, self.group[1:])
            else:
                self._leave(start, self.at)
            return
        upcoming = read(self.tokens, end)
        chained = word_at(self.tokens, end) == "and" and end + 1 < len(self.tokens) and phrase_at(self.tokens, end + 1)
        if self.lost and not self.pending:
            self._leave(start, end)
            self.moved = self.acting = True
            return
        if (self.acting or self.moved) and not self.pending:
            self._leave(start, end)
            self.moved = self.acting = True
            return
        if upcoming is None and not chained:
            self._leave(start, end)
            return
        if upcoming is not None and not self._counts(upcoming) and not chained:
            # "at night", "in the rain", "on the left": no thing
            self._leave(start, upcoming.end)
            self.at = upcoming.end
            return
        if not self.pending:
            if (self.comma or self.joined or self.held) and self.first:
                self.group = list(self.first)
            self.pending_span = (start, end)
        if upcoming and name == "in" and upcoming.name in _CLOTHES:
            self._leave(start, end)
            self.acting = self.held = True
            return
        self.pending.append(name)
        if chained:
            self.at += 1
        self.comma = self.joined = False
        self.present = False

    def _pronoun(self, name: str, start: int, end: int) -> None:
        """ "a bench with a cat on it": the thing that was named first, if there is no doubt about it."""
        self.at = end + 1
        named = [place for place, thing in enumerate(self.found.things) if thing.sentence == self.number]
        others = [place for place in named if place not in self.group]
        if self.group and len(others) == 1 and not self.acting and not self.lost and not self.moved:
            self.found.relate(self.group, name, others)
        elif self.group or not self.first:
            self._leave(start, end + 1)

    def _presence(self, word: str) -> None:
        """ "with", "has": what comes next is there too."""
        self._separate()
        self.present, self.shared = True, None
        self.side = "object"
        self.comma = self.joined = False
        if word in ("holds",):
            self._leave(self.at, self.at + 1)
        self.at += 1

    def _verb(self, word: str) -> None:
        self._separate()
        if word in verbs.POSTURES:
            if word in verbs.FINITE and self.side == "object" and self.first and not self._relative():
                self.group = list(self.first)
            self.held = False
        else:
            self._leave(self.at, self.at + 1)
            self.acting = True
            self.side, self.shared = "object", None
        self.comma = self.joined = False
        self.at += 1

    def _relative(self) -> bool:
        return self.at > 0 and self.tokens[self.at - 1].low in ("that", "which", "who")

    def _predicate(self) -> bool:
        """ "the car is red": an adjective after a form of be."""
        if not self.group:
            return False
        at = self.at + 1
        while word_at(self.tokens, at) in ("very", "all", "both"):
            at += 1
        facts: list[Attribute] = []
        while (kind := lexicon.kind_of(word_at(self.tokens, at))) and word_at(self.tokens, at) not in verbs.POSTURES:
            value = word_at(self.tokens, at)
            if phrase_at(self.tokens, at):
                break
            after = word_at(self.tokens, at + 1)
            second = word_at(self.tokens, at + 2)
            if after == "and" and kind == "color" and second in lexicon.COLORS:
                value, at = f"{value} and {second}", at + 2
            facts.append(Attribute(kind, value))
            at += 1
            if word_at(self.tokens, at) in ("and", COMMA) and lexicon.kind_of(word_at(self.tokens, at + 1)):
                at += 1
        if not facts or (at < len(self.tokens) and not self._ends(at)):
            return False
        subjects = self.first if self.side == "object" and not self._relative() and self.first else self.group
        self.found.describe(subjects, facts)
        self.group, self.side, self.shared = list(subjects), "object", None
        self.at = at
        return True

    def _ends(self, at: int) -> bool:
        word = word_at(self.tokens, at)
        return word in (COMMA, "and", "but", "while", WRITTEN) or phrase_at(self.tokens, at) is not None

    def _made(self, start: int, end: int) -> None:
        stop = end
        while (
            stop < min(len(self.tokens), end + 3)
            and self.tokens[stop].low.isalpha()
            and not phrase_at(self.tokens, stop)
        ):
            if self.tokens[stop].low in ("and", "or", "that", "which", "with", "sitting", "a", "an", "the"):
                break
            if is_verb(self.tokens, stop, True):
                break
            stop += 1
        if stop > end and self.group:
            value = " ".join(token.low for token in self.tokens[end:stop])
            self.found.describe(self.group, [Attribute("material", value)])
            self.at = stop
        else:
            skipped = read(self.tokens, end)
            self.at = skipped.end if skipped else end
            self._leave(start, self.at)

    def _without(self, start: int, end: int) -> None:
        """Reads the nouns that must not be there: "no cats, dogs or birds on it"."""
        self._separate()
        at = end
        names: list[str] = []
        if word_at(self.tokens, at) in ("one", "body") or word_at(self.tokens, start) in ("nobody", "no-one"):
            names.append("person")
            at += word_at(self.tokens, at) in ("one", "body")
        else:
            # "no other animals" beside a zebra forbids no zebra
            other = word_at(self.tokens, at) == "other"
            while not other and (phrase := read(self.tokens, at)) and (not names or self._goes_on(at)):
                if phrase.determiner in POSSESSIVES and phrase.head not in nouns.NOUNS | nouns.PARTS:
                    break
                if phrase.head in nouns.TEXT_NOUNS:
                    self.found.text_free = True
                elif phrase.head in nouns.ABSTRACT or is_verb(self.tokens, at, False):
                    break
                names.append("" if phrase.head in nouns.TEXT_NOUNS else phrase.name)
                at = phrase.end
                after = word_at(self.tokens, at)
                if after in ("or", "nor", "and", COMMA) and self._more(at + 1, after):
                    at += 1
                    if word_at(self.tokens, at) in ("or", "nor", "and"):
                        at += 1
                    if word_at(self.tokens, at) in ("any", "no"):
                        at += 1
                    continue
                break
        if not names:
            while at < len(self.tokens) and self.tokens[at].low not in (COMMA, "and", "but"):
                at += 1
            self._leave(start, at)
        self.found.excluded += [name for name in names if name]
        phrase_after = phrase_at(self.tokens, at) if at < len(self.tokens) else None
        if names and phrase_after and phrase_after.kind == "relation":
            place = at + phrase_after.length
            if word_at(self.tokens, place) in PRONOUNS:
                at = place + 1
            elif word_at(self.tokens, place) in ("", COMMA) and phrase_after.length == 1:
                at = place
        self.at = at
        self.comma = True
        self.side, self.shared = "object", None
        if not self.first:
            self.group = []

    def _goes_on(self, at: int) -> bool:
        return word_at(self.tokens, at) not in ("a", "an", "the")

    def _more(self, at: int, link: str) -> bool:
        """Whether another noun that must not be there follows: after a comma only where an "or" is to come."""
        if word_at(self.tokens, at) in ("or", "nor", "and"):
            return True
        if word_at(self.tokens, at) in ("a", "an", "the", "no", "one", "two", "three", "some", "several", "with"):
            return False
        following = read(self.tokens, at)
        if following is None or following.exact or not (following.known or following.head in nouns.TEXT_NOUNS):
            return False
        return link != COMMA or word_at(self.tokens, following.end) in ("or", "nor", COMMA)

    def _of(self) -> None:
        """What stands after "of" where no pattern took it: left as not understood, a thing in it too."""
        skipped = read(self.tokens, self.at + 1)
        end = skipped.end if skipped else self.at + 1
        self._leave(self.at, end)
        self.at = end

    # things

    def _counts(self, phrase: NounPhrase) -> bool:
        if not phrase.is_thing or phrase.known:
            return phrase.is_thing
        counted = phrase.determiner in ("a", "an", "another") or phrase.exact
        few = len(self.tokens) <= _FEW_WORDS
        if not (phrase.determiner or phrase.exact or few):
            return False
        return (counted and few) or not self.strict

    def _noun_phrase(self, phrase: NounPhrase) -> None:
        start = self.at
        self.at = phrase.end
        quantity_unread = phrase.unread
        if word_at(self.tokens, phrase.end) == "of":
            part = self._phrase_of(phrase, start)
            if part is None:
                return
            phrase = part
        personal = phrase.determiner in POSSESSIVES or self.present or self.acting
        is_part = phrase.head in nouns.PARTS and personal and not phrase.exact
        if not self._counts(phrase) or is_part:
            self._separate_if_pending(start)
            self._leave(start, self.at)
            self.lost = not is_part or not self.group
            return
        if quantity_unread:
            self.found.unparsed.append(quantity_unread)
        place = self.found.add(phrase, self.number, begins=not self.first)
        self._attach(place, phrase)
        if (container := lexicon.CONTAINERS.get(phrase.head)) and word_at(self.tokens, self.at) == "of":
            self._contents(place, container)
        for name, others in self.front:
            if place not in others:
                self.found.relate([place], name, others)
        if place not in {other for _, others in self.front for other in others}:
            self.front = []

    def _separate_if_pending(self, start: int) -> None:
        if self.pending:
            self._leave(*self.pending_span)
            self.pending = []

    def _phrase_of(self, phrase: NounPhrase, start: int) -> NounPhrase | None:
        """Reads "slice of pizza" as one name; None where there is no thing to add."""
        inner = read(self.tokens, phrase.end + 1)
        if phrase.head in lexicon.CONTAINERS and inner is not None:
            return phrase
        if phrase.head in lexicon.MEASURES and inner is not None and not inner.determiner and not inner.exact:
            self.at = inner.end
            name = f"{phrase.name} of {inner.name}"
            return replace(phrase, name=name, known=True, head=inner.head, end=inner.end)
        if (
            phrase.head in nouns.ABSTRACT
            or phrase.head == "surface"
            or (phrase.head in nouns.PARTS and not phrase.exact)
        ):
            # "the edge of the table": the table is a thing, its edge none
            self._separate_if_pending(start)
            self.at = phrase.end + 1
            self._leave(start, self.at)
            self.acting = self.acting or self.strict
            return None
        self.at = phrase.end
        return phrase

    def _contents(self, place: int, relation: str) -> None:
        inner = read(self.tokens, self.at + 1)
        if inner is None or not self._counts(inner) or (not inner.known and not inner.plural):
            return
        self.at = inner.end
        content = self.found.add(inner, self.number, begins=not self.first)
        self.found.relate([content], relation, [place])

    def _attach(self, place: int, phrase: NounPhrase) -> None:
        """Puts the thing into the relation or the list that stands before it."""
        if self.pending:
            subjects = list(self.group)
            for name in self.pending:
                if subjects:
                    self.found.relate(subjects, name, [place])
                else:
                    self.front.append((name, [place]))
            self.shared = (self.pending[0], subjects) if len(self.pending) == 1 and subjects else None
            self.pending, self.group, self.side, self.held = [], [place], "object", False
            if not subjects:
                self.group = []
        elif self.joined and not self.comma and self.shared and self.shared[0] in _SHARED and not self._leads(phrase):
            self.found.relate(self.shared[1], self.shared[0], [place])
            self.group.append(place)
        elif (self.joined or self.comma) and self.side == "subject":
            self.group.append(place)
            self.first = self.first or self.group
        elif self.joined or self.comma:
            self.group, self.side, self.shared, self.held = [place], "subject", None, False
            self.first, self.moved = [place], False
        elif self.present or self.acting:
            worn = phrase.name in _CLOTHES
            self.held = self.acting or worn or self.held
            self.group = self.group if worn and self.group else [place]
            self.side, self.shared = "object", None
        else:
            self.group, self.shared = [place], None
            self.side = "subject" if not self.first else self.side
        in_front = any(place in others for _, others in self.front)
        if not in_front and (not self.first or (self.side == "subject" and place in self.group and self.joined)):
            self.first = list(self.group)
        self.comma = self.joined = self.present = self.acting = self.lost = False

    def _leads(self, phrase: NounPhrase) -> bool:
        """Whether a relation or a verb of its own follows: "a cat next to a dog and a bird on a box"."""
        at = self.at
        while at < len(self.tokens) and self.tokens[at].low in ("that", "which", "who"):
            at += 1
        if at >= len(self.tokens):
            return False
        following = phrase_at(self.tokens, at)
        return (following is not None and following.kind == "relation") or is_verb(self.tokens, at, True)

    # what was not understood

    def _leave_negated(self) -> bool:
        """What stands after "not" up to the next clause is none of what is asked for; False for a phrase with it."""
        phrase = phrase_at(self.tokens, self.at)
        if (phrase and phrase.kind in ("without", "relation", "aside")) or begins_with_bounds(self.tokens, self.at):
            return False
        start = self.at
        while self.at < len(self.tokens) and self.tokens[self.at].low not in (COMMA, "and", "but", "while"):
            self.at += 1
        self._leave(start, self.at)
        return True

    def _leave(self, start: int, end: int) -> None:
        if self.unread and self.unread[-1][1] >= start:
            self.unread[-1] = (self.unread[-1][0], max(end, self.unread[-1][1]))
        else:
            self.unread.append((start, end))

    def _report(self) -> None:
        merged: list[list[int]] = []
        for start, end in sorted(self.unread):
            if merged and start <= merged[-1][1]:
                merged[-1][1] = max(merged[-1][1], end)
            else:
                merged.append([start, end])
        for start, end in merged:
            words = [token.text for token in self.tokens[start:end] if token.low not in (COMMA, WRITTEN)]
            if words:
                self.found.unparsed.append(" ".join(words))
