"""A check for signs, as a user would write one: are the digits those that the prompt asks for?

Loupe's own ``text`` reads print; of the handwriting on these signs it cannot read a good third. This one knows where
the digits stand, and tells each by a support vector machine on histograms of gradients. It is trained on the fifth of
the real digits that the independent reader (``sign_reader.py``) and the generator have never seen, and is another kind
of classifier than that reader, a convolutional network on columns.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from loupe.brain.core.records import Box, Output, SampleResult, Scores, Threshold
from loupe.brain.core.specs import Check, param
from loupe.brain.imaging.batches import ImageBatch
from training.tiny_signs.signs import HEIGHT, SLOT_W, WIDTH, random_sign, render, slot_left

_TOP = 2


@dataclass(frozen=True)
class SignDigits(Check):
    """Digits of signs."""

    name: ClassVar[str] = "sign_digits"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "Dalal & Triggs, Histograms of oriented gradients for human detection, CVPR 2005"
    license: ClassVar[str] = "Apache-2.0"
    needs: ClassVar[tuple[str, ...]] = ("prompt",)
    boxes_field: ClassVar[str | None] = "text"
    outputs: ClassVar[tuple[Output, ...]] = (
        Output(
            "wrong_digits",
            "digits",
            False,
            (0, 8),
            "Digits other than asked for",
            Threshold(">", 0.0, provenance="one digit is one too many"),
            "text_substitution",
        ),
    )
    doubt: float = param(0.6, "How far a digit's margin has to lie above the next one's to be sure", low=0, high=10)

    def load(self, device: str) -> Callable[[ImageBatch], Scores]:
        machine = trained()

        def score(batch: ImageBatch) -> Scores:
            pictures = batch.pixels.permute(0, 2, 3, 1).cpu().numpy()
            results = [
                self._score(machine, picture, str(prompt))
                for picture, prompt in zip(pictures, batch.fields["prompt"], strict=True)
            ]
            return self.scores(results, batch.pixels.device)

        return score

    def _score(self, machine: Any, picture: np.ndarray, prompt: str) -> SampleResult:
        asked = re.search(r'"(\d+)"', prompt)
        if asked is None or picture.shape[:2] != (HEIGHT, WIDTH):
            return SampleResult({}, "no sign")
        text = asked[1]
        margins = machine.decision_function(np.stack([features(slot) for slot in slots(picture, len(text))]))
        boxes, wrong, unsure = [], 0, 0
        for at, (digit, own) in enumerate(zip(text, margins, strict=True)):
            others = np.delete(own, int(digit))
            gap = float(own[int(digit)] - others.max())
            if gap >= self.doubt:
                continue
            wrong += gap <= -self.doubt
            unsure += gap > -self.doubt
            left = slot_left(at, len(text)) / WIDTH
            label = "substitution" if gap <= -self.doubt else "unknown"
            boxes.append(Box(label, (left, 0.0, SLOT_W / WIDTH, 1.0), None, {"wanted": digit}))
        if unsure and not wrong:
            return SampleResult({}, f"not sure of {unsure} of {len(text)} digits", tuple(boxes))
        return SampleResult({"wrong_digits": float(wrong)}, None, tuple(boxes))


def slots(picture: np.ndarray, count: int) -> list[np.ndarray]:
    """Returns the (H, W, 3) places of the digits of a sign of so many."""
    return [picture[_TOP:-_TOP, slot_left(at, count) : slot_left(at, count) + SLOT_W] for at in range(count)]


def features(slot: np.ndarray) -> np.ndarray:
    """Returns histograms of gradients, whichever way round ink and board are: (D,) float32."""
    import cv2

    gray = cv2.cvtColor(slot, cv2.COLOR_RGB2GRAY).astype(np.float32)
    gray = cv2.resize((gray - gray.min()) / max(1.0, float(np.ptp(gray))) * 255, (24, 32), interpolation=cv2.INTER_AREA)
    hog = cv2.HOGDescriptor((24, 32), (8, 8), (4, 4), (4, 4), 9)
    return np.asarray(hog.compute(gray.astype(np.uint8))).ravel()


@lru_cache(maxsize=1)
def trained(count: int = 4000, seed: int = 5) -> Any:
    """Returns the machine, trained on rendered signs of the digits that nobody else has seen."""
    from sklearn.svm import SVC

    rng = np.random.default_rng(seed)
    inputs: list[np.ndarray] = []
    targets: list[int] = []
    for _ in range(count // 2):
        sign = random_sign(rng)
        picture = render(sign, rng, split="heldout", legible=False)
        inputs += [features(slot) for slot in slots(picture, len(sign.text))]
        targets += [int(digit) for digit in sign.text]
    return SVC(C=10.0, decision_function_shape="ovr", break_ties=True).fit(np.stack(inputs), targets)


def accuracy(count: int = 300, seed: int = 9) -> float:
    """Returns which share of the digits of rendered signs it tells, of digits that it was not trained on."""
    rng = np.random.default_rng(seed)
    right: list[bool] = []
    for _ in range(count):
        sign = random_sign(rng)
        picture = render(sign, rng, split="train", legible=True)
        told = trained().predict(np.stack([features(slot) for slot in slots(picture, len(sign.text))]))
        right += [int(digit) == int(own) for digit, own in zip(sign.text, told, strict=True)]
    return float(np.mean(right))
