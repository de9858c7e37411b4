from __future__ import annotations

import pytest

from loupe.brain.core.device import gpus, resolve_device, resolve_devices
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


def test_several_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOUPE_DEVICE", raising=False)
    assert resolve_devices("cpu, cpu:0") == ("cpu", "cpu")
    for count, available in ((0, False), (1, True), (3, True)):
        monkeypatch.setattr("torch.cuda.is_available", lambda available=available: available)
        monkeypatch.setattr("torch.cuda.device_count", lambda count=count: count)
        monkeypatch.setattr("torch.cuda.get_device_name", lambda at: f"GPU {at}")
        best = "cuda" if available else "cpu"
        assert resolve_devices() == resolve_devices("") == (best,)
        assert resolve_devices(" ALL ") == (("cuda:0", "cuda:1", "cuda:2") if count == 3 else (best,))
    assert gpus() == {"cuda:0": "GPU 0", "cuda:1": "GPU 1", "cuda:2": "GPU 2"}
    assert resolve_devices(["cuda:2", "cuda:0"]) == ("cuda:2", "cuda:0")
    with pytest.raises(InputError, match="'cuda:3' is not on this machine"):
        resolve_devices("cuda:0,cuda:3")
    with pytest.raises(InputError, match="expected devices of one kind, got cuda:0, cpu"):
        resolve_devices("cuda:0,cpu")
