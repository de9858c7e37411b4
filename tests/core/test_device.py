from __future__ import annotations

import pytest

from loupe.brain.core.device import resolve_device
from loupe.brain.core.errors import InputError


def test_the_cpu_is_always_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolve_device("cpu") == "cpu"
    monkeypatch.setenv("LOUPE_DEVICE", "cpu")
    assert resolve_device() == "cpu"
    # what is asked for the CPU elsewhere compares with its name
    assert resolve_device("cpu:0") == "cpu"


@pytest.mark.parametrize("device", ["cuda:77", "toaster", "cpu:x"])
def test_a_device_that_is_not_there_is_refused(device: str) -> None:
    with pytest.raises(InputError, match="device"):
        resolve_device(device)


def test_the_best_device_is_taken_unless_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOUPE_DEVICE", raising=False)
    for cuda, mps, best in ((True, True, "cuda"), (True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")):
        monkeypatch.setattr("torch.cuda.is_available", lambda cuda=cuda: cuda)
        monkeypatch.setattr("torch.backends.mps.is_available", lambda mps=mps: mps)
        assert resolve_device() == best
    monkeypatch.setenv("LOUPE_DEVICE", "mps")
    with pytest.raises(InputError, match="'mps' is not on this machine"):
        resolve_device()
    assert resolve_device("cpu") == "cpu", "what is asked for goes before the environment"


def test_gpus_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    assert [resolve_device(device) for device in ("cuda", "cuda:0", "cuda:1")] == ["cuda", "cuda:0", "cuda:1"]
    with pytest.raises(InputError, match="'cuda:2' is not on this machine"):
        resolve_device("cuda:2")
