"""What the checks say of the cases of a page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from loupe.brain.core import registry
from loupe.brain.core.records import Output
from loupe.brain.engine import runner
from loupe.brain.engine.reader import Row
from loupe.brain.engine.runner import Verdict
from loupe.brain.similarity import fingerprints
from pages.cases import Case
from pages.pictures import picture, with_defect


def section(output: Output, verdict: Verdict, flawed: bool) -> str:
    """Returns the section that a verdict belongs to; "" for a sound picture that passes.

    Args:
        output: the number that decides
        verdict: what the check said
        flawed: whether the picture has the flaw
    """
    assert output.default_threshold is not None
    score = verdict.scores.get(output.name, float("nan"))
    if np.isnan(score):
        return "Abstains"
    if output.default_threshold.violates(np.array([score]))[0]:
        return "Finds" if flawed else "Flags wrongly"
    return "Misses" if flawed else ""


def judged(cases: Sequence[Case], pictures: Sequence[tuple[np.ndarray, ...]], folder: Path) -> list[Verdict]:
    """Returns the verdict on each case. Pairs are compared with each other as samples of one set.

    Args:
        cases: what is asked
        pictures: one picture for each case, or two for a pair
        folder: an empty one, for the files that the checks read
    """
    known = registry.failures()
    rows, verdicts = [], {}
    for index, (case, made) in enumerate(zip(cases, pictures, strict=True)):
        check, files = known[case.failure][0], []
        for at, pixels in enumerate(made):
            files.append(folder / f"{index}-{at}.png")
            Image.fromarray(pixels).save(files[-1])
        if len(files) == 2:
            verdicts[str(index)] = _compared(files)
        else:
            fields = {"prompt": case.prompt or None}
            rows.append(Row(str(index), str(files[0]), fields, frozenset((check,)), {check: ""}))
    specs = [spec().resolved("cpu") for spec in registry.checks().values()]
    for chunk in runner.run(rows, specs, device="cpu", workers=1):
        verdicts |= {verdict.row.id: verdict for verdict in chunk}
    return [verdicts[str(index)] for index in range(len(cases))]


def _compared(files: list[Path]) -> Verdict:
    """The similarity of two files and whether they are equal, as find_duplicates and find_leaks have them."""
    rows = [Row(str(file), str(file)) for file in files]
    known = fingerprints.read(rows, lambda _: None)
    spec = registry.sets()["duplicates"]()
    threshold = registry.failures()["near_duplicate"][1].default_threshold
    assert threshold is not None
    pairs, highest = fingerprints.across(
        known, np.arange(2), threshold, per_image=spec.per_image, minimum=spec.min_hash, report=lambda _: None
    )
    equal = float(any(kind in ("bytes", "pixels") for kind, _ in pairs.values()))
    scores = {name: float(highest[0]) for name in ("near_duplicate", "leak", "memorized")} | {"exact_duplicate": equal}
    reasons = {"duplicates": known.reasons[0]} if 0 in known.reasons else {}
    return Verdict(rows[0], scores, reasons, {}, {}, {})


def pixels_of(case: Case, folder: Path) -> tuple[np.ndarray, ...]:
    """Returns the case's picture with its flaw; of a pair, both."""
    first = picture(case.picture, folder)
    made = with_defect(first, case.defect, case.severity, case.seed) if case.defect else first
    made = case.change(made) if case.change else made
    if case.other:
        return first, picture(case.other, folder)
    return (first, made) if case.pair else (made,)
