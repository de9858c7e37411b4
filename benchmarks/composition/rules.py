"""GenEval's and T2I-CompBench's rules against their second implementation."""

from __future__ import annotations

import math

import numpy as np

from benchmarks.composition.human import Case, corners, stored
from benchmarks.composition.reference import random_boxes, reference_geneval, reference_t2i
from benchmarks.composition.scoring import scored
from benchmarks.figures import header, row, share
from loupe.brain.checks.composition import Composition
from loupe.brain.measures.composition import geometry

SIDES = ("left of", "right of", "above", "below")


def rules() -> None:
    """Prints how often the rules agree with their second implementation, and with the verdicts stored with boxes."""
    pairs = []
    cases = stored()
    for case in cases:
        first, second = ([box for box in case.boxes if box.label == name] for name in case.objects)
        pairs += [(corners(a), corners(b)) for a in first for b in second]
    made = [(tuple(a), tuple(b)) for a, b in zip(random_boxes(20000, 0), random_boxes(20000, 1), strict=True)]
    header("rule", "boxes", "the same")
    for name, boxes in (("stored", pairs), ("random", made)):
        same = sum(set(geometry.geneval_relations(a, b)) == reference_geneval(a, b) for a, b in boxes)
        row("GenEval, relation", name, f"{same} of {len(boxes)}")
        same = sum(
            math.isclose(geometry.t2i_position(relation, a, b), reference_t2i(relation, a, b), abs_tol=1e-12)
            for a, b in boxes
            for relation in (*SIDES, "next to", "near")
        )
        row("T2I-CompBench, position", name, f"{same} of {6 * len(boxes)}")
    verdicts = scored(Composition(mode="geneval", detector="field"), [c.spec for c in cases], [c.boxes for c in cases])
    wanted = [_geneval_reference_verdict(case) for case in cases]
    same = int((verdicts["composition_score"] == np.array(wanted, float)).sum())
    row("GenEval, whole verdict of the check", "stored", f"{same} of {len(cases)}")
    decided = [place for place, case in enumerate(cases) if case.checker != "UNDECIDABLE"]
    agree = sum((verdicts["composition_score"][place] == 1) == (cases[place].checker == "PASS") for place in decided)
    row("GenEval, against SpatialBench-UC's checker where that decides", "stored", share(agree, len(decided)))


def _geneval_reference_verdict(case: Case) -> bool:
    """What GenEval would say: the most confident one of each class, above 0.3."""
    best = []
    for name in case.objects:
        mine = sorted((box for box in case.boxes if box.label == name), key=lambda box: -(box.confidence or 0))
        mine = [box for box in mine if (box.confidence or 0) > 0.3]
        if not mine:
            return False
        best.append(corners(mine[0]))
    return case.relation in reference_geneval(best[0], best[1])
