"""Rows of one part: printed as they come, each for itself, whatever fails."""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

#: what a line with a row begins with, among whatever else a process prints
MARK = "ROW "


@dataclass(frozen=True)
class Settings:
    """How a part runs.

    Attributes:
        device: e.g. ``"cuda"``
        small: whether it is a rehearsal
        deadline: of ``time.monotonic``, after which nothing new is begun
        carried: the folder of what was carried along
    """

    device: str
    small: bool
    deadline: float
    carried: Path

    def size(self, full: int, small: int) -> int:
        """Returns a number, another one in a rehearsal."""
        return small if self.small else full

    @property
    def seconds(self) -> float:
        """How long one figure is measured."""
        return 0.2 if self.small else 2.0


class Report:
    """Prints the rows of a part.

    Args:
        part: its name
        settings: how it runs
    """

    def __init__(self, part: str, settings: Settings) -> None:
        self.part = part
        self.settings = settings

    def row(self, name: str, value: float | str | None, unit: str = "", note: str = "") -> None:
        """Prints a row: what, how much, in which unit, and what is to be said of it."""
        shown = float(f"{value:.5g}") if isinstance(value, float) else value
        line = {"part": self.part, "name": name, "value": shown, "unit": unit, "note": note}
        print(MARK + json.dumps(line), flush=True)

    def attempt(self, name: str, work: Callable[[], object]) -> None:
        """Does one thing of the part; what it fails by is a row, and the rest goes on."""
        if time.monotonic() > self.settings.deadline:
            self.row(name, None, note="left out: the time of this part was over")
            return
        try:
            work()
        # whatever it is, the other figures are wanted
        except Exception as error:
            self.row(name, None, note=sentence(error))


def sentence(error: BaseException) -> str:
    """Returns why something is missing: left out where it cannot be had here, else failed."""
    from loupe.brain.core.errors import MissingDependency, MissingWeights

    text = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
    if isinstance(error, PackageNotFoundError):  # a library looks for what it needs itself
        return f"left out: {text}"
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.partition(".")[0]
        names = {"cv2": "opencv-python-headless", "PIL": "Pillow", "ai_edge_litert": "ai-edge-litert"}
        return f"left out: {package} is not installed: pip install {names.get(package, package)}"
    if isinstance(error, (MissingDependency, MissingWeights)):
        return f"left out: {text}"
    return f"failed: {type(error).__name__}: {text}"


def rate(work: Callable[[], object], settings: Settings, seconds: float | None = None) -> float:
    """Returns how many times a second something is done, after one time that is not counted."""
    work()
    synchronize(settings.device)
    count, started = 0, time.perf_counter()
    while True:
        work()
        count += 1
        if time.perf_counter() - started > (seconds or settings.seconds):
            synchronize(settings.device)
            return count / (time.perf_counter() - started)


def synchronize(device: str) -> None:
    """Waits for a device; for a CPU there is nothing to wait for."""
    import torch

    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    elif device.startswith("mps"):
        torch.mps.synchronize()


def run_part(name: str, device: str, small: bool, seconds: float, carried: Path) -> None:
    """Runs a part in this process, and prints its rows and its peak memory."""
    if (carried / "site").is_dir():
        sys.path.append(str(carried / "site"))
    # nothing is asked for over a network that is not there, nor waited for
    for variable in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "LOUPE_OFFLINE"):
        os.environ[variable] = "1"
    deadline = time.monotonic() + seconds
    from loupe.brain.core.device import resolve_device

    settings = Settings(resolve_device(device or None), small, deadline, carried)
    report = Report(name, settings)
    report.attempt(name, lambda: importlib.import_module(f"benchmarks.gpu.{name}").run(report, settings))
    report.attempt("peak memory", lambda: _print_memory(report, settings.device))


def _print_memory(report: Report, device: str) -> None:
    import torch

    note = f"of this process, {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10:.0f} MiB in the machine's own"
    if not device.startswith("cuda"):
        report.row("peak memory", None, note=f"no GPU; {note}")
        return
    facts: dict[str, Any] = torch.cuda.memory_stats(device)
    taken = facts.get("reserved_bytes.all.peak", 0) / 2**20
    used = facts.get("allocated_bytes.all.peak", 0) / 2**20
    report.row("peak memory", used, "MiB", f"in tensors on the device, {taken:.0f} MiB taken from it; {note}")
