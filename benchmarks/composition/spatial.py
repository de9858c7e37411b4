"""Relations: the check's verdicts, and those of others, against the human ones.

Precision of a verdict is the share that the person agrees with, of those pictures on which the person decided (as in
SpatialBench-UC: a verdict on an UNDECIDABLE picture counts for coverage only); *strict* counts those as wrong, too.
Coverage is the share of all pictures with a verdict. The table over the least likelihood shows what the choice of it
costs on the measured half; the one in use was chosen before, on the other.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from benchmarks.composition.human import Case, stored
from benchmarks.composition.scoring import scored
from benchmarks.figures import header, row, share
from loupe.brain.checks.composition import Composition
from loupe.brain.measures.composition import calibrated
from loupe.brain.perception.detectors.detection import usable


def spatial() -> None:
    """Prints precision and coverage of verdicts on relations."""
    cases = [case for case in stored() if case.human]
    specs, boxes = [case.spec for case in cases], [case.boxes for case in cases]
    strict = scored(Composition(mode="geneval", detector="field"), specs, boxes)
    ours = scored(Composition(detector="field"), specs, boxes)
    missing = strict["missing_object"] > 0.5
    geneval = np.where(strict["composition_score"] == 1, "PASS", "FAIL")
    rows = {
        "GenEval, a missing object is a failure": geneval,
        "GenEval, a missing object is unknown": np.where(missing, "", geneval),
        "SpatialBench-UC's checker (stored)": np.array([case.checker.replace("UNDECIDABLE", "") for case in cases]),
        "calibrated": _verdicts(ours["wrong_relation"]),
    }
    human = np.array([case.human for case in cases])
    for title, part in (
        ("measured on", np.array([not case.fitted for case in cases])),
        ("fitted on", np.array([case.fitted for case in cases])),
        ("both halves", np.ones(len(cases), bool)),
    ):
        print(f"\n### Relations, the half {title}: {part.sum()} pictures".replace("the half both", "both"), end=", ")
        print(", ".join(f"{(human[part] == verdict).sum()} {verdict}" for verdict in ("PASS", "FAIL", "UNDECIDABLE")))
        print()
        header("", "agrees", "says wrong", "says right", "says wrong, strict", "coverage")
        for name, verdict in rows.items():
            row(name, *_precision(verdict[part], human[part]))
    held = np.array([not case.fitted for case in cases])
    print()
    header("calibrated, least likelihood of a verdict", "agrees, measured half", "coverage")
    for minimum in (0.2, 0.25, calibrated.DECIDABLE, 0.35, 0.4, 0.5, 0.6):
        verdict = np.array([_verdict_at(case, minimum) for case in cases])[held]
        agrees, *_, coverage = _precision(verdict, human[held])
        row(f"{minimum}{' (in use)' if minimum == calibrated.DECIDABLE else ''}", agrees, coverage)
    seen = missing & (human != "UNDECIDABLE")
    print(f"\nCalled missing by the detector, yet seen by the person: {share(int(seen.sum()), int(missing.sum()))}")


def _verdict_at(case: Case, minimum: float) -> str:
    """The verdict where a likelihood of ``minimum`` is enough."""
    first, second = (usable([box for box in case.boxes if box.label == name], 512, 512) for name in case.objects)
    if not first or not second:
        return ""
    score = calibrated.related(case.relation, first, second, minimum).probability
    return "" if math.isnan(score) else "FAIL" if score > 0.5 else "PASS"


def _verdicts(scores: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(scores), "", np.where(scores > 0.5, "FAIL", "PASS"))


def _precision(verdict: np.ndarray, human: np.ndarray) -> Iterable[str]:
    decided = (verdict != "") & (human != "UNDECIDABLE")
    yield share(int((verdict == human)[decided].sum()), int(decided.sum()))
    for name in ("FAIL", "PASS"):
        mine = decided & (verdict == name)
        yield share(int((human == name)[mine].sum()), int(mine.sum()))
    wrong = verdict == "FAIL"
    yield share(int((human == "FAIL")[wrong].sum()), int(wrong.sum()))
    yield share(int((verdict != "").sum()), len(verdict))
