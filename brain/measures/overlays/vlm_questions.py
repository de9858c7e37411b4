"""Asks a VLM whether something is laid over a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from loupe.brain.core.errors import InputError
from loupe.brain.perception.vlm.questions import SPECIALISTS, quoted

if TYPE_CHECKING:
    import numpy as np

    from loupe.brain.perception.vlm.base import Vlm

#: of what was asked for: more make a question that no model follows
_MAX_TEXTS = 5


def question(kind: str, texts: Sequence[str]) -> str:
    """Returns what to ask: the specialist's question, and which lettering is wanted and does not count.

    Args:
        kind: "watermark" or "overlay"
        texts: that the prompt asks for; those that cannot be quoted are left out

    >>> question("overlay", ["OPEN"]).endswith('Lettering that says "OPEN" does not count.')
    True
    """
    named = []
    for text in texts[:_MAX_TEXTS]:
        try:
            named.append(quoted(text))
        except InputError:
            continue
    wanted = f" Lettering that says {' or '.join(named)} does not count." if named else ""
    return SPECIALISTS[kind].text + wanted


def answers(
    vlm: Vlm, pictures: Sequence[np.ndarray], kind: str, texts: Sequence[Sequence[str]]
) -> list[tuple[float, str]]:
    """Returns for each picture P(yes), NaN where the VLM says neither yes nor no, and then why.

    Args:
        vlm: is asked one question for each picture
        pictures: (H, W, 3) uint8 RGB each
        kind: "watermark" or "overlay"
        texts: for each picture what its prompt asks to be written

    Raises:
        VlmError: no answer could be had
    """
    from loupe.brain.perception.vlm.answers import Cuts, Question, decide

    given = vlm.answer([Question(question(kind, t), p) for p, t in zip(pictures, texts, strict=True)])
    # where between yes and no to draw the line is the threshold's business: only a model that says neither is unknown
    read = [decide(answer.yes, answer.mass, Cuts(low=0.5, high=0.5)) for answer in given]
    return [
        (math.nan, answer.reason or "the VLM said neither yes nor no")
        if decided.verdict == "unknown"
        else (decided.yes, "")
        for decided, answer in zip(read, given, strict=True)
    ]
