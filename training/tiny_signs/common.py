"""What every training stage needs: seeds, a time budget, atomic checkpoints."""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch


def seed_everything(seed: int) -> np.random.Generator:
    """Seed Python, numpy and torch, and return a numpy generator of its own."""
    random.seed(seed)
    torch.manual_seed(seed)
    return np.random.default_rng(seed)


def pick_device(name: str) -> torch.device:
    """Return the device called ``name``; ``auto`` means CUDA where there is one."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def mixed_precision(device: torch.device) -> torch.autocast:
    """Return the autocast that the networks run in: bfloat16 where the device has it, else single precision.

    A CPU without bfloat16 emulates it, at a tenth of the speed of single precision.
    """
    cpu = torch.cpu.get_capabilities()
    supported = device.type == "cuda" or cpu.get("avx512_bf16", False) or cpu.get("amx_bf16", False)
    return torch.autocast(device.type, torch.bfloat16, enabled=bool(supported))


@dataclass
class Budget:
    """A stage ends after so many steps or seconds, whichever comes first (0 means no limit)."""

    steps: int
    seconds: float
    started: float = field(default_factory=time.monotonic)
    spent_before: float = 0.0

    def spent(self) -> float:
        """Return the seconds this stage has taken, earlier runs included."""
        return self.spent_before + time.monotonic() - self.started

    def progress(self, step: int) -> float:
        """Return how much of the stage is over, 0..1."""
        by_steps = step / self.steps if self.steps else 0.0
        by_time = self.spent() / self.seconds if self.seconds else 0.0
        return min(1.0, max(by_steps, by_time))

    def over(self, step: int) -> bool:
        """Return whether the stage has used its budget."""
        return self.progress(step) >= 1.0


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write ``state`` to ``path`` in one rename, so that a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    torch.save(state, partial)
    os.replace(partial, path)


def load_state(path: Path) -> dict[str, Any] | None:
    """Return what :func:`save_state` wrote, or ``None`` where there is nothing yet."""
    if not path.exists():
        return None
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def learning_rate(step: int, progress: float, peak: float, warmup: int = 100, floor: float = 0.05) -> float:
    """Return a linear warm-up followed by a cosine down to ``floor`` of the peak."""
    ramp = min(1.0, (step + 1) / warmup)
    return peak * ramp * (floor + (1 - floor) * 0.5 * (1 + float(np.cos(np.pi * progress))))


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set one learning rate on every parameter group."""
    for group in optimizer.param_groups:
        group["lr"] = rate
