"""``loupe doctor`` as a user runs it: on a sound installation, and on ones that lack something."""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path
from typing import Any

import pytest

from loupe.brain import cli
from loupe.brain.doctor import surroundings
from loupe.brain.doctor.examine import examine

pytestmark = pytest.mark.database


def finding(area: str, name: str) -> Any:
    (made,) = [each for each in examine().findings if (each.area, each.name) == (area, name)]
    return made


def test_a_sound_installation(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor"]) == 0
    text = capsys.readouterr().out
    for area in ("machine", "packages", "extras", "fiftyone", "checks", "embedders", "generators"):
        assert f"\n{area}\n" in f"\n{text}"
    assert "\n0 broken, " in text
    assert cli.main(["doctor", "--json"]) == 0
    assert {each["area"] for each in json.loads(capsys.readouterr().out)["findings"]} >= {"machine", "checks"}


def test_a_package_that_is_lacking_ends_it_with_1(
    database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = importlib.metadata.version

    def version(name: str) -> str:
        if name == "diffusers":
            raise importlib.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    assert cli.main(["doctor"]) == 1
    assert 'pip install "diffusers<1,>=0.42"' in capsys.readouterr().out


def test_model_files_that_are_lacking_are_named_with_their_command(
    database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LOUPE_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("LOUPE_WEIGHTS_DIRS", "")
    hands = finding("checks", "hands")
    assert hands.status == "absent"
    assert "model files are not here" in hands.detail
    assert hands.remedy.startswith("loupe weights get ")
    assert finding("checks", "sharpness").status == "ok"


def test_keys_are_set_or_not_and_never_shown(
    database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("BFL_API_KEY", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret-1234")
    assert finding("generators", "openai_images").detail == "OPENAI_API_KEY is set"
    assert finding("generators", "bfl").status == "absent"
    for more in ([], ["--json"]):
        cli.main(["doctor", *more])
        assert "very-secret" not in capsys.readouterr().out


def test_a_database_that_does_not_answer_is_broken_and_its_password_stays_out(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fiftyone as fo

    def fail() -> None:
        raise ConnectionError("mongodb://anna:s3cret@db.example:27017/?x=s3cret refused")

    monkeypatch.setattr(fo, "list_datasets", fail)
    monkeypatch.setattr(fo.config, "database_uri", "mongodb://anna:s3cret@db.example:27017/admin?password=s3cret")
    made = finding("fiftyone", "database")
    assert made.status == "broken"
    assert made.detail == "mongodb://db.example:27017: ConnectionError: mongodb://db.example:27017 refused"
    assert "FIFTYONE_DATABASE_URI" in made.remedy
    assert not examine().works


def test_the_plugin_as_the_app_finds_it(database: str, tmp_path: Path) -> None:
    from loupe.brain.doctor.packages import ROOT
    from loupe.brain.store.installation import Plugin

    looked = surroundings._plugin
    assert looked(Plugin(ROOT, "0.1.0", True)).status == "ok"
    assert looked(None).remedy.startswith(f'ln -s "{ROOT}" ')
    assert looked(Plugin(ROOT, "0.1.0", False)).remedy == "fiftyone plugins enable @loupe/loupe"
    other = looked(Plugin(tmp_path, "0.0.9", True))
    assert other.status == "absent"
    assert f"the App runs {tmp_path} (0.0.9)" in other.detail


def test_a_device_that_is_not_here_is_broken(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOUPE_DEVICE", "cuda:77")
    made = finding("machine", "device")
    assert made.status == "broken"
    assert "cuda:77" in made.detail
