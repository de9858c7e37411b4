"""Which checks, embedders and generators can run here, and what the others lack."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from loupe.brain.core import registry
from loupe.brain.core.errors import LoupeError
from loupe.brain.core.specs import Check, Embedder
from loupe.brain.doctor.packages import ROOT
from loupe.brain.doctor.records import Finding
from loupe.brain.hosted.spec import HostedGenerator
from loupe.brain.perception import weights

#: the generator that the project carries
_CARRIED = "models/tiny-signs"


def examined(device: str) -> Iterator[Finding]:
    """Yields a finding for each check, embedder and generator, and for each entry point that cannot be used.

    Args:
        device: where they would run
    """
    for name, check in registry.checks().items():
        yield _check(name, check(), device)
    for name, embedder in registry.embedders().items():
        yield _embedder(name, embedder())
    yield _carried(ROOT / _CARRIED)
    for name, generator in registry.generators().items():
        if issubclass(generator, HostedGenerator):
            yield _hosted(name, generator)
    for problem in registry.problems():
        yield Finding("entry points", problem.name, "absent", str(problem))


def _check(name: str, check: Check, device: str) -> Finding:
    try:
        resolved = check.resolved(device)
        lacking = resolved.absent() or weights.lacking(resolved.weights())
    except LoupeError as error:
        return Finding("checks", name, "absent", str(error))
    if not lacking:
        return Finding("checks", name, "ok")
    return Finding("checks", name, "absent", *_split(lacking))


def _embedder(name: str, embedder: Embedder) -> Finding:
    if lacking := embedder.absent():
        return Finding("embedders", name, "absent", *_split(lacking))
    needs_hub = not embedder.offline and not embedder.weights()
    return Finding("embedders", name, "ok", "by weights that you name, or that its cache has" if needs_hub else "")


def _split(lacking: str) -> tuple[str, str]:
    """Returns what is lacking, and the command that gets it."""
    what, _, command = lacking.partition("Download them with: ")
    return what.strip(), command


def _carried(folder: Path) -> Finding:
    if (folder / "model_index.json").is_file():
        return Finding("generators", "tiny-signs", "ok", "carried")
    return Finding("generators", "tiny-signs", "broken", f"expected it in {folder}", "clone or install Loupe anew")


def _hosted(name: str, generator: type[HostedGenerator]) -> Finding:
    if generator().has_key():
        return Finding("generators", name, "ok", f"{generator.secret} is set")
    detail = f"{generator.secret} is not set"
    return Finding(
        "generators", name, "absent", detail, f"set {generator.secret}, or a secret of that name in FiftyOne"
    )
