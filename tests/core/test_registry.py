"""Finding what is registered, by folder and by the entry points of another package."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from loupe.brain.core import registry
from loupe.brain.core.errors import InputError, LoupeError, UnknownName
from loupe.brain.core.records import Scores
from loupe.brain.core.specs import Check
from loupe.brain.imaging.batches import ImageBatch

PLUGIN = """
from dataclasses import dataclass
from loupe.brain.core.records import Output, Scores, Threshold
from loupe.brain.core.specs import Check, SetCheck, SetMeasure

@dataclass(frozen=True)
class Dust(Check):
    name = "dust"
    version = 1
    reference = "ours"
    license = "MIT"
    outputs = (Output("dust", "0 to 1", False, (0, 1), "Dust"),)

    def load(self, device):
        return lambda batch: Scores({{}})

class Sharpness(Dust):
    name = "sharpness"

class Nameless(Dust):
    name = ""

class Shouting(Dust):
    name = "DUST"

class NoOutputs(Dust):
    outputs = ()

class TakenOutput(Dust):
    outputs = (Output("sharpness", "0 to 1", False, (0, 1), "Dust"),)

class UnknownFailure(Dust):
    outputs = (Output("dust", "0 to 1", False, (0, 1), "Dust", Threshold(">", 0.5), "blurr"),)

class TakenFailure(Dust):
    outputs = (Output("dust", "0 to 1", False, (0, 1), "Dust", Threshold(">", 0.5), "blur"),)

class Unloadable(Check):
    name = "dust"
    version = 1
    reference = "ours"
    license = "MIT"
    outputs = Dust.outputs

class Odd(SetMeasure):
    name = "odd"
    version = 1
    reference = "ours"
    license = "MIT"
    outputs = (Output("odd", "0 to 1", False, (0, 1), "Oddness"),)

class Following(Odd, SetCheck):
    name = "following"
    after = "geometry"
    reads = ("width",)

    def score(self, columns):
        return {{"odd": columns["width"]}}, "never"

