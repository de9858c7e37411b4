"""What is known of a set of samples as a whole, against counting sample by sample."""

from __future__ import annotations

import numpy as np

from loupe.brain.slicing.outcomes import State
from loupe.brain.slicing.overview import overview


def test_every_number_is_what_counting_gives() -> None:
    rng = np.random.default_rng(0)
    states = {name: rng.integers(0, 4, 50).astype(np.int8) for name in ("blur", "dark")}
    states["seam"] = np.full(50, State.PASSED, dtype=np.int8)
    states["seam"][:20] = State.UNCHECKED
    states["hand_malformed"] = np.full(50, State.UNKNOWN, dtype=np.int8)
    states["halo"] = np.zeros(50, dtype=np.int8)
    known = overview(states, 50)
    rows = [[State(column[at]) for column in states.values()] for at in range(50)]
    assert known.failed == sum(State.FAILED in row for row in rows)
    assert known.passed == sum(State.PASSED in row and State.FAILED not in row for row in rows)
    assert known.unknown == sum(State.UNKNOWN in row for row in rows) == 50
    assert known.unchecked == sum(not {State.PASSED, State.FAILED} & set(row) for row in rows) > 0
    assert known.failed + known.passed + known.unchecked == 50
    assert [rate.failure for rate in known.failing] == sorted(
        ("blur", "dark"), key=lambda name: -(states[name] == State.FAILED).sum()
    )
    assert (known.clean, known.unjudged) == (("seam",), ("hand_malformed",))
    for rate in known.failing:
        failing = np.flatnonzero(states[rate.failure] == State.FAILED).tolist()
        picked = known.examples[rate.failure]
        assert len(picked) == len(set(picked)) == 4
        assert (picked[0], picked[-1]) == (failing[0], failing[-1])
        assert set(picked) <= set(failing)


def test_nothing_is_known_of_nothing() -> None:
    known = overview({}, 3)
    assert (known.n, known.failed, known.passed, known.unchecked, known.failing) == (3, 0, 0, 3, ())
    assert overview({"blur": np.zeros(0, dtype=np.int8)}, 0).n == 0
