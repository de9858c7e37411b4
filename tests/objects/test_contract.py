"""What every object measure keeps to, and which checks know crops."""

from __future__ import annotations

import dataclasses
import inspect
import json

import numpy as np
import pytest

from loupe.brain.core import registry
from loupe.brain.core.presets import PRESETS
from loupe.brain.core.taxonomy import FAILURE_MODES

MEASURES = registry.objects()


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_is_whole_and_keeps_within_its_bounds(name: str) -> None:
    spec = MEASURES[name]()
    assert spec.name == name
    assert spec.version >= 1
    assert spec.reference
    assert spec.license
    assert (inspect.getdoc(type(spec)) or "").splitlines()[0].endswith(".")
    json.dumps(spec.params())
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.name = "other"  # type: ignore[misc]
    rng = np.random.default_rng(0)
    starts = rng.uniform(-20, 90, (500, 2))
    boxes = np.concatenate([starts, starts + rng.uniform(21, 90, (500, 2))], 1)
    sizes = np.full((500, 2), 100.0)
    scores = spec.score(boxes, sizes)
    assert set(scores) == {output.name for output in spec.outputs}
    for output in spec.outputs:
        values = scores[output.name]
        assert values.shape == (500,)
        assert np.isfinite(values).all()
        assert output.bounds[0] <= values.min() <= values.max() <= output.bounds[1]
        one_by_one = [spec.score(boxes[at : at + 1], sizes[at : at + 1])[output.name][0] for at in range(0, 500, 50)]
        assert one_by_one == pytest.approx(values[::50].tolist(), nan_ok=False)


def test_names_are_free_and_failure_modes_known() -> None:
    judging = [*registry.checks().values(), *registry.sets().values(), *MEASURES.values()]
    outputs = [output.name for spec in judging for output in spec.outputs]
    assert len(outputs) == len(set(outputs))
    names = [spec.name for spec in judging]
    assert len(names) == len(set(names))
    assert not set(MEASURES) & {*PRESETS}
    assert registry.object_failures().keys() <= FAILURE_MODES.keys()
    # what stands on a detection anyway is no score
    taken = {"label", "bounding_box", "mask", "confidence", "index", "tags", "source", "failures", "unknown", "id"}
    assert not taken & {output.name for _, output in registry.object_failures().values()}


def test_checks_say_themselves_whether_they_know_crops() -> None:
    of_crops = {name for name, spec in registry.checks().items() if not spec().not_of_crops()}
    assert of_crops == {
        "aliasing", "color_bleeding", "exposure", "grayscale", "halo", "information", "motion_blur", "sharpness",
    }  # fmt: skip
    for spec in registry.checks().values():
        why = spec().not_of_crops()
        assert not why or (why[0].islower() and not why.endswith("."))
    assert {"blur", "dark", "cut", "tiny"} <= registry.object_failures().keys()
    assert not {"cut", "tiny"} & registry.failures().keys()
