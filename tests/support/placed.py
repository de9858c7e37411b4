"""A generator of noise that notes where in a cluster it was loaded.

It cannot be loaded on a node that is bare, and on one that is ahead the clock of its process is an hour ahead, from
before it is loaded on.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from noise import Noise
from PIL import Image

from loupe.brain.core.errors import ModelError
from loupe.brain.core.records import Request
from loupe.brain.core.specs import GeneratorSession, param

#: of a node's processes: its name, and how many seconds their clock is ahead
NODE, AHEAD = "LOUPE_TEST_NODE", "LOUPE_TEST_AHEAD"


@dataclass(frozen=True)
class Placed(Noise):
    """Noise, and a note of each process that loaded it."""

    name: ClassVar[str] = "placed"

    folder: str = param("", "Of the notes.")
    bare: str = param("bare", "The node that has no model.")

    def __setstate__(self, state: dict[str, object]) -> None:
        """As it comes to a node. A library that is preloaded, as ``benchmarks.faults.shim``, Ray takes from workers."""
        self.__dict__.update(state)
        ahead, clock, clock_ns = float(os.environ.get(AHEAD, 0)), time.time, time.time_ns
        if ahead:
            time.time = lambda: clock() + ahead
            time.time_ns = lambda: clock_ns() + int(ahead * 1e9)

    def load(self, device: str) -> GeneratorSession:
        node = os.environ.get(NODE, "head")
        note = {"node": node, "device": device, "gpu": os.environ.get("CUDA_VISIBLE_DEVICES"), "time": time.time()}
        path = Path(self.folder) / f"{os.getpid()}.json"
        path.with_suffix(".tmp").write_text(json.dumps(note))
        path.with_suffix(".tmp").rename(path)
        if node == self.bare:
            raise ModelError("expected a model in diffusers' format, got no folder at it")
        session = super().load(device)

        def draw(requests: Sequence[Request]) -> list[Image.Image]:
            images = session.draw(requests)
            for image in images:
                image.info["node"] = node
            return images

        return replace(session, draw=draw)

    def notes(self) -> list[dict[str, object]]:
        """Returns what was noted, by whomever."""
        return [json.loads(path.read_text()) for path in Path(self.folder).glob("*.json")]
