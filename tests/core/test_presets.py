"""Presets of checks: one name, one meaning."""

from __future__ import annotations

import pytest

from loupe.brain.core import presets, registry
from loupe.brain.core.errors import UnknownName
from loupe.brain.core.specs import BOTH_KINDS
from loupe.brain.core.taxonomy import FAILURE_MODES


def test_no_check_and_no_failure_mode_has_the_name_of_a_preset() -> None:
    assert not set(presets.PRESETS) & {*registry.checkable(), *registry.sets(), *FAILURE_MODES}


def test_what_is_in_a_preset_stands_on_the_checks() -> None:
    known = registry.checkable()
    groups = {name: set(presets.members(name, known)) for name in presets.PRESETS}
    named_only = {"aesthetic", "nsfw", "personal_data", "preference"}
    assert groups["all"] == set(known) - named_only
    assert groups["quick"] == {name for name, spec in known.items() if spec.default}
    assert groups["photos"] | groups["generated"] == groups["all"], "each check is for something"
    for spec in known.values():
        assert set(spec.presets) <= set(BOTH_KINDS)
    assert {"sharpness", "motion_blur", "exposure"} <= groups["photos"]
    assert not groups["photos"] & {"hands", "text", "composition"}, "a photo was not drawn from a prompt"
    assert {"hands", "text", "composition"} <= groups["generated"]
    with pytest.raises(KeyError):
        presets.members("photo", known)


def test_presets_stand_beside_names_and_specs_and_a_slip_is_caught() -> None:
    known = registry.checkable()
    spec = known["hands"]()
    wanted = presets.expanded(["quick", spec, "blur"], known)
    assert wanted == [*presets.members("quick", known), spec, "blur"]
    with pytest.raises(UnknownName, match="'photos'"):
        registry.pick("check", known, "photo")
