"""Finding what is registered, by folder and by the entry points of another package."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loupe.brain.core import registry
from loupe.brain.core.errors import LoupeError, UnknownName
from loupe.brain.core.records import Scores
from loupe.brain.core.specs import Check
from loupe.brain.imaging.batches import ImageBatch

OTHERS = """
from dataclasses import dataclass
from loupe.brain.core.specs import Check

@dataclass(frozen=True)
class Other(Check):
    name = {name!r}
    version = 1
    reference = "ours"
    license = "MIT"
    outputs = ()

    def load(self, device):
        raise NotImplementedError

not_a_check = 3
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Puts another package with an entry point on the path, as pip would."""

    def put(name: str, target: str) -> None:
        (tmp_path / f"others_{name}.py").write_text(OTHERS.format(name=name))
        facts = tmp_path / f"others_{name}-1.0.dist-info"
        facts.mkdir()
        (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: others-{name}\nVersion: 1.0\n")
        (facts / "entry_points.txt").write_text(f"[loupe.checks]\n{name} = others_{name}:{target}\n")
        monkeypatch.syspath_prepend(tmp_path)
        registry._find.cache_clear()

    yield put
    registry._find.cache_clear()


def test_another_packages_check_is_found(install: Callable[[str, str], None]) -> None:
    assert "dust" not in registry.checks()
    install("dust", "Other")
    assert registry.checks()["dust"].license == "MIT"
    assert list(registry.checks()) == sorted(registry.checks())


def test_a_name_that_is_taken_is_refused(install: Callable[[str, str], None]) -> None:
    install("sharpness", "Other")
    with pytest.raises(LoupeError, match="'sharpness' is taken already"):
        registry.checks()


def test_an_entry_point_that_is_no_check_is_refused(install: Callable[[str, str], None]) -> None:
    install("dust", "not_a_check")
    with pytest.raises(LoupeError, match="expected a Check, got 3"):
        registry.checks()


def test_pick_takes_a_name_or_a_spec() -> None:
    known = registry.checks()
    spec = registry.pick("check", known, "sharpness")
    assert isinstance(spec, known["sharpness"])
    assert registry.pick("check", known, spec) is spec


def test_pick_suggests_the_nearest_name() -> None:
    with pytest.raises(UnknownName, match=r"unknown check 'sharpnes'\. Did you mean 'sharpness'\?"):
        registry.pick("check", registry.checks(), "sharpnes")


def test_failures_names_the_check_and_its_output() -> None:
    check, output = registry.failures()["blur"]
    assert (check, output.name, output.failure) == ("sharpness", "sharpness", "blur")
    assert all(output.default_threshold is not None for _, output in registry.failures().values())


def test_an_output_without_a_threshold_flags_nothing() -> None:
    told = {
        output.name
        for check in registry.checks().values()
        for output in check.outputs
        if output.default_threshold is None
    }
    assert "entropy" in told
    assert told.isdisjoint(output.name for _, output in registry.failures().values())


def test_a_check_must_say_how_it_loads() -> None:
    class Half(Check):
        name = "half"

    with pytest.raises(TypeError, match="load"):
        Half()  # type: ignore[abstract]

    class Whole(Half):
        def load(self, device: str) -> Callable[[ImageBatch], Scores]:
            return lambda batch: Scores({})

    assert Whole().load("cpu")
