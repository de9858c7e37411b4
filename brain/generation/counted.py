"""Does a drawn sample count? By what is stored of it: its failures, what its checks could not tell, its class."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from loupe.brain.core.reasons import applies
from loupe.brain.core.rebalanced import Status

Answer: TypeAlias = Literal["passes", "fails", "unknown"]
#: what the agreement with the class is called among failures and doubts
LABEL = "label"
#: of a check that has not looked: its model is not here, or it broke
UNCHECKED = "it has not looked"


@dataclass(frozen=True)
class Known:
    """What is stored of a sample.

    Attributes:
        failures: its failure modes
        doubts: by check why it could not tell
        checked: the checks that looked
        open: by check its failure modes without a score; a check with doubts and none of these has judged all
    """

    failures: tuple[str, ...] = ()
    doubts: Mapping[str, str] = field(default_factory=dict)
    checked: frozenset[str] = frozenset()
    open: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Decided:
    """Whether a sample passes.

    Attributes:
        answer: passes, fails or unknown
        reasons: by failure mode or check why it does not
    """

    answer: Answer
    reasons: Mapping[str, str] = field(default_factory=dict)


def decide(
    known: Known,
    gate: Collection[str],
    allowed: bool | Collection[str] = False,
    label: tuple[Answer, str] | None = None,
) -> Decided:
    """Returns whether a sample passes all that it has to.

    Any failure fails it, whichever check flagged it. A check of the gate that could not tell, or has not looked, leaves
    it unknown, unless its silence is allowed, or follows from a prompt that asks for nothing it could look for.

    Args:
        known: what is stored of it
        gate: the checks that have to have looked; one that does not apply to it is not among them
        allowed: True: silence never matters; else the checks or failure modes of which silence does not matter,
            ``"label"`` among them
        label: what the classifier of the class says, and the reason; None: no class was asked for

    >>> decide(Known(("blur",), {}, frozenset({"sharpness"})), ["sharpness"]).answer
    'fails'
    """
    failures = dict.fromkeys(known.failures, "")
    if label is not None and label[0] == "fails":
        failures[LABEL] = label[1]
    if failures:
        return Decided("fails", failures)
    silent = [name for name in gate if name in known.doubts and applies(known.doubts[name])]
    doubts = {name: known.doubts[name] for name in silent}
    doubts |= {name: UNCHECKED for name in gate if name not in known.checked and name not in known.doubts}
    if label is not None and label[0] == "unknown":
        doubts[LABEL] = label[1]
    if allowed is not True:
        named = set(allowed or ())
        # a check with doubts that has judged all of its failure modes has told enough
        doubts = {
            name: why
            for name, why in doubts.items()
            if name not in named and not set(known.open.get(name, (name,))) <= named
        }
        if doubts:
            return Decided("unknown", doubts)
    return Decided("passes")


def statuses(answers: Sequence[Answer | None], needed: int) -> list[Status | None]:
    """Returns what becomes of draws in order: the first ``needed`` that pass count, the others that pass are spare.

    >>> statuses(["passes", "fails", None, "passes", "unknown"], 1)
    ['counts', 'fails', None, 'spare', 'unknown']
    """
    made: list[Status | None] = []
    passed = 0
    for answer in answers:
        if answer != "passes":
            made.append(answer)
            continue
        passed += 1
        made.append("counts" if passed <= needed else "spare")
    return made
