"""Each check on the CPU and on the device: how far scores differ, and whether a verdict changes."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.batches import batch_of
from benchmarks.gpu.pictures import varied
from benchmarks.gpu.report import Report, Settings
from loupe.brain.core import registry
from loupe.brain.core.records import Output, SampleResult
from loupe.brain.core.specs import Check
from loupe.brain.imaging.batches import ImageBatch
from loupe.testing.cases import CASES
from loupe.testing.check import Judging
from loupe.testing.picture_set import Case, batch, by_shape

#: the contract's pictures whose flaws were drawn elsewhere
PICTURES = "pictures.npz"
_STORED = Path(__file__).resolve().parents[2] / "tests" / "contract" / "scores.json"
_AT_ONCE = 8
_PROMPT = 'a photo of two dogs, with a sign that says "OPEN"'


@dataclass
class Difference:
    """How two results of the same pictures differ.

    Attributes:
        pictures: how many were compared
        worst: the largest difference of a score, by output
        verdicts: how many of the verdicts changed, of ``judged``
        unknown: how many scores are known on one side only
        evidence: how many pictures have other boxes
    """

    pictures: int = 0
    judged: int = 0
    verdicts: int = 0
    unknown: int = 0
    evidence: int = 0
    worst: dict[str, float] = field(default_factory=dict)

    def add(self, outputs: Sequence[Output], first: SampleResult, second: SampleResult) -> None:
        """Compares one picture."""
        self.pictures += 1
        labels = [[box.label for box in result.boxes] for result in (first, second)]
        self.evidence += labels[0] != labels[1]
        for output in outputs:
            self.score(output, first.values.get(output.name, math.nan), second.values.get(output.name, math.nan))

    def score(self, output: Output, first: float, second: float) -> None:
        """Compares one score."""
        limit = output.default_threshold
        if limit is not None:
            self.judged += 1
            self.verdicts += bool(limit.violates(np.array(first)) != limit.violates(np.array(second)))
        if math.isnan(first) or math.isnan(second):
            self.unknown += math.isnan(first) != math.isnan(second)
        else:
            self.worst[output.name] = max(self.worst.get(output.name, 0.0), abs(first - second))

    def print(self, report: Report, name: str) -> None:
        """Prints it as a row."""
        output, largest = max(self.worst.items(), key=lambda item: item[1], default=("no score known", math.nan))
        note = f"{self.pictures} pictures; verdicts changed {self.verdicts} of {self.judged}"
        note += f", known on one side only {self.unknown}, other boxes {self.evidence}"
        report.row(name, None if math.isnan(largest) else float(largest), f"max |difference| ({output})", note)


def run(report: Report, settings: Settings) -> None:
    """Prints a row for each check on the contract's pictures, on drawn ones, and against the stored scores."""
    cases, without = contract_cases(settings)
    note = (
        f"with those of {PICTURES}" if (settings.carried / PICTURES).is_file() else "python -m benchmarks.gpu --prepare"
    )
    lost = f"{len(without)} left out, whose flaws OpenCV draws: " if without else ""
    same = "; the device is the CPU here, and differences are none" if settings.device == "cpu" else ""
    report.row("pictures of the contract", float(len(cases)), note=f"{lost}{note}{same}")
    shown = [np.asarray(image) for image in varied(settings.size(96, 8), scale=1.0 if not settings.small else 0.5)]
    drawn = [Case(f"drawn {at}", pixels, fields={"prompt": _PROMPT}) for at, pixels in enumerate(shown)]
    checks = {name: check for name, check in registry.checks().items() if not check().absent()}
    # those that need no model first: what they say is the device's own work
    for name in sorted(checks, key=lambda name: (bool(checks[name]().weights()), name)):
        report.attempt(name, lambda name=name: _compare(report, settings, name, cases, drawn))


def _compare(report: Report, settings: Settings, name: str, cases: Sequence[Case], drawn: Sequence[Case]) -> None:
    check = registry.checks()[name]().resolved("cpu")
    on_cpu, on_device = check.load("cpu"), check.load(settings.device)
    model = bool(check.weights()) or name in ("text", "overlay", "composition", "personal_data")
    meant = {case.name for case in Judging(check).cases} if model else {case.name for case in cases}
    chosen = [case for case in cases if case.name in meant]
    for title, group in (("contract", chosen), ("drawn", drawn[:4] if model else drawn)):
        # those that run a model do so on the CPU in either case, and take long
        group = group[: settings.size(8, 2)] if model else group[: settings.size(len(group), 8)]
        difference, results = Difference(), {}
        for given in _batches(group, check):
            moved = replace(given, pixels=given.pixels.to(settings.device))
            pairs = zip(given.ids, _say(on_cpu, given), _say(on_device, moved), strict=True)
            for case, first, second in pairs:
                results[case] = second
                difference.add(check.outputs, first, second)
        difference.print(report, f"{name}, {title}")
        if title == "contract":
            _compare_stored(report, check, results)


def _say(score: Callable[[ImageBatch], Any], given: ImageBatch) -> list[SampleResult]:
    return list(score(given).by_sample(len(given)))


def _batches(cases: Sequence[Case], check: Check) -> Iterator[ImageBatch]:
    for group in by_shape(cases):
        for at in range(0, len(group), _AT_ONCE):
            yield batch(group[at : at + _AT_ONCE], check.reads())


def _compare_stored(report: Report, check: Check, results: dict[str, SampleResult]) -> None:
    """What the device says against what a CPU with OpenCV once said."""
    kept = json.loads(_STORED.read_text(encoding="utf-8")).get(check.name, {})
    if kept.get("version") != check.version:
        report.row(f"{check.name}, stored", None, note="left out: expected stored scores of this version, got others")
        return
    difference = Difference()
    for name, facts in kept["cases"].items():
        if name in results:
            difference.pictures += 1
            for output in check.outputs:
                stored = facts["scores"].get(output.name)
                known = math.nan if stored is None else float(stored)
                difference.score(output, known, results[name].values.get(output.name, math.nan))
    difference.print(report, f"{check.name}, stored")


def contract_cases(settings: Settings) -> tuple[list[Case], list[str]]:
    """Returns the contract's cases with their pictures, and the names of those whose flaw cannot be drawn here."""
    path = settings.carried / PICTURES
    carried = dict(np.load(path)) if path.is_file() else {}
    made, without = [], []
    for case in CASES:
        if case.defect is None:
            made.append(case)
            continue
        try:
            pixels = carried.get(case.name)
            pixels = case.pixels if pixels is None else pixels
        except ModuleNotFoundError:  # the flaw is drawn by a library that is not here
            without.append(case.name)
            continue
        made.append(replace(case, picture=pixels, defect=None))
    return made, without


def prepare(folder: Path) -> None:
    """Writes the contract's pictures with their flaws, for a machine that cannot draw them."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / PICTURES
    np.savez_compressed(path, **{case.name: case.pixels for case in CASES if case.defect is not None})
    print(f"wrote {path}: {path.stat().st_size / 1e6:.0f} MB")


def one_batch(images: Sequence[np.ndarray], device: str) -> ImageBatch:
    """Returns pictures of one shape as a batch on a device, with a prompt each."""
    given = batch_of(*images, prompt=[_PROMPT] * len(images))
    return replace(given, pixels=given.pixels.to(device))
