"""Whether lettering can be read at all, without asking a dictionary.

One confident reading says little: letters with a band rubbed out are read with a confidence of 0.99, and strokes at
random are read as something, too. But what nobody can read is read differently each time that it is looked at, and
letters that have fallen to pieces have more pieces than letters have.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from loupe.brain.core.strings import comparable, similarity
from loupe.brain.measures.text.letters import Letter
from loupe.brain.measures.text.line_hypotheses import Line
from loupe.brain.perception.ocr.ctc import Spelled

#: a line that is not so many times longer than high is too short to compare what its views read
LONG = 2.5
#: up to this a line is simply readable
READABLE = 0.2
#: letters in pieces can often be read all the same, so they count for less
_BROKEN_WEIGHT = 0.65
_DOTTED = frozenset("ijäöüÄÖÜ")
#: with fewer letters a stencil or a fold looks like lettering in pieces
_MIN_LETTERS = 4


def illegibility(readings: Sequence[Spelled]) -> float:
    """Returns how much of a line is read differently at each look, in [0, 1], lower is better.

    It is 1 - agreement * confidence: agreement is the mean similarity of each two views' readings, confidence the mean
    probability of the best characters over the views.

    Args:
        readings: one for each view of the line

    >>> sure = [Spelled("OPEN", 0.99)] * 3
    >>> round(illegibility(sure), 2)
    0.01
    >>> round(illegibility([Spelled("OPEN", 0.5), Spelled("DFIW", 0.5)]), 2)
    1.0
    """
    texts = [comparable(reading.text) for reading in readings]
    if not any(texts):
        return 1.0
    pairs = [similarity(a, b) for a, b in combinations(texts, 2)]
    agreement = sum(pairs) / len(pairs) if pairs else 1.0
    confidence = sum(reading.confidence for reading in readings) / len(readings)
    return float(min(1.0, max(0.0, 1.0 - agreement * confidence)))


def unsureness(line: Line) -> float:
    """Returns how much of a line is read differently at each look, in [0, 1], with all scripts or with the wanted one.

    The lower one counts: a letter that may as well be its full-width twin is no doubt about the letter.
    """
    return min(illegibility(line.free), illegibility(line.spelled))


def kept_share(broken: float) -> float:
    """Returns how much of a line is left where that share of its letters is in pieces, in [0.35, 1]."""
    return 1.0 - _BROKEN_WEIGHT * broken


def broken_share(letters: Sequence[Letter]) -> float:
    """Returns the share of letters whose ink has more pieces than the letter has, in [0, 1]; 0 for fewer than four."""
    known = [letter for letter in letters if letter.character.isascii()]
    if len(known) < _MIN_LETTERS:
        return 0.0
    return sum(letter.pieces > 1 + (letter.character in _DOTTED) for letter in known) / len(known)
