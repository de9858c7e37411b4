"""A model of YOLOX's shape that sees red and blue: what a detector's tests need where no trained one is to be had.

Each cell of the grids looks at the mean color of its own square: red is a person, blue is a dog. Of three grids only
the coarsest is sure of itself.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tiny_onnx
from tiny_onnx import node, tensor, value

SIDE = 128
#: the stride of the grid that is sure of itself, so the side of what it sees
CELL = 32
_BGR_PERSON, _BGR_DOG = (-0.1, -0.1, 0.1), (0.1, -0.1, -0.1)
_PERSON, _DOG = 0, 16


def write(path: Path, side: int = SIDE, classes: int = 80) -> Path:
    """Writes the model as an .onnx file and returns its path.

    Args:
        path: of the file
        side: of the square that it looks at, a multiple of 32
        classes: how many it gives; YOLOX has 80
    """
    channels = 5 + classes
    nodes, tensors, parts, cells = [], [], [], 0
    for stride in (8, 16, 32):
        count = side // stride
        cells += count * count
        weights, bias = np.zeros((channels, 3, 1, 1), np.float32), np.full(channels, -20.0, np.float32)
        bias[:2] = 0.0  # the middle of the cell; a log size of 0 is the cell's own
        bias[4] = 20.0 if stride == CELL else -20.0
        for place, color in ((_PERSON, _BGR_PERSON), (_DOG, _BGR_DOG)):
            weights[5 + place, :, 0, 0], bias[5 + place] = color, -10.0
        tensors += [
            tensor(f"w{stride}", weights),
            tensor(f"b{stride}", bias),
            tensor(f"s{stride}", np.array([1, channels, count * count], np.int64)),
        ]
        window = {"kernel_shape": [stride, stride], "strides": [stride, stride]}
        nodes += [
            node("AveragePool", ["images"], f"p{stride}", **window),
            node("Conv", [f"p{stride}", f"w{stride}", f"b{stride}"], f"c{stride}", kernel_shape=[1, 1]),
            node("Reshape", [f"c{stride}", f"s{stride}"], f"r{stride}"),
        ]
        parts.append(f"r{stride}")
    nodes += [
        node("Concat", parts, "all", axis=2),
        node("Sigmoid", ["all"], "sure"),
        node("Transpose", ["sure"], "output", perm=[0, 2, 1]),
    ]
    given, made = value("images", (1, 3, side, side)), value("output", (1, cells, channels))
    return tiny_onnx.write(path, nodes, tensors, given, made)


def picture(person: tuple[int, int] = (0, 1), dog: tuple[int, int] = (2, 2), scale: int = 1) -> np.ndarray:
    """Returns a gray (96, 128, 3) picture with a red and a blue square where the model's cells are: column, row.

    Args:
        person: the cell of the red square
        dog: the cell of the blue one
        scale: how many times larger all is
    """
    pixels = np.full((96, 128, 3), 128, np.uint8)
    for (column, row), color in ((person, (250, 20, 20)), (dog, (20, 20, 250))):
        pixels[row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL] = color
    return pixels.repeat(scale, 0).repeat(scale, 1)
