"""What the numbers of the checks can be, by their unit."""

from __future__ import annotations

import pytest

from loupe.brain.core import registry
from loupe.brain.core.records import Output

OUTPUTS = [output for check in registry.checks().values() for output in check.outputs]
#: of these units, 0 is none and 1 is all
FROM_NONE_TO_ALL = ("0 or 1", "correlation", "likelihood", "ratio", "score", "share", "share of the width or height")
COUNTED = ("characters", "faces", "hands", "people", "pixels", "wrists")


@pytest.mark.parametrize("output", OUTPUTS, ids=lambda output: output.name)
def test_a_share_is_from_none_to_all_and_a_count_or_a_length_is_never_below_none(output: Output) -> None:
    low, high = output.bounds
    assert low < high
    if output.unit in FROM_NONE_TO_ALL:
        assert (low, high) == (0, 1)
    if output.unit in COUNTED or output.unit == "share of the long side":
        assert low in (0, 1)
        assert high >= 1
