"""Files of a process that pause or fail, and its clock that jumps: by a small library that stands before the C one.

It needs no rights, as a mount would, but a C compiler; without one, or elsewhere than on Linux, there is none.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import Literal

_SOURCE = Path(__file__).with_name("shim.c")
_MODES = {"nothing": 0, "pause": 1, "fail": 2, "read-only": 3}
_LAYOUT = struct.Struct("diiii480s")

Mode = Literal["nothing", "pause", "fail", "read-only"]


def compiled(folder: Path) -> Path | None:
    """Returns the library, made in a folder; None where it cannot be made."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        return None
    library = folder / "shim.so"
    command = [compiler, "-O1", "-shared", "-fPIC", "-o", str(library), str(_SOURCE), "-ldl"]
    return None if subprocess.run(command, capture_output=True).returncode else library


class Page:
    """What happens to a process, now: a page in memory that it reads, and that others write."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_bytes(_LAYOUT.pack(0.0, 0, 0, 0, 0, b""))
        with path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), _LAYOUT.size)

    def files(self, folder: Path, mode: Mode, error: int = errno.EIO, percent: int = 100) -> None:
        """Lets files below a folder pause or fail from now on.

        Args:
            folder: the files below it, and itself
            mode: ``"pause"``: a call waits until something else is said; ``"fail"``; ``"read-only"``: to write fails
            error: what a call fails with
            percent: of a hundred calls how many fail
        """
        # the mode comes last: it is what is looked at
        self._page[24 : 24 + 480] = os.fsencode(folder).ljust(480, b"\0")
        self._page[12:20] = struct.pack("ii", error, percent)
        self._page[8:12] = struct.pack("i", _MODES[mode])

    def jump(self, seconds: float) -> None:
        """Sets the clock to so many seconds from the right one."""
        self._page[0:8] = struct.pack("d", seconds)

    @property
    def calls(self) -> int:
        """How many calls were disturbed so far."""
        return int(struct.unpack("i", self._page[20:24])[0])


def watch(path: str) -> None:
    """Makes this process read a page; the library has to stand before the C library's already.

    Raises:
        OSError: it does not, or the page cannot be read
    """
    own = getattr(ctypes.CDLL(None), "fault_page", None)
    if own is None or own(os.fsencode(path)):
        raise OSError(errno.ENOENT, "the faults' library is not loaded", path)
