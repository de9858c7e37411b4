"""Is a repair to be kept? Decided by numbers alone: what the checks say of the original and of what was drawn.

It is kept only where the target improves beyond the check's own noise and nothing else gets worse. Redrawing whatever a
detector sees turns good hands into bad ones (users of ADetailer and of ControlNet report it); an unsure improvement is
none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from loupe.brain.core.records import Record, Threshold
from loupe.brain.core.shares import whole
from loupe.brain.generation.likeness import Likeness


@dataclass(frozen=True)
class Rule:
    """A failure mode that a check flags.

    Attributes:
        output: the name of its score
        threshold: beyond it the score fails
        check: the check's name
    """

    output: str
    threshold: Threshold
    check: str

    def fails(self, score: float) -> bool:
        """Returns whether a score violates the threshold; an unknown one does not."""
        return bool(self.threshold.violates(np.array([score]))[0])

    def better_by(self, before: float, after: float) -> float:
        """Returns by how much a score improved: below 0 it got worse, NaN where one of them is unknown."""
        return after - before if self.threshold.op == "<" else before - after

    def margin(self, score: float) -> float:
        """Returns how far a score lies from failing: below 0 it fails, NaN where it is unknown."""
        return self.better_by(self.threshold.value, score)


@dataclass(frozen=True)
class Scored:
    """What the checks say of one picture.

    Attributes:
        scores: by output name; NaN is unknown
        reasons: by check, why it could not judge
        errors: by check, what it broke on
    """

    scores: Mapping[str, float]
    reasons: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)

    def score(self, rule: Rule) -> float:
        """Returns the score of a failure mode; NaN where it is unknown."""
        return self.scores.get(rule.output, math.nan)


@dataclass(frozen=True)
class Limits(Record):
    """What counts as worse.

    Attributes:
        outside: mean difference outside of the mask, in levels
        sharpness: the lowest ratio of the original's edges inside of the mask
        style: the largest distance of the colors inside of the mask, in units of CIELAB
        margin: which share of its distance from failing a score may lose
        change: a change of this share of a score itself is none: no two drawings have the same contrast
        alignment: by how much the similarity of picture and prompt may fall, beyond its noise
        steady: which share of a repaired picture's variants has to be judged, and has to pass
    """

    outside: float = 0.5
    sharpness: float = 0.6
    style: float = 30.0
    margin: float = 0.75
    change: float = 0.1
    alignment: float = 0.01
    steady: float = 0.6


@dataclass(frozen=True)
class Decision(Record):
    """What the gate says of an attempt.

    Attributes:
        accepted: whether it is kept
        reason: why not; empty where it is
        worse: whether something got worse than it was
        gain: by how much the target's score improved; infinite where it was unknown before
    """

    accepted: bool
    reason: str = ""
    worse: bool = False
    gain: float = math.nan


def noise_of(original: Scored, again: Sequence[Scored]) -> dict[str, float]:
    """Returns how far each score wavers over pictures that show the same: the largest difference; 0 where none."""
    noise = {}
    for name, score in original.scores.items():
        others = [each.scores.get(name, math.nan) for each in again]
        gaps = [abs(other - score) for other in others if math.isfinite(other) and math.isfinite(score)]
        noise[name] = max(gaps, default=0.0)
    return noise


def stands(target: Rule, original: Scored, again: Sequence[Scored]) -> bool:
    """Returns whether a failure is one: it is flagged, and on more than half of the picture's variants, too."""
    verdicts = [target.fails(each.score(target)) for each in again]
    return target.fails(original.score(target)) and 2 * sum(verdicts) >= len(verdicts)


def decide(
    target: str,
    rules: Mapping[str, Rule],
    before: Scored,
    after: Scored,
    noise: Mapping[str, float],
    *,
    alike: Likeness,
    asked: frozenset[str] = frozenset(),
    alignment: tuple[float, float, float] | None = None,
    limits: Limits = Limits(),
    free: frozenset[str] = frozenset(),
) -> Decision:
    """Returns whether an attempt is better than its original in the target, and worse in nothing.

    Args:
        target: the failure mode that is repaired
        rules: every failure mode that the checks judge of both pictures, the target among them
        before, after: what the checks say of the original and of the attempt
        noise: of the original's scores, as ``noise_of`` returned it
        alike: how the attempt compares with the original
        asked: failure modes that the prompt asks for: no failures, whatever their score
        alignment: similarity of picture and prompt before and after, and its noise; None: not known here
        limits: what counts as worse
        free: of ``"sharpness"`` and ``"style"`` what the repair is to change
    """
    rule = rules[target]
    was, now = before.score(rule), after.score(rule)
    gain = math.inf if math.isnan(was) else rule.better_by(was, now)
    others = _others(target, rules, before, after, noise, asked, limits)
    seen = _appearance(alike, alignment, limits, free)
    worse = bool(others) or bool(seen) or gain < -noise.get(rule.output, 0.0)
    problem = _target_problem(target, rule, after, now, gain, noise) or others or seen
    return Decision(not problem, problem, worse, gain)


