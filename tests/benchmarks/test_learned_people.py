"""What the benchmark of scores of faces and limbs prints, of scores whose worth is known."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from benchmarks.anatomy import learned, people_learned


def test_the_tables_tell_a_good_score_from_blur(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learned, "_RESAMPLES", 60)
    monkeypatch.setattr(learned, "_DRAWS", 1)
    monkeypatch.setenv("LOUPE_DATA", str(tmp_path))
    folder = tmp_path / people_learned._GRADED
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    severities = rng.random((60, 2))
    with (folder / "labels_tidy.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["image", "annotator", "prompt", "total_face", "total_limbs"])
        for number, (face, limb) in enumerate(severities):
            (folder / f"{number}.jpg").touch()
            for expert in "ab":
                writer.writerow([f"{number}.jpg", expert, f"prompt {number % 3}", face, limb])
        # rated, and not here
        writer.writerow(["gone.jpg", "a", "prompt 0", 0.5, 0.5])
    for at, (name, (_, ways)) in enumerate(people_learned.PARTS.items()):
        scores = {key: rng.random(60) for key in ("old rule", "size", "blur", *ways)}
        scores["agreement"] = severities[:, at] + 0.05 * rng.random(60)
        names = [f"{people_learned._GRADED}/{number}.jpg" for number in range(60)]
        columns = {f"score {key}": values for key, values in scores.items()}
        np.savez(tmp_path / f"{name}.npz", pictures=np.array(names), real=9, **columns)
    people_learned.run(tmp_path)
    printed = capsys.readouterr().out
    assert "60 rated pictures, faces in 60 of them, 60 in all; 3 prompts, one generator; 9 real ones" in printed
    assert "nan" not in printed
    better = [line for line in printed.splitlines() if line.startswith("| agreement | +") and line.count("[") == 6]
    assert len(better) == 2
    for line in better:
        # above the old rule, size and blur, over pictures and over prompts
        assert all(cell.strip().split("[")[1].startswith("+") for cell in line.split("|")[2:-1])
