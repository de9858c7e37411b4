"""CONTRIBUTING.md: what it says of adding a check is true, down to its example."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loupe.brain.core.specs import Check
from loupe.testing import check_spec

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the example of the section "Add a check"."""
    _, section = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## Add a check")
    (block,) = re.findall(r"^```python\n(.*?)^```$", section.split("\n## ")[0], re.DOTALL | re.MULTILINE)
    file = tmp_path_factory.mktemp("contributing") / "redness.py"
    file.write_text(block, encoding="utf-8")
    return file


@pytest.fixture
def redness(example: Path) -> Iterator[type[Check]]:
    """The class of the example."""
    spec = importlib.util.spec_from_file_location("contributed_redness", example)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # a dataclass looks its module up
    spec.loader.exec_module(module)
    yield module.Redness
    del sys.modules[spec.name]


def test_the_example_keeps_every_contract(redness: type[Check]) -> None:
    report = check_spec(redness())
    assert len(report.kept) > 5
    assert set(report.skipped) <= {"gpu"}


@pytest.mark.database
def test_the_example_scores_a_dataset(redness: type[Check], dataset: Any, tmp_path: Path) -> None:
    import fiftyone as fo
    from PIL import Image

    import loupe

    shares = (0, 51, 255)
    for red in shares:
        Image.fromarray(np.full((40, 60, 3), (red, 30, 200), np.uint8)).save(tmp_path / f"{red}.png")
        dataset.add_sample(fo.Sample(filepath=str(tmp_path / f"{red}.png")))
    run = loupe.check(dataset, [redness()], device="cpu")
    assert (run.n, run.errors) == (3, 0)
    assert dataset.values("quality.redness") == pytest.approx([red / 255 for red in shares], abs=1e-6)
    loupe.check(dataset, [redness(gain=2.0)], device="cpu")  # type: ignore[call-arg]
    assert dataset.values("quality.redness") == pytest.approx([0, 0.4, 1], abs=1e-6)


#: prints what the registry, the operator's form, the table and the stored example of a run know of "redness"
_LOOK = """
import json, sys
sys.path.insert(0, "scripts")
import fiftyone as fo
import checks_table
import loupe
from loupe.brain.core import registry
sys.path.insert(0, "tests/support")
from operator_calls import form

dataset = fo.Dataset()
dataset.add_sample(fo.Sample(filepath=sys.argv[1]))
inputs = form("check", dataset, {"settings": True, "checks": ["redness"]})
loupe.check(dataset, ["redness"], device="cpu")
known = {
    "home": loupe.__file__,
    "registry": registry.checks()["redness"].__module__,
    "choices": {choice.value: choice.label for choice in inputs["checks"].view.choices},
    "inputs": sorted(name for name in inputs if name.startswith("checks__redness__")),
    "row": [line for line in checks_table.table().splitlines() if "redness" in line],
    "score": dataset.values("quality.redness"),
}
dataset.delete()
print(json.dumps(known))
"""


def copied(folder: Path) -> Path:
    """Copies the project into a folder as the package "loupe", without what git ignores; returns its place."""
    project = folder / "loupe"
    # no git: this test runs in copies of the project, too
    shutil.copytree(ROOT, project, ignore=shutil.ignore_patterns(".*", "__pycache__", "*.egg-info"))
    return project


@pytest.mark.database
@pytest.mark.slow
def test_one_file_is_enough(database: str, example: Path, pictures: list[Path], tmp_path: Path) -> None:
    project = copied(tmp_path)
    (project / "brain" / "checks" / "redness.py").write_bytes(example.read_bytes())
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "loupe").symlink_to(project)
    done = subprocess.run(
        [sys.executable, "-c", _LOOK, str(pictures[0])],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "FIFTYONE_PLUGINS_DIR": str(plugins)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    known = json.loads(done.stdout.splitlines()[-1])
    assert known["home"] == str(project / "__init__.py")
    assert known["registry"] == "loupe.brain.checks.redness"
    assert known["choices"]["redness"] == "Redness"
    assert known["inputs"] == ["checks__redness__gain", "checks__redness__title"]
    assert known["row"] == [
        "| `redness` |  | `redness` (0 to 1) | only told | – | this example |",
    ]
    assert 0 < known["score"][0] < 1