def _target_problem(target: str, rule: Rule, after: Scored, now: float, gain: float, noise: Mapping[str, float]) -> str:
    if rule.check in after.errors:
        return f"the check {rule.check} broke on it: {after.errors[rule.check]}"
    if math.isnan(now):
        reason = after.reasons.get(rule.check)
        return f"{target} cannot be judged" + (f": {reason}" if reason else "")
    if rule.fails(now):
        side = "below" if rule.threshold.op == "<" else "above"
        return f"{target} stays: {rule.output} is {now:.3g}, and fails {side} {rule.threshold.value:g}"
    own = noise.get(rule.output, 0.0)
    return "" if gain > own else f"{rule.output} improves by {gain:.3g}, no more than its own noise of {own:.3g}"


def _others(
    target: str,
    rules: Mapping[str, Rule],
    before: Scored,
    after: Scored,
    noise: Mapping[str, float],
    asked: frozenset[str],
    limits: Limits,
) -> str:
    """Returns what else got worse; empty where nothing did."""
    for name, rule in rules.items():
        if name == target or name in asked:
            continue
        problem = _worse(name, rule, before.score(rule), after.score(rule), noise.get(rule.output, 0.0), limits)
        if problem and rule.check in after.errors:
            problem = f"the check {rule.check} broke on it: {after.errors[rule.check]}"
        if problem:
            return problem
    return ""


def _worse(name: str, rule: Rule, was: float, now: float, noise: float, limits: Limits) -> str:
    if math.isnan(now):
        # a failure that nobody can see any more, or that nobody saw, is none that was added; a pass is lost
        return "" if math.isnan(was) or rule.fails(was) else f"{name} cannot be judged any more"
    if rule.fails(now) and not rule.fails(was):
        return f"{name} is new: {rule.output} is {now:.3g}" + ("" if math.isnan(was) else f", and was {was:.3g}")
    if math.isnan(was):
        return ""
    lost = -rule.better_by(was, now)
    # what fails already has no distance from failing, and wavers from drawing to drawing as much as what passes
    allowed = max(noise, limits.margin * rule.margin(was), limits.change * abs(was))
    return f"{name} gets worse: {rule.output} {was:.3g} becomes {now:.3g}" if lost > allowed else ""


def _appearance(
    alike: Likeness, alignment: tuple[float, float, float] | None, limits: Limits, free: frozenset[str]
) -> str:
    """Returns what of the picture itself got worse; empty where nothing did."""
    if alike.outside > limits.outside:
        return f"the picture changes outside of the region, by {alike.outside:.2g} levels"
    if "sharpness" not in free and alike.sharpness < limits.sharpness:
        return f"the region becomes blurrier: {whole(alike.sharpness)} of its edges are left"
    if "style" not in free and alike.style > limits.style:
        return f"the region has other colors: {alike.style:.0f} units of CIELAB away"
    if alignment is not None:
        was, now, noise = alignment
        if was - now > max(noise, limits.alignment):
            return f"it fits the prompt less: {was:.3f} becomes {now:.3f}"
    return ""


def steady(target: Rule, again: Sequence[Scored], limits: Limits = Limits()) -> str:
    """Returns why a repair is not to be trusted: it fails, or cannot be judged, once the picture is changed a little.

    Args:
        target: the failure mode that was repaired
        again: what the checks say of the repaired picture's variants
        limits: how many have to be judged and to pass
    """
    scores = [each.score(target) for each in again]
    failing = sum(target.fails(score) for score in scores)
    judged = sum(not math.isnan(score) for score in scores)
    if failing:
        return f"it fails again on {failing} of {len(again)} pictures that show the same"
    if again and judged < limits.steady * len(again):
        return f"it can be judged on {judged} of {len(again)} pictures that show the same only"
    return ""


def best(decisions: Sequence[Decision]) -> list[int]:
    """Returns the places of the accepted attempts, the one that improves the most first, of equal ones the first."""
    kept = [at for at, decision in enumerate(decisions) if decision.accepted]
    return sorted(kept, key=lambda at: (-decisions[at].gain, at))
