"""What the panel "Failures by scenario" draws, without a dataset."""

from __future__ import annotations

import html

import pytest

from loupe.brain.core.results import Rate, Slice
from loupe.brain.stats.intervals import wilson

pytestmark = pytest.mark.slow


def made(failures: int, n: int, value: str | None = "day") -> Rate:
    low, high = (float(end) for end in wilson(failures, n))
    rate = failures / n if n else float("nan")
    return Rate(Slice({} if value is None else {"time": value}), "blur", n, failures, 3, 4, rate, low, high)


def test_every_cell_is_drawn_once_by_how_sure_it_is() -> None:
    from loupe.panels.failures_by_scenario.plot import draw

    cells = [[made(50, 100, None)], [made(1, 4)], [made(0, 0)], [made(0, 500)]]
    data, layout = draw(["all samples", "a", "b", "c"], cells)
    drawn = {trace["name"]: [row[0] is not None for row in trace["z"]] for trace in data}
    assert drawn == {
        "sure": [True, False, False, True],
        "unsure": [False, True, False, False],
        "not judged": [False, False, True, False],
    }
    assert "not<br>judged" in data[2]["text"][2][0]
    assert "± 3" in data[1]["text"][1][0]
    assert "50 %" in data[0]["text"][0][0]
    assert data[0]["hovertext"][3][0].split("<br>")[1:] == [
        "0 % failed: 0 of 500 judged",
        "95 % interval: 0 % to 0.8 %",
        "unknown: 3 · not checked: 4",
    ]
    assert layout["height"] > 4 * 40


def test_labels_and_values_are_text_and_never_markup() -> None:
    from loupe.panels.failures_by_scenario.plot import draw

    nasty = '<a href="javascript:alert(1)">x</a> & <b>'
    data, layout = draw(["all samples", nasty], [[made(1, 9, None)], [made(1, 9, nasty)]])
    assert layout["yaxis"]["ticktext"][1] == html.escape(nasty[:27] + "…", quote=False)
    assert html.escape(nasty, quote=False) in data[1]["hovertext"][1][0]
    assert "<a" not in str(data) + str(layout)


def test_no_cell_is_narrower_than_its_number_however_many_columns_there_are() -> None:
    from loupe.panels.failures_by_scenario.plot import min_width

    assert min_width(["all samples"], 33) - min_width(["all samples"], 32) >= 50
    assert min_width(["x" * 500], 1) == min_width(["x" * 28], 1) < 500
