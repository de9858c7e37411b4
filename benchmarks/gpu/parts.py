"""The parts, what each is, and how long it may take; the ones that matter most first."""

from __future__ import annotations

from dataclasses import dataclass

#: seconds for all parts together, the starts of their processes included
TOTAL = 465.0


@dataclass(frozen=True)
class Part:
    """A part of the command.

    Attributes:
        what: in a few words
        budget: seconds that it may take at most
    """

    what: str
    budget: float


#: each is a module of this package with a function ``run(report, settings)``
PARTS = {
    "machine": Part("what it runs on, and what is not installed", 40),
    "parity": Part("each check on the CPU and on the device: scores and verdicts", 100),
    "jpegs": Part("decoding JPEGs on the device", 50),
    "speed": Part("pictures of 1024 x 1024 end to end, and where the time goes", 100),
    "embedders": Part("vectors a second", 40),
    "text": Part("reading", 40),
    "signs": Part("drawing by the built-in model", 45),
    "vlm": Part("a vision-language model that is made here", 50),
}
