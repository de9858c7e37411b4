"""A copy of the project in a folder of its own, in which a mutant can stand without anybody else seeing it."""

from __future__ import annotations

import compileall
import importlib.util
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def copy(root: Path, folder: Path, package: str) -> Path:
    """Copies what git knows and what it does not ignore, as it is now; the copy can be imported under ``package``."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    target = folder / package
    for name in filter(None, listed.split("\0")):
        if (root / name).is_file():  # else deleted, and not yet committed
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, target / name)
    compileall.compile_dir(target, quiet=2)  # runs write no bytecode
    return target


@contextmanager
def mutated(file: Path, text: str) -> Iterator[None]:
    """The file holds another text for a while; no bytecode of either stays for the other."""
    before = file.read_bytes()
    bytecode = Path(importlib.util.cache_from_source(str(file)))
    bytecode.unlink(missing_ok=True)
    file.write_text(text, encoding="utf-8")
    try:
        yield
    finally:
        file.write_bytes(before)
        bytecode.unlink(missing_ok=True)
