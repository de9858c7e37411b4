"""One contract for every registered defect: what calibration, the tests and the benchmark may take for granted."""

from __future__ import annotations

import inspect
import itertools

import numpy as np
import pytest
from leaves import leaves

from loupe.brain.core import registry
from loupe.brain.core.specs import Defect
from loupe.brain.core.taxonomy import FAILURE_MODES

DEFECTS = registry.defects()
#: the defects whose flaw is the shape
OTHER_SHAPE = {"odd_aspect"}

GRAY = np.full((40, 60, 3), 128, np.uint8)
ODD_ONES = {
    "small": leaves(1, 8, 8, 20),
    "tiny": leaves(1, 3, 3, 5),
    "one pixel": leaves(1, 1, 1, 1),
    "long and thin": leaves(1, 500, 2, 300),
    "tall and thin": leaves(1, 2, 500, 300),
    "one row": leaves(1, 60, 1, 40),
    "grey": GRAY,
    "black": GRAY * 0,
    "white": GRAY * 0 + 255,
    "noise": np.random.default_rng(0).integers(0, 256, (64, 48, 3), dtype=np.uint8),
}

every_defect = pytest.mark.parametrize("name", DEFECTS)


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return leaves(3)


def _inject(name: str, pixels: np.ndarray, severity: float, seed: int = 0) -> np.ndarray:
    return DEFECTS[name]().inject(pixels, severity, np.random.default_rng(seed))


def test_there_are_defects() -> None:
    assert len(DEFECTS) >= 10


@every_defect
def test_it_says_what_it_is(name: str) -> None:
    defect: type[Defect] = DEFECTS[name]
    assert name == defect.name
    assert name in FAILURE_MODES
    assert defect.version >= 1
    assert defect.reference
    assert defect.license
    assert defect.unit
    assert inspect.getdoc(defect)


@every_defect
def test_its_severities_go_from_mild_to_strong(name: str) -> None:
    severities = DEFECTS[name].severities
    assert severities
    assert all(np.isfinite(severities))
    steps = np.diff(severities)
    assert np.all(steps > 0) or np.all(steps < 0)


@every_defect
def test_every_severity_makes_another_picture(name: str, picture: np.ndarray) -> None:
    made = [_inject(name, picture, severity) for severity in DEFECTS[name].severities]
    for other in made:
        assert other.dtype == np.uint8
        assert other.ndim == 3
        assert other.shape[2] == 3
        if name in OTHER_SHAPE:
            assert min(other.shape[:2]) >= 1
            continue
        assert other.shape == picture.shape
        # a hundredth of the values, at the least
        assert (other != picture).mean() > 0.01
    for mild, strong in itertools.pairwise(made):
        assert mild.shape != strong.shape or (mild != strong).any()


@every_defect
def test_the_picture_given_is_left_as_it_was(name: str, picture: np.ndarray) -> None:
    given = picture.copy()
    locked = picture.copy()
    locked.flags.writeable = False
    for severity in DEFECTS[name].severities:
        made = _inject(name, given, severity)
        assert np.array_equal(given, picture)
        made[:] = 7
        assert np.array_equal(given, picture), "the result shares memory with the picture"
        assert _inject(name, locked, severity).flags.writeable


@every_defect
def test_the_same_seed_makes_the_same(name: str, picture: np.ndarray) -> None:
    for severity in DEFECTS[name].severities:
        first, again = (_inject(name, picture, severity, seed=5) for _ in range(2))
        assert np.array_equal(first, again)


@every_defect
def test_how_the_picture_lies_in_memory_does_not_matter(name: str, picture: np.ndarray) -> None:
    planes = np.ascontiguousarray(picture.transpose(2, 0, 1)).transpose(1, 2, 0)
    part = np.zeros((picture.shape[0] + 20, picture.shape[1] + 20, 3), np.uint8)
    part[10:-10, 10:-10] = picture
    turned = np.ascontiguousarray(picture[::-1, ::-1])[::-1, ::-1]
    for severity in DEFECTS[name].severities:
        expected = _inject(name, picture, severity)
        for other in (planes, part[10:-10, 10:-10], turned, np.asfortranarray(picture)):
            assert np.array_equal(_inject(name, other, severity), expected)


@every_defect
@pytest.mark.parametrize("kind", ODD_ONES)
def test_it_survives(name: str, kind: str) -> None:
    pixels = ODD_ONES[kind]
    for severity in DEFECTS[name].severities:
        for seed in range(8):  # the rng decides between ways of making it
            made = _inject(name, pixels, severity, seed)
            assert made.dtype == np.uint8
            if name not in OTHER_SHAPE:
                assert made.shape == pixels.shape
            assert made.size
