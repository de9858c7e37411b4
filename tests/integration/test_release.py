"""What a release says of itself is the same everywhere."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

import loupe

ROOT = Path(loupe.__file__).resolve().parent


def test_the_citation_names_this_version_and_license() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["version"] == loupe.__version__
    assert cited["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_the_changelog_has_this_version() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert any(loupe.__version__ in heading for heading in headings), headings[:3]
