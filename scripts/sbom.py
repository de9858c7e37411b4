"""Writes which packages come with Loupe, in which versions and under which licenses: a CycloneDX list.

    make sbom
    .venv/bin/python scripts/sbom.py [--out sbom.cdx.json]

`cyclonedx-py` lists what is installed; kept is what requirements.txt leads to, without what is optional. A list is
the same on each machine that has the same packages: it has no time and no random number in it.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

import loupe

ROOT = Path(__file__).resolve().parents[1]


def stated(file: str = "requirements.txt") -> dict[str, str]:
    """Returns the direct dependencies by their names in plain form, with the license that stands beside each."""
    licenses = {}
    for line in (ROOT / file).read_text(encoding="utf-8").splitlines():
        needed = re.match(r"([\w.-]+)[^#]*#.*; (.+)$", line)
        if needed:
            licenses[plain(needed[1])] = needed[2]
    return licenses


def plain(name: str) -> str:
    """Returns a package's name as registries compare it.

    >>> plain("open_clip_torch")
    'open-clip-torch'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def installed(python: str = sys.executable) -> dict[str, Any]:
    """Returns all that is installed beside a Python, as CycloneDX has it."""
    command = [sys.executable, "-m", "cyclonedx_py", "environment", "--of", "JSON", "--mc-type", "library"]
    options = ["--output-reproducible", "--no-validate", "--pyproject", str(ROOT / "pyproject.toml")]
    made = subprocess.run([*command, *options, python], capture_output=True, text=True, check=False)
    if made.returncode:
        raise RuntimeError(f"cyclonedx-py ended with {made.returncode}: {made.stderr[-500:]}")
    listed: dict[str, Any] = json.loads(made.stdout)
    return listed


def led_to(names: Iterable[str]) -> set[str]:
    """Returns the packages that some need, and these again, by their names in plain form; nothing that is optional.

    Raises:
        LookupError: one of the first ones is not installed
    """
    kept: set[str] = set()
    todo: list[tuple[str, str]] = [(name, "") for name in names]
    absent = [name for name, _ in todo if not _is_installed(name)]
    if absent:
        raise LookupError(f"expected all of requirements.txt to be installed, got no {', '.join(absent)}: make setup")
    looked_at = set()
    while todo:
        name, extra = todo.pop()
        if (name, extra) in looked_at or not _is_installed(name):
            continue
        looked_at.add((name, extra))
        kept.add(name)
        for text in metadata.requires(name) or ():
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                todo += [(plain(needed.name), each) for each in ("", *needed.extras)]
    return kept


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def of_loupe(listed: dict[str, Any], needed: dict[str, str]) -> dict[str, Any]:
    """Returns the part of a list that some packages lead to.

    Args:
        listed: all that is installed
        needed: the packages, and their licenses where their own files do not state any

    Raises:
        LookupError: one of them is not installed
    """
    names = led_to(needed)
    components = [part for part in listed["components"] if plain(part["name"]) in names]
    for part in components:
        license_stated = needed.get(plain(part["name"]))
        if not part.get("licenses") and license_stated:
            part["licenses"] = [{"license": {"acknowledgement": "declared", "name": license_stated}}]
    own = listed["metadata"]["component"]
    own["version"] = loupe.__version__
    kept = {part["bom-ref"] for part in components}
    direct = sorted(part["bom-ref"] for part in components if plain(part["name"]) in needed)
    dependencies = [{"dependsOn": direct, "ref": own["bom-ref"]}]
    for entry in listed["dependencies"]:
        if entry["ref"] in kept:
            inside = [ref for ref in entry.get("dependsOn", ()) if ref in kept]
            dependencies.append({"ref": entry["ref"], **({"dependsOn": inside} if inside else {})})
    return {**listed, "components": components, "dependencies": dependencies}


def licenses_of(part: dict[str, Any]) -> list[str]:
    """Returns the licenses that a package states: identifiers, expressions or words."""
    return [
        entry.get("expression") or entry["license"].get("id") or entry["license"]["name"].split("\n")[0]
        for entry in part.get("licenses", ())
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("sbom.cdx.json"), metavar="FILE")
    asked = parser.parse_args()
    made = of_loupe(installed(), stated())
    asked.out.write_text(json.dumps(made, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    silent = [part["name"] for part in made["components"] if not licenses_of(part)]
    print(f"wrote {asked.out}: {len(made['components'])} packages, {len(stated())} of them direct")
    if silent:
        print(f"state no license in their metadata: {', '.join(silent)}")


if __name__ == "__main__":
    main()
