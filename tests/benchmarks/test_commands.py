"""Every benchmark starts, and every command and file of theirs that is named anywhere is there."""

from __future__ import annotations

import importlib
import pkgutil
import re
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import benchmarks

ROOT = Path(__file__).resolve().parents[2]
FAMILIES = sorted(path.parent.name for path in (ROOT / "benchmarks").glob("*/__main__.py"))
#: where commands and files are named: what people read, and what says where a figure comes from
NAMED_IN = (
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "requirements-dev.txt")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "models").rglob("*.md")),
    *(path for room in ("brain", "benchmarks", "scripts", "training") for path in sorted((ROOT / room).rglob("*.py"))),
)
#: words that stand for what the reader has to put there
PLACEHOLDERS = {"FOLDER": ".", "N": "3"}


def matches(pattern: str) -> Iterator[tuple[str, re.Match[str]]]:
    """Yields where the pattern occurs, and how."""
    for path in NAMED_IN:
        text = path.read_text(encoding="utf-8")
        for match in re.finditer(pattern, text):
            yield f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, match.start()) + 1}", match


def commands() -> list[tuple[str, str, tuple[str, ...]]]:
    """Returns each command that is named, once: where, its family, its arguments."""
    known: dict[tuple[str, tuple[str, ...]], str] = {}
    for place, match in matches(r"python -m benchmarks\.(\w+)((?: [\w.\[\]-]+)*)"):
        words = match[2].replace("[", "").replace("]", "").rstrip(".").split()
        known.setdefault((match[1], tuple(PLACEHOLDERS.get(word, word) for word in words)), place)
    return [(place, family, words) for (family, words), place in known.items()]


@pytest.mark.parametrize("name", FAMILIES)
def test_each_family_explains_itself(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--help"])
    with pytest.raises(SystemExit) as end:
        runpy.run_module(f"benchmarks.{name}", run_name="__main__")
    assert end.value.code == 0
    assert f"usage: python -m benchmarks.{name} " in capsys.readouterr().out


def test_each_module_can_be_imported() -> None:
    names = [module.name for module in pkgutil.walk_packages(benchmarks.__path__, "benchmarks.")]
    files = [path for path in (ROOT / "benchmarks").rglob("*.py") if path.parent != ROOT / "benchmarks"]
    assert len(names) >= len(files)
    for name in names:
        importlib.import_module(name)


@pytest.mark.parametrize(("place", "name", "words"), commands(), ids=lambda value: str(value).replace("/", "."))
def test_each_command_that_is_named_can_be_run(
    place: str, name: str, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert name in FAMILIES, f"{place} names the family {name!r}, and there are: {', '.join(FAMILIES)}"
    if not words:  # the family as a whole
        return
    parser = importlib.import_module(f"benchmarks.{name}.__main__").family().parser
    try:
        parser.parse_args(words)
    except SystemExit:
        pytest.fail(f"{place} names a command that is not there: {capsys.readouterr().err.splitlines()[-1]}")


def test_the_figures_name_commands() -> None:
    assert len([place for place, _, words in commands() if place.startswith("docs/figures.md") and words]) >= 15
    assert {name for place, name, _ in commands() if place.startswith("docs/figures.md")} <= set(FAMILIES)


def test_each_file_that_is_named_is_there() -> None:
    named = [(place, match[0]) for place, match in matches(r"benchmarks/[\w/]+\.py")]
    assert named
    assert [(place, name) for place, name in named if not (ROOT / name).is_file()] == []


def test_each_module_that_is_named_is_there() -> None:
    named = [(place, match[1]) for place, match in matches(r"``benchmarks\.([\w.]+)")]
    assert named
    for place, name in named:
        path = ROOT / "benchmarks" / Path(*name.split("."))
        assert path.is_dir() or path.with_suffix(".py").is_file(), f"{place} names benchmarks.{name}"
