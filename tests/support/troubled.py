"""A generator of noise that goes wrong in a process of its own, in the way that a test asks for."""

from __future__ import annotations

import os
import signal
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from noise import Noise
from PIL import Image

from loupe.brain.core.errors import ModelError, UnknownName
from loupe.brain.core.records import Request
from loupe.brain.core.specs import GeneratorSession, param


@dataclass(frozen=True)
class Troubled(Noise):
    """Noise, and trouble."""

    name: ClassVar[str] = "troubled"

    trouble: str = param("", "Which one.")
    folder: str = param("", "Of files that say which process is where.")

    def load(self, device: str) -> GeneratorSession:
        # libraries print
        sys.stdout.write("loading\n")
        os.write(1, b"loading for certain\n")
        first = self._is_first()
        if self.trouble == "does not load" and not first:
            raise ModelError(f"no room on {device}")
        if self.trouble == "cannot be sent back":
            raise UnknownName("model", "noisy", ["noise"])
        if self.trouble == "dies as it loads" and not first:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.trouble == "never loads":
            time.sleep(600)
        session = super().load(device)
        facts = {**session.facts, "dtype": "float16" if self.trouble == "differs" and first else "float32"}

        def draw(requests: Sequence[Request]) -> list[Image.Image]:
            self._trouble(requests)
            return session.draw(requests)

        return replace(session, facts=facts, draw=draw)

    def _trouble(self, requests: Sequence[Request]) -> None:
        if self.trouble == "warns":
            warnings.warn("a prompt is too long", stacklevel=2)
        if not any("trouble" in request.prompt for request in requests):
            return
        if self.trouble == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.trouble == "dies once" and self._is_first():
            os.kill(os.getpid(), signal.SIGKILL)
        if self.trouble == "out of memory":
            raise ModelError("troubled does not fit into the memory of cuda:1: choose a smaller width")
        if self.trouble == "breaks":
            raise ZeroDivisionError("division by zero")
        if self.trouble == "exits":
            os._exit(3)

    def _is_first(self) -> bool:
        """Returns whether no other process was here before; notes this one's id."""
        (Path(self.folder) / str(os.getpid())).touch()
        try:
            (Path(self.folder) / "first").open("x").close()
        except FileExistsError:
            return False
        return True
