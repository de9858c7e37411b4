"""What a release says of itself is the same everywhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
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
