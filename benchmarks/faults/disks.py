"""The disk is full, or the folder for the pictures goes in the middle of a run."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np

from benchmarks.faults.killing import again, partly
from benchmarks.faults.lines import LINES
from benchmarks.faults.result import Result
from benchmarks.faults.verbs import VERBS, Job, job, undisturbed
from benchmarks.faults.world import World, wait_for_a_moment

#: the verbs that write pictures into a folder
_DRAWING = [verb for verb in VERBS if "FOLDER" in LINES[verb].given.values()]
_FAULTS = ("no file may grow", "full disk", "folder gone", "file in place of the folder", "folder no longer writable")


def filled(world: World, seed: int) -> Result:
    """Lets the writing of pictures fail, and draws again once there is room."""
    fault = _FAULTS[seed % len(_FAULTS)]
    rng = np.random.default_rng(seed)
    verb = _DRAWING[seed // len(_FAULTS) % len(_DRAWING)]
    result = Result(f"{verb}, {fault}")
    with job(world, verb) as ready:
        folder = Path(next(ready.given[name] for name, value in LINES[verb].given.items() if value == "FOLDER"))
        if fault == "no file may grow":
            result.ended(ready.start(world, limit=int(rng.integers(1, 2000))))
        elif fault == "full disk":
            _on_a_full_disk(world, ready, result, folder)
        else:
            _without_folder(world, ready, result, folder, fault, rng)
        for path in folder.glob("[!.]*"):
            if not _whole(path):
                result.half += 1
                result.say(f"half a picture: {path.name}")
        partly(ready, result)
        again(world, ready, result)
        drawn = [path for path in map(Path, ready.made.values("filepath")) if path.parent == folder]
        gone = [path for path in drawn if not _whole(path)]
        result.lost += len(gone)
        if gone:
            result.say(f"{len(gone)} samples without their picture")
    return result


def _whole(path: Path) -> bool:
    from PIL import Image

    try:
        with Image.open(path) as image:
            image.load()
    except (OSError, SyntaxError):
        return False
    return True


def _on_a_full_disk(world: World, ready: Job, result: Result, folder: Path) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        # who may not mount one has files that may not grow
        result.what += " (no right to mount one)"
        result.ended(ready.start(world, limit=700))
        return
    try:
        ended = result.ended(ready.start(world))
        if ended is not None and (ended["ok"] or "disk is full" not in ended["error"]):
            result.dead += 1
            result.say(f"expected that the disk is full, got {ended}")
        partly(ready, result)
        subprocess.run(["mount", "-o", "remount,size=8m", str(folder)], check=True)
        again(world, ready, result)
        kept = world.place()
        shutil.copytree(folder, kept, dirs_exist_ok=True)
    finally:
        subprocess.run(["umount", str(folder)], check=True)
    shutil.copytree(kept, folder, dirs_exist_ok=True)


def _without_folder(
    world: World, ready: Job, result: Result, folder: Path, fault: str, rng: np.random.Generator
) -> None:
    child = ready.start(world)
    wait_for_a_moment(child, rng, undisturbed(world, ready.verb)[1])
    aside = world.place() / "aside"
    try:
        folder.rename(aside)
    except OSError:
        aside.mkdir()
    if fault == "file in place of the folder":
        folder.write_bytes(b"")
    elif fault == "folder no longer writable":
        folder.symlink_to("/proc/self/fdinfo")
    result.ended(child)
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    # what was there comes back, and what was written meanwhile stays
    shutil.copytree(aside, folder, dirs_exist_ok=True)
