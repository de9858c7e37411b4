"""The GPU command on a machine that has torch and little else: no part vanishes, and what is missing is named."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.gpu import parent, parity, parts
from benchmarks.gpu.report import Report, Settings, sentence
from loupe.brain.core import registry
from loupe.brain.core.errors import MissingDependency

ROOT = Path(__file__).resolve().parents[2]
#: modules and distributions; Loupe itself is in the checkout only
HIDDEN = (
    "fiftyone eta mongoengine pymongo bson fiftyone_brain cv2 opencv_python_headless onnxruntime rapidocr open_clip "
    "open_clip_torch simplejpeg umap umap_learn cleanlab ai_edge_litert timm diffusers sklearn faiss cleanvision "
    "accelerate psutil threadpoolctl joblib loupe loupe_fiftyone"
)


def bare(folder: Path, arguments: list[str], **more: str) -> subprocess.CompletedProcess[str]:
    """Runs Python where those packages cannot be seen."""
    folder.mkdir(exist_ok=True)
    shutil.copy(ROOT / "tests" / "support" / "hidden.py", folder / "sitecustomize.py")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LOUPE_", "FIFTYONE_"))}
    environment |= {
        "PYTHONPATH": str(folder),
        "LOUPE_TEST_HIDDEN": HIDDEN,
        "LOUPE_WEIGHTS": str(folder / "none"),
        **more,
    }
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )


@pytest.mark.slow
@pytest.mark.long
def test_every_part_prints_its_rows_on_a_bare_machine(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    arguments = ["-m", "benchmarks.gpu", "--device", "cpu", "--small", "--json", str(out)]
    done = bare(tmp_path / "site", [*arguments, "--carried", str(tmp_path / "nothing")])
    assert done.returncode == 0, done.stdout + done.stderr
    rows: list[dict[str, Any]] = json.loads(out.read_text())["rows"]
    by_part = {name: [row for row in rows if row["part"] == name] for name in parts.PARTS}
    assert all(f"\n{name}: " in done.stdout for name in parts.PARTS)
    for name, own in by_part.items():
        assert any(row["value"] is not None or row["note"] for row in own if row["name"] != "peak memory"), name
        assert own[-1]["name"] == "peak memory"
    # what is left out has a reason, and what can be done about it
    for row in rows:
        assert not row["note"].startswith("failed"), row
        if row["note"].startswith("left out") and row["name"] != "kernels":
            assert any(word in row["note"] for word in ("pip install", "loupe weights get", "--prepare")), row
    # figures that need none of what is hidden
    assert {row["name"].partition(",")[0] for row in by_part["parity"]} >= {
        name for name, check in registry.checks().items() if not check().absent()
    }
    compared = {row["name"]: row for row in by_part["parity"] if row["value"] is not None}
    for name, check in registry.checks().items():
        if check().weights() or check().absent() or name in ("text", "overlay", "composition", "personal_data"):
            continue
        assert compared[f"{name}, contract"]["value"] == compared[f"{name}, drawn"]["value"] == 0
        # torch alone says what OpenCV has said
        assert compared[f"{name}, stored"]["value"] < 1e-4
        assert "verdicts changed 0 of" in compared[f"{name}, stored"]["note"]
    figures = {row["name"] for row in rows if row["value"] is not None}
    assert {"end to end, default checks, batches of 64", "decoded on the device, 16 at a time", "pixels"} <= figures
    assert any(name.startswith("efficientnet_lite") for name in figures)
    assert any(row["value"] is not None for row in by_part["vlm"])
    assert "diffusers is not installed" in by_part["signs"][0]["note"]


def test_loupe_is_imported_without_fiftyone(tmp_path: Path) -> None:
    code = (
        "import benchmarks, loupe, importlib, pkgutil, warnings\n"
        "assert loupe.Threshold('<', 0.5).op == '<' and loupe.LoupeError and loupe.Factor and loupe.Proportion\n"
        "try:\n    loupe.check\nexcept loupe.errors.MissingDependency as error:\n    print(error)\n"
        "import loupe.brain\n"
        "left = ('loupe.brain.store', 'loupe.brain.verbs', 'loupe.brain.worker')\n"
        "for module in pkgutil.walk_packages(loupe.brain.__path__, 'loupe.brain.', onerror=lambda name: None):\n"
        "    if not module.name.startswith(left):\n        importlib.import_module(module.name)\n"
        "from loupe.brain.core import registry\n"
        "kinds = (registry.checks, registry.embedders, registry.generators, registry.defects)\n"
        "print(*(len(kind()) for kind in kinds))\n"
    )
    done = bare(tmp_path, ["-c", code])
    assert done.returncode == 0, done.stderr
    first, counts = done.stdout.splitlines()
    assert first.startswith("loupe.check needs FiftyOne")
    assert "pip install fiftyone" in first
    kinds = (registry.checks, registry.embedders, registry.generators, registry.defects)
    assert counts == " ".join(str(len(kind())) for kind in kinds)


def test_the_command_says_what_it_needs(tmp_path: Path) -> None:
    done = bare(
        tmp_path, ["-c", "import benchmarks, loupe.brain.cli as cli; raise SystemExit(cli.main(['check', '.']))"]
    )
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("loupe check: ")
    assert "pip install fiftyone" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings("cpu", True, float("inf"), tmp_path)


def rows_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line.removeprefix("ROW ")) for line in text.splitlines()]


def test_what_fails_is_a_row_and_the_rest_goes_on(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    report = Report("speed", settings)
    report.attempt("first", lambda: 1 / 0)
    report.attempt("second", lambda: report.row("second", 2.0, "images/s"))
    late = Report("speed", Settings("cpu", True, 0.0, settings.carried))
    late.attempt("third", lambda: late.row("third", 3.0))
    first, second, third = rows_of(capsys.readouterr().out)
    assert first["note"] == "failed: ZeroDivisionError: division by zero"
    assert (second["value"], second["unit"]) == (2.0, "images/s")
    assert third["note"] == "left out: the time of this part was over"


def test_what_is_missing_is_left_out_with_its_remedy() -> None:
    assert sentence(ModuleNotFoundError("No module named 'cv2'", name="cv2.aruco")) == (
        "left out: cv2 is not installed: pip install opencv-python-headless"
    )
    assert sentence(MissingDependency("expected x: pip install x")) == "left out: expected x: pip install x"
    assert sentence(RuntimeError("CUDA error\nmore")) == "failed: RuntimeError: CUDA error"


def given(**more: Any) -> argparse.Namespace:
    values = {"device": "cpu", "small": True, "total": 60.0, "json": None, "carried": Path("nothing"), **more}
    return argparse.Namespace(**values)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import sys; print(ROW, flush=True); sys.exit('boom')", "ended with 1: boom"),
        ("import os; print('noise', flush=True); os.abort()", "ended with -6"),
        ("pass", "printed nothing"),
        ("import time; time.sleep(60)", "was ended"),
    ],
)
def test_a_part_that_breaks_is_a_row(
    code: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "program.py"
    row = {"part": "a", "name": "b", "value": 1, "unit": "", "note": ""}
    program.write_text(f"ROW = {'ROW ' + json.dumps(row)!r}\n{code}")
    monkeypatch.setattr(parent, "_GRACE", 0.5)
    monkeypatch.setattr(parent, "COMMAND", (sys.executable, str(program)))
    monkeypatch.setattr(parent, "PARTS", {"a": parts.Part("first", 1.0), "c": parts.Part("second", 1.0)})
    out = tmp_path / "out.json"
    assert parent.run_all(["a", "c"], given(json=out)) == 1
    rows = json.loads(out.read_text())["rows"]
    assert [row["part"] for row in rows if message in row["note"]] == ["a", "c"]
    assert message in capsys.readouterr().out
    assert sum(row["value"] == 1 for row in rows) == (2 if "boom" in message else 0)


def test_parts_that_no_time_is_left_for_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert parent.run_all(["jpegs", "vlm"], given(total=1.0)) == 0
    text = capsys.readouterr().out
    assert text.count("left out: the time was over") == 2


def test_the_parts_fit_into_eight_minutes() -> None:
    assert sum(part.budget for part in parts.PARTS.values()) <= parts.TOTAL <= 480


def test_a_difference_counts_verdicts_and_what_is_known_on_one_side_only() -> None:
    output = next(output for output in registry.checks()["sharpness"].outputs if output.default_threshold)
    limit = output.default_threshold
    assert limit is not None
    difference = parity.Difference()
    difference.score(output, limit.value - 0.01, limit.value + 0.02)
    difference.score(output, 0.9, 0.9)
    difference.score(output, 0.9, np.nan)
    assert (difference.verdicts, difference.judged, difference.unknown) == (1, 3, 1)
    assert difference.worst[output.name] == pytest.approx(0.03)


def test_the_contracts_pictures_can_be_carried(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = tuple(case for case in parity.CASES if case.defect)[:2]
    monkeypatch.setattr(parity, "CASES", chosen)
    parity.prepare(settings.carried)

    def refuse(*_: Any) -> None:
        raise ModuleNotFoundError("No module named 'cv2'", name="cv2")

    expected = [case.pixels for case in chosen]
    monkeypatch.setattr(
        "loupe.testing.picture_set._pixels", lambda case: case.picture if case.defect is None else refuse()
    )
    cases, without = parity.contract_cases(settings)
    assert without == []
    for case, pixels in zip(cases, expected, strict=True):
        np.testing.assert_array_equal(case.pixels, pixels)
    (settings.carried / parity.PICTURES).unlink()
    assert parity.contract_cases(settings)[1] == [case.name for case in chosen]
