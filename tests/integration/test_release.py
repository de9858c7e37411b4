"""What a release says of itself is the same everywhere."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.version import Version

import loupe
from loupe.brain.store import layout

ROOT = Path(loupe.__file__).resolve().parent


#: where the version stands beside ``loupe.__version__``, for whoever reads no Python
PLACES = {
    "fiftyone.yml": r"^version: (.+)$",
    "CITATION.cff": r"^version: (.+)$",
    "CHANGELOG.md": r"\A# Changelog\n+## ([\d.]+) \((?:not released|\d{4}-\d\d-\d\d)\)$",
    "docs/releasing.md": r"^V=(.+)$",
    "docs/upgrade.md": r"^dataset.info.* 'loupe': '([\d.]+)'\}$",
    "docs/workers.md": r"ahead, Loupe ([\d.]+) on",
    "Makefile": r"^site: .*: site/([\d.]+)$",
}


@pytest.mark.parametrize("name", PLACES)
def test_the_version_is_one(name: str) -> None:
    assert re.findall(PLACES[name], (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE) == [loupe.__version__]


def test_what_is_installed_and_what_is_built_take_it_from_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" in project["project"]["dynamic"]
    assert "version" not in project["project"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "loupe.__version__"}
    assert layout.stamp() == {"layout": layout.LAYOUT, "loupe": loupe.__version__}


def test_the_table_of_layouts_ends_with_the_one_that_is_written() -> None:
    page = (ROOT / "docs" / "upgrade.md").read_text(encoding="utf-8")
    section = page.partition("| layout | written by |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (\d+)\b.*? \| (.+?) \|", section, re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, layout.LAYOUT + 1))
    written_by = re.findall(r"[\d.]+\d", rows[-1][1])
    assert [Version(each) <= Version(loupe.__version__) for each in written_by] == [True], (
        "it came with this, or before"
    )


def test_the_citation_names_the_license() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")


#: what an Apache-2.0 project may need; of "A or B" one has to be among them, of "A AND B" all
COMPATIBLE = {
    "0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0",
    "HPND", "ISC", "MIT", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Python-2.0", "Zlib",
}  # fmt: skip
#: words of metadata that are no identifiers
_WORDS = {"Apache Software License": "Apache-2.0", "BSD License": "BSD-3-Clause", "MIT License": "MIT"}


def _compatible(license_stated: str) -> bool:
    words = license_stated.removeprefix("License :: OSI Approved :: ")
    alternatives = re.split(r" or | OR ", _WORDS.get(words, words))
    return any(set(re.split(r" and | AND ", each)) <= COMPATIBLE for each in alternatives)


def test_licenses_are_told_apart() -> None:
    assert _compatible("License :: OSI Approved :: BSD License")
    assert _compatible("GPL-3.0-only or MIT")
    assert not _compatible("GPL-3.0-only")
    assert not _compatible("MIT AND GPL-3.0-only")
    assert not _compatible("LicenseRef-NVIDIA-Proprietary")


@pytest.mark.slow
def test_the_list_of_packages_has_each_direct_dependency_with_a_license_that_fits() -> None:
    import sbom

    needed = sbom.stated()
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert len(needed) == len([line for line in lines if line and not line.startswith("#")])
    listed = sbom.installed()
    made = sbom.of_loupe(listed, needed)
    assert made == sbom.of_loupe(sbom.installed(), needed), "the same again"
    parts: dict[str, Any] = {sbom.plain(part["name"]): part for part in made["components"]}
    assert "pytest" not in parts
    assert {"mongoengine", "pymongo"} <= parts.keys(), "what a dependency needs"
    assert made["metadata"]["component"]["version"] == loupe.__version__
    assert "timestamp" not in made["metadata"]
    for name, stated in needed.items():
        assert _compatible(stated), f"{name}: {stated}"
        own = [words for words in sbom.licenses_of(parts[name]) if words != "License :: OSI Approved"]
        assert own or stated, name
        assert all(_compatible(words) for words in own), f"{name}: {own}"
    (root,) = [entry for entry in made["dependencies"] if entry["ref"] == made["metadata"]["component"]["bom-ref"]]
    assert len(root["dependsOn"]) == len(needed)


def test_what_development_needs_has_a_license_that_fits() -> None:
    import sbom

    for name, stated in sbom.stated("requirements-dev.txt").items():
        assert _compatible(stated) or "FreeBSD" in stated, f"{name}: {stated}"


def test_a_package_that_is_not_installed_is_named() -> None:
    import sbom

    with pytest.raises(LookupError, match="got no absent-one"):
        sbom.led_to(["numpy", "absent-one"])
