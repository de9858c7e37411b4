"""The committed pictures: free, small, enough for every failure mode; and the scores that checks give on them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import contract_scores
import pytest
from PIL import Image

from loupe.brain.core import registry
from loupe.brain.perception import weights_table
from loupe.testing import Case, pictures
from loupe.testing.cases import CASES, PICTURES
from loupe.testing.picture_set import FOLDER, names

FREE = {"MIT", "Apache-2.0", "CC-BY-2.0", "CC-BY-4.0", "CC0-1.0", "public domain"}
#: failure modes of checks that no picture in memory can have
WITHOUT = {"unreadable"}
#: nor is an explicit picture committed
NEVER_SHOWN = {"nsfw"}


def test_every_picture_has_an_origin_and_a_free_license() -> None:
    assert set(names()) == set(PICTURES)
    for origin in PICTURES.values():
        assert origin.license in FREE
        assert all(fact.strip() for fact in (origin.what, origin.author, origin.source, origin.changes))


def test_they_are_small_and_large_enough() -> None:
    assert sum(path.stat().st_size for path in FOLDER.glob("*.jpg")) < 2_500_000
    for path in FOLDER.glob("*.jpg"):
        with Image.open(path) as image:
            assert min(image.size) >= 256


def test_every_picture_is_used() -> None:
    assert {case.picture for case in CASES} == set(names())
    assert len({case.name for case in CASES}) == len(CASES)


def test_every_failure_mode_of_a_check_has_a_picture_that_fails_and_one_that_passes() -> None:
    modes = {output.failure for check in registry.checks().values() for output in check.outputs} - {None} - WITHOUT
    assert modes - {mode for case in CASES for mode in case.fails} == NEVER_SHOWN
    assert modes - {mode for case in CASES for mode in case.passes} == set()
    assert {mode for case in CASES for mode in case.modes} <= modes


def test_no_file_is_one_of_the_shared_data(shared_data: Path) -> None:
    mine = {hashlib.sha256(path.read_bytes()).hexdigest() for path in FOLDER.glob("*.jpg")}
    sizes = {path.stat().st_size for path in FOLDER.glob("*.jpg")}
    alike = [path for path in shared_data.rglob("*.jp*g") if path.stat().st_size in sizes]
    assert not mine & {hashlib.sha256(path.read_bytes()).hexdigest() for path in alike}


def test_pictures_come_in_batches_of_one_shape() -> None:
    batches = pictures()
    assert sum(map(len, batches)) == len(CASES)
    assert len({batch.pixels.shape[1:] for batch in batches}) == len(batches)
    assert sorted(name for batch in batches for name in batch.ids) == sorted(case.name for case in CASES)
    assert all("prompt" in batch.fields for batch in batches if "coffee" in batch.ids)


def test_a_case_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        Case("a", "coffee").pixels[:] = 0


def test_the_readme_is_what_the_table_says() -> None:
    assert contract_scores.README.read_text(encoding="utf-8") == contract_scores.readme()


#: a new check has its own test; once its scores are stored, they are held here as well
CHECKS = [
    pytest.param(name, marks=pytest.mark.slow if name in contract_scores.MODELS else ())
    for name in contract_scores.stored()
]


def test_the_scores_of_many_checks_are_stored() -> None:
    assert len(CHECKS) >= 21
    assert set(contract_scores.stored()) <= set(registry.checks())


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("name", CHECKS)
def test_a_check_gives_the_scores_that_are_stored(
    name: str, weights: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = registry.checks()[name]()
    for file in check.weights():
        (tmp_path / weights_table.TABLE[file].file).symlink_to(weights(file))
    if check.weights():
        monkeypatch.setenv("LOUPE_WEIGHTS_DIRS", str(tmp_path))
    assert contract_scores.compared(check) == []


def test_a_difference_is_told_by_its_place() -> None:
    wanted = {"a": {"scores": {"x": 1.0, "y": None}, "reason": "plain", "boxes": [["seam", 0.1]]}}
    assert list(contract_scores.differences(wanted, wanted, 1e-3)) == []
    near = {"a": {**wanted["a"], "scores": {"x": 1.0005, "y": None}}}
    assert list(contract_scores.differences(wanted, near, 1e-3)) == []
    far = {"a": {"scores": {"x": 1.01, "y": 0.0}, "reason": "small", "boxes": []}}
    assert list(contract_scores.differences(wanted, far, 1e-3)) == [
        "a, scores, x: expected 1.0, got 1.01",
        "a, scores, y: expected None, got 0.0",
        "a, reason: expected 'plain', got 'small'",
        "a, boxes: expected [['seam', 0.1]], got []",
    ]


def test_what_is_stored_is_of_the_checks_as_they_are() -> None:
    stored = contract_scores.stored()
    assert {name: kept["version"] for name, kept in stored.items()} == {
        name: registry.checks()[name].version for name in stored
    }
    assert contract_scores.written(stored) == contract_scores.SCORES.read_text(encoding="utf-8")
