"""Many reasons of one check in a sentence: a check that applies to no picture is one line, not one unknown for each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

#: with a reason on so many of the samples a check does not apply
NEARLY_ALL = 0.95
#: of fewer nothing is message in general
_MIN_SAMPLES = 3
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.]|-)")
#: what is wrong with the file: the check would have applied
_BROKEN = "unreadable: "
#: what follows from the prompt alone: there is nothing that the check could look for
_OF_PROMPT = "the prompt asks for no"


def applies(reason: str) -> bool:
    """Returns whether a check that could not tell would have had something to look for: the prompt asks for it.

    >>> applies("the prompt asks for no text"), applies("too small: 96 x 32 pixels")
    (False, True)
    """
    return not all(part.startswith(_OF_PROMPT) for part in reason.split("; "))


def of_checks(errors: Mapping[str, str]) -> str:
    """Returns what went wrong with a sample, by check; what all of them say is told once.

    >>> of_checks({"text": "ValueError: x", "hands": "no weights"})
    'text: ValueError: x; hands: no weights'
    >>> of_checks({"text": "not here", "hands": "not here"})
    'not here'
    """
    texts = set(errors.values())
    if len(errors) > 1 and len(texts) == 1:
        return texts.pop()
    return "; ".join(f"{name}: {text}" for name, text in errors.items())


def inapplicable(n: int, unsure: int, judged: int, reasons: Mapping[str, int], *, of: str = "pictures") -> str | None:
    """Returns that a check does not apply, or only in part, with the commonest reason; None where it does.

    Args:
        n: how many samples the check looked at, or other things
        unsure: how many of them it could not judge, be it in part
        judged: how many it judged for anything
        reasons: how often it gave each reason
        of: what was looked at, in the plural

    >>> inapplicable(216, 216, 0, {"too small: 96 x 32 pixels": 200, "too small: 64 x 32 pixels": 16})
    'does not apply to any of 216 pictures: too small: 96 x 32 pixels, and alike'
    >>> inapplicable(216, 213, 216, {"the prompt asks for no text": 213})
    'unknown in part on 213 of 216 pictures: the prompt asks for no text'
    >>> inapplicable(216, 186, 30, {"too small": 186}) is None
    True
    """
    if n < _MIN_SAMPLES or not reasons or unsure < NEARLY_ALL * n:
        return None
    kinds: Counter[str] = Counter()
    examples: dict[str, Counter[str]] = {}
    for reason, count in reasons.items():
        kind = _BROKEN if reason.startswith(_BROKEN) else _NUMBER.sub("#", reason)
        kinds[kind] += count
        examples.setdefault(kind, Counter())[reason] += count
    ((kind, count),) = kinds.most_common(1)
    message = examples[kind].most_common(1)[0][0] + (", and alike" if len(examples[kind]) > 1 else "")
    often = "" if count >= NEARLY_ALL * sum(kinds.values()) else "most often "
    return f"{_head(n, unsure, judged, kind == _BROKEN, of)}: {often}{message}"


def _head(n: int, unsure: int, judged: int, broken: bool, of: str) -> str:
    if judged > (1 - NEARLY_ALL) * n:
        return f"unknown in part on {unsure:,} of {n:,} {of}"
    if judged:
        return f"judged {judged:,} of {n:,} {of} only"
    return f"could judge none of {n:,} {of}" if broken else f"does not apply to any of {n:,} {of}"
