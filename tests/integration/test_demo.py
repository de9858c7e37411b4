"""The main job, end to end, as the demo runs it: twice, and the second time changes nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_the_plugin_is_linked_and_a_downloaded_copy_is_left_alone(tmp_path: Path) -> None:
    from demo import link_plugin

    link = tmp_path / "plugins" / "loupe"
    for before in (None, tmp_path, tmp_path / "gone"):
        if before is not None:
            link.unlink()
            link.symlink_to(before)
        link_plugin(link.parent)
        assert link.resolve() == ROOT
    link.unlink()
    (link / "fiftyone.yml").mkdir(parents=True)
    link_plugin(link.parent)
    assert not link.is_symlink()


def _run_demo() -> str:
    command = [sys.executable, ROOT / "scripts" / "demo.py", "--no-app", "--per-cell", "1"]
    done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ), timeout=500, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _counts(dataset: Any) -> dict[str, Any]:
    return {
        "samples": len(dataset),
        "files": sorted(dataset.values("filepath")),
        "failures": dataset.count_values("failures.classifications.label"),
        "unknown": dataset.count_values("unknown.classifications.label"),
    }


@pytest.mark.slow
@pytest.mark.database
def test_the_demo_leaves_a_checked_embedded_sliced_dataset_and_goes_on_where_it_was(database: str) -> None:
    import fiftyone as fo

    output = _run_demo()
    dataset = fo.load_dataset("loupe-demo")
    try:
        before = _counts(dataset)
        assert before["samples"] == 24
        assert dataset.persistent
        sample = dataset.first()
        assert sample.prompt.startswith("a ")
        assert sample.generation.model == "tiny-signs"
        assert sample.scenario.time in {"day", "night"}
        assert sample.quality.sharpness is not None
        assert len(sample.embeddings) > 100
        assert None not in dataset.values("failures.classifications.label"), "every sample was flagged"
        assert dataset.load_brain_results("embeddings_umap").points.shape == (24, 2)
        assert "loupe" in dataset.list_workspaces()
        real = fo.load_dataset("loupe-demo-real")
        assert real.count_values("part") == {"train": 72, "test": 72}
        assert None not in dataset.values("realism.domain_probability")
        assert "24 generated signs against 144 real ones" in output
        assert "INSUFFICIENT_DATA: 24 samples on the smaller side are too few" in output
        assert "utility" in output
        assert "text_substitution | time=day" in output
        assert "24 done, 0 already done" in output
        assert "does not apply" not in output
        assert "dark: 12 as asked" in output
        assert set(before["unknown"]) <= {"text", "exposure", "sharpness", "information"}, (
            "what was asked for, and text"
        )

        again = _run_demo()
        dataset.reload()
        assert _counts(dataset) == before
        assert "0 done, 24 already done" in again
        assert "0 done, 144 already done" in again
        assert set(fo.load_dataset("loupe-demo-real").values("id")) == set(real.values("id"))
    finally:
        dataset.delete()
        if fo.dataset_exists("loupe-demo-real"):
            fo.delete_dataset("loupe-demo-real")
