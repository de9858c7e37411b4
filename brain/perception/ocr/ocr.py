"""Finds lines of text in a picture and reads them, with the models in RapidOCR's wheel: nothing is downloaded.

Source: RapidOCR 3.10 (Apache-2.0) carries PP-OCRv6 small detection (DB, Liao et al. 2020) and recognition (CTC). The
two ONNX models are run here directly, because a judgement needs what RapidOCR keeps to itself: the recogniser's
probabilities.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from loupe.brain.core.errors import MissingDependency
from loupe.brain.perception.ocr.ctc import Alphabet, Script

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

#: the recogniser's input height
_HEIGHT = 48
#: its output has one frame for so many pixels of its input
_STRIDE = 8
_MAX_WIDTH = 2400
_BATCH = 8
#: of each view that ``views`` gives: its margin over the line's height, and how much narrower it is
_VIEWS = ((0.05, 1.0), (0.15, 1.0), (0.3, 1.0), (0.15, 0.85), (0.15, 1.0))


@dataclass(frozen=True, eq=False)
class Region:
    """Where a line of text is.

    Attributes:
        corners: (4, 2) float32 pixels: top left, top right, bottom right, bottom left of the line as it is written
        confidence: of the detector, in [0, 1]; 0 for a picture that is taken as one line without being looked at
    """

    corners: np.ndarray
    confidence: float

    @property
    def height(self) -> float:
        """The line's height in pixels."""
        return float(np.linalg.norm(self.corners[3] - self.corners[0]))

    @property
    def width(self) -> float:
        """The line's width in pixels."""
        return float(np.linalg.norm(self.corners[1] - self.corners[0]))

    def bounds(self, width: int, height: int) -> tuple[float, float, float, float]:
        """Returns x, y, width, height of its bounding box in [0, 1]."""
        low = np.clip(self.corners.min(0) / (width, height), 0, 1)
        high = np.clip(self.corners.max(0) / (width, height), 0, 1)
        return float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1])


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
            import onnxruntime
            import rapidocr
        except ImportError as error:
            raise MissingDependency(
                f"reading text needs rapidocr and onnxruntime ({error}): pip install rapidocr onnxruntime"
            ) from error
        folder = Path(rapidocr.__file__).parent / "models"
        self._lock = threading.Lock()
        self._detector = _session(onnxruntime, folder / "PP-OCRv6_det_small.onnx", device, threads)
        self._recognizer = _session(onnxruntime, folder / "PP-OCRv6_rec_small.onnx", device, threads)
        self.provider: str = self._recognizer.get_providers()[0]
        names = self._recognizer.get_modelmeta().custom_metadata_map["character"].splitlines()
        self.characters: tuple[str, ...] = ("", *names, " ")
        self._boxes = box_finder()

    @lru_cache(maxsize=3)  # noqa: B019  (an Ocr lives as long as the process that loaded it)
    def alphabet(self, script: Script) -> Alphabet:
        """Returns the recogniser's characters as they are compared."""
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
        found = [
            Region(np.asarray(quad, np.float32) * factor, float(c))
            for quad, c in zip(corners, confidences, strict=True)
        ]
        return sorted(
            found,
            key=lambda region: (
                round(float(region.corners[:, 1].mean()) / max(1.0, height / 40)),
                region.corners[0, 0],
            ),
        )

    def posteriors(self, lines: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Returns for each (h, w, 3) uint8 RGB line what the recogniser sees: (T, C) probabilities, blank first."""
        out: list[np.ndarray | None] = [None] * len(lines)
        tensors = [_normalized(line) for line in lines]
        order = sorted(range(len(lines)), key=lambda at: tensors[at].shape[2])
        for start in range(0, len(order), _BATCH):
            part = order[start : start + _BATCH]
            widest = max(tensors[at].shape[2] for at in part)
            batch = np.zeros((len(part), 3, _HEIGHT, widest), np.float32)
            for row, at in enumerate(part):
                batch[row, :, :, : tensors[at].shape[2]] = tensors[at]
            result = self._run(self._recognizer, batch)
            for row, at in enumerate(part):
                out[at] = result[row, : -(-tensors[at].shape[2] // _STRIDE) + 1]
        return [posterior for posterior in out if posterior is not None]

    def _where(self, picture: np.ndarray) -> np.ndarray:
        """(1, 1, H, W) float32: for each pixel the probability that it belongs to a line of text."""
        tensor = (picture[:, :, ::-1].astype(np.float32) / 127.5 - 1.0).transpose(2, 0, 1)[None]
        return self._run(self._detector, np.ascontiguousarray(tensor))

    def _run(self, session: InferenceSession, tensor: np.ndarray) -> np.ndarray:
        with self._lock:
            return np.asarray(session.run(None, {session.get_inputs()[0].name: tensor})[0])


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


def _session(onnxruntime: Any, path: Path, device: str, threads: int) -> InferenceSession:
    if not path.is_file():
        raise MissingDependency(f"expected the model {path.name} in rapidocr's wheel: pip install 'rapidocr==3.10.*'")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # idle threads that spin take the cores from the reader's and from other processes
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    providers: list[Any] = ["CPUExecutionProvider"]
    if device.startswith("cuda") and "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        index = int(device.partition(":")[2] or 0)
        providers.insert(0, ("CUDAExecutionProvider", {"device_id": index}))
    return onnxruntime.InferenceSession(str(path), options, providers=providers)


def _normalized(line: np.ndarray) -> np.ndarray:
    import cv2

    height, width = line.shape[:2]
    wide = int(np.clip(round(width * _HEIGHT / height), _STRIDE, _MAX_WIDTH))
    how = cv2.INTER_CUBIC if height < _HEIGHT else cv2.INTER_AREA
    pixels = cv2.resize(line, (wide, _HEIGHT), interpolation=how)[:, :, ::-1].astype(np.float32)
    return np.ascontiguousarray((pixels / 127.5 - 1.0).transpose(2, 0, 1))


def cut(picture: np.ndarray, region: Region, margin: float) -> np.ndarray:
    """Returns the line as an upright (h, w, 3) picture, wider by ``margin`` of its height on every side.

    What lies outside of the picture repeats its border, which a recogniser takes for background.
    """
    import cv2

    top_left, top_right, bottom_right, bottom_left = region.corners.astype(np.float64)
    along = (top_right - top_left) / max(1e-6, region.width)
    down = (bottom_left - top_left) / max(1e-6, region.height)
    extra = margin * region.height
    corners = (
        top_left - extra * (along + down),
        top_right + extra * (along - down),
        bottom_right + extra * (along + down),
        bottom_left + extra * (down - along),
    )
    grown = np.array(corners, np.float32) - np.float32(0.5)
    width, height = max(2, round(region.width + 2 * extra)), max(2, round(region.height + 2 * extra))
    # small letters are enlarged in the same step: one interpolation, not two
    zoom = max(1.0, _HEIGHT / height)
    size = (min(4 * _MAX_WIDTH, round(width * zoom)), round(height * zoom))
    target = _rectangle(*size) - np.float32(0.5)
    matrix = cv2.getPerspectiveTransform(grown, target)
    return cv2.warpPerspective(picture, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def whole(picture: np.ndarray) -> Region:
    """Returns the picture itself as one line, of which the detector has said nothing."""
    height, width = picture.shape[:2]
    return Region(_rectangle(width, height), 0.0)


def _rectangle(width: int, height: int) -> np.ndarray:
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)


def turns(region: Region) -> list[Region]:
    """Returns the region, and for a tall one also both quarter turns that lay it on its side."""
    if region.height < 1.8 * region.width:
        return [region]
    return [region, *(replace(region, corners=np.roll(region.corners, turn, axis=0)) for turn in (1, -1))]


def same_place(one: Region, other: Region) -> bool:
    """Returns whether two regions cover each other for the most part."""
    low = np.maximum(one.corners.min(0), other.corners.min(0))
    high = np.minimum(one.corners.max(0), other.corners.max(0))
    common = float(np.prod(np.clip(high - low, 0, None)))
    areas = [float(np.prod(np.ptp(region.corners, axis=0))) for region in (one, other)]
    return common > 0.4 * min(areas)


def views(picture: np.ndarray, region: Region) -> list[np.ndarray]:
    """Returns the line in five ways that a sure reading does not depend on, the plainest two first.

    Margins of 5, 15 and 30 % of its height; in colour, in grey with the contrast stretched, narrower, and inverted.
    """
    import cv2

    plain, roomy, wide = (cut(picture, region, margin) for margin, _ in _VIEWS[:3])
    narrower = max(8, round(roomy.shape[1] * _VIEWS[3][1]))
    narrow = cv2.resize(roomy, (narrower, roomy.shape[0]), interpolation=cv2.INTER_AREA)
    return [plain, roomy, stretched(wide), narrow, 255 - stretched(roomy)]


def places(region: Region, view: int, frames: Sequence[int], margin: float) -> list[float]:
    """Returns where the frames of a view lie in the line that is cut with that margin: 0 its left edge, 1 its right.

    Args:
        region: the line
        view: index of the view in what ``views`` gives
        frames: indices of the recogniser's frames
        margin: over the line's height, as for ``cut``
    """
    own, narrower = _VIEWS[view]
    pixel = region.height * (1 + 2 * own) / (_HEIGHT * narrower)
    width = region.width + 2 * margin * region.height
    return [((frame + 0.5) * _STRIDE * pixel + (margin - own) * region.height) / width for frame in frames]


def stretched(line: np.ndarray) -> np.ndarray:
    """Returns the line in grey, its 2nd and 98th percentile stretched to black and white; (h, w, 3) uint8."""
    import cv2

    gray = cv2.cvtColor(line, cv2.COLOR_RGB2GRAY).astype(np.float32)
    low, high = np.percentile(gray, (2, 98))
    out = np.clip((gray - low) * (255.0 / max(1.0, high - low)), 0, 255).astype(np.uint8)
    return np.repeat(out[:, :, None], 3, axis=2)
