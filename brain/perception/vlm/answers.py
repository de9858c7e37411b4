"""What a VLM is asked, what it answers, and how an answer is read off the probabilities of the next token."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from loupe.brain.core.errors import InputError, LoupeError
from loupe.brain.core.records import Record

Verdict = Literal["yes", "no", "unknown"]

# how tokenizers write the space before a word: byte-level BPE, SentencePiece, plain
_SPACES = "\u0120\u2581 \t\r\n\u010a"
_SURPLUS = 1e-3  # a server that rounds may give probabilities that sum to a little more than 1


class VlmError(LoupeError):
    """A VLM gave no answer: its endpoint is down or refuses, or its memory ran out. Asking again may help."""


@dataclass(frozen=True, eq=False)
class Question:
    """One question about one picture that can be answered with yes or no.

    Attributes:
        text: the question; ask for what may be there: models are at chance on "is there no ..."
        picture: (H, W, 3) uint8 sRGB
        examples: pictures of which the same was asked, each with its right answer, "yes" or "no"

    Raises:
        InputError: the text is empty, a picture is not (H, W, 3) uint8, or an example's answer is not "yes" or "no"

    >>> Question("Is this picture black?", np.zeros((8, 8, 3), np.uint8)).text
    'Is this picture black?'
    """

    text: str
    picture: np.ndarray
    examples: tuple[tuple[np.ndarray, Literal["yes", "no"]], ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.text, str) or not self.text.strip():
            raise InputError(f"expected a question, got {self.text!r}")
        for picture in (self.picture, *(picture for picture, _ in self.examples)):
            shape, dtype = np.shape(picture), getattr(picture, "dtype", type(picture).__name__)
            if len(shape) != 3 or shape[2] != 3 or 0 in shape or dtype != np.uint8:
                raise InputError(f"expected a picture of shape (H, W, 3) and dtype uint8, got {shape} and {dtype}")
        for _, answer in self.examples:
            if answer not in ("yes", "no"):
                raise InputError(f"expected an example's answer to be 'yes' or 'no', got {answer!r}")


@dataclass(frozen=True)
class Cuts(Record):
    """Where P(yes) becomes a verdict; between the cuts there is none.

    The default was not measured on any data: calibrate (``calibration.py``) before an answer counts.

    Attributes:
        low: "no" where P(yes) is at most that, in [0, 1]; None: never "no"
        high: "yes" where P(yes) is at least that, in [0, 1]; None: never "yes"
        mass: unknown where P(yes) + P(no) over all tokens is below that, in [0, 1]

    Raises:
        InputError: a cut is out of [0, 1], or the low one is above the high one
    """

    low: float | None = 0.3
    high: float | None = 0.7
    mass: float = 0.5

    def __post_init__(self) -> None:
        given = [cut for cut in (self.low, self.high, self.mass) if cut is not None]
        if not all(0 <= cut <= 1 for cut in given):
            raise InputError(f"expected cuts in [0, 1], got {self.low}, {self.high} and mass {self.mass}")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise InputError(f"expected the low cut to be at most the high one, got {self.low} and {self.high}")


@dataclass(frozen=True)
class Answer(Record):
    """What a VLM says.

    Attributes:
        yes: P(yes) / (P(yes) + P(no)), in [0, 1]; NaN where the model gave neither any probability
        mass: P(yes) + P(no) over all tokens, in [0, 1]: low where the model would rather say something else
        verdict: "yes", "no" or "unknown"
        reason: why it is unknown; else empty
    """

    yes: float
    mass: float
    verdict: Verdict
    reason: str = ""


def unknown(reason: str) -> Answer:
    """Returns the answer of which nothing is known but why."""
    return Answer(math.nan, 0.0, "unknown", reason)


def decide(yes: float, mass: float, cuts: Cuts) -> Answer:
    """Returns the answer with its verdict.

    Args:
        yes: P(yes) / (P(yes) + P(no)); NaN where neither has any probability
        mass: P(yes) + P(no)
        cuts: where to abstain

    >>> decide(0.9, 0.98, Cuts()).verdict
    'yes'
    >>> decide(0.6, 0.98, Cuts()).reason
    'undecided: P(yes) is 0.60, between 0.3 and 0.7'
    """
    if math.isnan(yes) or mass < cuts.mass:
        reason = f"the model answered neither yes nor no: both together have a probability of {mass:.2g}"
        return Answer(yes, mass, "unknown", reason)
    if cuts.high is not None and yes >= cuts.high:
        return Answer(yes, mass, "yes")
    if cuts.low is not None and yes <= cuts.low:
        return Answer(yes, mass, "no")
    low, high = ("-" if cut is None else f"{cut:.3g}" for cut in (cuts.low, cuts.high))
    return Answer(yes, mass, "unknown", f"undecided: P(yes) is {yes:.2f}, between {low} and {high}")


def spelled(token: str) -> Literal["yes", "no"] | None:
    """Returns what a token spells, in any case and with or without the space before it; None for any other word.

    >>> [spelled(token) for token in ("Yes", " no", "\u0120NO", "\u2581yes", "Not", "none")]
    ['yes', 'no', 'no', 'yes', None, None]
    """
    word = token.strip(_SPACES).casefold()
    return "yes" if word == "yes" else "no" if word == "no" else None


def from_tokens(tokens: Iterable[tuple[str, float]], cuts: Cuts) -> Answer:
    """Returns the answer that the likeliest next tokens give: all that spell yes against all that spell no.

    A token that is not among them counts as impossible, so that ``mass`` is a lower bound.

    Args:
        tokens: each with the natural logarithm of its probability
        cuts: where to abstain

    >>> answer = from_tokens([("Yes", math.log(0.6)), (" yes", math.log(0.2)), ("No", math.log(0.1))], Cuts())
    >>> answer.verdict, round(answer.yes, 3), round(answer.mass, 3)
    ('yes', 0.889, 0.9)
    """
    sums = {"yes": 0.0, "no": 0.0}
    for token, log_probability in tokens:
        if math.isnan(log_probability) or log_probability > _SURPLUS:
            return unknown(f"the model gave a token the impossible log-probability {log_probability:.3g}")
        word = spelled(token)
        if word:
            sums[word] += math.exp(log_probability)
    return from_sums(sums["yes"], sums["no"], cuts)


def from_sums(yes: float, no: float, cuts: Cuts) -> Answer:
    """Returns the answer that two sums of probabilities give.

    Args:
        yes: of all tokens that spell yes
        no: of all tokens that spell no
        cuts: where to abstain
    """
    mass = yes + no
    if not mass <= 1 + _SURPLUS:  # NaN, too
        return unknown(f"the model's probabilities make no sense: yes and no together have {mass:.3g}")
    return decide(yes / mass if mass else math.nan, min(mass, 1.0), cuts)
