"""What a label becomes by what was decided of it: the one rule of ``relabel`` and of its panel. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from loupe.brain.core.relabeled import How
from loupe.brain.core.review import Decision


@dataclass(frozen=True)
class Suggestion:
    """A class that is more probable than the given one.

    Attributes:
        given: the label when it was suggested
        label: the suggested class
        score: how probable it is that the given one is wrong, in [0, 1]
        probability: of the suggested class, in [0, 1]
    """

    given: str | None
    label: str
    score: float | None = None
    probability: float | None = None


@dataclass(frozen=True)
class Corrected:
    """What a label becomes.

    Attributes:
        label: None where there is none
        how: where it comes from
        outdated: a suggestion was accepted that is none any more, for the given label has changed since
    """

    label: str | None
    how: How
    outdated: bool = False


def corrected(
    given: str | None, decision: Decision | None, suggestion: Suggestion | None, *, accepted: bool = False
) -> Corrected:
    """Returns what a label becomes.

    What somebody decided counts first. That a label is wrong (``real``) without a class means that the suggestion is
    accepted. Who is unsure, or keeps it, leaves it as it is.

    Args:
        given: the label; None where there is none
        decision: what somebody decided
        suggestion: what is suggested
        accepted: whether the suggestion is accepted where nobody has decided

    >>> corrected("cat", Decision("real"), Suggestion("cat", "dog"))
    Corrected(label='dog', how='suggested', outdated=False)
    >>> corrected("cat", Decision("real", correction=""), None)
    Corrected(label=None, how='none', outdated=False)
    """
    if decision is not None and decision.correction is not None:
        if not decision.correction:
            return Corrected(None, "none")
        if decision.correction == given:
            return Corrected(given, "given")
        fits = suggestion is not None and suggestion.label == decision.correction
        return Corrected(decision.correction, "suggested" if fits else "chosen")
    if (decision is None and not accepted) or (decision is not None and decision.status != "real"):
        return Corrected(given, "given")
    if suggestion is None or suggestion.given != given:
        return Corrected(given, "given", outdated=True)
    return Corrected(suggestion.label, "suggested" if suggestion.label != given else "given")


def keeps(decision: Decision, given: str | None) -> bool:
    """Returns whether a decision says that the given label is right.

    >>> keeps(Decision("false_alarm"), "cat"), keeps(Decision("real", correction="cat"), "cat")
    (True, True)
    """
    named = decision.correction is not None and decision.correction == given
    return decision.status == "false_alarm" or named
