"""Each check without a model on a device that is none, see ``pretend_gpu``; a GPU adds up in another order beside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from pretend_gpu import NAME, PretendGpu

from loupe.brain.checks import color_bleeding, motion_blur
from loupe.brain.core import registry
from loupe.brain.imaging import scaling
from loupe.brain.imaging.transforms import on_device
from loupe.testing.cases import CASES
from loupe.testing.picture_set import batch, by_shape

CHECKS = registry.checks()
NAMES = [
    name
    for name, check in CHECKS.items()
    if not check().weights()
    and not check().absent()
    and name not in ("composition", "overlay", "personal_data", "text")
]
#: waits for the device that a batch may cost a check which runs by default, however many pictures it has
MAX_WAITS = 8
GROUP = by_shape(CASES)[0][:8]


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    """Tables that are kept for a device are not kept for one that is none."""
    yield
    kept = (scaling._matrix, motion_blur._frequencies, motion_blur._fit, motion_blur._window)
    for table in (*kept, color_bleeding._operators):
        table.cache_clear()


@pytest.mark.parametrize("name", NAMES)
def test_a_check_says_the_same_on_a_device(name: str) -> None:
    check = CHECKS[name]()
    known = check.load("cpu")(batch(GROUP))
    expected = known.by_sample(len(GROUP))
    with PretendGpu() as gpu:
        score = check.load(NAME)
        given = batch(GROUP)
        given = replace(given, pixels=given.pixels.to(NAME))
        score(given)  # what is kept from batch to batch is made
        gpu.waits = 0
        again = score(replace(given)).by_sample(len(GROUP))
        waits = gpu.waits
    assert [result.reason for result in again] == [result.reason for result in expected]
    assert [[box.label for box in result.boxes] for result in again] == [
        [box.label for box in result.boxes] for result in expected
    ]
    for output in check.outputs:
        first, second = (
            [result.values.get(output.name, np.nan) for result in results] for results in (expected, again)
        )
        np.testing.assert_allclose(second, first, rtol=1e-5, atol=5e-5)
    assert not check.default or waits <= MAX_WAITS


def test_two_devices_in_one_step_are_noticed() -> None:
    with PretendGpu(), pytest.raises(AssertionError, match="on the CPU and on the device"):
        torch.zeros(3, device=NAME) + torch.zeros(3)


def test_waits_are_counted() -> None:
    with PretendGpu() as gpu:
        numbers = torch.arange(5, device=NAME)
        assert gpu.waits == 0
        assert numbers[numbers > 2].tolist() == [3, 4]
        assert gpu.waits == 2, "one for the shape, one for the copy"
        assert int(numbers.sum()) == 10
        torch.tensor([1.0], device=NAME)
        assert gpu.waits == 4


def test_a_networks_inputs_are_made_there() -> None:
    peer = pytest.importorskip("torchvision.transforms")
    steps = [peer.Resize(64, peer.InterpolationMode.BICUBIC), peer.CenterCrop(60), peer.ToTensor()]
    inputs = on_device(peer.Compose([*steps, peer.Normalize((0.5, 0.4, 0.3), (0.2, 0.3, 0.4))]))
    assert inputs is not None
    pixels = batch(GROUP[:2]).pixels
    expected = inputs(pixels)
    scaling._matrix.cache_clear()
    with PretendGpu():
        made = inputs(pixels.to(NAME)).cpu()
    assert torch.equal(made, expected)
