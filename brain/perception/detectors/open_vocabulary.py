"""Finds what it is asked for by name, with Grounding DINO: any noun, but a model of 700 MB that wants a GPU.

Grounding DINO (Liu et al., ECCV 2024, Apache-2.0) through transformers' ``AutoModelForZeroShotObjectDetection``, which
loads MM Grounding DINO and LLMDet (Fu et al., CVPR 2025, Apache-2.0), too: safetensors only, no code from the hub, a
pinned revision. A box belongs to the noun whose words it fits best, with that confidence.

    detector = load("cuda")
    boxes = detector.find(picture, ["dog", "fountain"])     # (H, W, 3) uint8 sRGB
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loupe.brain.core import interrupts
from loupe.brain.core.errors import MissingDependency, ModelError
from loupe.brain.core.records import Box
from loupe.brain.perception.detectors.detection import Detector
from loupe.brain.perception.detectors.vocabulary import normal

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

MODEL = "IDEA-Research/grounding-dino-tiny"
REVISION = "a2bb814dd30d776dcf7e30523b00659f4f141c71"
#: the confidence below which a box is not given
FLOOR = 0.2
#: nouns asked for at once: the text of one pass holds 256 tokens
_AT_ONCE = 16


def available(model: str = MODEL, revision: str = REVISION) -> bool:
    """Returns whether the weights lie in the hub's cache, without asking the network."""
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return False
    return isinstance(try_to_load_from_cache(model, "model.safetensors", revision=revision), str)


def text_of(nouns: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """Returns the model's text, nouns in lower case with a full stop each, and where in it each noun stands.

    >>> text_of(["Dogs", "fountain"])
    ('dog. fountain.', [(0, 3), (5, 13)])
    """
    words = [normal(noun).replace(".", " ") for noun in nouns]
    spans, start = [], 0
    for word in words:
        spans.append((start, start + len(word)))
        start += len(word) + 2
    return " ".join(f"{word}." for word in words), spans


def scores_of(logits: Tensor, offsets: Sequence[tuple[int, int]], spans: Sequence[tuple[int, int]]) -> Tensor:
    """Returns how well each query fits each noun: the largest sigmoid over the noun's tokens.

    Args:
        logits: (Q, T) float32 for each query and token
        offsets: where in the text each token stands; (0, 0) for special ones
        spans: where in the text each noun stands

    Returns:
        (Q, N) float32 in [0, 1]; 0 for a noun whose text was cut off
    """
    import torch

    columns = []
    for start, end in spans:
        tokens = [
            place
            for place, (first, last) in enumerate(offsets[: logits.shape[1]])
            if last > first >= start and last <= end
        ]
        fits = logits[:, tokens].sigmoid() if tokens else logits.new_zeros(len(logits), 1)
        columns.append(torch.nan_to_num(fits).amax(1))
    return torch.stack(columns, 1)


class _OpenVocabulary:
    def __init__(self, model: Any, processor: Any, device: str) -> None:
        self._model, self._processor, self._device = model.to(device).eval(), processor, device

    def __call__(self, picture: np.ndarray, nouns: Sequence[str]) -> tuple[Box, ...]:
        names = list(dict.fromkeys(noun for noun in map(normal, nouns) if noun))
        passes = (names[at : at + _AT_ONCE] for at in range(0, len(names), _AT_ONCE))
        boxes = [box for some in passes for box in self._pass(picture, some)]
        return tuple(sorted(boxes, key=lambda box: -(box.confidence or 0.0)))

    def _pass(self, picture: np.ndarray, nouns: Sequence[str]) -> list[Box]:
        import torch

        text, spans = text_of(nouns)
        tokens = self._processor.tokenizer(text, return_tensors="pt", return_offsets_mapping=True, truncation=True)
        offsets = [(int(first), int(last)) for first, last in tokens.pop("offset_mapping")[0]]
        image = self._processor.image_processor(images=picture, return_tensors="pt")
        with torch.inference_mode():
            made = self._model(**tokens.to(self._device), **image.to(self._device))
        scores, places = scores_of(made.logits[0].float().cpu(), offsets, spans).max(1)
        boxes = []
        for score, place, (x, y, wide, high) in zip(
            scores.tolist(), places.tolist(), made.pred_boxes[0].float().cpu().tolist(), strict=True
        ):
            left, top = max(x - wide / 2, 0.0), max(y - high / 2, 0.0)
            right, bottom = min(x + wide / 2, 1.0), min(y + high / 2, 1.0)
            if score >= FLOOR and right > left and bottom > top:
                boxes.append(Box(nouns[place], (left, top, right - left, bottom - top), score))
        return boxes


def load(device: str, model: str = MODEL, revision: str | None = REVISION) -> Detector:
    """Returns an open-vocabulary model as a detector: its ``find`` needs nouns.

    Args:
        device: "cpu", "cuda", "cuda:1", "mps"
        model: a hub id, or a folder that ``save_pretrained`` made
        revision: of the hub id: a commit, so that nobody can change what is loaded

    Raises:
        ModelError: it cannot be loaded
        MissingDependency: transformers is not installed
    """
    try:
        from transformers import AutoModelForZeroShotObjectDetection, AutoProcessor
    except ImportError as error:
        raise MissingDependency("backend='open_vocabulary' needs transformers: pip install transformers") from error
    pin = None if Path(model).is_dir() else revision
    try:
        processor = AutoProcessor.from_pretrained(model, revision=pin, trust_remote_code=False)
        loaded = AutoModelForZeroShotObjectDetection.from_pretrained(
            model, revision=pin, trust_remote_code=False, use_safetensors=True
        )
    except Exception as error:  # transformers raises OSError, ValueError, KeyError and more for what cannot be had
        raise ModelError(f"{model} cannot be loaded as an open-vocabulary detector: {error}") from error
    finder = _OpenVocabulary(interrupts.watch(loaded), processor, device)
    return Detector(f"{model}@{(pin or 'local')[:12]}", None, finder, FLOOR)
