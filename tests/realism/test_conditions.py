"""What differs between files that says nothing of the pictures, and the pictures' spectra from their files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from loupe.brain.engine.reader import Row
from loupe.brain.realism import pictures
from loupe.brain.realism.conditions import Condition, condition, differences


def _picture(seed: int, side: int = 48) -> Image.Image:
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 255, (side, side + 16, 3), np.uint8))


@pytest.mark.parametrize("quality", [30, 50, 75, 90, 95])
def test_the_quality_of_a_jpeg_is_that_which_it_was_saved_with(tmp_path: Path, quality: int) -> None:
    _picture(0).save(tmp_path / "a.jpg", quality=quality)
    made = condition(tmp_path / "a.jpg")
    assert made is not None
    assert (made.format, made.mode, made.width, made.height) == ("JPEG", "RGB", 64, 48)
    assert made.quality == pytest.approx(quality, abs=1)


def test_other_formats_have_no_quality_and_what_is_no_picture_no_condition(tmp_path: Path) -> None:
    _picture(0).convert("L").save(tmp_path / "a.png")
    made = condition(tmp_path / "a.png")
    assert made == Condition("PNG", "L", 64, 48, None)
    (tmp_path / "b.png").write_bytes(b"no picture")
    assert condition(tmp_path / "b.png") is None
    assert condition(tmp_path / "missing.png") is None


def test_what_differs_is_said_and_what_does_not_is_not() -> None:
    real = [Condition("JPEG", "RGB", 640, 480, 90)] * 10
    assert differences(real, real) == ()
    assert differences(real, []) == ()
    messages = differences(real, [Condition("PNG", "RGBA", 1024, 1024, None)] * 10)
    assert [sentence.split(":")[0] for sentence in messages] == [
        "the file format differs", "the color mode differs", "the shorter side differs",
    ]  # fmt: skip
    assert "480 px of real, 1024 px of synthetic" in messages[2]
    (lower,) = differences(real, [Condition("JPEG", "RGB", 640, 480, 60)] * 10)
    assert lower == "the JPEG quality differs: about 90 of real, 60 of synthetic"
    # one file in ten is no difference
    assert differences(real, [*real[:9], Condition("PNG", "RGB", 640, 480, None)]) == ()


def test_spectra_are_read_from_files_and_a_broken_or_smaller_one_is_told(tmp_path: Path) -> None:
    rows = []
    for at in range(4):
        path = tmp_path / f"{at}.png"
        _picture(at, side=48 if at != 2 else 20).save(path)
        rows.append(Row(str(at), str(path), {}, frozenset(), {}))
    (tmp_path / "3.png").write_bytes((tmp_path / "3.png").read_bytes()[:200])
    assert pictures.common_side([row.path for row in rows]) == 20
    reported: list[tuple[int, int]] = []
    made, reasons = pictures.read(rows, 48, lambda progress: reported.append((progress.done, progress.total)), 1, 5)
    assert sorted(made) == ["0", "1"]
    assert reasons["2"] == "smaller than 48 px"
    assert reasons["3"].startswith("unreadable: ")
    assert reported[-1] == (5, 5)
    spectrum = made["0"].spectrum
    assert spectrum is not None
    # white noise: the power of a band is that of all, and three quarters lie above half of Nyquist in both directions
    assert np.abs(spectrum.profile[2:]).max() < 0.4
    assert spectrum.high_frequency > 0.7
