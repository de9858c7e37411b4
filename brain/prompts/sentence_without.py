"""Reads what a sentence says must not be there, and leaves what stands after "not"."""

from __future__ import annotations

from loupe.brain.prompts import nouns
from loupe.brain.prompts.noun_phrase import PRONOUNS, is_verb, read
from loupe.brain.prompts.phrases import phrase_at
from loupe.brain.prompts.quantity import POSSESSIVES, begins_with_bounds, word_at
from loupe.brain.prompts.sentence_state import SentenceState
from loupe.brain.prompts.tokens import COMMA


def read_without(state: SentenceState, start: int, end: int) -> None:
    """Reads the nouns that must not be there: "no cats, dogs or birds on it"."""
    state.separate()
    at = end
    names: list[str] = []
    if word_at(state.tokens, at) in ("one", "body") or word_at(state.tokens, start) in ("nobody", "no-one"):
        names.append("person")
        at += word_at(state.tokens, at) in ("one", "body")
    else:
        # "no other animals" beside a zebra forbids no zebra
        other = word_at(state.tokens, at) == "other"
        while not other and (phrase := read(state.tokens, at)) and (not names or _goes_on(state, at)):
            if phrase.determiner in POSSESSIVES and phrase.head not in nouns.NOUNS | nouns.PARTS:
                break
            if phrase.head in nouns.TEXT_NOUNS:
                state.parsed.text_free = True
            elif phrase.head in nouns.ABSTRACT or is_verb(state.tokens, at, False):
                break
            names.append("" if phrase.head in nouns.TEXT_NOUNS else phrase.name)
            at = phrase.end
            after = word_at(state.tokens, at)
            if after in ("or", "nor", "and", COMMA) and _more(state, at + 1, after):
                at += 1
                if word_at(state.tokens, at) in ("or", "nor", "and"):
                    at += 1
                if word_at(state.tokens, at) in ("any", "no"):
                    at += 1
                continue
            break
    if not names:
        while at < len(state.tokens) and state.tokens[at].low not in (COMMA, "and", "but"):
            at += 1
        state.leave(start, at)
    state.parsed.excluded += [name for name in names if name]
    phrase_after = phrase_at(state.tokens, at) if at < len(state.tokens) else None
    if names and phrase_after and phrase_after.kind == "relation":
        place = at + phrase_after.length
        if word_at(state.tokens, place) in PRONOUNS:
            at = place + 1
        elif word_at(state.tokens, place) in ("", COMMA) and phrase_after.length == 1:
            at = place
    state.at = at
    state.comma = True
    state.side, state.shared = "object", None
    if not state.first:
        state.group = []


def _goes_on(state: SentenceState, at: int) -> bool:
    return word_at(state.tokens, at) not in ("a", "an", "the")


def _more(state: SentenceState, at: int, link: str) -> bool:
    """Whether another noun that must not be there follows: after a comma only where an "or" is to come."""
    if word_at(state.tokens, at) in ("or", "nor", "and"):
        return True
    if word_at(state.tokens, at) in ("a", "an", "the", "no", "one", "two", "three", "some", "several", "with"):
        return False
    following = read(state.tokens, at)
    if following is None or following.exact or not (following.known or following.head in nouns.TEXT_NOUNS):
        return False
    return link != COMMA or word_at(state.tokens, following.end) in ("or", "nor", COMMA)


def leave_negated(state: SentenceState) -> bool:
    """What stands after "not" up to the next clause is none of what is asked for; False for a phrase with it."""
    phrase = phrase_at(state.tokens, state.at)
    if (phrase and phrase.kind in ("without", "relation", "aside")) or begins_with_bounds(state.tokens, state.at):
        return False
    start = state.at
    while state.at < len(state.tokens) and state.tokens[state.at].low not in (COMMA, "and", "but", "while"):
        state.at += 1
    state.leave(start, state.at)
    return True
