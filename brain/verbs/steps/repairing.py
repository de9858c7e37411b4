"""How ``repair`` repairs a few samples at a time: look at the original, draw attempts, look at them, keep the best."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import loupe
from loupe.brain.core.errors import InputError, MissingWeights, NotReadNow, ReadError
from loupe.brain.core.records import Request
from loupe.brain.core.specs import GeneratorSession
from loupe.brain.core.taxonomy import failure_mode
from loupe.brain.engine import output_folder
from loupe.brain.engine.again import Loaded
from loupe.brain.engine.reader import Row, read
from loupe.brain.engine.runner import Verdict
from loupe.brain.generation import candidates, evidence, gate
from loupe.brain.generation.gate import Rule, Scored
from loupe.brain.generation.guided import Guide
from loupe.brain.generation.likeness import likeness
from loupe.brain.generation.region import of_boxes, of_map
from loupe.brain.generation.variants import N, variants
from loupe.brain.similarity.matching import pixels_hash
from loupe.brain.verbs.steps.repair_jobs import VERSION, Attempt, Job, Outcome, Settings

if TYPE_CHECKING:
    from PIL.Image import Image

    from loupe.brain.generation.records import Method
    from loupe.brain.verbs.steps.alignment import Alignment

#: what a repair of these is to change: their scores say whether it became better
_SHARPER = ("blur", "motion_blur", "local_blur")


@dataclass(frozen=True, eq=False)
class _Original:
    job: Job
    row: Row
    pixels: np.ndarray
    verdict: Verdict
    scored: Scored
    noise: Mapping[str, float]
    plans: Sequence[candidates.Plan]
    #: what requests bring beside the crop, by the method of their plan
    beside: Mapping[Method, Mapping[str, Image]]


@dataclass(frozen=True, eq=False)
class _Drawn:
    key: str
    seed: int
    path: Path
    pixels: np.ndarray


@dataclass(frozen=True, eq=False)
class Workshop:
    """All that is needed to repair samples by one model.

    Attributes:
        session: the generator
        spec: its name and version
        checks: those that judge again
        rules: by failure mode
        rows: by sample id what the checks read
        unjudged: by check that ran on the originals, why it cannot judge here
        folder: where the pictures go
        scratch: an empty folder for pictures that nobody keeps
        settings: what was asked for
        guide: makes control pictures
        alignment: similarity of pictures with prompts; None where it cannot be measured here
    """

    session: GeneratorSession
    spec: tuple[str, int]
    checks: Loaded
    rules: Mapping[str, Rule]
    rows: Mapping[str, Row]
    unjudged: Mapping[str, str]
    folder: Path
    scratch: Path
    settings: Settings
    guide: Guide
    alignment: Alignment | None = None

    def outcomes(self, jobs: Sequence[Job]) -> Iterator[Outcome]:
        """Yields what becomes of some samples, in order; their attempts lie in the folder.

        Raises:
            ModelError: the model cannot draw
            OSError: the folder cannot be written
        """
        settled: dict[str, Outcome] = {}
        originals = self._originals(jobs, settled)
        for original, outcome in zip(originals, self._tried(originals), strict=True):
            settled[original.job.sample.id] = outcome
        for job in jobs:
            yield settled[job.sample.id]

    # the originals

    def _originals(self, jobs: Sequence[Job], settled: dict[str, Outcome]) -> list[_Original]:
        """Looks at the originals and at pictures that show the same; what cannot be repaired is settled."""
        pictures: dict[str, np.ndarray] = {}
        rows: list[Row] = []
        for job in jobs:
            problem = self._cannot_start(job)
            if problem:
                settled[job.sample.id] = Outcome(job, "unknown", problem)
                continue
            try:
                pixels = pictures[job.sample.id] = read(job.sample.path).pixels
            except NotReadNow as error:
                settled[job.sample.id] = Outcome(job, "unknown", str(error), not_now=True)
                continue
            except ReadError as error:
                settled[job.sample.id] = Outcome(job, "unknown", f"unreadable: {error}")
                continue
            row = self.rows[job.sample.id]
            rows += [row, *self._variants(row, pixels)]
        verdicts = iter(self.checks.verdicts(rows))
        made = []
        for job in jobs:
            if job.sample.id not in pictures:
                continue
            own = next(verdicts)
            again = [next(verdicts) for _ in range(N)]
            original = self._looked_at(job, pictures[job.sample.id], own, again)
            if isinstance(original, Outcome):
                settled[job.sample.id] = original
            else:
                made.append(original)
        return made

    def _cannot_start(self, job: Job) -> str:
        rule = self.rules.get(job.failure)
        if rule is None:
            return f"no check here can judge {job.failure} again"
        if lost := sorted(set(self.unjudged) & job.sample.checked):
            return f"nobody can tell whether something else gets worse: {lost[0]}: {self.unjudged[lost[0]]}"
        return "" if job.prompt.strip() else "the sample has no prompt: give prompt="

    def _looked_at(self, job: Job, pixels: np.ndarray, own: Verdict, again: Sequence[Verdict]) -> _Original | Outcome:
        rule = self.rules[job.failure]
        scored, others = _scored(own), [_scored(each) for each in again]
        before = scored.score(rule)
        if own.not_now:
            return Outcome(job, "unknown", next(iter(scored.errors.values())), not_now=True)
        if rule.check in scored.errors:
            return Outcome(job, "unknown", f"the check {rule.check} broke on it: {scored.errors[rule.check]}")
        if math.isnan(before) and not job.unknown:
            reason = scored.reasons.get(rule.check, "no reason given")
            return Outcome(job, "unknown", f"{job.failure} cannot be judged: {reason}", before=before)
        if not math.isnan(before) and not gate.stands(rule, scored, others):
            failing = sum(rule.fails(each.score(rule)) for each in others)
            text = f"it fails on {failing} of {len(others)} pictures that show the same only: no sure failure"
            return Outcome(job, "refused", text, before=before)
        height, width = pixels.shape[:2]
        mask = self._mask(job, own, (width, height))
        try:
            if isinstance(mask, str):
                raise InputError(mask)
            plans = candidates.plans(
                self.settings.method,
                self.settings.attempts,
                mask,
                (width, height),
                self.session.takes,
                self.session.size,
                self.session.multiple,
            )
            beside = {
                plan.method: self.guide.beside(self.session, job.failure, pixels, plan.frame)
                for plan in dict.fromkeys(plans)
            }
        except (InputError, MissingWeights) as error:
            return Outcome(job, "unknown", str(error), before=before)
        noise = gate.noise_of(scored, others)
        return _Original(job, self.rows[job.sample.id], pixels, own, scored, noise, plans, beside)

    def _mask(self, job: Job, own: Verdict, size: tuple[int, int]) -> np.ndarray | str | None:
        """Returns where the failure lies; None where it has no place, and a reason where the user's region is none."""
        if job.region is not None:
            region = job.region
            mask = of_boxes(region, size, grow=0) if isinstance(region, list) else of_map(region, size)
            return mask if mask.any() else "the region lies outside of the picture, or is empty"
        check = self.rules[job.failure].check
        return evidence.located(
            job.failure,
            own.boxes.get(check, ()),
            own.points.get(check, ()),
            own.maps.get(check),
            size,
            unknown=job.unknown,
        )

    def _variants(self, row: Row, pixels: np.ndarray) -> list[Row]:
        from PIL import Image

        made = []
        for number, picture in enumerate(variants(pixels)):
            path = self.scratch / f"{candidates.key_of(row.path, number)}.png"
            Image.fromarray(picture).save(path, compress_level=1)
            made.append(replace(row, path=str(path)))
        return made

    # the attempts

    def _tried(self, originals: Sequence[_Original]) -> list[Outcome]:
        drawn = self._drawn(originals)
        rows = [replace(original.row, path=str(each.path)) for original, own in drawn for each in own]
        verdicts = iter(self.checks.verdicts(rows))
        outcomes = []
        for original, own in drawn:
            fits = self._fits(original, [each.pixels for each in own])
            attempts = [
                self._decided(original, number, own[number - 1], next(verdicts), fit)
                for number, fit in enumerate(fits, 1)
            ]
            outcomes.append(self._outcome(original, attempts))
        return outcomes

    def _drawn(self, originals: Sequence[_Original]) -> list[tuple[_Original, list[_Drawn]]]:
        """Draws the attempts that do not lie in the folder from a run that was killed."""
        wanted = [(original, self._asked(original)) for original in originals]
        missing = [
            (original, plan, key, request)
            for original, asked in wanted
            for plan, (key, request) in zip(original.plans, asked, strict=True)
            if self._adopted(key) is None
        ]
        images: dict[str, np.ndarray] = {}
        size = max(1, self.session.batch_size)
        for start in range(0, len(missing), size):
            part = missing[start : start + size]
            for (original, plan, key, request), image in zip(
                part, self.session.draw([request for *_, request in part]), strict=True
            ):
                images[key] = candidates.finished(original.pixels, plan, image)
                info = {str(name): value for name, value in image.info.items()}
                self._write(original, plan.method, key, request, images[key], info)
        output_folder.sync(self.folder)
        made = []
        for original, asked in wanted:
            paths = {key: output_folder.image_path(self.folder, key) for key, _ in asked}
            pictures = {key: images[key] if key in images else _pixels(paths[key]) for key in paths}
            made.append((original, [_Drawn(key, each.seed, paths[key], pictures[key]) for key, each in asked]))
        return made

    def _asked(self, original: _Original) -> list[tuple[str, Request]]:
        """Returns what the generator is asked for, each with the key of its picture."""
        job, settings = original.job, self.settings
        shown = pixels_hash(original.pixels)
        facts = {name: value for name, value in self.session.facts.items() if name != "model"}
        asked = []
        for number, plan in enumerate(original.plans):
            # by the pixels and not by the id: the same picture in another dataset is repaired in the same way
            seed = candidates.seed_of(settings.seed, shown, job.failure, plan.method, number)
            strength = None if plan.method == "redraw" else settings.strength
            negative = job.sample.negative_prompt
            beside = original.beside[plan.method]
            (request,) = candidates.requests(
                original.pixels, plan, job.prompt, negative, [seed], strength, beside=beside
            )
            identity = [VERSION, self.spec, facts, job.sample.id, plan.method, shown]
            asked.append((candidates.key_of(*identity, request.to_dict()), request))
        return asked

    def _adopted(self, key: str) -> dict[str, Any] | None:
        path = output_folder.image_path(self.folder, key)
        return output_folder.read_facts(path, key) if path.exists() else None

    def _write(
        self,
        original: _Original,
        method: str,
        key: str,
        request: Request,
        pixels: np.ndarray,
        info: Mapping[str, Any],
    ) -> None:
        from PIL import Image

        facts = {
            **self.generation(key, request.seed, pixels.shape[1], pixels.shape[0], original.job.sample.negative_prompt),
            **info,
            "inputs": request.inputs(),
            "repair": {"of": original.job.sample.id, "failure": original.job.failure, "method": method},
        }
        saved = {"prompt": original.job.prompt, **facts}
        output_folder.write(self.folder, key, Image.fromarray(pixels), saved)

    def generation(self, key: str, seed: int, width: int, height: int, negative_prompt: str) -> dict[str, Any]:
        """Returns what goes to ``generation.*`` of a repaired picture."""
        return {
            **self.session.facts,
            "generator": self.spec[0],
            "seed": seed,
            "negative_prompt": negative_prompt,
            "width": width,
            "height": height,
            "key": key,
            "loupe_version": loupe.__version__,
        }

    def _fits(self, original: _Original, pictures: Sequence[np.ndarray]) -> list[tuple[float, float, float] | None]:
        """Returns how well each attempt fits the prompt: before, after and the noise of that."""
        if self.alignment is None:
            return [None] * len(pictures)
        again = variants(original.pixels)
        scores = self.alignment.scores([original.pixels, *again, *pictures], original.job.prompt)
        own, noise = scores[0], max(abs(score - scores[0]) for score in scores[1 : len(again) + 1])
        return [(own, score, noise) for score in scores[len(again) + 1 :]]

    def _decided(
        self,
        original: _Original,
        number: int,
        drawn: _Drawn,
        verdict: Verdict,
        fit: tuple[float, float, float] | None,
    ) -> Attempt:
        alike = likeness(original.pixels, drawn.pixels, original.plans[number - 1].mask)
        after = _scored(verdict)
        decision = gate.decide(
            original.job.failure,
            self.rules,
            original.scored,
            after,
            original.noise,
            alike=alike,
            asked=original.job.sample.asked,
            alignment=fit,
            limits=self.settings.limits,
            free=_free(original.job.failure),
        )
        score = after.score(self.rules[original.job.failure])
        gained = math.nan if fit is None else fit[1] - fit[0]
        return Attempt(number, drawn.key, drawn.path, drawn.seed, decision, alike, score, verdict, gained)

    def _outcome(self, original: _Original, attempts: Sequence[Attempt]) -> Outcome:
        rule = self.rules[original.job.failure]
        decisions = [attempt.decision for attempt in attempts]
        kept: Attempt | None = None
        shaky = ""
        for at in gate.best(decisions):
            # only the target's check is asked whether it stays so
            row = replace(original.row, path=str(attempts[at].path), pending=frozenset({rule.check}))
            again = [_scored(each) for each in self.checks.verdicts(self._variants(row, _pixels(attempts[at].path)))]
            shaky = gate.steady(rule, again, self.settings.limits)
            if not shaky:
                kept = attempts[at]
                break
        best = kept or max(attempts, key=_promise)
        plan = original.plans[best.number - 1]
        reason = "" if kept else best.decision.reason or shaky
        measures = {
            each.output: (original.scored.score(each), _scored(best.verdict).score(each))
            for each in self.rules.values()
        }
        return Outcome(
            original.job,
            "better" if kept else "refused",
            reason,
            plan.method,
            original.scored.score(rule),
            best,
            attempts,
            attempts[0].decision.worse,
            plan.mask,
            measures,
        )


def _pixels(path: Path) -> np.ndarray:
    return read(path).pixels


def _promise(attempt: Attempt) -> tuple[bool, float, int]:
    """Returns by what the best of refused attempts is chosen."""
    gain = attempt.decision.gain
    return attempt.decision.accepted, -math.inf if math.isnan(gain) else gain, -attempt.number


def _scored(verdict: Verdict) -> Scored:
    return Scored(verdict.scores, verdict.reasons, verdict.errors)


def _free(failure: str) -> frozenset[str]:
    """Returns what a repair of this failure mode is to change."""
    if failure_mode(failure).group == "exposure":
        return frozenset({"style", "sharpness"})
    return frozenset({"sharpness"}) if failure in _SHARPER else frozenset()
