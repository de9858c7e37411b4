"""Examples that a VLM is shown before a question: pictures whose right answer is known, from a folder of one's own.

    examples/extra_fingers/yes/*.png
    examples/extra_fingers/no/*.jpg

A folder for each artefact, by its name in ``SPECIALISTS``. Zero-shot, models find few artefacts: with examples, one
question each, F1 .82 against .56 is published (ArtifactLens).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from loupe.brain.core.errors import InputError, ReadError, UnknownName
from loupe.brain.core.hashes import parts_hash
from loupe.brain.imaging.decode import decode
from loupe.brain.perception.vlm.answers import Answer, Question
from loupe.brain.perception.vlm.base import Vlm
from loupe.brain.perception.vlm.questions import SPECIALISTS

Example: TypeAlias = "tuple[np.ndarray, Literal['yes', 'no']]"

#: what a form says of such a folder
SENTENCE = "A folder of examples that the VLM is shown first, such as extra_fingers/yes and extra_fingers/no"
#: of an artefact: each example is a picture more in every question
MAX = 8
#: an example is shown at most this large, in pixels: as a crop is
LARGEST = 448
_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp"}


class FewShot(Vlm):
    """A VLM that is shown examples before each question that there are examples for."""

    def __init__(self, vlm: Vlm, examples: Mapping[str, Sequence[Example]]) -> None:
        """Keeps the VLM and what ``read`` returned."""
        self._vlm = vlm
        self._by_text = {SPECIALISTS[name].text: tuple(given) for name, given in examples.items()}
        self._facts = {**vlm.facts, "examples": _fingerprint(examples)}

    @property
    def facts(self) -> dict[str, Any]:
        """The VLM's, and a hash of the examples."""
        return dict(self._facts)

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """Returns one answer for each question, in their order.

        Raises:
            VlmError: no answer could be had
        """
        return self._vlm.answer([self._shown(question) for question in questions])

    def _shown(self, question: Question) -> Question:
        # a question about overlays begins with the specialist's, and says which lettering does not count
        given = next((shown for text, shown in self._by_text.items() if question.text.startswith(text)), ())
        return replace(question, examples=(*given, *question.examples))


def load(model: str, device: str, examples: str = "") -> Vlm:
    """Returns a VLM on this machine, with examples where there are any.

    Args:
        model: a hub id or a folder
        device: "cpu", "cuda", "cuda:1", "mps"
        examples: a folder, see ``read``; empty: none are shown

    Raises:
        InputError, UnknownName: the examples cannot be used
        ModelError: the VLM cannot be loaded
    """
    from loupe.brain.perception.vlm.local import LocalVlm

    # what is wrong with a folder is told before the weights are read
    shown = read(examples) if examples else {}
    vlm = LocalVlm(model, device=device)
    return FewShot(vlm, shown) if shown else vlm


def read(folder: str | Path) -> dict[str, tuple[Example, ...]]:
    """Returns by artefact the examples of a folder: yes and no in turn, each by the files' names.

    Args:
        folder: has a folder for each artefact, with pictures in ``yes`` and ``no``

    Raises:
        InputError: no such folder, no pictures in it, only one of both answers, more than ``MAX`` of an artefact, or a
            picture that cannot be read
        UnknownName: a folder that is called as no artefact is

    >>> {name: len(shown) for name, shown in read("examples").items()}  # doctest: +SKIP
    {'extra_fingers': 6}
    """
    place = Path(folder).expanduser()
    if not place.is_dir():
        raise InputError(f"expected a folder of examples for the VLM, got {str(folder)!r}, which is none")
    made = {}
    for each in sorted(path for path in place.iterdir() if path.is_dir() and not path.name.startswith(".")):
        if each.name not in SPECIALISTS:
            raise UnknownName("artefact to show examples of", each.name, SPECIALISTS)
        made[each.name] = _of(each)
    if not made:
        raise InputError(
            f"expected a folder for each artefact in {place}, such as extra_fingers/yes and extra_fingers/no, got none"
        )
    return made


def _of(folder: Path) -> tuple[Example, ...]:
    yes, no = (_pictures(folder / answer) for answer in ("yes", "no"))
    if not yes or not no:
        # a model that sees one answer only repeats it
        raise InputError(
            f"expected pictures in both {folder / 'yes'} and {folder / 'no'}, got {len(yes)} and {len(no)}"
        )
    if len(yes) + len(no) > MAX:
        raise InputError(f"expected at most {MAX} examples of {folder.name}, got {len(yes) + len(no)}")
    shown: list[Example] = []
    for index in range(max(len(yes), len(no))):
        shown += [(_read(path), "yes") for path in yes[index : index + 1]]
        shown += [(_read(path), "no") for path in no[index : index + 1]]
    return tuple(shown)


def _pictures(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES and path.name[0] != ".")


def _read(path: Path) -> np.ndarray:
    import cv2

    try:
        pixels, _ = decode(path)
    except ReadError as error:
        raise InputError(f"expected examples that can be read: {error}") from error
    assert isinstance(pixels, np.ndarray)
    scale = LARGEST / max(pixels.shape[:2])
    if scale >= 1:
        return pixels
    size = tuple(max(1, round(side * scale)) for side in pixels.shape[1::-1])
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))


def _fingerprint(examples: Mapping[str, Sequence[Example]]) -> str:
    known = ((name, picture, answer) for name in sorted(examples) for picture, answer in examples[name])
    return parts_hash(
        (f"{name} {answer} {picture.shape}".encode() + picture.tobytes() for name, picture, answer in known), 8
    )
