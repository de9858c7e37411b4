"""Where the reader of a sentence stands: what a relation or an object that comes next would belong to."""

from __future__ import annotations

from loupe.brain.prompts.medium import without_written
from loupe.brain.prompts.noun_phrase import NounPhrase
from loupe.brain.prompts.parse_state import ParseState
from loupe.brain.prompts.tokens import COMMA, WRITTEN, Token

#: in a longer sentence a noun that is not known is more often a word that was not understood
_FEW_WORDS = 16


class SentenceState:
    """Where the reader of a sentence stands, and what the next words belong to."""

    def __init__(self, tokens: list[Token], number: int, parsed: ParseState) -> None:
        self.tokens = without_written(tokens)
        self.number = number
        self.parsed = parsed
        self.at = 0
        self.unread: list[tuple[int, int]] = []
        self.group: list[int] = []  # the objects that the next relation belongs to
        self.first: list[int] = []  # the sentence's first objects
        self.pending: list[str] = []  # relations whose other side is to come
        self.pending_span = (0, 0)
        self.front: list[tuple[str, list[int]]] = []  # relations whose first side is to come: "on a table, a cat"
        self.shared: tuple[str, list[int]] | None = None  # what "and" would hand on: its name and first sides
        self.side = "subject"  # of what stands in ``group``
        self.moved = False  # whether the group is where something moves to: a relation after it is not clear
        self.lost = False  # whether the object that a relation would belong to was not understood
        self.held = False  # whether the group is what somebody holds
        self.comma = self.joined = False
        self.present = False  # after "with", "has"
        self.acting = False  # after a verb that is not understood
        self.strict = False  # in this sentence only nouns of the word list are objects

    def separate(self) -> None:
        """At a comma or the end: a relation without its other side was none."""
        if self.pending:
            self.leave(*self.pending_span)
            self.pending = []
        self.present = self.acting = False

    def separate_if_pending(self, start: int) -> None:
        """A relation whose other side turned out to be no object was none."""
        if self.pending:
            self.leave(*self.pending_span)
            self.pending = []

    def relative(self) -> bool:
        """Whether "that", "which" or "who" stands before the word."""
        return self.at > 0 and self.tokens[self.at - 1].low in ("that", "which", "who")

    def counts(self, phrase: NounPhrase) -> bool:
        """Whether what a noun phrase names is an object that is asked for."""
        if not phrase.is_object or phrase.known:
            return phrase.is_object
        counted = phrase.determiner in ("a", "an", "another") or phrase.exact
        few = len(self.tokens) <= _FEW_WORDS
        if not (phrase.determiner or phrase.exact or few):
            return False
        return (counted and few) or not self.strict

    def leave(self, start: int, end: int) -> None:
        """Notes that these tokens were not understood."""
        if self.unread and self.unread[-1][1] >= start:
            self.unread[-1] = (self.unread[-1][0], max(end, self.unread[-1][1]))
        else:
            self.unread.append((start, end))

    def report(self) -> None:
        """Puts what was not understood into ``parsed``, joined where it touches."""
        merged: list[list[int]] = []
        for start, end in sorted(self.unread):
            if merged and start <= merged[-1][1]:
                merged[-1][1] = max(merged[-1][1], end)
            else:
                merged.append([start, end])
        for start, end in merged:
            words = [token.text for token in self.tokens[start:end] if token.low not in (COMMA, WRITTEN)]
            if words:
                self.parsed.unparsed.append(" ".join(words))
