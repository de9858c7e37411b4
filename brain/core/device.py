"""Which device to run on."""

from __future__ import annotations

import os
from collections.abc import Sequence

from loupe.brain.core.errors import InputError


def resolve_device(device: str | None = None) -> str:
    """Returns the device to run on: the one asked for, else ``$LOUPE_DEVICE``, else the first GPU, else ``"cpu"``.

    Raises:
        InputError: the device is not there
    """
    import torch

    wanted = device or os.environ.get("LOUPE_DEVICE") or ""
    if not wanted:
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        kind = torch.device(wanted)
    except RuntimeError:
        several = ": only loupe.generate takes several" if "," in wanted or wanted.strip().lower() == "all" else ""
        expected = "expected a device such as 'cpu', 'cuda', 'cuda:1' or 'mps'"
        raise InputError(f"{expected}, got {wanted!r}{several}") from None
    available = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and (kind.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not available.get(kind.type, False):
        raise InputError(f"device {wanted!r} is not on this machine. Leave it out to run on the best one there is")
    # "cpu:0" is the CPU, too
    return "cpu" if kind.type == "cpu" else wanted


#: more processes on one machine are a slip
_MAX_DEVICES = 64


def resolve_devices(devices: str | Sequence[str] | None = None) -> tuple[str, ...]:
    """Returns the devices to run on, a process each: those that are named, all GPUs, or the best device there is.

    Args:
        devices: a device, several of one kind as ``"cuda:0,cuda:1"`` or as a list, ``"all"`` for every GPU, or None as
            in ``resolve_device``. One that is named twice is used by two processes

    Raises:
        InputError: a device is not there, or they are of several kinds: those would draw different pixels

    >>> resolve_devices("cpu,cpu")
    ('cpu', 'cpu')
    """
    if isinstance(devices, str) and devices.strip().lower() == "all":
        known = tuple(gpus())
        return known if len(known) > 1 else (resolve_device(),)
    if devices is None or devices == "":
        return (resolve_device(),)
    named = devices.split(",") if isinstance(devices, str) else devices
    if (
        not isinstance(named, (list, tuple))
        or not all(isinstance(name, str) and name.strip() for name in named)
        or not 1 <= len(named) <= _MAX_DEVICES
    ):
        raise InputError(
            f"expected 'all', a device, or 1 to {_MAX_DEVICES} such as 'cuda:0,cuda:1', got {devices!r}"[:400]
        )
    resolved = tuple(resolve_device(name.strip()) for name in named)
    if len({name.partition(":")[0] for name in resolved}) > 1:
        raise InputError(f"expected devices of one kind, got {', '.join(resolved)}: other kinds draw other pixels")
    return resolved


def gpus() -> dict[str, str]:
    """Returns the name of each GPU of this machine by its device; empty where there is none.

    >>> gpus()  # doctest: +SKIP
    {'cuda:0': 'NVIDIA H200', 'cuda:1': 'NVIDIA H200'}
    """
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return {f"cuda:{at}": torch.cuda.get_device_name(at) for at in range(count)}
