"""What the tests of faces, bodies and skin share: pictures, a stub VLM, made-up faces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from committed import picture
from PIL import Image

from loupe.brain.core.records import Scores
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.measures.anatomy import face_shape
from loupe.brain.perception import weights_table
from loupe.brain.perception.landmarks.crop import Roi
from loupe.brain.perception.landmarks.face import Face
from loupe.brain.perception.vlm import local
from loupe.brain.perception.vlm.answers import Answer, Question
from loupe.brain.perception.vlm.base import Vlm

GENERATED = ("4_hands", "ai_human_anatomy", "images", "sdXL")


class Stub(Vlm):
    """Says yes to the questions that have a word in them, and notes what it was asked."""

    def __init__(self, word: str, mass: float = 1.0) -> None:
        self.word, self.mass = word, mass
        self.asked: list[Question] = []

    @property
    def facts(self) -> dict[str, Any]:
        return {"model": "stub"}

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        self.asked += questions
        return [Answer(0.9 if self.word in question.text else 0.1, self.mass, "unknown") for question in questions]


def use_vlm(stub: Vlm, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Puts a VLM in the place of those that are loaded; returns a list that their names and devices are added to."""
    made: list[tuple[str, str]] = []

    def load(model: str, device: str) -> Vlm:
        made.append((model, device))
        return stub

    monkeypatch.setattr(local, "LocalVlm", load)
    return made


def linked(weights: Callable[[str], Path], folder: Path, names: Sequence[str]) -> str:
    """Returns the folder with the files of these weights in it, by their own names."""
    for name in names:
        (folder / weights_table.TABLE[name].file).symlink_to(weights(name))
    return str(folder)


def read(file: Path) -> np.ndarray:
    return np.array(Image.open(file).convert("RGB"))


def two_people(request: pytest.FixtureRequest) -> np.ndarray:
    """Returns a picture of two people who look at us, from the source that is a fixture's parameter."""
    if request.param == "committed":
        return np.hstack([picture("man"), picture("woman")])
    folder: Path = request.getfixturevalue("shared_data")
    return read(sorted(folder.joinpath(*GENERATED, "old_couple_in_sauna").glob("*.jpg"))[2])


def batch_of(*pictures: np.ndarray) -> ImageBatch:
    pixels = torch.from_numpy(np.stack(pictures).transpose(0, 3, 1, 2).copy())
    size = (pictures[0].shape[1], pictures[0].shape[0])
    return ImageBatch(tuple(map(str, range(len(pictures)))), pixels, (size,) * len(pictures))


def values(scores: Scores, at: int = 0) -> dict[str, float]:
    return {name: float(scores[name][at]) for name in scores}


def made_face(rng: np.random.Generator, yaw: float = 0.0, roll: float = 0.0, size: float = 100.0) -> Face:
    """A face of random points that is its own mirror image, then turned; eyes ``size`` pixels apart."""
    half = rng.normal(0, 0.4, (468, 3))
    points = half.copy()
    pairs = [*face_shape.EYES, *face_shape.BROWS, *face_shape.LIPS, *face_shape.OUTLINE, *face_shape.NOSE]
    for right, left in zip(pairs[::2], pairs[1::2], strict=True):
        points[list(right), 0] = -np.abs(points[list(right), 0]) - 0.05
        points[list(left)] = points[list(right)] * [-1, 1, 1]
    points[list(face_shape.MIDDLE), 0] = 0
    points[10], points[152] = (0, -0.9, 0), (0, 0.9, 0)
    eyes = {33: (-0.5, -0.3, 0.1), 133: (-0.2, -0.3, 0), 159: (-0.35, -0.36, 0), 145: (-0.35, -0.26, 0)}
    for right, left in ((33, 263), (133, 362), (159, 386), (145, 374)):
        points[right] = eyes[right]
        points[left] = np.array(eyes[right]) * [-1, 1, 1]
    across, up = np.radians([yaw, roll])
    turned = np.array([[np.cos(across), 0, -np.sin(across)], [0, 1, 0], [np.sin(across), 0, np.cos(across)]])
    rolled = np.array([[np.cos(up), -np.sin(up), 0], [np.sin(up), np.cos(up), 0], [0, 0, 1]])
    points = points @ (rolled @ turned).T * size
    middle = np.array([2 * size, 2 * size])
    rim = np.array([[0, 0], [1, 0], [0, -1], [-1, 0], [0, 1]]) * 0.06 * size
    irises = np.stack([(points[[a, b], :2].mean(0) + rim) + middle for a, b in ((33, 133), (362, 263))])
    return Face(
        points=(points[:, :2] + middle).astype(np.float32),
        z=points[:, 2].astype(np.float32),
        presence=1.0,
        score=1.0,
        roi=Roi(2 * size, 2 * size, 3 * size),
        size=(int(4 * size), int(4 * size)),
        irises=irises.astype(np.float32),
    )
