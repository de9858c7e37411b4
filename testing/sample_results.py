"""What a check says, picture by picture: whether it is lawful, and how two of them differ."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from loupe.brain.core.records import Box, Points, SampleResult, Scores
from loupe.brain.core.specs import Check
from loupe.testing.contract import require

if TYPE_CHECKING:
    import numpy as np

#: how far a box may reach over the border by rounding
_ROUNDING = 1e-6


def part_of(result: SampleResult, name: str) -> Any:
    """Returns something of a result that can be compared: an output's value, None if unknown; boxes, points, the map.

    Args:
        result: of one picture
        name: an output's name, or ``"boxes"``, ``"points"`` or ``"maps"``
    """
    if name == "boxes":
        return result.boxes
    if name == "points":
        return result.points
    if name == "maps":
        return () if result.map is None else (result.map.shape, result.map.tobytes())
    value = result.values[name]
    return None if math.isnan(value) else value


def require_form(spec: Check, scores: object, n: int) -> None:
    """Raises ContractError unless there is a float32 for each output and picture, and evidence for each or for none."""
    import torch

    require(isinstance(scores, Scores), "a Scores", type(scores).__name__, "return loupe.brain.core.records.Scores")
    assert isinstance(scores, Scores)
    names = [output.name for output in spec.outputs]
    require(bool(names), "at least one output", "none", "a check that gives no number measures nothing")
    require(set(scores) == set(names), f"the outputs {', '.join(names)}", ", ".join(scores), "give each, and no other")
    for name in names:
        values = scores[name]
        got = f"{getattr(values, 'dtype', type(values).__name__)} {tuple(getattr(values, 'shape', ()))}"
        lawful = isinstance(values, torch.Tensor) and values.dtype == torch.float32 and values.shape == (n,)
        require(lawful, f"{name!r} as a float32 tensor of shape ({n},)", got, "one number for each picture")
    for name in ("reasons", "boxes", "maps", "points"):
        count = len(getattr(scores, name))
        require(count in (0, n), f"none or {n} {name} for {n} pictures", count, "give one for each picture, or ()")


def require_bounds(spec: Check, scores: Scores) -> None:
    """Raises ContractError where a known score is not within the bounds of its output."""
    for output in spec.outputs:
        low, high = output.bounds
        for value in scores[output.name].tolist():
            inside = math.isnan(value) or low <= value <= high
            require(inside, f"{output.name!r} in [{low}, {high}] or NaN", value, "clamp it, or state other bounds")


def require_reasons(spec: Check, scores: Scores) -> None:
    """Raises ContractError where a score is unknown and nobody says why."""
    for output in spec.outputs:
        for index, value in enumerate(scores[output.name].tolist()):
            if math.isnan(value):
                reason = scores.reasons[index] if scores.reasons else None
                require(
                    isinstance(reason, str) and bool(reason.strip()),
                    f"a reason why {output.name!r} is unknown",
                    repr(reason),
                    "put it into Scores.reasons: unknown is an answer, a silent NaN is not",
                )


def require_evidence(spec: Check, scores: Scores) -> None:
    """Raises ContractError where boxes, maps or points are not lawful, or have no field to be written to."""
    import numpy as np

    for box in (box for boxes in scores.boxes for box in boxes):
        require(bool(spec.boxes_field), "boxes_field, the field that boxes go to", spec.boxes_field, "name it")
        x, y, width, height = box.bounds
        inside = min(box.bounds) >= 0 and x + width <= 1 + _ROUNDING and y + height <= 1 + _ROUNDING
        require(inside, "x, y, width, height in [0, 1]", box.bounds, "bounds are relative to the image")
    for heat in (heat for heat in scores.maps if heat is not None):
        require(bool(spec.map_field), "map_field, the field that maps go to", spec.map_field, "name it")
        lawful = isinstance(heat, np.ndarray) and heat.dtype == np.float32 and heat.ndim == 2
        require(lawful, "a map as a (h, w) float32 array", getattr(heat, "dtype", type(heat)), "convert it")
        inside = bool(heat.size) and 0 <= float(heat.min()) <= float(heat.max()) <= 1
        require(inside, "a map in [0, 1]", f"{heat.shape}, {heat.min()} to {heat.max()}", "scale it")
    for points in (points for each in scores.points for points in each):
        require(bool(spec.points_field), "points_field, the field that points go to", spec.points_field, "name it")
        finite = all(math.isfinite(value) for place in points.points for value in place)
        require(finite, "points with finite coordinates", points.points, "leave out those that are not known")


def require_lawful(spec: Check, scores: object, n: int) -> None:
    """Raises ContractError unless all of the above holds."""
    require_form(spec, scores, n)
    assert isinstance(scores, Scores)
    require_bounds(spec, scores)
    require_reasons(spec, scores)
    require_evidence(spec, scores)


def require_same(
    wanted: Sequence[SampleResult], got: Sequence[SampleResult], names: Sequence[str], tolerance: float, do: str
) -> None:
    """Raises ContractError where two answers on the same pictures differ; unknown and a number always differ.

    Args:
        wanted, got: as many
        names: what the pictures are called
        tolerance: how much numbers may differ, relative and absolute
        do: what to do about a difference
    """
    for name, first, second in zip(names, wanted, got, strict=True):
        for output in first.values:
            a, b = first.values[output], second.values[output]
            require(_close(a, b, tolerance), f"{output!r} of {name!r} to be {a}", b, do)
        require(first.reason == second.reason, f"the reason {first.reason!r} for {name!r}", repr(second.reason), do)
        require(
            _alike_boxes(first.boxes, second.boxes, tolerance), f"of {name!r} the boxes {first.boxes}", second.boxes, do
        )
        require(
            _alike_points(first.points, second.points, tolerance),
            f"of {name!r} the points {first.points}",
            second.points,
            do,
        )
        require(_alike_maps(first.map, second.map, tolerance), f"the map of {name!r}", "another one", do)


def _close(a: float, b: float, tolerance: float) -> bool:
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance)


def _alike(a: Any, b: Any, tolerance: float) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return _close(a, b, tolerance)
    return bool(a == b)


def _alike_facts(a: Mapping[str, Any], b: Mapping[str, Any], tolerance: float) -> bool:
    return a.keys() == b.keys() and all(_alike(a[key], b[key], tolerance) for key in a)


def _alike_boxes(a: Sequence[Box], b: Sequence[Box], tolerance: float) -> bool:
    return len(a) == len(b) and all(
        x.label == y.label
        and all(_close(p, q, tolerance) for p, q in zip(x.bounds, y.bounds, strict=True))
        and _alike(x.confidence, y.confidence, tolerance)
        and _alike_facts(x.attributes, y.attributes, tolerance)
        for x, y in zip(a, b, strict=True)
    )


def _alike_points(a: Sequence[Points], b: Sequence[Points], tolerance: float) -> bool:
    return len(a) == len(b) and all(
        x.label == y.label
        and len(x.points) == len(y.points)
        and all(
            _close(p, q, tolerance)
            for here, other in zip(x.points, y.points, strict=True)
            for p, q in zip(here, other, strict=True)
        )
        and _alike_facts(x.attributes, y.attributes, tolerance)
        for x, y in zip(a, b, strict=True)
    )


def _alike_maps(a: np.ndarray | None, b: np.ndarray | None, tolerance: float) -> bool:
    import numpy as np

    if a is None or b is None:
        return a is b
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=tolerance, atol=tolerance))