not_a_check = 3
{extra}
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Puts another package with an entry point on the path, as pip would."""
    installed: list[str] = []

    def put(name: str, target: str, folder: str = "checks", extra: str = "") -> None:
        module = f"others_{len(installed)}_{name}"
        installed.append(module)
        (tmp_path / f"{module}.py").write_text(PLUGIN.format(extra=extra))
        facts = tmp_path / f"{module}-1.0.dist-info"
        facts.mkdir()
        (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module.replace('_', '-')}\nVersion: 1.0\n")
        (facts / "entry_points.txt").write_text(f"[loupe.{folder}]\n{name} = {module}:{target}\n")
        monkeypatch.syspath_prepend(tmp_path)
        registry._plugins.cache_clear()

    yield put
    registry._plugins.cache_clear()
    for module in installed:
        sys.modules.pop(module, None)


def test_another_packages_check_is_found(install: Callable[..., None]) -> None:
    assert "dust" not in registry.checks()
    install("dust", "Dust")
    assert registry.checks()["dust"].license == "MIT"
    assert list(registry.checks()) == sorted(registry.checks())
    assert registry.problems() == ()


def test_another_packages_set_check_runs_with_the_checks(install: Callable[..., None]) -> None:
    install("following", "Following", "sets")
    assert registry.checkable()["following"].after == "geometry"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "target", "folder", "message"),
    [
        ("sharpness", "Sharpness", "checks", "expected a name that is free, got 'sharpness', which is taken already"),
        ("dust", "not_a_check", "checks", "expected a class that inherits Check, got 3"),
        ("dust", "nothing", "checks", "AttributeError: "),
        ("dust", "Nameless", "checks", "expected Nameless.name to be stated, got none"),
        ("DUST", "Shouting", "checks", "expected Shouting.name to be the entry point's, in lower case, got 'DUST'"),
        ("haze", "Dust", "checks", "expected Dust.name to be the entry point's, in lower case, got 'dust'"),
        ("dust", "NoOutputs", "checks", "expected NoOutputs.outputs to be a tuple of Output, got ()"),
        ("dust", "TakenOutput", "checks", "expected an output's name that is free, got 'sharpness'"),
        ("dust", "UnknownFailure", "checks", "unknown failure mode 'blurr'. Did you mean 'blur'?"),
        ("dust", "TakenFailure", "checks", "expected a failure mode that no other check flags, got 'blur'"),
        ("dust", "Unloadable", "checks", "expected Unloadable to have the methods load, got a class without"),
        ("odd", "Odd", "sets", "expected a class that inherits SetCheck, got "),
        ("dust", "Dust", "embedders", "expected a class that inherits Embedder, got "),
    ],
)
def test_a_broken_entry_point_is_named_and_the_rest_works(
    install: Callable[..., None], name: str, target: str, folder: str, message: str
) -> None:
    before = dict(getattr(registry, folder)())
    install(name, target, folder)
    with pytest.warns(registry.PluginWarning, match=rf"left out: entry point {name} = .*{target}"):
        after = getattr(registry, folder)()
    assert after == before
    (problem,) = registry.problems()
    assert (problem.group, problem.name) == (f"loupe.{folder}", name)
    assert problem.message.startswith(message)


def test_a_package_that_breaks_as_it_is_imported_is_named_too(install: Callable[..., None]) -> None:
    install("dust", "Dust", extra="raise SystemError('no licence key')")
    with pytest.warns(registry.PluginWarning, match="SystemError: no licence key"):
        assert "sharpness" in registry.checks()
    with pytest.raises(InputError, match=r"the check 'dust' cannot be used: entry point dust = .*no licence key"):
        registry.pick("check", registry.checks(), "dust")


def test_one_bad_and_one_good_package(install: Callable[..., None]) -> None:
    install("ash", "not_a_check")  # comes before the good one
    install("dust", "Dust")
    with pytest.warns(registry.PluginWarning, match="ash"):
        assert "dust" in registry.checks()
    assert [problem.name for problem in registry.problems()] == ["ash"]


def test_of_two_packages_with_one_name_the_first_stays(install: Callable[..., None]) -> None:
    install("dust", "Dust")
    install("dust", "Dust")
    with pytest.warns(registry.PluginWarning, match="taken already"):
        assert registry.checks()["dust"].__module__ == "others_0_dust"


@pytest.mark.parametrize(
    ("content", "names"),
    [("", []), ("class A(Check):\n    name = 'a'", ["a"]), ("class A(Check):\n    name = 'dust'", None)],
)
def test_a_file_of_our_own_holds_one_spec_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, names: list[str] | None
) -> None:
    package = ModuleType("loupe.brain.tried")
    package.__path__ = [str(tmp_path)]
    monkeypatch.setitem(sys.modules, package.__name__, package)
    monkeypatch.delitem(sys.modules, "loupe.brain.tried.dust", raising=False)
    monkeypatch.setitem(registry._BASES, "tried", Check)
    (tmp_path / "dust.py").write_text(f"from loupe.brain.core.specs import Check\n{content}\n")
    (tmp_path / "_helper.py").write_text("raise SystemError('not to be imported')")
    if names is None:
        assert list(registry._own.__wrapped__("tried")) == ["dust"]
    else:
        message = re.escape(f"expected one Check named 'dust' in loupe.brain.tried.dust, got {names}")
        with pytest.raises(LoupeError, match=message):
            registry._own.__wrapped__("tried")


def test_pick_takes_a_name_or_a_spec() -> None:
    known = registry.checks()
    spec = registry.pick("check", known, "sharpness")
    assert isinstance(spec, known["sharpness"])
    assert registry.pick("check", known, spec) is spec


def test_pick_suggests_the_nearest_name() -> None:
    with pytest.raises(UnknownName, match=r"unknown check 'sharpnes'\. Did you mean 'sharpness'\?"):
        registry.pick("check", registry.checks(), "sharpnes")


def test_a_failure_mode_selects_the_check_that_flags_it() -> None:
    known = registry.checkable()
    for failure, (name, _) in registry.failures().items():
        if name in known and failure not in known:
            assert registry.pick("check", known, failure) == known[name](), failure
    assert registry.pick("check", known, "blur").name == "sharpness"
    assert registry.pick("check", known, "dark") == registry.pick("check", known, "bright")
    assert registry.pick("check", known, "text").name == "text", "a check's own name comes first"


def test_a_misspelled_name_is_looked_for_among_checks_and_failure_modes() -> None:
    known = registry.checkable()
    for wrong, meant in (("blury", "blur"), ("hand_malformd", "hand_malformed"), ("sharpnes", "sharpness")):
        with pytest.raises(UnknownName, match=f"Did you mean '{meant}'"):
            registry.pick("check", known, wrong)
    with pytest.raises(InputError, match="a verb of its own"):
        registry.pick("check", known, "near_duplicate")
    with pytest.raises(UnknownName) as raised:
        registry.pick("embedder", registry.embedders(), "blur")
    assert "dark" not in str(raised.value), "an embedder flags nothing"


def test_failures_names_the_check_and_its_output() -> None:
    check, output = registry.failures()["blur"]
    assert (check, output.name, output.failure) == ("sharpness", "sharpness", "blur")
    assert all(output.default_threshold is not None for _, output in registry.failures().values())


def test_an_output_without_a_threshold_flags_nothing() -> None:
    informational = {
        output.name
        for check in registry.checks().values()
        for output in check.outputs
        if output.default_threshold is None
    }
    assert "entropy" in informational
    assert informational.isdisjoint(output.name for _, output in registry.failures().values())


def test_a_check_must_say_how_it_loads() -> None:
    class Half(Check):
        name = "half"

    with pytest.raises(TypeError, match="load"):
        Half()  # type: ignore[abstract]

    class Whole(Half):
        def load(self, device: str) -> Callable[[ImageBatch], Scores]:
            return lambda batch: Scores({})

    assert Whole().load("cpu")
