"""The runs of `make mutants`, on a small package of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from mutants import forks
from mutants.belonging import Belonging
from mutants.faults import change, faults
from mutants.report import wilson
from mutants.sample import draw

pytestmark = [pytest.mark.slow, pytest.mark.long]

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
TESTED = '''"""Ten places where something can go wrong."""


def larger(a: int, b: int) -> bool:
    return a > b


def untested(a: int, b: int) -> int:
    return a + b


def halvings(n: int) -> int:
    count = 0
    while n > 1:
        n, count = n // 2, count + 1
    return count
'''
TESTS = """
from toy.brain.room.numbers import halvings, larger

def test_larger():
    assert larger(2, 1)
    assert not larger(1, 1)

def test_halvings():
    assert halvings(8) == 3
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for path, text in {
        "__init__.py": "",
        "brain/__init__.py": "",
        "brain/room/__init__.py": "",
        "brain/room/numbers.py": TESTED,
        "tests/room/test_numbers.py": TESTS,
        "pyproject.toml": '[tool.pytest.ini_options]\naddopts = "--import-mode=importlib"\nmarkers = ["slow: is"]\n',
        ".gitignore": ".mutants/\n__pycache__/\n",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    return root


def run(project: Path, *options: str) -> subprocess.CompletedProcess[str]:
    toy = ["--cold", "--root", str(project), "--package", "toy", "--patience", "2"]
    command = [sys.executable, "-m", "mutants", "room", *toy, *options]
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS), "PYTEST_ADDOPTS": ""}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)


def outcomes(project: Path) -> list[tuple[str, str]]:
    lines = (project / ".mutants" / "results.jsonl").read_text().splitlines()
    return [(entry["mutated"], entry["outcome"]) for entry in map(json.loads, lines)]


def test_killed_survived_timed_out(project: Path) -> None:
    ended = run(project)
    known = dict(outcomes(project))
    assert known["return a >= b"] == "killed"
    assert known["return a - b"] == "survived"
    assert known["n, count = n * 2, count + 1"] == "timed out"
    assert "brain/room/numbers.py:9  in untested\n  - return a + b\n  + return a - b\n" in ended.stdout
    assert "| room | 10 | 0 | 8 | 1 | 1 | 90% (60% to 98%) | 75% |" in ended.stdout
    assert ended.returncode == 0, "90 % are enough"
    assert (project / "brain" / "room" / "numbers.py").read_text() == TESTED


def test_a_run_that_waits_for_what_never_comes_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forks, "_IDLE_SECONDS", 1.5)
    waiting = subprocess.Popen(["sleep", "60"], start_new_session=True)
    assert forks._wait(waiting.pid, 30) is None
    with pytest.raises(ProcessLookupError):
        os.kill(waiting.pid, 0)
    busy = subprocess.Popen(
        [sys.executable, "-c", "import time\nend = time.time() + 4\nwhile time.time() < end: pass"],
        start_new_session=True,
    )
    assert forks._wait(busy.pid, 30) == 0


def test_below_the_target_the_exit_status_is_1(project: Path) -> None:
    (project / "tests" / "room" / "test_numbers.py").write_text("import toy.brain.room.numbers\n\ndef test(): pass\n")
    assert run(project, "--number", "3").returncode == 1
    assert [outcome for _, outcome in outcomes(project)] == ["survived"] * 3


def test_a_second_run_goes_on_until_the_tests_change(project: Path) -> None:
    file = project / ".mutants" / "results.jsonl"
    run(project, "--number", "2")
    first = file.read_text().splitlines()
    file.write_text("\n".join([*first, '{"key": "cut off', ""]))
    run(project, "--number", "4")
    second = file.read_text().splitlines()
    assert len(second) == 5, "two more behind the one that was cut off"
    assert len({json.loads(line)["mutated"] for line in first + second[3:]}) == 4
    with (project / "tests" / "room" / "test_numbers.py").open("a") as tests:
        tests.write("\n# more\n")
    run(project, "--number", "1")
    assert len(file.read_text().splitlines()) == 6


def test_what_is_named_equivalent_does_not_count(project: Path) -> None:
    names = project / "scripts" / "mutants" / "equivalent.toml"
    names.parent.mkdir(parents=True)
    entry = """
        [[mutant]]
        file = "brain/room/numbers.py"
        function = "untested"
        line = "return a + b"
        mutated = "{}"
        reason = "nobody asks"
    """
    names.write_text(entry.format("return a - b") + entry.format("return a ** b"))
    ended = run(project, "--number", "4")
    assert "| room | 4 | 1 | 3 | 0 | 0 | 100% (44% to 100%) | 75% |" in ended.stdout
    assert "in untested" not in ended.stdout
    gone = "('brain/room/numbers.py', 'untested', 'return a + b', 'return a ** b')"
    assert f"equivalent.toml: no such mutant any more: {gone}" in ended.stdout


def test_tests_that_fail_without_a_mutant_say_nothing(project: Path) -> None:
    with (project / "tests" / "room" / "test_numbers.py").open("a") as file:
        file.write("\ndef test_wrong():\n    assert larger(1, 2)\n")
    ended = run(project, "--number", "2")
    assert "brain/room/numbers.py: its tests fail without a mutant" in ended.stdout
    assert "test_wrong" in ended.stderr
    assert ended.returncode == 1


