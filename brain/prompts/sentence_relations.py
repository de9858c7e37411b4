"""Reads the phrases between the objects of a sentence: relations, and what only links or compares."""

from __future__ import annotations

from loupe.brain.core.relations import RelationName
from loupe.brain.prompts import verbs
from loupe.brain.prompts import words as lexicon
from loupe.brain.prompts.noun_phrase import PRONOUNS, read
from loupe.brain.prompts.phrases import Phrase, phrase_at
from loupe.brain.prompts.quantity import word_at
from loupe.brain.prompts.sentence_attributes import read_made
from loupe.brain.prompts.sentence_objects import CLOTHES
from loupe.brain.prompts.sentence_state import SentenceState
from loupe.brain.prompts.sentence_without import read_without
from loupe.brain.prompts.spec import Attribute
from loupe.brain.prompts.tokens import COMMA


def read_phrase(state: SentenceState, phrase: Phrase) -> None:
    """Reads the phrase that stands here, by its kind."""
    start, end = state.at, state.at + phrase.length
    if phrase.kind == "relation":
        _relation(state, phrase.name, start, end)
    elif phrase.kind == "without":
        read_without(state, start, end)
    elif phrase.kind == "made":
        read_made(state, start, end)
    elif phrase.kind == "style":
        while end < len(state.tokens) and state.tokens[end].low != COMMA:
            end += 1
        state.at = end
    elif phrase.kind == "aside":
        state.separate()
        shaped = word_at(state.tokens, start) in ("in", "shaped") and word_at(state.tokens, end - 2) != "texture"
        skipped = read(state.tokens, end)
        state.at = skipped.end if skipped else end
        if shaped and skipped and state.group and skipped.name in lexicon.SHAPE_NOUNS:
            state.parsed.describe(state.group, [Attribute("shape", skipped.name)])
        else:
            state.leave(start, state.at)
    else:
        state.separate()
        state.leave(start, end)
        state.side, state.shared, state.moved = "object", None, True
        state.comma = state.joined = False
        state.acting = True
        state.at = end
        word = word_at(state.tokens, end)
        if word_at(state.tokens, start) == "to" and end == start + 1 and word in verbs.BASES:
            # "to take out": a verb
            state.leave(start, end + 1)
            state.at += 1


def _relation(state: SentenceState, name: str, start: int, end: int) -> None:
    state.at = end
    after = word_at(state.tokens, end)
    if after in PRONOUNS and (after != "her" or read(state.tokens, end) is None or end + 1 >= len(state.tokens)):
        _pronoun(state, name, start, end)
        return
    if after == "each" or (after == "one" and word_at(state.tokens, end + 1) == "another"):
        # "next to each other"
        state.at = min(len(state.tokens), end + 2)
        if name in RelationName.of_kind("distance") and len(state.group) == 2:
            state.parsed.relate(state.group[:1], name, state.group[1:])
        else:
            state.leave(start, state.at)
        return
    upcoming = read(state.tokens, end)
    chained = word_at(state.tokens, end) == "and" and end + 1 < len(state.tokens) and phrase_at(state.tokens, end + 1)
    if state.lost and not state.pending:
        state.leave(start, end)
        state.moved = state.acting = True
        return
    if (state.acting or state.moved) and not state.pending:
        state.leave(start, end)
        state.moved = state.acting = True
        return
    if upcoming is None and not chained:
        state.leave(start, end)
        return
    if upcoming is not None and not state.counts(upcoming) and not chained:
        # "at night", "in the rain", "on the left": no object
        state.leave(start, upcoming.end)
        state.at = upcoming.end
        return
    if not state.pending:
        if (state.comma or state.joined or state.held) and state.first:
            state.group = list(state.first)
        state.pending_span = (start, end)
    if upcoming and name == RelationName.IN and upcoming.name in CLOTHES:
        state.leave(start, end)
        state.acting = state.held = True
        return
    state.pending.append(name)
    if chained:
        state.at += 1
    state.comma = state.joined = False
    state.present = False


def _pronoun(state: SentenceState, name: str, start: int, end: int) -> None:
    """ "a bench with a cat on it": the object that was named first, if there is no doubt about it."""
    state.at = end + 1
    named = [place for place, named in enumerate(state.parsed.objects) if named.sentence == state.number]
    others = [place for place in named if place not in state.group]
    if state.group and len(others) == 1 and not state.acting and not state.lost and not state.moved:
        state.parsed.relate(state.group, name, others)
    elif state.group or not state.first:
        state.leave(start, end + 1)
