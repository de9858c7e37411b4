"""What every VLM offers, and the conversation that each of them holds with its model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from loupe.brain.perception.vlm.answers import Answer, Question

#: raised when the wording changes: the probabilities change with it, and calibrations of old no longer hold
WORDING = 1

_INSTRUCTION = "Look at the picture and answer with one word, Yes or No."


class Vlm(ABC):
    """Answers questions about pictures with yes, no or unknown."""

    @property
    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """All that decides the answers beside the question, JSON-able, without secrets: calibrate per set of facts."""

    @abstractmethod
    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """Returns one answer for each question, in their order; none depends on the questions beside it.

        Raises:
            VlmError: no answer could be had; nothing is known of any of the questions, asking again may help
        """


def conversation(question: Question, part: Callable[[np.ndarray], dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns the chat to be continued with the answer: the examples as turns that were answered, then the question.

    Args:
        question: what to ask
        part: makes a message's part of a picture

    >>> question = Question("Is it red?", np.zeros((1, 1, 3), np.uint8), ((np.ones((1, 1, 3), np.uint8), "no"),))
    >>> [message["role"] for message in conversation(question, lambda picture: {"type": "image"})]
    ['user', 'assistant', 'user']
    """
    text = f"{_INSTRUCTION} {question.text.strip()}"

    def ask(picture: np.ndarray) -> dict[str, Any]:
        return {"role": "user", "content": [part(picture), {"type": "text", "text": text}]}

    messages: list[dict[str, Any]] = []
    for picture, answer in question.examples:
        messages += [
            ask(picture),
            {"role": "assistant", "content": [{"type": "text", "text": answer.capitalize()}]},
        ]
    return [*messages, ask(question.picture)]
