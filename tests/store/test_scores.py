"""What one check writes leaves alone what other checks have said: scores, reasons, boxes, points and maps."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from loupe.brain.core.records import Box, Output, Points, Scores
from loupe.brain.core.specs import Check
from loupe.brain.engine.reader import Row
from loupe.brain.engine.runner import Verdict
from loupe.brain.imaging.batches import ImageBatch

pytestmark = pytest.mark.database


def check_named(check: str) -> Check:
    @dataclass(frozen=True)
    class Named(Check):
        """Named: a check of this test."""

        name = check
        version = 1
        reference = "this test"
        license = "Apache-2.0"
        outputs = (Output(f"{check}_score", "0 to 1", False, (0, 1), "A score"),)
        boxes_field = "flaws"
        map_field = f"{check}_map"
        points_field = f"{check}_points"

        def load(self, device: str) -> Callable[[ImageBatch], Scores]:
            raise NotImplementedError

    return Named()


HAZE, DUST = check_named("haze"), check_named("dust")


@pytest.fixture
def two(dataset: Any) -> Any:
    import fiftyone as fo

    from loupe.brain.store import scores

    dataset.add_samples([fo.Sample(filepath=f"/nowhere/{index}.png") for index in range(2)], progress=False)
    checks = [HAZE, DUST]
    scores.declare(
        dataset,
        [output for check in checks for output in check.outputs],
        ["flaws"],
        [check.map_field for check in checks if check.map_field],
        [check.points_field for check in checks if check.points_field],
    )
    return dataset


def write(dataset: Any, check: Check, said_of: Mapping[int, Mapping[str, Any]]) -> None:
    """Writes what a check says of the samples at those places; ``score`` is NaN where it is not given."""
    from loupe.brain.store import scores

    ids = dataset.values("id")
    name = check.name
    verdicts = []
    for place, facts in said_of.items():
        broke = "error" in facts
        verdicts.append(
            Verdict(
                row=Row(ids[place], "x", {}, frozenset({name}), {name: facts.get("key", "k1")}),
                scores={} if broke else {f"{name}_score": facts.get("score", math.nan)},
                reasons={name: facts["reason"]} if "reason" in facts else {},
                boxes={name: (Box(facts["box"], (0.1, 0.2, 0.3, 0.4)),)} if "box" in facts else {},
                maps={name: np.full((2, 3), facts["map"], np.float32)} if "map" in facts else {},
                errors={name: facts["error"]} if broke else {},
                points={name: (Points(facts["points"], ((0.5, 0.25),)),)} if "points" in facts else {},
            )
        )
    scores.write(dataset, verdicts, [check])
    dataset.reload()


def reasons(dataset: Any) -> list[dict[str, str]]:
    columns = dataset.values(["unknown.classifications.label", "unknown.classifications.reason"])
    return [dict(zip(labels or [], texts or [], strict=True)) for labels, texts in zip(*columns, strict=True)]


def boxes(dataset: Any) -> list[list[tuple[str, str]]]:
    columns = dataset.values(["flaws.detections.check", "flaws.detections.label"])
    return [sorted(zip(checks or [], labels or [], strict=True)) for checks, labels in zip(*columns, strict=True)]


def test_reasons_and_boxes_of_another_check_are_kept(two: Any) -> None:
    write(two, HAZE, {0: {"reason": "too small", "box": "a"}, 1: {"score": 0.5, "box": "b"}})
    write(two, DUST, {0: {"reason": "no ground", "box": "c"}, 1: {"reason": "dark"}})
    assert reasons(two) == [{"dust": "no ground", "haze": "too small"}, {"dust": "dark"}]
    assert boxes(two) == [[("dust", "c"), ("haze", "a")], [("haze", "b")]]
    write(two, HAZE, {0: {"score": 0.25}})
    assert reasons(two) == [{"dust": "no ground"}, {"dust": "dark"}]
    assert boxes(two) == [[("dust", "c")], [("haze", "b")]]
    assert two.values("quality.haze_score") == [0.25, 0.5]


def test_each_sample_gets_its_own_score_map_and_points(two: Any) -> None:
    write(two, HAZE, {0: {"score": 0.1, "map": 0.25, "points": "p"}, 1: {"score": 0.9, "map": 0.75, "points": "q"}})
    assert two.values("quality.haze_score") == [0.1, 0.9]
    assert [sample.haze_map.map.tolist() for sample in two] == [[[0.25] * 3] * 2, [[0.75] * 3] * 2]
    assert two.values("haze_points.keypoints.label") == [["p"], ["q"]]
    assert two.values("haze_points.keypoints.points") == [[[[0.5, 0.25]]]] * 2
    assert two.values("flaws.detections.bounding_box") == [[], []]


def test_an_unknown_score_is_null_and_a_new_run_takes_the_reason_back(two: Any) -> None:
    write(two, HAZE, {0: {"score": 0.5}, 1: {"score": 0.5}})
    write(two, HAZE, {0: {"reason": "blurred", "key": "k2"}})
    assert two.values("quality.haze_score") == [None, 0.5]
    assert [keys["haze"] for keys in two.values("checked")] == ["k2", "k1"]
    write(two, HAZE, {0: {"score": 0.75}})
    assert reasons(two) == [{}, {}]


def test_an_error_leaves_a_check_as_if_it_had_never_run_and_others_as_they_were(two: Any) -> None:
    write(two, HAZE, {0: {"score": 0.5, "box": "a", "map": 0.5, "points": "p", "reason": "partly"}})
    write(two, DUST, {0: {"score": 0.125, "box": "b", "reason": "partly, too"}})
    write(two, HAZE, {0: {"error": "RuntimeError: broke"}})
    sample = two.first()
    assert (sample.quality["haze_score"], sample.quality["dust_score"]) == (None, 0.125)
    assert "haze" not in sample.checked
    assert sample.checked["dust"] == "k1"
    assert (sample.haze_map, sample.haze_points) == (None, None)
    assert boxes(two)[0] == [("dust", "b")]
    assert reasons(two)[0] == {"dust": "partly, too"}


def test_the_first_write_of_a_sample_does_not_lose_what_a_later_one_adds(two: Any) -> None:
    write(two, HAZE, {0: {"score": 0.5}})
    write(two, DUST, {0: {"score": 0.25}, 1: {"score": 0.75}})
    assert two.values("quality.haze_score") == [0.5, None]
    assert two.values("quality.dust_score") == [0.25, 0.75]
    assert [sorted(keys) for keys in two.values("checked")] == [["dust", "haze"], ["dust"]]


def test_failures_are_replaced_on_the_samples_named_only(two: Any) -> None:
    from loupe.brain.core.records import Failure
    from loupe.brain.store import scores, standing

    def stands() -> list[Any]:
        read_ids, failures, _ = standing.read(two, [])
        assert read_ids == ids
        return [failures.of(at) for at in range(2)]

    ids = two.values("id")
    blur, dark = Failure("blur", 0.9, 0.5, "sharpness"), Failure("dark", 0.01, 0.2, "exposure")
    assert stands() == [None, None]
    scores.write_failures(two, ids, [(blur,), (dark, blur)])
    assert stands() == [(blur,), (dark, blur)]
    scores.write_failures(two, ids[:1], [()])
    assert stands() == [(), (dark, blur)]


def test_the_field_of_a_score_says_its_unit_and_which_way_is_better(two: Any) -> None:
    from loupe.brain.store import scores

    scores.declare(two, [Output("width", "pixels", None, (1, math.inf), "The width")])
    assert two.get_field("quality.haze_score").description == "A score (0 to 1; lower is better)"
    assert two.get_field("quality.width").description == "The width (pixels)"
