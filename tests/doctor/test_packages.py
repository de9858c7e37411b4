"""Which packages are here: as a checkout lists them, and as an installed package does."""

from __future__ import annotations

import importlib.metadata
import tomllib
from pathlib import Path

import pytest

from loupe.brain.doctor import packages
from loupe.brain.doctor.records import Examination, Finding


def by_name(area: str) -> dict[str, Finding]:
    return {finding.name: finding for finding in packages.examined() if finding.area == area}


def pretend(monkeypatch: pytest.MonkeyPatch, **versions: str | None) -> None:
    """Makes a package have another version, or none."""
    real = importlib.metadata.version

    def version(name: str) -> str:
        if name not in versions:
            return real(name)
        if versions[name] is None:
            raise importlib.metadata.PackageNotFoundError(name)
        return str(versions[name])

    monkeypatch.setattr(importlib.metadata, "version", version)


def test_every_requirement_of_this_checkout_is_here() -> None:
    lines = (packages.ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    listed = [line for line in lines if line.strip() and not line.startswith("#")]
    findings = by_name("packages")
    assert len(findings) == len(listed) > 20
    assert {finding.status for finding in findings.values()} == {"ok"}
    assert findings["torch"].detail == importlib.metadata.version("torch")


def test_what_is_lacking_and_what_is_too_old_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, cleanlab=None, numpy="1.26.0")
    findings = by_name("packages")
    assert findings["cleanlab"].status == findings["numpy"].status == "broken"
    assert findings["cleanlab"].detail == "not installed; needs <3,>=2.9"
    assert findings["numpy"].detail == "1.26.0; needs >=2.1"
    assert findings["numpy"].remedy == 'pip install "numpy>=2.1"'


def test_an_extra_is_absent_and_says_what_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, **{"pyarrow": None, "c2pa-python": "0.1"})
    findings = by_name("extras")
    assert findings["parquet"].status == findings["c2pa"].status == "absent"
    assert findings["parquet"].detail == "prompts and metadata from Parquet files"
    assert findings["c2pa"].remedy == 'pip install "c2pa-python>=0.38"'


def test_each_extra_says_what_it_is_for() -> None:
    project = tomllib.loads((packages.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(packages.EXTRAS) == set(project["optional-dependencies"])


def test_outside_of_a_checkout_the_installed_package_says_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(packages, "ROOT", tmp_path)
    listed = ["torch>=2", "none-such>=1", 'peft>=0.17; extra == "lora"', 'tomli; python_version < "3"', "; nonsense"]
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: listed)
    required, extras = packages.required_packages()
    assert [each.name for each in required] == ["torch", "none-such"]
    assert {name: [each.name for each in own] for name, own in extras.items()} == {"lora": ["peft"]}
    assert by_name("packages")["none-such"].status == "broken"


def test_the_table_has_each_remedy_below_its_line_and_counts() -> None:
    made = Examination(
        (
            Finding("packages", "a", "ok", "1.0"),
            Finding("packages", "longer", "broken", "not installed", "pip install longer"),
            Finding("checks", "hands", "absent", "2 files", "loupe weights get x"),
        )
    )
    assert not made.works
    assert made.text().splitlines() == [
        "packages",
        "  ok  a       1.0",
        "  !!  longer  not installed",
        "              -> pip install longer",
        "",
        "checks",
        "  --  hands   2 files",
        "              -> loupe weights get x",
        "",
        "1 broken, 1 absent (Loupe works without), of 3",
    ]
    assert Examination(made.findings[:1]).works
