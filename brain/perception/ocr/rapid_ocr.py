"""Finds lines of text in a picture and reads them, with the models in RapidOCR's wheel: nothing is downloaded.

Source: RapidOCR 3.10 (Apache-2.0) carries PP-OCRv6 small detection (DB, Liao et al. 2020) and recognition (CTC). The
two ONNX models are run here directly, because a judgment needs what RapidOCR keeps to itself: the recognizer's
probabilities.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from loupe.brain.core.errors import MissingDependency
from loupe.brain.perception import onnx
from loupe.brain.perception.ocr.ctc import Alphabet, Script
from loupe.brain.perception.ocr.regions import INPUT_HEIGHT, MAX_WIDTH, STRIDE, Region

_BATCH = 8


class Ocr:
    """The two loaded models.

    Args:
        device: "cpu", or "cuda" / "cuda:1" where onnxruntime has its CUDA provider; otherwise the CPU is used
        threads: how many threads a model may use

    Attributes:
        provider: the onnxruntime provider in use, e.g. ``"CPUExecutionProvider"``

    Raises:
        MissingDependency: rapidocr or onnxruntime, or a model of its wheel, is not there
    """

    def __init__(self, device: str = "cpu", threads: int = 2) -> None:
        try:
            import onnxruntime  # noqa: F401
            import rapidocr
        except ImportError as error:
            raise MissingDependency(
                f"reading text needs rapidocr and onnxruntime ({error}): pip install rapidocr onnxruntime"
            ) from error
        folder = Path(rapidocr.__file__).parent / "models"
        self._detector: Any = _model(folder / "PP-OCRv6_det_small.onnx", device, threads)
        self._recognizer: Any = _model(folder / "PP-OCRv6_rec_small.onnx", device, threads)
        self.provider: str = self._recognizer.provider
        names = self._recognizer.metadata["character"].splitlines()
        self.characters: tuple[str, ...] = ("", *names, " ")
        self._boxes = box_finder()

    @lru_cache(maxsize=3)  # noqa: B019  (an Ocr lives as long as the process that loaded it)
    def alphabet(self, script: Script) -> Alphabet:
        """Returns the recognizer's characters as they are compared."""
        return Alphabet(self.characters, script)

    def regions(self, picture: np.ndarray, long_side: int) -> list[Region]:
        """Returns the lines of text in a (H, W, 3) uint8 RGB picture, scaled to that long side, in reading order."""
        import cv2

        height, width = picture.shape[:2]
        scale = long_side / max(height, width)
        shape = [max(64, round(side * scale / 32) * 32) for side in (width, height)]
        how = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
        where = self._where(cv2.resize(picture, shape, interpolation=how))
        corners, confidences = self._boxes(where, (shape[1], shape[0]))
        factor = np.array((width / shape[0], height / shape[1]), np.float32)
        lines = [
            Region(np.asarray(quad, np.float32) * factor, float(c))
            for quad, c in zip(corners, confidences, strict=True)
        ]
        return sorted(
            lines,
            key=lambda region: (
                round(float(region.corners[:, 1].mean()) / max(1.0, height / 40)),
                region.corners[0, 0],
            ),
        )

    def posteriors(self, lines: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Returns for each (h, w, 3) uint8 RGB line what the recognizer sees: (T, C) probabilities, blank first."""
        out: list[np.ndarray | None] = [None] * len(lines)
        tensors = [_normalized(line) for line in lines]
        order = sorted(range(len(lines)), key=lambda at: tensors[at].shape[2])
        for start in range(0, len(order), _BATCH):
            part = order[start : start + _BATCH]
            widest = max(tensors[at].shape[2] for at in part)
            batch = np.zeros((len(part), 3, INPUT_HEIGHT, widest), np.float32)
            for row, at in enumerate(part):
                batch[row, :, :, : tensors[at].shape[2]] = tensors[at]
            result = self._recognizer(batch)[0]
            for row, at in enumerate(part):
                out[at] = result[row, : -(-tensors[at].shape[2] // STRIDE) + 1]
        return [posterior for posterior in out if posterior is not None]

    def _where(self, picture: np.ndarray) -> np.ndarray:
        """(1, 1, H, W) float32: for each pixel the probability that it belongs to a line of text."""
        tensor = (picture[:, :, ::-1].astype(np.float32) / 127.5 - 1.0).transpose(2, 0, 1)[None]
        return self._detector(np.ascontiguousarray(tensor))[0]


def box_finder() -> Callable[[np.ndarray, tuple[int, int]], tuple[Any, Any]]:
    """Returns the function that turns a (1, 1, H, W) map of probabilities and (H, W) into quadrangles and confidences.

    Raises:
        MissingDependency: rapidocr is not installed
    """
    try:
        from rapidocr.ch_ppocr_det.utils import DBPostProcess
    except ImportError as error:
        raise MissingDependency(f"reading text needs rapidocr ({error}): pip install rapidocr") from error
    return DBPostProcess(thresh=0.3, box_thresh=0.5, unclip_ratio=1.6, use_dilation=True)


def _model(path: Path, device: str, threads: int) -> onnx.Model:
    if not path.is_file():
        raise MissingDependency(f"expected the model {path.name} in rapidocr's wheel: pip install 'rapidocr==3.10.*'")
    return onnx.Model(path, threads, device)


def _normalized(line: np.ndarray) -> np.ndarray:
    import cv2

    height, width = line.shape[:2]
    wide = int(np.clip(round(width * INPUT_HEIGHT / height), STRIDE, MAX_WIDTH))
    how = cv2.INTER_CUBIC if height < INPUT_HEIGHT else cv2.INTER_AREA
    pixels = cv2.resize(line, (wide, INPUT_HEIGHT), interpolation=how)[:, :, ::-1].astype(np.float32)
    return np.ascontiguousarray((pixels / 127.5 - 1.0).transpose(2, 0, 1))
