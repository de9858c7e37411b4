"""What was seen of one line of text so far, and what is concluded from it: the records that ``reading`` works with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from loupe.brain.core.strings import comparable, similarity
from loupe.brain.measures.text.alignment import Alignment, resegment
from loupe.brain.perception.ocr.ctc import Alphabet, Spelled, mean_log_likelihoods
from loupe.brain.perception.ocr.regions import Region

#: an illegible line is no poor drawing of a word that is less likely than nothing by so many nats a letter
_UNLIKE = 4.0

Words = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Line:
    """One line of text.

    Attributes:
        region: where
        words: what it says, as compared
        shown: what it says, as read
        confidence: the recognizer's, in [0, 1]
        others: what it may as well say
        spelled: each view's reading, in the order of ``regions.views``: two or five
        free: the same, with no script left out
    """

    region: Region
    words: Words
    shown: str
    confidence: float
    others: tuple[Words, ...] = ()
    spelled: tuple[Spelled, ...] = ()
    free: tuple[Spelled, ...] = ()


@dataclass(frozen=True)
class Reading:
    """What a picture says, against what was wanted.

    Attributes:
        lines: the lines that could be read
        alignment: their words against the wanted ones
        doubts: for each kind of edit why it is not known; empty where all readings agree
        unread: what the detector took for lettering and the recognizer could not read; their words are left out
    """

    lines: tuple[Line, ...]
    alignment: Alignment
    doubts: dict[str, str] = field(default_factory=dict)
    unread: tuple[Line, ...] = ()

    def words(self) -> list[str]:
        """The words of all lines."""
        return [word for line in self.lines for word in line.words]


@dataclass
class LineHypothesis:
    """A region with what was seen of it so far: for each view its reading, and that with no script left out."""

    region: Region
    alphabet: Alphabet
    greedy: list[Spelled] = field(default_factory=list)
    free: list[Spelled] = field(default_factory=list)
    frames: list[np.ndarray] = field(default_factory=list)

    def add_views(self, posteriors: Sequence[np.ndarray], free: Alphabet) -> LineHypothesis:
        """Adds what the recognizer saw in further views; returns itself."""
        self.greedy += [self.alphabet.spelled(posterior) for posterior in posteriors]
        self.free += [free.spelled(posterior) for posterior in posteriors]
        self.frames += [self.alphabet.log_probabilities(posterior) for posterior in posteriors]
        return self

    def likelihoods(self, texts: Sequence[Words]) -> np.ndarray:
        """Returns (N,) float64: the mean log-likelihood (nats) of each text over the views."""
        return mean_log_likelihoods(self.frames, ["".join(words) for words in texts], self.alphabet.columns)

    @property
    def confidence(self) -> float:
        """The median over the views of the recognizer's confidence, in [0, 1]."""
        return float(np.median([spelled.confidence for spelled in self.greedy])) if self.greedy else 0.0

    def readings(self, wanted: Sequence[str]) -> list[Words]:
        """Returns the different readings of the views, as words that are compared."""
        return [*dict.fromkeys(compared(spelled.text, wanted) for spelled in self.greedy)]

    def likeliest(self, wanted: Sequence[str]) -> Words:
        """Returns of what the views read what is likeliest over all of them."""
        texts = self.readings(wanted)
        return texts[int(np.argmax(self.likelihoods(texts)))] if len(texts) > 1 else texts[0]

    def line(self, words: Words, wanted: Sequence[str], others: Sequence[Words] = ()) -> Line:
        """Returns the conclusion that it says these words."""
        shown = next(
            (spelled.text for spelled in self.greedy if compared(spelled.text, wanted) == words), " ".join(words)
        )
        kept = tuple(dict.fromkeys(others))
        return Line(self.region, words, shown, self.confidence, kept, tuple(self.greedy), tuple(self.free))

    def could_be(self, word: str) -> bool:
        """Whether an illegible line may be that word; texture that looks like lettering is far from any."""
        blank, asked = self.likelihoods([(), (word,)])
        return bool(blank - asked < _UNLIKE * len(word))


def compared(text: str, wanted: Sequence[str]) -> Words:
    """Returns the words of a text as they are compared, put together and cut as the wanted ones are."""
    return tuple(resegment([word for word in map(comparable, text.split()) if word], wanted))


def likeness(words: Words, wanted: Sequence[str]) -> float:
    """Returns how much the words are like wanted ones, in [0, 1]: the mean similarity to the most similar one."""
    return float(np.mean([max((similarity(word, other) for other in wanted), default=0.0) for word in words] or [0.0]))


def look_alike(read: str, wanted: str) -> bool:
    """Returns whether two texts differ only by characters that many fonts draw the same: O and 0, l or I and 1."""
    same = {"o0", "0o", "l1", "1l", "i1", "1i"}
    return len(read) == len(wanted) and all(a == b or a + b in same for a, b in zip(read, wanted, strict=True))
