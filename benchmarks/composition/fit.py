"""The coefficients of brain/measures/composition/calibrated.py, fitted again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.composition.human import corners, stored
from benchmarks.composition.photos import asked_photos, model
from loupe.brain.measures.composition import calibrated, geometry


def fit() -> None:
    """Prints the coefficients of ``calibrated``, fitted on their halves."""
    from scipy.optimize import minimize

    gaps, verdicts = [], []
    for case in stored():
        if case.fitted and case.human:
            best = []
            for name in case.objects:
                mine = [box for box in case.boxes if box.label == name]
                best.append(max(mine, key=lambda box: box.confidence or 0) if mine else None)
            if best[0] and best[1]:
                gaps.append(geometry.side_gap(case.relation, corners(best[0]), corners(best[1])))
                verdicts.append(("FAIL", "UNDECIDABLE", "PASS").index(case.human))
    gap, verdict = np.array(gaps), np.array(verdicts)

    def ordered(values: np.ndarray) -> float:
        slope, fails, holds = values[0], values[1], values[1] + math.exp(values[2])
        wrong, right = 1 / (1 + np.exp(slope * gap - fails)), 1 / (1 + np.exp(holds - slope * gap))
        chosen = np.choose(verdict, [wrong, np.clip(1 - wrong - right, 1e-9, 1), right])
        return float(-np.log(np.clip(chosen, 1e-9, 1)).sum() + 0.02 * slope**2)

    slope, fails, step = minimize(ordered, [3.0, -1.5, 1.0]).x
    holds = fails + math.exp(step)
    print(f"\nSIDE_SLOPE, SIDE_FAILS, SIDE_HOLDS = {slope:.2f}, {fails:.2f}, {holds:.2f}  (n = {len(gap)})")

    from loupe.brain.perception.detectors.yolox import load

    find = load(Path(model())).find
    likelihoods: dict[Path, Mapping[str, float]] = {}
    scores, shown = [], []
    for number, is_shown, noun, path in asked_photos():
        if number % 2 == 0:
            if path not in likelihoods:
                boxes = find(np.array(Image.open(path).convert("RGB")), ())
                likelihoods[path] = {box.label: box.confidence or 0.0 for box in reversed(boxes)}
            scores.append(min(max(likelihoods[path].get(noun, 0.05), 0.05), 0.99))
            shown.append(is_shown)
    value, label = np.log(np.array(scores) / (1 - np.array(scores))), np.array(shown)
    weight = np.where(label, 0.5 / label.sum(), 0.5 / (~label).sum()) * 2 * label.sum()

    def logistic(values: np.ndarray) -> float:
        z = np.where(label, 1, -1) * (values[0] + values[1] * value)
        return float((weight * np.logaddexp(0, -z)).sum() + 0.02 * values[1] ** 2)

    intercept, slope = minimize(logistic, [0.0, 1.0]).x
    print(f"PRESENCE = {intercept:.2f}, {slope:.2f}  (n = {label.sum()} there, {(~label).sum()} not)")
    print(f"in use: {calibrated.SIDE_SLOPE, calibrated.SIDE_FAILS, calibrated.SIDE_HOLDS}, {calibrated.PRESENCE}")
