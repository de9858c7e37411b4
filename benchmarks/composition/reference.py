"""The published rules, a second time and as plainly as they are published, and boxes to try them on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def reference_geneval(a: Sequence[float], b: Sequence[float]) -> set[str]:
    """GenEval's relative position of ``a`` from ``b``, in numpy."""
    boxes = np.array([a, b], float).reshape(2, 2, 2)
    centers, sizes = boxes.mean(1), np.abs(boxes[:, 1] - boxes[:, 0])
    offset = centers[0] - centers[1]
    revised = np.maximum(np.abs(offset) - 0.1 * sizes.sum(0), 0) * np.sign(offset)
    if (np.abs(revised) < 1e-3).all():
        return set()
    x, y = revised / np.linalg.norm(offset)
    tests = {"left of": x < -0.5, "right of": x > 0.5, "above": y < -0.5, "below": y > 0.5}
    return {name for name, holds in tests.items() if holds}


def reference_t2i(relation: str, a: Sequence[float], b: Sequence[float]) -> float:
    """T2I-CompBench's score of a position, from the second box's point of view as in the original."""
    x = (b[0] + b[2]) / 2 - (a[0] + a[2]) / 2
    y = (b[1] + b[3]) / 2 - (a[1] + a[3]) / 2
    common = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common
    overlap = common / union
    if relation in ("next to", "near"):
        return 1 if abs(x) < 150 or abs(y) < 150 else 150 / max(abs(x), abs(y))
    horizontal, vertical = abs(x) > abs(y), abs(y) > abs(x)
    right_way = {
        "right of": x < 0 and horizontal,
        "left of": x > 0 and horizontal,
        "below": y < 0 and vertical,
        "above": y > 0 and vertical,
    }
    return 0 if not right_way[relation] else 1 if overlap < 0.1 else 0.1 / overlap


def random_boxes(n: int, seed: int) -> np.ndarray:
    """Returns (n, 4) boxes of all sizes in a picture of 512 x 512, a tenth of them on whole pixels."""
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, 480, (n, 2))
    boxes = np.concatenate([low, low + rng.uniform(1, 1, (n, 2)) + rng.exponential(120, (n, 2))], 1)
    boxes[::10] = np.round(boxes[::10])
    return boxes
