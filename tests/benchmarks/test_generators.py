"""The benchmarks of repair and rebalance do what they say, on a few signs and with a reader that cannot read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.generators.rebalance import CELLS, right, rows
from benchmarks.generators.sign_reader import ColumnNet, Reading, SignReader
from loupe.brain.core import registry


class Fixed(SignReader):
    """Reads the same of each picture: its darkest value."""

    def __init__(self) -> None:
        super().__init__(ColumnNet())

    def read(self, pixels: np.ndarray) -> list[Reading]:
        return [Reading(str(int(each.min())), 1.0) for each in pixels]


@pytest.mark.database
def test_repair_is_measured_with_the_gate_and_without(database: str, tmp_path: Path, one_thread: None) -> None:
    from benchmarks.generators.repair import checks_of, looked_at, measure
    from benchmarks.generators.sign_pools import Readers, make_pool

    session = registry.generator_of("tiny-signs").load("cpu")
    loaded, readers = checks_of("sign_digits"), Readers((Fixed(), Fixed()))
    pool = looked_at(make_pool("usual", readers, 2, 3, tmp_path), loaded)
    assert pool.jobs, "of twelve signs some are wrong"
    made = measure(replace(pool, jobs=pool.jobs[:1]), session, loaded, readers, "redraw", 1)
    assert list(made.tallies) == ["gate", "no gate", "the readers choose"]
    assert made.tallies["no gate"].kept.n == 1
    assert made.seconds[0] >= made.seconds[1] > 0


def test_signs_of_each_cell_are_asked_for_and_read(tmp_path: Path) -> None:
    asked = rows(CELLS, 3, seed=1)
    assert len(asked) == 3 * len(CELLS)
    assert {f"{each['weather']}-{each['digits']}" for each in asked} == set(CELLS)
    assert rows(CELLS, 3, seed=1) == asked
    assert rows(CELLS, 3, seed=2) != asked
    paths = [str(tmp_path / f"{value}.png") for value in (7, 8)]
    for value, path in zip((7, 8), paths, strict=True):
        Image.fromarray(np.full((32, 96, 3), value, np.uint8)).save(path)
    prompts = ['a red sign that says "7", night, fog'] * 2
    assert right(Fixed(), paths, prompts) == [True, False]
    assert right(Fixed(), [], []) == []
