"""The datasets of folders, by their names."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.database


def test_a_folder_has_a_name_of_its_own(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from loupe.brain.store.named import of_folder

    monkeypatch.chdir(tmp_path)
    name = of_folder(tmp_path / "night" / "cats")
    assert name.startswith("cats-")
    assert len(name) == len("cats-") + 6
    assert name == of_folder(Path("night/./cats")) == of_folder(tmp_path / "day" / ".." / "night" / "cats")
    assert name != of_folder(tmp_path / "day" / "cats"), "another folder of the same name"
    assert of_folder(Path("/")).startswith("root-")
    of_folder(Path("/tmp/\udcff")).encode()


def test_a_dataset_is_made_once_and_stays(database: str) -> None:
    import fiftyone as fo

    from loupe.brain.store.named import opened

    made = opened("loupe-test-named")
    try:
        assert made.persistent
        assert opened("loupe-test-named") is made
        assert fo.dataset_exists("loupe-test-named")
    finally:
        made.delete()
