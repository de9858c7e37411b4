"""The pins: what is installed, and what every supported Python can install."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[2]


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    matches = [re.fullmatch(r"([\w.-]+)==(\S+)", line) for line in lines if line.strip() and not line.startswith("#")]
    assert all(matches), "each line is name==version"
    return {match[1]: match[2] for match in matches if match}


def test_a_pin_locks_out_no_python_that_is_supported() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        oldest = tomllib.load(file)["project"]["requires-python"].removeprefix(">=") + ".0"
    wrong = {}
    for name, version in pins().items():
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # of another platform
        needs = distribution.metadata["Requires-Python"]
        if distribution.version == version and needs and oldest not in SpecifierSet(needs):
            wrong[f"{name}=={version}"] = needs
    assert wrong == {}, f"pin an older version, which installs on Python {oldest}, too"


def test_every_direct_dependency_is_pinned() -> None:
    pinned = {re.sub(r"[-_.]+", "-", name).lower() for name in pins()}
    for file in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / file).read_text(encoding="utf-8").splitlines():
            name = re.match(r"[\w.-]+", line)
            if name:
                assert re.sub(r"[-_.]+", "-", name[0]).lower() in pinned, f"{name[0]} of {file}"
                assert "#" in line, f"{name[0]} of {file}: say why"
