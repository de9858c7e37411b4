"""Dark pictures, and a generator that repairs some of them: no networks, so that a test takes no time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image
from scenes import scene

from loupe.brain.core.records import Request
from loupe.brain.core.specs import Generator, GeneratorSession, param

#: what a dark picture is of its scene
DARK = 0.12


@dataclass(frozen=True)
class Lamp(Generator):
    """Lamp: gives dark pictures their light back, or not, by the seed."""

    name: ClassVar[str] = "lamp"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "these tests"
    license: ClassVar[str] = "Apache-2.0"

    how: str = param("mixed", "mixed: every second seed lights it; never; always; blurred; flat", choices=())
    takes: tuple[str, ...] = ("image", "mask")
    needs: tuple[str, ...] = ()

    def load(self, device: str) -> GeneratorSession:
        def draw(requests: Sequence[Request]) -> list[Image.Image]:
            drawn.extend(requests)
            return [self._draw(request) for request in requests]

        facts = {"model": "lamp", "fingerprint": self.how, "steps": 1, "guidance": 1.0, "width": 160, "height": 120}
        return GeneratorSession(facts, draw, 8, self.takes, self.needs, (160, 120))

    def _draw(self, request: Request) -> Image.Image:
        if request.image is None:
            return Image.fromarray(scene(request.seed % 1000))
        pixels = np.asarray(request.image).astype(np.float32)
        if self.how == "never" or (self.how == "mixed" and request.seed % 2):
            return request.image
        lit = np.clip(pixels / DARK + request.seed % 5, 0, 255).astype(np.uint8)
        if self.how == "flat":  # as light, and with next to nothing in it
            lit = np.full_like(lit, 200)
        return Image.fromarray(lit)


#: what was asked for since the last ``drawn.clear()``
drawn: list[Request] = []


def fill(dataset: Any, folder: Path, n: int = 6, dark: int = 4) -> list[str]:
    """Adds n samples of which the first ones are dark; returns their ids."""
    import fiftyone as fo

    import loupe

    folder.mkdir(parents=True, exist_ok=True)
    samples = []
    for at in range(n):
        path = folder / f"{at:02}.png"
        picture = scene(at).astype(np.float32) * (DARK if at < dark else 1)
        Image.fromarray(picture.astype(np.uint8)).save(path)
        samples.append(
            fo.Sample(
                filepath=str(path),
                prompt=f"a scene, number {at}",
                tags=["train"],
                ground_truth=fo.Classification(label="scene"),
                boxes=fo.Detections(detections=[fo.Detection(label="x", bounding_box=[0.25, 0.25, 0.5, 0.5])]),
            )
        )
    ids = dataset.add_samples(samples)
    loupe.check(dataset, ["exposure", "sharpness"])
    return list(ids)


def darkened(dataset: Any, folder: Path) -> None:
    """Puts other files in the place of a dataset's: four of them dark; and checks them."""
    import loupe

    folder.mkdir(parents=True, exist_ok=True)
    for at, sample in enumerate(dataset):
        path = folder / f"{at:02}.png"
        Image.fromarray((scene(at).astype(np.float32) * (DARK if at < 4 else 1)).astype(np.uint8)).save(path)
        sample["filepath"], sample["prompt"] = str(path), f"a scene, number {at}"
        sample.save()
    loupe.check(dataset, ["exposure"])


def originals(dataset: Any, ids: list[str]) -> dict[str, Any]:
    """Returns what must never change: files, labels, scores and tags of the originals."""
    held = {}
    for sample in dataset.select(ids):
        facts = sample.to_dict()
        for name in ("repaired", "last_modified_at", "repair"):
            facts.pop(name, None)
        facts = {name: value for name, value in facts.items() if value is not None}
        held[sample.id] = (Path(sample.filepath).read_bytes(), str(facts))
    return held


def repaired(dataset: Any, folder: Path, n: int = 8) -> Any:
    """Fills a dataset with dark pictures and repairs a region of each; returns what became of them."""
    import loupe

    ids = fill(dataset, folder / "given", n + 2, n)
    model = Lamp(how="mixed")
    view = dataset.select(ids)
    return loupe.repair(
        view, failure="dark", model=model, region="boxes", checks=["exposure"], attempts=2, output_dir=folder / "made"
    )


def repair(samples: Any, folder: Path, **more: Any) -> Any:
    """Repairs what is dark by the lamp, into the folder ``made``."""
    import loupe

    given: dict[str, Any] = {"failure": "dark", "model": Lamp(), "output_dir": folder / "made", **more}
    return loupe.repair(samples, **given)
