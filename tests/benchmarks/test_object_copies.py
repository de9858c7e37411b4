"""Planted copies of objects: each change keeps the object in its box, and the table counts what is found."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from benchmarks.labels import object_copies
from benchmarks.labels.objects import _scenes, _within
from benchmarks.labels.pasting import CHANGES, crop


def _boxed(n: int) -> list[object_copies.Boxed]:
    return [
        object_copies.Boxed(each.pixels, _within(each.boxes[at % 2], 640, 480))
        for at, each in enumerate(islice(_scenes(n), n))
    ]


@pytest.mark.parametrize("change", CHANGES)
def test_the_box_of_a_copy_is_where_the_copy_is(change: str) -> None:
    import cv2

    first, other = _boxed(2)
    made, box = CHANGES[change](first.pixels, first.box, other.pixels, np.random.default_rng(0))
    before, after = crop(first.pixels, first.box), crop(made, box)
    after = cv2.resize(after, before.shape[1::-1], interpolation=cv2.INTER_AREA)
    middle = np.s_[before.shape[0] // 3 : -before.shape[0] // 3, before.shape[1] // 3 : -before.shape[1] // 3]
    alike = [np.corrcoef(before[middle].ravel(), turned[middle].ravel())[0, 1] for turned in (after, after[:, ::-1])]
    # texture of a few pixels: a shift by some of them leaves less of it
    assert max(alike) > 0.25
    assert -10 < box[0] < box[2] < made.shape[1] + 10
    assert -10 < box[1] < box[3] < made.shape[0] + 10


def test_the_table_counts_what_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    object_copies.print_copies(_boxed(5), "scenes", sizes=((8, 12), (40, 60)))
    lines = {
        cells[1].strip(): cells[2:] for line in capsys.readouterr().out.splitlines() if (cells := line.split("|"))[1:]
    }
    jpeg = lines["the same picture, JPEG 75"]
    n = jpeg[1].split("/")[1].split(")")[0]
    assert jpeg[0].strip().startswith("0.000"), "too small to compare"
    assert f"({n}/{n})" in jpeg[1]
    assert jpeg[2].strip().startswith("0.000")
    assert int(lines["cut out (an ellipse), pasted"][3]) == int(n)