@pytest.mark.parametrize(
    "text",
    [
        "def f(a: int | None, *, b: 'int | None' = None) -> int | str: ...",
        "Either = int | str\nx: int | str",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    x = 1 + 1",
        "import functools\n@functools.lru_cache(maxsize=8)\ndef f(): ...",
        "@typing.dataclass_transform(frozen_default=True)\nclass A: ...",
        "def f(a):\n    assert a is not None",
        "if __name__ == '__main__':\n    main(1 + 1)",
        "def f(a):\n    raise ValueError(f'{a + 1}')",
        "import warnings\nwarnings.warn('é', stacklevel=2)",
        "def f(a, b):\n    return {**a}, zip(a, b, strict=True)",
        "class A:\n    version = 1\n    def __repr__(self):\n        return 1 + 1",
        "'''A text with 1 + 1 in it.'''",
    ],
)
def test_what_no_test_could_notice_is_left_out(text: str) -> None:
    assert faults(text) == []


def test_a_frozen_class_is_left_frozen() -> None:
    text = "import dataclasses\n@dataclasses.dataclass(frozen=True)\nclass A:\n    a: int = 3"
    assert {fault.operator for fault in faults(text)} == {"RemoveDecorator", "NumberReplacer"}


def test_a_fault_that_cosmic_ray_cannot_make_is_none() -> None:
    text = "try:\n    f()\nexcept (a.Error, b.Error):\n    pass"
    assert [change(text, fault) for fault in faults(text)] == [None, None]


def test_what_another_system_does_is_left_out() -> None:
    text = "if sys.platform == 'win32':\n    f(1)\nelse:\n    f(2)"
    made = {change(text, fault).mutated for fault in faults(text)}  # type: ignore[union-attr]
    assert made == {"if not sys.platform == 'win32':", "if sys.platform != 'win32':", "f( 3)", "f( 1)"}


def test_columns_are_counted_in_characters() -> None:
    # in bytes the annotation would end behind the first number
    text = "def f(äöü: dict['äöüäöüäöü', int] = 1, b=2): ..."
    assert sorted({fault.start[1] for fault in faults(text)}) == [text.index("1"), text.index("2")]


def test_a_place_is_drawn_once_and_a_larger_sample_begins_with_the_smaller(project: Path) -> None:
    few, many = draw(project, "room", 4, seed=1), draw(project, "room", 100, seed=1)
    assert many[:4] == few
    places = [mutant.fault.start for mutant in many]
    assert len(places) == len(set(places)) == 10
    assert draw(project, "room", 4, seed=2) != few


def test_an_edit_elsewhere_leaves_the_sample(project: Path) -> None:
    before = [mutant.change.mutated for mutant in draw(project, "room", 100, seed=0)]
    file = project / "brain" / "room" / "numbers.py"
    file.write_text(file.read_text().replace("def larger", "def same(a):\n    return a\n\n\ndef larger"))
    assert [mutant.change.mutated for mutant in draw(project, "room", 100, seed=0)] == before


def test_the_tests_of_a_file_import_it_or_are_named_after_it(tmp_path: Path) -> None:
    root = tmp_path / "toy"
    for path, text in {
        "tests/room/test_a.py": "",
        "tests/room/test_a_more.py": "",
        "tests/room/test_imports.py": "from toy.brain.room import a",
        "tests/room/test_b.py": "from toy.brain.room.b import f",
        "tests/other/test_uses.py": "def test():\n    import toy.brain.room.a",
        "tests/app/test_browser.py": "from toy.brain.room.a import f",
        "tests/verbs/test_find.py": "import pytest\npytestmark = pytest.mark.database",
        "tests/checks/test_seam.py": "",
        "tests/checks/test_halo.py": "",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    belonging = Belonging(root)
    of_a = belonging.of("room", "brain/room/a.py")
    assert of_a.own == ("tests/room/test_a.py", "tests/room/test_a_more.py", "tests/room/test_imports.py")
    assert of_a.room == ("tests/room/test_b.py",)
    assert of_a.others == ("tests/other/test_uses.py",)
    of_c = belonging.of("room", "brain/room/c.py")
    assert len(of_c.own) == 4, "all of the room's"
    assert of_c.room == of_c.others == of_c.slow == ()
    of_seam = belonging.of("checks", "brain/checks/seam.py")
    assert of_seam.own == of_seam.slow == ("tests/checks/test_seam.py",), "its slow tests, too"
    assert of_seam.room == ("tests/checks/test_halo.py",)
    assert belonging.of("checks", "brain/checks/nothing.py").slow == (), "not those of the whole room"
    assert belonging.of("store", "brain/store/rows.py").others == ("tests/verbs/test_find.py",)


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"), [(0, 10, 0.0, 0.2775), (9, 10, 0.5958, 0.9821), (40, 40, 0.9124, 1.0)]
)
def test_wilson(part: int, whole: int, low: float, high: float) -> None:
    assert wilson(part, whole) == pytest.approx((low, high), abs=1e-4)
