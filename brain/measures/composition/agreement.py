"""A verdict of boxes that a VLM has to share; where it does not, nothing is known.

Detectors and VLMs go wrong in different ways: a detector takes a statue for a person, a VLM cannot count. What both
say is right more often than what one of them says.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from loupe.brain.core.errors import InputError
from loupe.brain.measures.composition.scene import Requirement
from loupe.brain.perception.vlm import questions

if TYPE_CHECKING:
    import numpy as np

    from loupe.brain.perception.vlm.base import Vlm


def presence(name: str) -> str:
    """Returns the question whether an object is there; empty where its name cannot be asked for.

    >>> presence("dog")
    'Is there at least one "dog" in this picture?'
    """
    return _question(lambda: questions.is_there(name))


def number(count: int, name: str) -> str:
    """Returns the question whether there are so many; empty where it cannot be asked."""
    return _question(lambda: questions.are_there_exactly(count, name))


def attribute(name: str, value: str) -> str:
    """Returns the question whether an object is like that; empty where it cannot be asked."""
    return _question(lambda: questions.has_attribute(name, value))


def relation(name: str, how: str, other: str) -> str:
    """Returns the question whether one object stands so to another; empty where it cannot be asked.

    >>> relation("dog", "next to", "car")
    'Is the "dog" beside the "car" in this picture?'
    """
    return _question(lambda: questions.stands(name, how, other))


def _question(make: Callable[[], str]) -> str:
    try:
        return make()
    except InputError:
        return ""


def agreed(requirements: Sequence[Requirement], picture: np.ndarray, vlm: Vlm) -> tuple[Requirement, ...]:
    """Returns the requirements; of those that are known, the ones that the VLM sees otherwise are unknown now.

    Of what is excluded it is asked whether it is there, never whether it is not: to that, models answer at chance.

    Args:
        requirements: with their questions; one without is left as it is
        picture: (H, W, 3) uint8 RGB
        vlm: is asked about all of them at once

    Raises:
        VlmError: no answer could be had
    """
    from loupe.brain.perception.vlm.answers import Question

    open_ = [at for at, requirement in enumerate(requirements) if requirement.known and requirement.question]
    answers = vlm.answer([Question(requirements[at].question, picture) for at in open_]) if open_ else []
    agreed_on = list(requirements)
    for at, answer in zip(open_, answers, strict=True):
        requirement = requirements[at]
        violated = requirement.violated > 0.5
        expected = "yes" if violated == (requirement.failure == "negation_violated") else "no"
        if answer.verdict != expected:
            why = "the VLM is not sure" if answer.verdict == "unknown" else f"the VLM says {answer.verdict}"
            agreed_on[at] = replace(requirement, violated=math.nan, reason=f"{why}: {requirement.question}")
    return tuple(agreed_on)
