"""Failure modes by family."""

from __future__ import annotations

import numpy as np
import pytest

from loupe.brain.core.taxonomy import FAILURE_MODES
from loupe.brain.slicing.families import column_of, family_of, fold
from loupe.brain.slicing.outcomes import State
from loupe.brain.slicing.table import tabulate


def _states(n: int, modes: list[str]) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    return {mode: rng.integers(0, 4, n).astype(np.int8) for mode in modes}


@pytest.mark.parametrize("unfolded", [(), ("artifact",), ("exposure", "artifact", "text")])
def test_a_family_fails_where_one_of_its_modes_does(unfolded: tuple[str, ...]) -> None:
    modes = ["blur", "halo", "dark", "bright", "text_omission"]
    states = _states(500, modes)
    whole, columns = fold(states, unfolded)
    for family in ("artifact", "exposure", "text"):
        own = [states[mode] for mode in modes if FAILURE_MODES[mode].group == family]
        for index, state in enumerate(whole[column_of(family)]):
            given = [State(each[index]) for each in own]
            if State.FAILED in given:
                expected = State.FAILED
            elif State.PASSED in given:
                expected = State.PASSED
            elif State.UNKNOWN in given:
                expected = State.UNKNOWN
            else:
                expected = State.UNCHECKED
            assert state == expected
    shown = [family_of(column) or column for column in columns]
    expected_columns: list[str] = []
    for family in ("artifact", "exposure", "text"):
        own_modes = [mode for mode in modes if FAILURE_MODES[mode].group == family]
        expected_columns += [family, *(own_modes if family in unfolded else [])]
    assert shown == expected_columns


def test_what_never_failed_is_no_column_but_on_request_and_the_totals_stay() -> None:
    states = _states(60, ["blur", "dark"]) | {"halo": np.full(60, State.PASSED), "seam": np.full(60, State.UNKNOWN)}
    states["grayscale"] = np.full(60, State.PASSED)
    assert fold(states, ["artifact", "exposure"])[1] == ["family:artifact", "blur", "family:exposure", "dark"]
    every = fold(states, ["artifact"], every_mode=True)[1]
    assert every == ["family:artifact", "blur", "halo", "seam", "family:exposure"]
    assert fold({"halo": np.full(3, State.PASSED)})[1] == ["family:artifact"]

    whole, columns = fold(states, ["artifact"])
    time = ["day", "night", None] * 20
    plain, folded = tabulate("time", time, states), tabulate("time", time, whole, columns=columns)
    assert folded.modes == tuple(columns)
    assert (folded.n, folded.failed, folded.unknown, folded.unchecked) == (
        plain.n,
        plain.failed,
        plain.unknown,
        plain.unchecked,
    )
    for rates in (folded.overall, *folded.cells):
        assert [rate.failure for rate in rates] == columns
    blur = columns.index("blur")
    assert folded.overall[blur] == plain.overall[plain.modes.index("blur")]
    assert folded.modes_left_out == folded.milder_left_out == 0


def test_a_sample_has_passed_where_it_was_judged_for_a_mode_that_never_fails() -> None:
    """As `loupe.slice(failure="artifact")` counts it: of all modes of the family, whichever are shown."""
    states = {
        "blur": np.array([State.FAILED, State.UNKNOWN, State.UNCHECKED]),
        "halo": np.array([State.PASSED, State.PASSED, State.UNKNOWN]),
    }
    whole, columns = fold(states, ["artifact"])
    assert columns == ["family:artifact", "blur"]
    assert whole["family:artifact"].tolist() == [State.FAILED, State.PASSED, State.UNKNOWN]
