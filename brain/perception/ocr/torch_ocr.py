"""The same reading with PP-OCRv6 medium on torch: the weights that FiftyOne's zoo calls ``paddle-ocr-v6-medium-torch``.

The zoo entry gives texts and boxes only, and a judgment needs the recognizer's probabilities; so the two models are
loaded with transformers, which the zoo entry uses, too. They must be there beforehand: nothing is fetched in a run.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from loupe.brain.core.errors import MissingDependency, ModelError
from loupe.brain.perception.ocr.rapid_ocr import Ocr, box_finder

DETECTOR = "PaddlePaddle/PP-OCRv6_medium_det_safetensors"
RECOGNIZER = "PaddlePaddle/PP-OCRv6_medium_rec_safetensors"


class TorchOcr(Ocr):
    """The two loaded models; see ``Ocr``, whose regions and posteriors it gives.

    Args:
        device: "cpu", "cuda", "cuda:1", "mps"
        detector: a folder, or an id on the hub whose files are in the cache
        recognizer: the same

    Raises:
        MissingDependency: transformers is too old, or rapidocr is not there
        ModelError: the weights are not here, or are of another kind of model
    """

    def __init__(
        self, device: str = "cpu", detector: str | Path = DETECTOR, recognizer: str | Path = RECOGNIZER
    ) -> None:
        try:
            from transformers import AutoImageProcessor, AutoModelForObjectDetection, AutoModelForTextRecognition
        except ImportError as error:
            raise MissingDependency(f"backend='ocr_large' needs transformers 5.13 or later ({error})") from error
        self._lock = threading.Lock()
        self._device = device
        self.provider = f"torch {device}"
        self._scale, self._detector = _loaded(AutoImageProcessor, AutoModelForObjectDetection, detector, device)
        self._prepare, self._recognizer = _loaded(AutoImageProcessor, AutoModelForTextRecognition, recognizer, device)
        names = tuple(self._prepare.character_list)
        classes = self._recognizer.config.head_out_channels
        if len(names) != classes:
            raise ModelError(f"expected {classes} characters in {recognizer}, got {len(names)}")
        self.characters = ("", *names[1:])
        self._boxes = box_finder()

    def posteriors(self, lines: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Returns for each (h, w, 3) uint8 RGB line what the recognizer sees: (T, C) probabilities, blank first."""
        import torch
        from PIL import Image

        out = []
        for line in lines:
            pixels = self._prepare(images=[Image.fromarray(line)], return_tensors="pt")["pixel_values"]
            with self._lock, torch.inference_mode():
                seen = self._recognizer(pixels.to(self._device)).last_hidden_state[0].float().cpu().numpy()
            # a short line is padded to the processor's width: frames of the padding are no part of it
            height, width = line.shape[:2]
            frames = -(-round(width * pixels.shape[2] / height) * len(seen) // pixels.shape[3]) + 1
            out.append(seen[:frames])
        return out

    def _where(self, picture: np.ndarray) -> np.ndarray:
        import torch
        from PIL import Image

        pixels = self._scale(images=[Image.fromarray(picture)], do_resize=False, return_tensors="pt")["pixel_values"]
        with self._lock, torch.inference_mode():
            probabilities = self._detector(pixels.to(self._device)).last_hidden_state
        return np.asarray(probabilities.float().cpu().numpy())


def is_here() -> bool:
    """Returns whether the weights are in the hub's cache on this machine."""
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return False
    return all(isinstance(try_to_load_from_cache(name, "config.json"), str) for name in (DETECTOR, RECOGNIZER))


def _loaded(processors: Any, models: Any, name: str | Path, device: str) -> tuple[Any, Any]:
    try:
        processor = processors.from_pretrained(name, local_files_only=True)
        model = models.from_pretrained(name, local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(
            f"expected the weights {name} in the hub's cache or a folder ({str(error).splitlines()[0][:200]}). Where "
            f"there is a network, fetch both with `hf download {DETECTOR}` and `hf download {RECOGNIZER}`, or use "
            "backend='ocr'"
        ) from error
    return processor, model.to(device).eval()
