"""Reads one sentence of a prompt; the grammar stands in ``parse``."""

from __future__ import annotations

from loupe.brain.prompts import nouns, verbs
from loupe.brain.prompts import words as lexicon
from loupe.brain.prompts.medium import after_medium, after_tags, is_other_language, is_prose
from loupe.brain.prompts.noun_phrase import PRONOUNS, is_verb, read
from loupe.brain.prompts.nouns import word_set
from loupe.brain.prompts.parse_state import ParseState
from loupe.brain.prompts.phrases import Phrase, phrase_at
from loupe.brain.prompts.quantity import begins_with_bounds, word_at
from loupe.brain.prompts.sentence_attributes import read_predicate
from loupe.brain.prompts.sentence_objects import read_objects
from loupe.brain.prompts.sentence_relations import read_phrase
from loupe.brain.prompts.sentence_state import SentenceState
from loupe.brain.prompts.sentence_without import leave_negated
from loupe.brain.prompts.tokens import COMMA, WRITTEN, Token, is_foreign

#: words that carry nothing of their own
_EMPTY = word_set("there that which who also both together please very then and")
_BE = word_set("is are was were be being")


def read_sentence(tokens: list[Token], number: int, parsed: ParseState) -> None:
    """Reads the whole sentence into ``parsed``: its tokens from left to right, once."""
    state = SentenceState(tokens, number, parsed)
    tokens = state.tokens
    if is_other_language(tokens):
        state.parsed.unparsed.append(" ".join(token.text for token in tokens if token.low != WRITTEN))
        return
    state.at = after_medium(tokens)
    state.strict = is_prose(tokens[state.at :])
    while state.at < len(tokens):
        _step(state)
    if state.pending:
        state.leave(*state.pending_span)
    state.report()


def _step(state: SentenceState) -> None:
    token = state.tokens[state.at]
    word = token.low
    if word == COMMA:
        state.separate()
        state.comma, state.moved, state.lost = True, False, False
        state.at += 1
        state.at = after_tags(state.tokens, state.at)
        return
    if word == WRITTEN:
        state.at += 1
        return
    if is_foreign(token):
        state.leave(state.at, state.at + 1)
        state.at += 1
        return
    if word in ("and", "or", "but", "while"):
        state.joined = True
        if word != "and":
            state.comma = True
        state.at += 1
        return
    if (word in ("not", "never") or word.endswith("n't")) and leave_negated(state):
        return
    if word in _BE and read_predicate(state):
        return
    phrase = phrase_at(state.tokens, state.at)
    if phrase and not begins_with_bounds(state.tokens, state.at) and not _begins_name(state, phrase):
        read_phrase(state, phrase)
        return
    if word in verbs.PRESENCE:
        _presence(state, word)
        return
    new = state.comma or state.joined or state.present or bool(state.pending)
    if is_verb(state.tokens, state.at, bool(state.group) and not new) and not _participle_noun(state):
        _verb(state, word)
        return
    if word == "of":
        _of(state)
        return
    phrase_read = read(state.tokens, state.at)
    if phrase_read and phrase_read.end > state.at:
        read_objects(state, phrase_read)
        return
    if word not in _EMPTY or (word in PRONOUNS and word != "there"):
        state.leave(state.at, state.at + 1)
        state.lost = state.lost or word in PRONOUNS or word in ("he", "she", "him")
    state.at += 1


def _begins_name(state: SentenceState, phrase: Phrase) -> bool:
    """Whether the word is an adjective here: "round tables"."""
    word, after = state.tokens[state.at].low, word_at(state.tokens, state.at + 1)
    return phrase.length == 1 and phrase.kind == "link" and lexicon.kind_of(word) is not None and nouns.is_noun(after)


def _participle_noun(state: SentenceState) -> bool:
    """ "flying birds" at the start of a phrase is a noun phrase, "eating apples" none."""
    word = state.tokens[state.at].low
    if word in verbs.POSTURES or (state.group and not (state.comma or state.joined)):
        return False
    return lexicon.kind_of(word) is not None or (
        word in nouns.NOUN_MODIFIERS and nouns.is_noun(word_at(state.tokens, state.at + 1))
    )


def _presence(state: SentenceState, word: str) -> None:
    """ "with", "has": what comes next is there too."""
    state.separate()
    state.present, state.shared = True, None
    state.side = "object"
    state.comma = state.joined = False
    if word in ("holds",):
        state.leave(state.at, state.at + 1)
    state.at += 1


def _verb(state: SentenceState, word: str) -> None:
    state.separate()
    if word in verbs.POSTURES:
        if word in verbs.FINITE and state.side == "object" and state.first and not state.relative():
            state.group = list(state.first)
        state.held = False
    else:
        state.leave(state.at, state.at + 1)
        state.acting = True
        state.side, state.shared = "object", None
    state.comma = state.joined = False
    state.at += 1


def _of(state: SentenceState) -> None:
    """What stands after "of" where no pattern took it: left as not understood, an object in it too."""
    skipped = read(state.tokens, state.at + 1)
    end = skipped.end if skipped else state.at + 1
    state.leave(state.at, end)
    state.at = end
