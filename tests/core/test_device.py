from __future__ import annotations

import pytest

from loupe.brain.core.device import resolve_device
from loupe.brain.core.errors import InputError


def test_the_cpu_is_always_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolve_device("cpu") == "cpu"
    monkeypatch.setenv("LOUPE_DEVICE", "cpu")
    assert resolve_device() == "cpu"


@pytest.mark.parametrize("device", ["cuda:77", "toaster", "cpu:x"])
def test_a_device_that_is_not_there_is_refused(device: str) -> None:
    with pytest.raises(InputError, match="device"):
        resolve_device(device)
