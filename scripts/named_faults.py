"""Puts faults that once went unnoticed into copies of the project, one at a time, and runs the tests that must notice.

    python scripts/named_faults.py [NAME ...]

A fault is killed where a test fails. Exits with 1 where one survives. The first line of each test run that failed is
printed with it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Fault:
    """One fault: in ``file`` the text ``old`` becomes ``new``; ``tests`` have to notice."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


CONTRACT = "tests/contract/test_contract.py"
FAULTS = (
    Fault(
        "seam judges picture 0 for the whole batch",
        "brain/checks/seam.py",
        "candidates(small.levels), strict=True)",
        "candidates(small.levels[:1]) * len(small.levels), strict=True)",
        (CONTRACT, "-k", "seam"),
    ),
    Fault(
        "halo judges picture 0 for the whole batch",
        "brain/checks/halo.py",
        "[score_picture(edges, small.shape) for edges in small.edges]",
        "[score_picture(small.edges[0], small.shape) for _ in small.edges]",
        (CONTRACT, "-k", "halo"),
    ),
    Fault(
        "motion_blur uses picture 0's spectrum",
        "brain/checks/motion_blur.py",
        "power = spectrum(batch.each(frames))",
        "power = spectrum(batch.each(frames))[:1].expand(len(batch), -1, -1)",
        (CONTRACT, "-k", "motion_blur"),
    ),
    Fault(
        "every sample gets the map of picture 0",
        "brain/core/records.py",
        "map=self.maps[at] if",
        "map=self.maps[0] if",
        ("tests/engine",),
    ),
    Fault(
        "checks run that are not pending",
        "brain/engine/threads.py",
        "    for name in sorted(pending):",
        "    for name in sorted(loaded):",
        ("tests/engine",),
    ),
    Fault(
        "other checks' reasons for unknown are dropped",
        "brain/store/updates.py",
        "sets |= {path: elements.merged(path) for",
        "sets |= {path: elements.whole() for",
        ("tests/store/test_scores.py",),
    ),
    *(
        Fault(
            f"{check}: {old} becomes {new}",
            f"brain/checks/{check}.py",
            f"\n{old}\n",
            f"\n{new}\n",
            ("tests/contract", "-k", check),
        )
        for check, old, new in (
            ("halo", "_QUANTILE = 0.7", "_QUANTILE = 0.84"),
            ("aliasing", "_FINE = 0.14", "_FINE = 0.168"),
            ("color_bleeding", "_SHIFT_WEIGHT = 4.0", "_SHIFT_WEIGHT = 4.8"),
            ("seam", "_LAG = 4", "_LAG = 5"),
            ("tiling", "_EVEN = 16", "_EVEN = 20"),
            ("local_blur", "_MIN_CONTRAST = 2.5 / 255", "_MIN_CONTRAST = 3.0 / 255"),
        )
    ),
)


def survives(fault: Fault, folder: Path) -> str:
    """Returns "" where a test fails with the fault, else what was printed; the file is whole again afterwards."""
    file = folder / "loupe" / fault.file
    source = file.read_text(encoding="utf-8")
    if source.count(fault.old) != 1:
        return (
            f"expected {fault.old!r} once in {fault.file}, got it {source.count(fault.old)} times: correct this table"
        )
    file.write_text(source.replace(fault.old, fault.new), encoding="utf-8")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *fault.tests],
            cwd=folder / "loupe",
            env={**os.environ, "PYTHONPATH": str(folder)},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        file.write_text(source, encoding="utf-8")
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    if done.returncode == 1 and failed:
        print(f"killed    {fault.name}: {failed[0].removeprefix('FAILED ')[:150]}")
        return ""
    return done.stdout[-400:] or done.stderr[-400:]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="parts of the faults' names; all by default")
    wanted = parser.parse_args().names
    chosen = [fault for fault in FAULTS if not wanted or any(name in fault.name for name in wanted)]
    survivors = 0
    with tempfile.TemporaryDirectory() as folder:
        files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
        command = ["tar", "--create", "--null", "--files-from=-", "--ignore-failed-read"]
        packed = subprocess.run(command, cwd=ROOT, input=files, capture_output=True, check=True).stdout
        project = Path(folder) / "loupe"
        project.mkdir()
        subprocess.run(["tar", "--extract"], cwd=project, input=packed, check=True)
        for fault in chosen:
            if printed := survives(fault, Path(folder)):
                survivors += 1
                print(f"SURVIVES  {fault.name}\n{printed}")
    print(f"{len(chosen) - survivors} of {len(chosen)} faults are killed")
    return int(survivors > 0)


if __name__ == "__main__":
    sys.exit(main())
