"""How likely a text is, given what a recognizer saw: connectionist temporal classification (CTC), in plain numpy.

Source: Graves et al. 2006, "Connectionist Temporal Classification". A recognizer that is trained with CTC gives for
each frame a probability for each character and for *blank*; a text's likelihood is the sum over all ways to spread it
over the frames. Comparing the likelihoods of two texts says how sure the recognizer is of one against the other, which
its own confidence (the mean of the best frames) does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from loupe.brain.core.strings import comparable

Script = Literal["digits", "latin", "any"]

_NONE = -1e30


@dataclass(frozen=True)
class Spelled:
    """One view's reading.

    Attributes:
        text: as it is written
        confidence: the mean probability of its characters, in [0, 1]
        frames: for each character of the text the frame that it was seen in
    """

    text: str
    confidence: float
    frames: tuple[int, ...] = ()


class Alphabet:
    """The recognizer's characters, put together as ``alignment.comparable`` compares them.

    Punctuation and spaces count as blank, upper and lower case as one character, and characters of scripts that the
    wanted text does not use are left out, as one sets the language of any recognizer.

    Attributes:
        script: ``"digits"``: 0-9; ``"latin"``: Latin letters, digits and symbols; ``"any"``: every character
        columns: the index of each comparable character; 0 is blank
    """

    def __init__(self, characters: Sequence[str], script: Script) -> None:
        self.script = script
        self.columns: dict[str, int] = {"": 0}
        chosen, groups = [0], [0]
        for index, character in enumerate(characters[1:], 1):
            folded = comparable(character)
            # what is no comparable character stands for the space between them, a ligature for nothing
            if len(folded) <= 1 and _belongs(folded, script):
                chosen.append(index)
                groups.append(self.columns.setdefault(folded, len(self.columns)))
        self._chosen, self._groups = np.array(chosen), np.array(groups)
        self._order = np.argsort(self._groups, kind="stable")
        self._starts = np.searchsorted(self._groups[self._order], np.arange(len(self.columns)))
        self._characters = [characters[index] for index in chosen]

    def log_probabilities(self, posterior: np.ndarray, smoothing: float = 0.01) -> np.ndarray:
        """Returns (T, K) float64 log-probabilities of the comparable characters from a (T, C) posterior.

        ``smoothing`` is the chance that a frame says nothing: it keeps one frame from overruling all others.
        """
        grouped = np.add.reduceat(posterior[:, self._chosen[self._order]].astype(np.float64), self._starts, axis=1)
        grouped += 1e-6
        grouped /= grouped.sum(axis=1, keepdims=True)
        return np.log((1.0 - smoothing) * grouped + smoothing / grouped.shape[1])

    def greedy(self, posterior: np.ndarray) -> tuple[str, float]:
        """Returns the text of each frame's best character, as it is written, and its mean probability in [0, 1]."""
        spelled = self.spelled(posterior)
        return spelled.text, spelled.confidence

    def spelled(self, posterior: np.ndarray) -> Spelled:
        """Returns the text of each frame's best character, as it is written, with the frames."""
        allowed = posterior[:, self._chosen]
        best = allowed.argmax(axis=1)
        first = np.ones(len(best), bool)
        first[1:] = best[1:] != best[:-1]
        kept = np.flatnonzero(first & (best != 0))
        characters = [self._characters[k] for k in best[kept]]
        inner = [at for at, character in enumerate(characters) if character.strip()]
        inside = slice(inner[0], inner[-1] + 1) if inner else slice(0)
        confidence = float(allowed[kept, best[kept]].mean()) if len(kept) else 0.0
        text, frames = characters[inside], kept[inside]
        # a character of several letters would shift the frames of those that follow it
        known = all(len(character) == 1 for character in text)
        return Spelled("".join(text), confidence, tuple(int(frame) for frame in frames) if known else ())

    def can_spell(self, text: str) -> bool:
        """Whether every character of a comparable text is in the alphabet."""
        return all(character in self.columns for character in text)

    def encode(self, text: str) -> list[int]:
        """Returns the column of each character of a comparable text; those it has not are left out."""
        return [self.columns[character] for character in text if character in self.columns]


@lru_cache(maxsize=65536)
def _is_latin(character: str) -> bool:
    return character.isascii() or ord(character) < 0x250 or not character.isalpha()


def _belongs(character: str, script: Script) -> bool:
    if script == "any" or not character:
        return True
    return character in "0123456789" if script == "digits" else _is_latin(character)


def script_of(words: Sequence[str]) -> Script:
    """Returns the smallest alphabet that holds all the comparable words; Latin when there is none."""
    text = "".join(words)
    if text and all(character in "0123456789" for character in text):
        return "digits"
    return "latin" if all(map(_is_latin, text)) else "any"


def log_likelihoods(log_probabilities: np.ndarray, texts: Sequence[Sequence[int]]) -> np.ndarray:
    """Returns (N,) float64: the log-likelihood (nats) of each text, given (T, K) frame log-probabilities.

    A text that does not fit into the frames has about -1e30.

    >>> frames = np.log(np.array([[0.1, 0.8, 0.1], [0.1, 0.1, 0.8]]))
    >>> np.exp(log_likelihoods(frames, [[1, 2], [1]])).round(2).tolist()
    [0.64, 0.17]
    """
    frames = len(log_probabilities)
    size = 2 * max((len(text) for text in texts), default=0) + 1
    labels = np.zeros((len(texts), size), np.int64)
    for row, text in enumerate(texts):
        labels[row, 1 : 2 * len(text) : 2] = text
    skips = np.zeros(labels.shape, bool)
    skips[:, 2:] = (labels[:, 2:] != 0) & (labels[:, 2:] != labels[:, :-2])
    state = np.full(labels.shape, _NONE)
    state[:, :2] = log_probabilities[0][labels[:, :2]]
    for frame in range(1, frames):
        step = np.full(labels.shape, _NONE)
        step[:, 1:] = state[:, :-1]
        jump = np.full(labels.shape, _NONE)
        jump[:, 2:] = np.where(skips[:, 2:], state[:, :-2], _NONE)
        state = np.logaddexp(np.logaddexp(state, step), jump) + log_probabilities[frame][labels]
    ends = np.array([2 * len(text) for text in texts], np.int64)
    rows = np.arange(len(texts))
    before = np.where(ends > 0, state[rows, np.maximum(ends - 1, 0)], _NONE)
    return np.logaddexp(state[rows, ends], before)


def mean_log_likelihoods(views: Sequence[np.ndarray], texts: Sequence[str], columns: Mapping[str, int]) -> np.ndarray:
    """Returns (N,) float64: the mean over the views of the log-likelihood (nats) of each comparable text.

    A mean and no sum: views of one picture are nearly the same evidence.
    """
    encoded = [[columns[character] for character in text if character in columns] for text in texts]
    return np.mean([log_likelihoods(view, encoded) for view in views], axis=0)
