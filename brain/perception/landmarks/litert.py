"""One model file in TensorFlow Lite's format, run by LiteRT."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from loupe.brain.core import interrupts
from loupe.brain.core.errors import MissingDependency, ModelError


class Model:
    """A model that takes one square color picture.

    LiteRT's interpreter keeps the tensors of a run, so each thread that is in it has one of its own: they share the
    file's pages, and are kept. A run takes one core: the reader and the other checks want the others.

    Args:
        path: a .tflite file

    Raises:
        ModelError: the file is not there, is no such model, or takes something other than one square picture
        MissingDependency: ai-edge-litert is not installed

    Source: https://ai.google.dev/edge/litert

    Example:
        >>> Model("palm_detection_full.tflite").size  # doctest: +SKIP
        192
    """

    def __init__(self, path: str | Path) -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise MissingDependency("landmarks need ai-edge-litert: pip install ai-edge-litert") from error
        if not Path(path).is_file():
            raise ModelError(f"expected a model file, and there is none at {str(path)!r}")

        def made() -> Any:
            interpreter = Interpreter(model_path=str(path), num_threads=1)
            interpreter.allocate_tensors()
            return interpreter

        try:
            first = made()
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{str(path)!r} cannot be run by LiteRT: {error}") from error
        self._made, self._idle = made, [first]
        inputs = first.get_input_details()
        shape = tuple(int(side) for side in inputs[0]["shape"])
        if len(inputs) != 1 or shape != (1, shape[1], shape[1], 3) or inputs[0]["dtype"] != np.float32:
            raise ModelError(f"{str(path)!r} takes {shape}: expected one float32 picture of (1, side, side, 3)")
        self.path = Path(path)
        #: the side of the picture that it takes, in pixels
        self.size = shape[1]
        self._input = int(inputs[0]["index"])
        self._outputs = [int(output["index"]) for output in first.get_output_details()]
        #: the shapes of what it gives
        self.shapes = [tuple(int(n) for n in output["shape"]) for output in first.get_output_details()]

    def expect(self, shapes: list[tuple[int, ...]]) -> None:
        """Raises a ModelError if the model gives something other than arrays of these shapes."""
        if self.shapes != shapes:
            raise ModelError(
                f"{str(self.path)!r} is another model: expected it to give {shapes}, it gives {self.shapes}"
            )

    def __call__(self, picture: np.ndarray, *, signed: bool = False) -> list[np.ndarray]:
        """Returns what the model gives, float32 arrays of ``shapes``, in the file's order.

        Args:
            picture: (size, size, 3) uint8 RGB
            signed: whether the model wants [-1, 1]; otherwise [0, 1]
        """
        interrupts.point()
        scaled = picture.astype(np.float32) / 127.5 - 1 if signed else picture.astype(np.float32) / 255
        try:
            # taking one out of a list, and putting it back, is one step
            interpreter = self._idle.pop()
        except IndexError:
            interpreter = self._made()
        try:
            interpreter.set_tensor(self._input, scaled[None])
            interpreter.invoke()
            return [interpreter.get_tensor(index).copy() for index in self._outputs]
        finally:
            self._idle.append(interpreter)
