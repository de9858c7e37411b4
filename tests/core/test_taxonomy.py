"""The failure modes."""

from __future__ import annotations

import pytest

from loupe.brain.core.errors import UnknownName
from loupe.brain.core.taxonomy import FAILURE_MODES, failure_mode

GROUPS = {
    "artifact", "exposure", "text", "anatomy", "composition", "hallucination", "uncanny", "object", "safety", "set",
    "label", "file",
}  # fmt: skip


def test_every_mode_is_whole() -> None:
    assert len(FAILURE_MODES) == 51
    for name, mode in FAILURE_MODES.items():
        assert mode.name == name
        assert name.isidentifier()
        assert name.islower()
        assert mode.group in GROUPS
        assert mode.title[0].isupper()
        assert mode.description.endswith(".")


def test_titles_differ_and_groups_stand_together() -> None:
    assert len({mode.title for mode in FAILURE_MODES.values()}) == len(FAILURE_MODES)
    groups = [mode.group for mode in FAILURE_MODES.values()]
    runs = [group for index, group in enumerate(groups) if index == 0 or groups[index - 1] != group]
    assert len(runs) == len(set(runs)) == len(GROUPS)


def test_a_mode_by_name() -> None:
    assert failure_mode("blur").title == "Blur"
    with pytest.raises(UnknownName, match="Did you mean 'text_omission'"):
        failure_mode("text_omision")
