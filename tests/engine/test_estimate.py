"""How long a run will take."""

from __future__ import annotations

import pytest

from loupe.brain.core import registry
from loupe.brain.engine import estimate


def test_each_check_states_a_cost() -> None:
    for spec in registry.checks().values():
        assert 0 < spec.cost < 10_000, spec.name


def test_more_pictures_take_longer_and_more_cores_share_the_work_but_for_the_dearest() -> None:
    known = registry.checks()
    light = [known[name]() for name in ("sharpness", "exposure", "seam", "tiling")]

    def seconds(n: int, cores: int, names: tuple[str, ...] = ()) -> float:
        return estimate.seconds([*light, *(known[name]() for name in names)], n, speed=1, cores=cores)

    assert seconds(200, 1) == pytest.approx(2 * seconds(100, 1))
    assert seconds(100, 2) == pytest.approx(seconds(100, 1) / 2)
    # a check that keeps state is one thread at a time, and the others are as many as there are cores
    alone = type("Alone", (known["seam"],), {"cost": 400.0, "stateless": False})()
    assert estimate.seconds([*light, alone], 100, speed=1, cores=64) == pytest.approx(100 * 400.3 / 1000)
    assert seconds(100, 8, ("text",)) == pytest.approx(seconds(100, 1, ("text",)) / 8)
    assert estimate.seconds(light, 100, speed=2, cores=1) == pytest.approx(seconds(100, 1) / 2)
    assert estimate.seconds(light, 0) == 0


def test_the_speed_of_this_machine_is_measured_once() -> None:
    estimate.core_speed.cache_clear()
    speed = estimate.core_speed()
    assert 0.01 < speed < 100
    assert estimate.core_speed() == speed


def test_smaller_pictures_take_less_but_not_without_end_and_larger_ones_are_only_read_longer() -> None:
    known = registry.checks()
    light, network = [known["exposure"]()], [known["hands"]()]

    def seconds(checks: list[object], *megapixels: float) -> float:
        return estimate.seconds(checks, 1000, megapixels=megapixels, speed=1, cores=1)  # type: ignore[arg-type]

    assert seconds(light) == pytest.approx(seconds(light, 1024 * 1024 / 1e6))
    assert seconds(light, 0.001) < seconds(light) / 10
    assert seconds(light, 1e-6) > 0
    assert seconds(network, 0.001) > seconds(network) / 6, "a network's input has one size"
    reading = 1000 * 11e-3 * (12e6 / 1024**2 - 1)
    assert seconds(light, 12) - seconds(light) == pytest.approx(reading), "it is judged at its resolution"
    assert seconds(light, 0.001, 12) == pytest.approx((seconds(light, 0.001) + seconds(light, 12)) / 2)
