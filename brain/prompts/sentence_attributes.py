"""Reads what a sentence says of its objects after them: "is red", "made of wood"."""

from __future__ import annotations

from loupe.brain.prompts import verbs
from loupe.brain.prompts import words as lexicon
from loupe.brain.prompts.noun_phrase import is_verb, read
from loupe.brain.prompts.phrases import phrase_at
from loupe.brain.prompts.quantity import word_at
from loupe.brain.prompts.sentence_state import SentenceState
from loupe.brain.prompts.spec import Attribute
from loupe.brain.prompts.tokens import COMMA, WRITTEN


def read_predicate(state: SentenceState) -> bool:
    """ "the car is red": an adjective after a form of be."""
    if not state.group:
        return False
    at = state.at + 1
    while word_at(state.tokens, at) in ("very", "all", "both"):
        at += 1
    attributes: list[Attribute] = []
    while (kind := lexicon.kind_of(word_at(state.tokens, at))) and word_at(state.tokens, at) not in verbs.POSTURES:
        value = word_at(state.tokens, at)
        if phrase_at(state.tokens, at):
            break
        after = word_at(state.tokens, at + 1)
        second = word_at(state.tokens, at + 2)
        if after == "and" and kind == "color" and second in lexicon.COLORS:
            value, at = f"{value} and {second}", at + 2
        attributes.append(Attribute(kind, value))
        at += 1
        if word_at(state.tokens, at) in ("and", COMMA) and lexicon.kind_of(word_at(state.tokens, at + 1)):
            at += 1
    if not attributes or (at < len(state.tokens) and not _ends(state, at)):
        return False
    subjects = state.first if state.side == "object" and not state.relative() and state.first else state.group
    state.parsed.describe(subjects, attributes)
    state.group, state.side, state.shared = list(subjects), "object", None
    state.at = at
    return True


def _ends(state: SentenceState, at: int) -> bool:
    word = word_at(state.tokens, at)
    return word in (COMMA, "and", "but", "while", WRITTEN) or phrase_at(state.tokens, at) is not None


def read_made(state: SentenceState, start: int, end: int) -> None:
    """ "made of wood": what the objects before it are made of."""
    stop = end
    while (
        stop < min(len(state.tokens), end + 3)
        and state.tokens[stop].low.isalpha()
        and not phrase_at(state.tokens, stop)
    ):
        if state.tokens[stop].low in ("and", "or", "that", "which", "with", "sitting", "a", "an", "the"):
            break
        if is_verb(state.tokens, stop, True):
            break
        stop += 1
    if stop > end and state.group:
        value = " ".join(token.low for token in state.tokens[end:stop])
        state.parsed.describe(state.group, [Attribute("material", value)])
        state.at = stop
    else:
        skipped = read(state.tokens, end)
        state.at = skipped.end if skipped else end
        state.leave(start, state.at)
