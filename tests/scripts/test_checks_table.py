"""The table of checks, made from the registry."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from loupe.brain.core import registry

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "checks_table.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("checks_table", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_check_and_failure_stands_in_it_once(script: ModuleType) -> None:
    lines = script.table().splitlines()
    # a bar that is not escaped would begin a column
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {len(script.HEADER) + 1}
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]
    names = [row[0].removesuffix(" (on request)") for row in cells if row[0]]
    assert names == [f"`{name}`" for name in [*registry.checks(), *registry.sets(), *registry.objects()]]
    failures = {*registry.failures(), *registry.object_failures()}
    assert sorted(row[1] for row in cells if row[1]) == sorted(f"`{failure}`" for failure in failures)


def test_it_gives_unit_threshold_and_basis(script: ModuleType) -> None:
    _, output = registry.failures()["blur"]
    assert output.default_threshold is not None
    line = next(line for line in script.table().splitlines() if "| `blur` |" in line)
    assert f"`sharpness` ({output.unit}; higher is better)" in line
    assert f"&lt; {output.default_threshold.value:g}: {output.default_threshold.provenance}" in line


def test_write_then_check(script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- checks -->\nold\n<!-- /checks -->\nafter \\1\n")
    assert script.main(["--check"], readme) == 1
    assert "stale" in capsys.readouterr().err
    assert script.main(["--write"], readme) == 0
    assert script.main(["--check"], readme) == 0
    text = readme.read_text()
    assert text.startswith("before\n<!-- checks -->\n| Check |")
    assert text.endswith("|\n<!-- /checks -->\nafter \\1\n")


@pytest.mark.parametrize("text", ["", "<!-- checks -->", "<!-- /checks --> <!-- checks -->"])
def test_missing_markers_are_refused(script: ModuleType, text: str) -> None:
    with pytest.raises(ValueError, match="expected <!-- checks --> and then"):
        script.put(text)
