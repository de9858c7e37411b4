"""A generator of noise that notes where in a cluster it was loaded, and cannot be loaded on a node that is bare."""

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

#: of a node's processes: its name
NODE = "LOUPE_TEST_NODE"


@dataclass(frozen=True)
class Placed(Noise):
    """Noise, and a note of each process that loaded it."""

    name: ClassVar[str] = "placed"

    folder: str = param("", "Of the notes.")
    bare: str = param("bare", "The node that has no model.")

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
