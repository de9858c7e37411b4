"""The main job, end to end, as the demo runs it: twice, and the second time changes nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
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
    from demo_repaired import as_drawn

    return {
        "as drawn": len(as_drawn(dataset)),
        "repair": dataset.count_values("repaired.text_substitution.label"),
        "rebalance": dataset.count_values("rebalance.status"),
        "samples": len(dataset),
        "files": sorted(dataset.values("filepath")),
        "failures": dataset.count_values("failures.classifications.label"),
        "map": dataset.get_brain_info("embeddings_umap").timestamp,
        "unknown": dataset.count_values("unknown.classifications.label"),
    }


def _end(output: str) -> str:
    """What is printed of the repaired and rebalanced signs."""
    return output.split("Repaired and rebalanced")[1]


def _repaired(dataset: Any) -> int:
    return sum(n for name, n in dataset.count_values("repaired.text_substitution.label").items() if name)


@pytest.mark.database
def test_transfer_before_and_after_is_that_of_the_verb(new_dataset: Callable[[], Any]) -> None:
    import fiftyone as fo
    from demo_repaired import transfer_change

    import loupe

    rng = np.random.default_rng(5)
    sides = {}
    # the classes lie apart by what is known of them; of the first set half of the labels are wrong
    for name, count, wrong in (("before", 80, 0.5), ("after", 160, 0.0), ("train", 80, 0.0), ("test", 300, 0.0)):
        dataset = sides[name] = new_dataset()
        classes = np.arange(count) % 2
        vectors = rng.normal(size=(count, 6)) + classes[:, None] * 1.5
        shown = np.where(rng.random(count) < wrong, 1 - classes, classes)
        dataset.add_samples(
            [
                fo.Sample(f"/gone/{name}-{at}.png", digits=str(shown[at]), embeddings=vectors[at].tolist())
                for at in range(count)
            ],
            progress=False,
        )
    old, new, change = transfer_change(*sides.values(), "digits")
    for name, accuracy in (("before", old), ("after", new)):
        arms = loupe.test_transfer(sides[name], sides["train"], sides["test"], label="digits").matrix
        assert accuracy == next(arm.accuracy for arm in arms if arm.name == "all S→R")
    assert change.value == pytest.approx(new.value - old.value)
    assert change.low > 0, "right labels teach more, surely"
    same = transfer_change(sides["after"], sides["after"], sides["train"], sides["test"], "digits")[2]
    assert same.value == 0
    assert same.low <= 0 <= same.high


@pytest.mark.slow
@pytest.mark.database
def test_the_demo_leaves_a_checked_embedded_sliced_dataset_and_goes_on_where_it_was(database: str) -> None:
    import fiftyone as fo
    from demo_repaired import as_drawn

    import loupe

    output = _run_demo()
    dataset = fo.load_dataset("loupe-demo")
    try:
        before = _counts(dataset)
        assert before["as drawn"] == 24
        kept, drawn = before["repair"].get("better", 0), sum(n for name, n in before["rebalance"].items() if name)
        assert before["samples"] == 24 + kept + drawn
        assert sum(n for name, n in before["repair"].items() if name), "some signs say something else"
        assert 0 < drawn <= 7, "the worst scenario was drawn, and no more than its limit"
        assert dataset.persistent
        sample = dataset.first()
        assert sample.prompt.startswith("a ")
        assert sample.generation.model == "tiny-signs"
        assert sample.scenario.time in {"day", "night"}
        assert sample.quality.sharpness is not None
        assert len(sample.embeddings) > 100
        assert None not in dataset.values("failures.classifications.label"), "every sample was flagged"
        ends_with = loupe.rebalanced_view(dataset)
        assert len(ends_with.exists("embeddings")) == len(ends_with)
        assert dataset.load_brain_results("embeddings_umap").points.shape == (len(dataset.exists("embeddings")), 2)
        assert "loupe" in dataset.list_workspaces()
        assert set(dataset.list_saved_views()) == {"As drawn", "Rebalanced"}
        assert len(dataset.load_saved_view("As drawn")) == 24
        real = fo.load_dataset("loupe-demo-real")
        assert real.count_values("part") == {"train": 72, "test": 72}
        assert None not in as_drawn(dataset).values("realism.domain_probability")
        assert "24 generated signs against 144 real ones" in output
        assert "INSUFFICIENT_DATA: 24 samples on the smaller side are too few" in output
        assert "utility" in output
        assert "Repaired and rebalanced" in output
        assert "done before: 0" in output
        assert "signs pass, the fewest of 12 scenarios" in output
        assert f"({drawn} drawn)" in output
        assert f"these {len(loupe.rebalanced_view(loupe.with_repairs(dataset)))}" in output
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
        assert _end(again) == _end(output).replace("done before: 0", f"done before: {_repaired(dataset)}")
        assert "0 done, 144 already done" in again
        assert set(fo.load_dataset("loupe-demo-real").values("id")) == set(real.values("id"))
    finally:
        dataset.delete()
        if fo.dataset_exists("loupe-demo-real"):
            fo.delete_dataset("loupe-demo-real")
