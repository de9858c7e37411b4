"""Reads the objects of a sentence, and puts them into the relation or the list that stands before them."""

from __future__ import annotations

from dataclasses import replace

from loupe.brain.core.relations import RelationName
from loupe.brain.prompts import nouns
from loupe.brain.prompts import words as lexicon
from loupe.brain.prompts.noun_phrase import NounPhrase, is_verb, read
from loupe.brain.prompts.nouns import word_set
from loupe.brain.prompts.phrases import phrase_at
from loupe.brain.prompts.quantity import POSSESSIVES, word_at
from loupe.brain.prompts.sentence_state import SentenceState

#: relations that "and" hands on: an object can be next to two, and stands on one
_SHARED = RelationName.of_kind("side", "depth", "distance")
#: what is worn: "in a red dress" is no place
CLOTHES = word_set(
    """
    hat cap helmet crown tiara hood scarf glove mitten shirt t-shirt tshirt blouse sweater hoodie jacket coat vest
    suit tuxedo dress skirt gown robe kimono pants trousers jeans shorts sock stocking shoe boot sandal sneaker
    slipper tie bowtie necktie belt bracelet necklace earring watch glasses eyeglasses sunglasses goggles mask wig
    apron uniform costume cape cloak armor armour backpack clothes
    """
)


def read_objects(state: SentenceState, phrase: NounPhrase) -> None:
    """Adds what a noun phrase names, and what it contains, or leaves it as not understood."""
    start = state.at
    state.at = phrase.end
    quantity_unread = phrase.unread
    if word_at(state.tokens, phrase.end) == "of":
        part = _phrase_of(state, phrase, start)
        if part is None:
            return
        phrase = part
    personal = phrase.determiner in POSSESSIVES or state.present or state.acting
    is_part = phrase.head in nouns.PARTS and personal and not phrase.exact
    if not state.counts(phrase) or is_part:
        state.separate_if_pending(start)
        state.leave(start, state.at)
        state.lost = not is_part or not state.group
        return
    if quantity_unread:
        state.parsed.unparsed.append(quantity_unread)
    place = state.parsed.add(phrase, state.number, begins=not state.first)
    _attach(state, place, phrase)
    if (container := lexicon.CONTAINERS.get(phrase.head)) and word_at(state.tokens, state.at) == "of":
        _contents(state, place, container)
    for name, others in state.front:
        if place not in others:
            state.parsed.relate([place], name, others)
    if place not in {other for _, others in state.front for other in others}:
        state.front = []


def _phrase_of(state: SentenceState, phrase: NounPhrase, start: int) -> NounPhrase | None:
    """Reads "slice of pizza" as one name; None where there is no object to add."""
    inner = read(state.tokens, phrase.end + 1)
    if phrase.head in lexicon.CONTAINERS and inner is not None:
        return phrase
    if phrase.head in lexicon.MEASURES and inner is not None and not inner.determiner and not inner.exact:
        state.at = inner.end
        name = f"{phrase.name} of {inner.name}"
        return replace(phrase, name=name, known=True, head=inner.head, end=inner.end)
    if phrase.head in nouns.ABSTRACT or phrase.head == "surface" or (phrase.head in nouns.PARTS and not phrase.exact):
        # "the edge of the table": the table is an object, its edge none
        state.separate_if_pending(start)
        state.at = phrase.end + 1
        state.leave(start, state.at)
        state.acting = state.acting or state.strict
        return None
    state.at = phrase.end
    return phrase


def _contents(state: SentenceState, place: int, relation: str) -> None:
    inner = read(state.tokens, state.at + 1)
    if inner is None or not state.counts(inner) or (not inner.known and not inner.plural):
        return
    state.at = inner.end
    content = state.parsed.add(inner, state.number, begins=not state.first)
    state.parsed.relate([content], relation, [place])


def _attach(state: SentenceState, place: int, phrase: NounPhrase) -> None:
    """Puts the object into the relation or the list that stands before it."""
    if state.pending:
        subjects = list(state.group)
        for name in state.pending:
            if subjects:
                state.parsed.relate(subjects, name, [place])
            else:
                state.front.append((name, [place]))
        state.shared = (state.pending[0], subjects) if len(state.pending) == 1 and subjects else None
        state.pending, state.group, state.side, state.held = [], [place], "object", False
        if not subjects:
            state.group = []
    elif state.joined and not state.comma and state.shared and state.shared[0] in _SHARED and not _leads(state, phrase):
        state.parsed.relate(state.shared[1], state.shared[0], [place])
        state.group.append(place)
    elif (state.joined or state.comma) and state.side == "subject":
        state.group.append(place)
        state.first = state.first or state.group
    elif state.joined or state.comma:
        state.group, state.side, state.shared, state.held = [place], "subject", None, False
        state.first, state.moved = [place], False
    elif state.present or state.acting:
        worn = phrase.name in CLOTHES
        state.held = state.acting or worn or state.held
        state.group = state.group if worn and state.group else [place]
        state.side, state.shared = "object", None
    else:
        state.group, state.shared = [place], None
        state.side = "subject" if not state.first else state.side
    in_front = any(place in others for _, others in state.front)
    if not in_front and (not state.first or (state.side == "subject" and place in state.group and state.joined)):
        state.first = list(state.group)
    state.comma = state.joined = state.present = state.acting = state.lost = False


def _leads(state: SentenceState, phrase: NounPhrase) -> bool:
    """Whether a relation or a verb of its own follows: "a cat next to a dog and a bird on a box"."""
    at = state.at
    while at < len(state.tokens) and state.tokens[at].low in ("that", "which", "who"):
        at += 1
    if at >= len(state.tokens):
        return False
    following = phrase_at(state.tokens, at)
    return (following is not None and following.kind == "relation") or is_verb(state.tokens, at, True)
