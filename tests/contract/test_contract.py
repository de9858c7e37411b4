"""Every registered spec against every contract of its kind. Whoever adds a spec gets these tests for nothing.

What a spec is for, its own test file tests; that each contract can fail, ``test_broken_*.py`` test.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from loupe.brain.core import registry
from loupe.brain.core.errors import ModelError
from loupe.brain.core.specs import Check, Generator, Spec
from loupe.brain.hosted.spec import HostedGenerator
from loupe.brain.perception import weights_table
from loupe.testing import Contract, ContractError, ContractSkipped, contracts

#: contracts that a spec of ours cannot keep, and why; one that is kept after all fails its test
EXCEPTIONS: dict[tuple[str, str], dict[str, str]] = {
    ("checks", "file"): {
        "varies:unreadable": "what reaches a check has been read: the score of an unreadable file is when_unreadable",
        "fails:unreadable": "what reaches a check has been read; tests/engine has files that cannot be",
        "passes:unreadable": "the same for every picture that has been read",
    },
    ("checks", "nsfw"): {"fails:nsfw": "no explicit picture is committed, nor at hand"},
    ("defects", "odd_aspect"): {"shape": "its flaw is the shape"},
}
#: they load a model: left out by -m "not slow"
HEAVY = {"body", "faces", "hands", "nsfw", "overlay", "personal_data", "skin", "text"}
ROOMS = ("checks", "sets", "embedders", "generators", "defects")
HEAVY_MODULES = (
    "torch", "cv2", "fiftyone", "diffusers", "transformers", "sklearn", "scipy", "rapidocr", "onnxruntime",
    "open_clip", "timm", "umap", "faiss", "ai_edge_litert",
)  # fmt: skip

pytestmark = pytest.mark.usefixtures("one_thread", "seeded", "model_files")


@pytest.fixture
def seeded() -> None:
    """A test is the same by itself and among others."""
    np.random.seed(0)
    torch.manual_seed(0)


@cache
def held(room: str, name: str, model: str = "") -> dict[str, Contract]:
    """The contracts of a registered spec by name; what the spec says is kept for all of them."""
    spec: type[Spec] = getattr(registry, room)()[name]
    made = spec(model=model, steps=2) if model else spec()  # type: ignore[call-arg]
    return {contract.name: contract for contract in contracts(made)}


@cache
def missing(name: str) -> ModelError | None:
    """Why an embedder's weights cannot be had, else None: asked for once."""
    try:
        registry.embedders()[name]().load("cpu")
    except ModelError as error:
        return error
    return None


@pytest.fixture
def model_files(request: pytest.FixtureRequest) -> None:
    """Gives a check or an embedder the model files that it needs; where they cannot be had, its tests are skipped."""
    params = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    room, name = params.get("room"), params.get("name")
    needed = getattr(registry, room)()[name]().weights() if room in ("checks", "embedders") else ()
    if needed:
        weights: Callable[[str], Path] = request.getfixturevalue("weights")
        folder: Path = request.getfixturevalue("tmp_path")
        for file in needed:
            (folder / weights_table.TABLE[file].file).symlink_to(weights(file))
        request.getfixturevalue("monkeypatch").setenv("LOUPE_WEIGHTS_DIRS", str(folder))


def every() -> Iterator[object]:
    for room in ROOMS:
        for name, spec in getattr(registry, room)().items():
            if issubclass(spec, Check) and spec().absent():
                continue  # its own tests name small weights
            model = room == "generators" or (room == "checks" and name in HEAVY)
            weights = room == "embedders" and not spec.offline
            for contract in held(room, name):
                marks = pytest.mark.slow if model or weights else ()
                yield pytest.param(room, name, contract, marks=marks, id=f"{room}-{name}-{contract}")


@pytest.mark.parametrize(("room", "name", "contract"), list(every()))
def test_contract(room: str, name: str, contract: str, request: pytest.FixtureRequest) -> None:
    spec = getattr(registry, room)()[name]
    draws_here = issubclass(spec, Generator) and not issubclass(spec, HostedGenerator)
    model = str(request.getfixturevalue("tiny_model")) if draws_here else ""
    if room == "embedders" and missing(name):
        assert not spec.offline, missing(name)
        pytest.skip(f"{name}: its default weights are not here; its own tests use small ones")
    keep = held(room, name, model)[contract]
    if reason := EXCEPTIONS.get((room, name), {}).get(contract):
        assert reason.strip()
        with pytest.raises((ContractError, ContractSkipped)):
            keep()
        return
    try:
        keep()
    except ContractSkipped as skipped:
        pytest.skip(str(skipped))


def test_every_exception_names_a_contract() -> None:
    for (room, name), reasons in EXCEPTIONS.items():
        assert set(reasons) <= set(held(room, name))


def test_output_names_and_failures_are_unique_over_all_specs() -> None:
    outputs = [output for spec in (*registry.checks().values(), *registry.sets().values()) for output in spec.outputs]
    for field in ("name", "failure"):
        counts = Counter(getattr(output, field) for output in outputs if getattr(output, field))
        assert [value for value, count in counts.items() if count > 1] == []


def test_every_defect_is_flagged_by_a_check() -> None:
    assert set(registry.defects()) <= set(registry.failures())


def test_importing_every_room_imports_nothing_heavy() -> None:
    code = (
        "import sys; from loupe.brain.core import registry; import loupe.testing, loupe.testing.cases\n"
        f"for room in {ROOMS!r}: assert getattr(registry, room)() is not None\n"
        f"print([name for name in {HEAVY_MODULES!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_the_registry_finds_what_is_in_the_folders() -> None:
    assert {"file", "sharpness", "exposure", "information", "geometry", "text"} <= set(registry.checks())
    assert "duplicates" in registry.sets()
    assert {"hog", "open_clip", "timm"} <= set(registry.embedders())
    assert "diffusion" in registry.generators()
    assert len(registry.defects()) >= 10
