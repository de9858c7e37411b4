"""Which packages are here, in which version, and which extras."""

from __future__ import annotations

import importlib.metadata
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

import loupe
from loupe.brain.doctor.records import Finding

#: the distribution, and the folder of a checkout
NAME, ROOT = "loupe-fiftyone", Path(loupe.__file__).resolve().parent
#: what is left out without an extra
EXTRAS = {
    "c2pa": "signing pictures (loupe.sign_image), and reading signed ones",
    "cloud": "pictures on S3, Google Cloud Storage and web servers (loupe.remote_media)",
    "croissant": "a Croissant description beside an exported selection",
    "hosted": "generating by OpenAI, Ideogram and Black Forest Labs",
    "lora": "LoRAs for a diffusion model",
    "parquet": "prompts and metadata from Parquet files",
    "quantize": "diffusion models in 8 or 4 bits",
    "ray": 'checks, vectors and fingerprints by a cluster of machines (engine="ray")',
}


def examined() -> Iterator[Finding]:
    """Yields a finding for each package that Loupe needs, then for each extra."""
    required, extras = required_packages()
    for requirement in required:
        yield _required(requirement)
    for name in sorted(extras):
        yield _extra(name, extras[name])


def required_packages() -> tuple[list[Requirement], dict[str, list[Requirement]]]:
    """Returns what Loupe needs, and by extra what that needs: as a checkout says, else as the installed package says.

    The plugin is a checkout as a rule, and the package that is installed beside it may be an older one.
    """
    listed, project = ROOT / "requirements.txt", ROOT / "pyproject.toml"
    if listed.is_file() and project.is_file():
        lines = (line.partition("#")[0].strip() for line in listed.read_text(encoding="utf-8").splitlines())
        optional = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["optional-dependencies"]
        return _parsed(filter(None, lines)), {name: _parsed(texts) for name, texts in optional.items()}
    try:
        texts = importlib.metadata.requires(NAME) or []
    except importlib.metadata.PackageNotFoundError:
        return [], {}
    required: list[Requirement] = []
    extras: dict[str, list[Requirement]] = {}
    for requirement in _parsed(texts):
        name = next((name for name in EXTRAS if _is_of(requirement, name)), None)
        (required if name is None else extras.setdefault(name, [])).append(requirement)
    return required, extras


def _parsed(texts: Iterable[str]) -> list[Requirement]:
    made = []
    for text in texts:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:  # of another packager
            continue
        marker = requirement.marker
        # some are for another system or another Python
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *EXTRAS)):
            made.append(requirement)
    return made


def _is_of(requirement: Requirement, extra: str) -> bool:
    marker = requirement.marker
    return marker is not None and not marker.evaluate({"extra": ""}) and marker.evaluate({"extra": extra})


def _required(requirement: Requirement) -> Finding:
    here, wanted = _version(requirement), str(requirement.specifier)
    if here is not None and here in requirement.specifier:
        return Finding("packages", requirement.name, "ok", here)
    detail = f"{here or 'not installed'}; needs {wanted or 'any version'}"
    return Finding("packages", requirement.name, "broken", detail, f'pip install "{requirement.name}{wanted}"')


def _extra(name: str, requirements: Iterable[Requirement]) -> Finding:
    lacking = []
    for requirement in requirements:
        here = _version(requirement)
        if here is None or here not in requirement.specifier:
            lacking.append(f"{requirement.name}{requirement.specifier}")
    use = EXTRAS.get(name, "")
    if not lacking:
        return Finding("extras", name, "ok", use)
    return Finding("extras", name, "absent", use, f"pip install {' '.join(map(_quoted, lacking))}")


def _quoted(text: str) -> str:
    return f'"{text}"'


def _version(requirement: Requirement) -> str | None:
    try:
        return importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return None
