"""Other words for the same picture, by a language model: what it answers is held against what the prompt asks for.

The answer of a model is a stranger's text. One that asks for another object, another number of them, another text to
be read, or that leaves out a word that has to stand in it, is refused and counted.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from loupe.brain.core.errors import PromptError
from loupe.brain.prompts.llm import Generate
from loupe.brain.prompts.parse import parse
from loupe.brain.prompts.spec import PromptSpec
from loupe.brain.prompts.texts import checked_text

#: characters beyond which an answer is no rewording
_MAX = 600
_QUESTION = """Say this prompt for a picture in {n} other ways. Ask for the same things, the same number of them and \
the same words on them, and keep these words: {words}. Answer with one JSON list of strings and nothing else.
Prompt: {prompt}
JSON:"""


@dataclass(frozen=True)
class Reworded:
    """What came of it.

    Attributes:
        prompts: the accepted ones, each once
        refused: how many answers were refused
    """

    prompts: tuple[str, ...]
    refused: int


def reworded(prompt: str, words: Iterable[str], generate: Generate, n: int = 4) -> Reworded:
    """Returns other words for a prompt.

    Args:
        prompt: what is asked for
        words: that have to stand in each of them, such as the values of its factors; those that do not stand in the
            prompt itself are not asked for
        generate: a question in, the model's answer out
        n: how many

    >>> answers = '["a cup that is red, by night", "a blue cup, night", "a red cup and a dog, night"]'
    >>> reworded("a red cup, night", ["red", "night"], lambda question: answers)
    Reworded(prompts=('a cup that is red, by night',), refused=2)
    """
    kept = [word for word in words if _stands(word, prompt)]
    question = _QUESTION.format(n=n, words=", ".join(kept) or "none", prompt=" ".join(prompt.split()))
    answers = _strings(generate(question))
    if answers is None:
        return Reworded((), 1)
    asked = _asks(parse(prompt))
    accepted = {text: None for answer in answers if (text := _accepted(answer, prompt, kept, asked))}
    refused = sum(not _accepted(answer, prompt, kept, asked) for answer in answers)
    return Reworded(tuple(accepted)[:n], refused)


def _accepted(answer: object, prompt: str, words: Sequence[str], asked: object) -> str:
    """Returns the answer as a prompt; empty where it is none, or not one of the same."""
    if not isinstance(answer, str) or len(answer) > _MAX or answer.strip() == prompt.strip():
        return ""
    try:
        text = checked_text(answer, "an answer", "an answer")
        same = bool(text) and all(_stands(word, text) for word in words) and _asks(parse(text)) == asked
    except (PromptError, RecursionError):
        return ""
    return text if same else ""


def _asks(spec: PromptSpec) -> object:
    """Returns what has to be the same: things with their numbers, texts, and what is not to be there."""
    things = Counter(
        (each.name.lower(), each.count, each.exact, frozenset((own.kind, own.value.lower()) for own in each.attributes))
        for each in spec.objects
    )
    return things, Counter(str(each) for each in spec.texts), frozenset(spec.excluded), spec.text_free


def _stands(word: str, text: str) -> bool:
    return bool(word.strip()) and re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) is not None


def _strings(answer: str) -> list[object] | None:
    """The first JSON list in a text; None where there is none."""
    start = answer.find("[")
    if start < 0:
        return None
    try:
        value, _ = json.JSONDecoder().raw_decode(answer, start)
    except (ValueError, RecursionError):
        return None
    return value[:100] if isinstance(value, list) else None
