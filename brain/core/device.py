"""Which device to run on."""

from __future__ import annotations

import os

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
        raise InputError(f"expected a device such as 'cpu', 'cuda', 'cuda:1' or 'mps', got {wanted!r}") from None
    available = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and (kind.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not available.get(kind.type, False):
        raise InputError(f"device {wanted!r} is not on this machine. Leave it out to run on the best one there is")
    # "cpu:0" is the CPU, too
    return "cpu" if kind.type == "cpu" else wanted
