"""What every check does, held on pictures that it knows and on pictures that differ."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from loupe.brain.core.records import Output, SampleResult, Scores
from loupe.brain.core.specs import Check
from loupe.testing import spec as of_any
from loupe.testing.contract import ContractError, ContractSkipped, Rule, require
from loupe.testing.picture_set import Case, batch, by_shape
from loupe.testing.sample_results import (
    part_of,
    require_bounds,
    require_evidence,
    require_form,
    require_lawful,
    require_reasons,
    require_same,
)

if TYPE_CHECKING:
    from loupe.brain.imaging.batches import ImageBatch

#: pictures of one shape that are judged together
_TOGETHER = 3
#: relative and absolute: sums of float32 in another order
_TOLERANCE = 1e-6
_GPU_TOLERANCE = 1e-3
#: cases for a check that no committed case expects anything of
_ANY = 6


def odd_pictures() -> dict[str, np.ndarray]:
    """Returns pictures of shapes and contents that a check must survive: (H, W, 3) uint8 by name."""
    ramp = np.arange(3000, dtype=np.uint16).astype(np.uint8)
    return {
        "one pixel": np.full((1, 1, 3), 90, np.uint8),
        "wide": ramp.reshape(2, 500, 3),
        "tall": ramp.reshape(500, 2, 3),
        "black": np.zeros((48, 64, 3), np.uint8),
        "white": np.full((48, 64, 3), 255, np.uint8),
    }


class Judging:
    """A check, the cases that it is held on, and what it says of them; each is asked for once.

    Attributes:
        spec: with what "auto" means on the CPU
        changed: the batches whose pixels it has changed, by the name of their first picture
    """

    def __init__(self, spec: Check, cases: Sequence[Case] = ()) -> None:
        self.spec = spec
        self._further = tuple(cases)
        self.changed: list[str] = []

    @cached_property
    def cases(self) -> tuple[Case, ...]:
        """The cases that expect something of its failure modes, and those that were given; any, where there is none."""
        from loupe.testing.cases import CASES

        modes = {output.failure for output in self.spec.outputs if output.failure}
        chosen = (*(case for case in CASES if case.modes & modes), *self._further)
        return chosen or CASES[:_ANY]

    @cached_property
    def resolved(self) -> Check:
        """The check with what "auto" means on the CPU."""
        return self.spec.resolved("cpu")

    @cached_property
    def _score(self) -> Callable[[Any], Scores]:
        return self.resolved.load("cpu")

    def run(self, given: Any) -> Scores:
        """Returns what it says of a batch, and notes whether it changed the pixels."""
        before = getattr(given, "pixels", None)
        kept = None if before is None else before.clone()
        scores = self._score(given)
        if kept is not None and not bool((before == kept).all()):
            self.changed.append(given.ids[0])
        return scores

    def batch(self, cases: Sequence[Case], **more: Any) -> ImageBatch:
        """Returns cases of one shape as a batch with the fields that it reads."""
        return batch(cases, self.spec.reads(), **more)

    def say(self, given: Any) -> list[SampleResult]:
        """Returns what it says of a batch, picture by picture."""
        scores = self.run(given)
        require_form(self.spec, scores, len(given))
        return scores.by_sample(len(given))

    @cached_property
    def scores(self) -> dict[str, Scores]:
        """What it says of each case alone, by the case's name."""
        return {case.name: self.run(self.batch([case])) for case in self.cases}

    @cached_property
    def alone(self) -> dict[str, SampleResult]:
        """The same, by picture; for scores of lawful form alone."""
        return {name: scores.by_sample(1)[0] for name, scores in self.scores.items()}

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """What has to differ from picture to picture: its outputs and its evidence."""
        evidence = {"boxes": self.spec.boxes_field, "maps": self.spec.map_field, "points": self.spec.points_field}
        return (*(output.name for output in self.spec.outputs), *(name for name, field in evidence.items() if field))

    @cached_property
    def groups(self) -> list[list[Case]]:
        """Few cases of one shape each, so that each part that can differ within a batch does."""
        missing = set(self.parts)
        chosen: list[list[Case]] = []
        for group in by_shape(self.cases):
            picked: list[Case] = []
            for part in self.parts:
                if part in missing and (pair := self._pair(group, part)):
                    missing.discard(part)
                    picked += [case for case in pair if case not in picked]
            if picked or not chosen:
                # one that is unknown brings a reason that others have not
                rest = [case for case in group if case not in picked]
                rest.sort(key=lambda case: self.alone[case.name].reason is None)
                chosen.append([*picked, *rest[: max(0, _TOGETHER - len(picked))]])
        return chosen

    def _pair(self, group: Sequence[Case], part: str) -> tuple[Case, Case] | None:
        """Two cases that a part is known of and differs between."""
        known = [case for case in group if part_of(self.alone[case.name], part) is not None]
        for other in known[1:]:
            if part_of(self.alone[other.name], part) != part_of(self.alone[known[0].name], part):
                return known[0], other
        return None

    def differs(self, part: str) -> bool:
        """Returns whether a part differs between two known pictures that are judged together."""
        return any(self._pair(group, part) for group in self.groups)

    @cached_property
    def together(self) -> list[list[SampleResult]]:
        """What it says of each group at once."""
        return [self.say(self.batch(group)) for group in self.groups]


