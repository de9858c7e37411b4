"""A wheel and a source distribution hold all that runs, and run where there is no checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import loupe

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
ROOT = Path(loupe.__file__).resolve().parent
#: setuptools writes its build folder beside the sources: it gets a copy of them
_LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", ".lint", "build", "*.egg-info", "__pycache__", "*_cache", "node_modules"
)
_ROOMS = ("brain", "models", "operators", "panels", "testing")
_FILES = ("__init__.py", "fiftyone.yml", "setup.py", "pyproject.toml", "requirements.txt", "README.md", "LICENSE")


def _build(kind: str, sources: Path, into: Path) -> Path:
    """Builds with the project's own backend; returns the file."""
    into.mkdir(parents=True, exist_ok=True)
    code = f"import setuptools.build_meta as backend; print(backend.build_{kind}({str(into)!r}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=sources, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return into / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    sources = folder / "sources"
    sources.mkdir()
    for name in _ROOMS:
        shutil.copytree(ROOT / name, sources / name, ignore=_LEFT_OUT)
    for name in _FILES:
        shutil.copy(ROOT / name, sources)
    return _build("wheel", sources, folder / "dist")


def _files(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if name.startswith("loupe/")}


def test_it_holds_every_file_of_the_package(wheel: Path) -> None:
    held = _files(wheel)
    own = {path for room in _ROOMS for path in (ROOT / room).rglob("*") if path.is_file()}
    own = {path for path in own if "__pycache__" not in path.parts and path.suffix not in {".md", ".pyc"}}
    wanted = {f"loupe/{path.relative_to(ROOT).as_posix()}" for path in own} | {
        "loupe/__init__.py",
        "loupe/fiftyone.yml",
    }
    assert wanted - held == set()
    left_out = ("loupe/tests", "loupe/benchmarks", "loupe/docs", "loupe/scripts", "loupe/training", "loupe/setup.py")
    assert not [name for name in held if name.startswith(left_out)]


def test_the_source_distribution_makes_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    archive = _build("sdist", wheel.parent.parent / "sources", tmp_path / "sdist")
    with tarfile.open(archive) as opened:
        opened.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    assert _files(_build("wheel", unpacked, tmp_path / "again")) == _files(wheel)


@pytest.mark.database
def test_it_runs_outside_of_the_checkout(wheel: Path, database: str, tmp_path: Path) -> None:
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    rng = np.random.default_rng(0)
    (tmp_path / "pictures").mkdir()
    for index in range(2):
        pixels = rng.integers(0, 256, (96, 128, 3), dtype=np.uint8) * (index != 0)
        Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "pictures" / f"{index}.png")
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "loupe").symlink_to(site / "loupe")
    environment = {
        **os.environ,
        "PYTHONPATH": str(site),
        "FIFTYONE_DATABASE_URI": database,
        "FIFTYONE_PLUGINS_DIR": str(tmp_path / "plugins"),
    }

    def run(*arguments: str) -> str:
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{arguments}: {done.stdout[-1000:]}{done.stderr[-2000:]}"
        return done.stdout

    assert run("-c", "import loupe; print(loupe.__file__)").strip() == str(site / "loupe" / "__init__.py")
    examined = run("-m", "loupe.brain.cli", "doctor")
    assert "0 broken" in examined
    assert f"@loupe/loupe {loupe.__version__}" in examined, "the App finds the plugin in the wheel"
    table = run("-m", "loupe.brain.cli", "check", "pictures", "--checks", "dark", "--quiet", "--dataset", "of a wheel")
    assert "50.0 %" in table
    drawn = "import fiftyone as fo, loupe; print(loupe.generate(fo.Dataset('drawn'), ['a red sign'], steps=2).n)"
    assert run("-c", drawn).splitlines()[-1] == "1"