def rules(spec: Check, cases: Sequence[Case] = ()) -> Iterator[Rule]:
    """Yields the contracts of a check."""
    judging = Judging(spec, cases)
    yield from of_any.rules(spec)
    yield from of_any.output_rules(spec.outputs)
    lawful = (("bounds", require_bounds), ("reasons", require_reasons), ("evidence", require_evidence))
    yield Rule("form", lambda: _each(judging, lambda scores: require_form(spec, scores, 1)))
    for name, test in lawful:
        yield Rule(name, partial(_each, judging, partial(test, spec)), ("outputs", "form"))
    yield Rule("pixels", lambda: _pixels(judging), ("form",))
    for output in spec.outputs:
        yield Rule(f"known:{output.name}", partial(_known, judging, output), ("form",))
    for part in judging.parts:
        yield Rule(f"varies:{part}", partial(_varies, judging, part), ("form", "evidence", f"known:{part}"))
    yield Rule("deterministic", lambda: _deterministic(judging), ("form",))
    yield Rule("neighbors", lambda: _neighbors(judging), ("deterministic",))
    yield Rule("order", lambda: _order(judging), ("neighbors",))
    yield Rule("layout", lambda: _layout(judging), ("neighbors",))
    if spec.ragged:
        yield Rule("ragged", lambda: _ragged(judging), ("neighbors",))
    yield Rule("odd_pictures", lambda: _odd(judging), ("form", "bounds", "reasons", "evidence"))
    if spec.needs:
        yield Rule("needs", lambda: _needs(judging), ("form", "bounds", "reasons", "evidence", "order"))
        yield Rule("abstains", lambda: _abstains(judging), ("needs",))
    yield Rule("gpu", lambda: _gpu(judging), ("neighbors",))
    for output in spec.outputs:
        if output.failure and output.default_threshold:
            after = ("thresholds", "form", "bounds", "reasons", f"known:{output.name}", f"varies:{output.name}")
            yield Rule(f"fails:{output.failure}", partial(_verdict, judging, output, True), after)
            yield Rule(f"passes:{output.failure}", partial(_verdict, judging, output, False), after)
    yield Rule("unknown", lambda: _unknown(judging), ("form", "reasons"))


def _each(judging: Judging, test: Callable[[Scores], None]) -> None:
    for name, scores in judging.scores.items():
        try:
            test(scores)
        except ContractError as error:
            raise ContractError(f"picture {name!r}: {error}") from None


def _pixels(judging: Judging) -> None:
    assert judging.together
    require(not judging.changed, "pixels as they were", f"others of {judging.changed[:3]}", "work on a copy of them")


def _known(judging: Judging, output: Output) -> None:
    known = [name for name, seen in judging.alone.items() if part_of(seen, output.name) is not None]
    reasons = sorted({str(seen.reason) for seen in judging.alone.values()})[:3]
    require(
        bool(known),
        f"a known {output.name!r} for at least 1 of {len(judging.alone)} pictures",
        f"unknown for all: {'; '.join(reasons)}",
        "give cases=[Case(...)] that it can judge: on nothing, nothing can be tested",
    )


def _varies(judging: Judging, part: str) -> None:
    seen = [part_of(judging.alone[case.name], part) for case in judging.cases]
    require(
        judging.differs(part),
        f"two pictures of one shape with different known {part!r}",
        f"{sum(value is not None for value in seen)} known of {len(seen)}, of one shape all the same",
        "give cases=[Case(...)] that differ: where all is alike, a check that judges one picture for all is not seen",
    )


def _deterministic(judging: Judging) -> None:
    for group, seen in zip(judging.groups, judging.together, strict=True):
        again = judging.say(judging.batch(group))
        require_same(seen, again, [case.name for case in group], 0.0, "the same pictures have to give the same again")


def _neighbors(judging: Judging) -> None:
    for group, seen in zip(judging.groups, judging.together, strict=True):
        alone = [judging.alone[case.name] for case in group]
        do = "a picture must not depend on the others of its batch: look for an index that is always 0"
        require_same(alone, seen, [case.name for case in group], _TOLERANCE, do)


def _order(judging: Judging) -> None:
    for group in judging.groups:
        turned = group[::-1]
        # the ids stay where they were: what is kept by id or by place comes out wrong
        given = judging.batch(turned, ids=[case.name for case in group])
        alone = [judging.alone[case.name] for case in turned]
        do = "in another order and under other ids a picture has to keep its scores: keep nothing by id or by place"
        require_same(alone, judging.say(given), [case.name for case in turned], _TOLERANCE, do)


def _layout(judging: Judging) -> None:
    for group, seen in zip(judging.groups, judging.together, strict=True):
        given = judging.batch(group)
        planes = replace(given, pixels=given.pixels.contiguous())
        do = "how pixels lie in memory must not matter: index them, or call contiguous(), and use no strides"
        require_same(seen, judging.say(planes), [case.name for case in group], _TOLERANCE, do)


def _ragged(judging: Judging) -> None:
    from loupe.brain.imaging.ragged import Preview, PreviewBatch, RaggedBatch

    cases = [case for group in by_shape(judging.cases) for case in group[:_TOGETHER]]
    tiny = Case("tiny", cases[0].pixels[:5, :9], fields=cases[0].fields)
    groups = by_shape([*cases, tiny])
    whole = [judging.batch(group) for group in groups]
    previews = [
        PreviewBatch(part.ids, tuple(Preview.at(case.pixels) for case in group), part.sizes, part.fields)
        for group, part in zip(groups, whole, strict=True)
    ]
    known = {**judging.alone, "tiny": judging.say(judging.batch([tiny]))[0]}
    names = [case.name for group in groups for case in group]
    for parts in (whole, previews):
        given = RaggedBatch(tuple(parts))
        do = "of each part no more than luma and samples may be used, and no part may count for another"
        require_same([known[name] for name in names], judging.say(given), names, _TOLERANCE, do)


def _odd(judging: Judging) -> None:
    fields = judging.cases[0].fields
    for name, pixels in odd_pictures().items():
        cases = [Case(f"{name} {index}", pixels, fields=fields) for index in range(2)]
        try:
            require_lawful(judging.spec, judging.run(judging.batch(cases)), 2)
        except ContractError as error:
            raise ContractError(f"picture {name!r} of {pixels.shape[1]} x {pixels.shape[0]} pixels: {error}") from None
        except Exception as error:
            raise ContractError(
                f"picture {name!r} of {pixels.shape[1]} x {pixels.shape[0]} pixels: expected scores or a reason, got "
                f"{type(error).__name__}: {error}; what cannot be judged is NaN with a reason"
            ) from error


def _needs(judging: Judging) -> None:
    given = judging.batch(judging.groups[0])
    for fields in ({}, dict.fromkeys(judging.spec.reads(), (None,) * len(given))):
        scores = judging.run(replace(given, fields=fields))
        require_lawful(judging.spec, scores, len(given))
        known = [name for name, values in scores.items() if not bool(values.isnan().all())]
        needs = ", ".join(judging.spec.needs)
        require(not known, f"all unknown without {needs}", f"scores of {', '.join(known)}", "a guess is not an answer")


def _abstains(judging: Judging) -> None:
    """What it says by the fields alone is what it says with the picture in hand: the engine does not show it one."""
    for group in judging.groups:
        given = judging.batch(group)
        none = replace(given, fields=dict.fromkeys(judging.spec.reads(), (None,) * len(given)))
        for shown in (given, none):
            for place, result in enumerate(judging.run(shown).by_sample(len(shown))):
                fields = {name: shown.fields[name][place] for name in judging.spec.reads() if name in shown.fields}
                reason = judging.spec.abstains(fields)
                known = [name for name, value in result.values.items() if not math.isnan(value)]
                holds = not reason or (not known and result.reason == reason)
                got = f"{result.reason!r} and scores of {known or 'nothing'}"
                require(holds, f"unknown because of {reason!r}", got, "it abstains by its fields")


def _gpu(judging: Judging) -> None:
    import torch

    if not torch.cuda.is_available():
        raise ContractSkipped("needs a GPU, and there is none here")
    score = judging.resolved.load("cuda")
    for group in judging.groups:
        given = judging.batch(group)
        scores = score(replace(given, pixels=given.pixels.to("cuda")))
        require_form(judging.spec, scores, len(group))
        names = [case.name for case in group]
        do = "a score must not depend on the device"
        require_same([judging.alone[name] for name in names], scores.by_sample(len(group)), names, _GPU_TOLERANCE, do)


def _verdict(judging: Judging, output: Output, fails: bool) -> None:
    assert output.default_threshold is not None
    mode, limit = output.failure, output.default_threshold
    cases = [case for case in judging.cases if mode in (case.fails if fails else case.passes)]
    verb = "fail" if fails else "pass"
    require(
        bool(cases),
        f"a picture that has to {verb} {mode!r}",
        "none",
        f"give cases=[Case(..., {verb}{'s' if fails else 'es'}=({mode!r},))]",
    )
    for case in cases:
        value = judging.alone[case.name].values[output.name]
        hit = bool(limit.violates(np.array(value)))
        right = hit if fails else not hit and not np.isnan(value)
        require(
            right,
            f"{case.name!r} to {verb} {mode!r}, {output.name!r} {limit.op} {limit.value} being a failure",
            f"{value} ({judging.alone[case.name].reason or 'known'})",
            "mend the check, or its threshold",
        )


def _unknown(judging: Judging) -> None:
    for output in judging.spec.outputs:
        for case in judging.cases:
            if output.failure and output.failure in case.unknown:
                value = part_of(judging.alone[case.name], output.name)
                do = "what cannot be judged is NaN with a reason: a guess is not an answer"
                require(value is None, f"{output.name!r} of {case.name!r} to be unknown", value, do)
