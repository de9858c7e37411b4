"""A model of YOLOX's shape that sees red and blue: what a detector's tests need where no trained one is to be had.

Written byte by byte, as the package onnx is not among the requirements. Each cell of the grids looks at the mean color
of its own square: red is a person, blue is a dog. Of three grids only the coarsest is sure of itself.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

SIDE = 128
#: the stride of the grid that is sure of itself, so the side of what it sees
CELL = 32
_BGR_PERSON, _BGR_DOG = (-0.1, -0.1, 0.1), (0.1, -0.1, -0.1)
_PERSON, _DOG = 0, 16


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes | str) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _tensor(name: str, values: np.ndarray) -> bytes:
    kind = 7 if values.dtype == np.int64 else 1
    shape = b"".join(_number(1, size) for size in values.shape)
    return shape + _number(2, kind) + _bytes(8, name) + _bytes(9, values.tobytes())


def _node(kind: str, inputs: list[str], output: str, **attributes: int | list[int]) -> bytes:
    made = b"".join(_bytes(1, name) for name in inputs) + _bytes(2, output) + _bytes(4, kind)
    for name, value in attributes.items():
        if isinstance(value, int):
            made += _bytes(5, _bytes(1, name) + _number(3, value) + _number(20, 2))
        else:
            made += _bytes(5, _bytes(1, name) + b"".join(_number(8, item) for item in value) + _number(20, 7))
    return made


def _value(name: str, shape: tuple[int, ...]) -> bytes:
    dims = b"".join(_bytes(1, _number(1, size)) for size in shape)
    return _bytes(1, name) + _bytes(2, _bytes(1, _number(1, 1) + _bytes(2, dims)))


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
            _tensor(f"w{stride}", weights),
            _tensor(f"b{stride}", bias),
            _tensor(f"s{stride}", np.array([1, channels, count * count], np.int64)),
        ]
        window = {"kernel_shape": [stride, stride], "strides": [stride, stride]}
        nodes += [
            _node("AveragePool", ["images"], f"p{stride}", **window),
            _node("Conv", [f"p{stride}", f"w{stride}", f"b{stride}"], f"c{stride}", kernel_shape=[1, 1]),
            _node("Reshape", [f"c{stride}", f"s{stride}"], f"r{stride}"),
        ]
        parts.append(f"r{stride}")
    nodes += [
        _node("Concat", parts, "all", axis=2),
        _node("Sigmoid", ["all"], "sure"),
        _node("Transpose", ["sure"], "output", perm=[0, 2, 1]),
    ]
    graph = b"".join(_bytes(1, node) for node in nodes) + _bytes(2, "tiny")
    graph += b"".join(_bytes(5, tensor) for tensor in tensors)
    graph += _bytes(11, _value("images", (1, 3, side, side))) + _bytes(12, _value("output", (1, cells, channels)))
    path.write_bytes(_number(1, 8) + _bytes(7, graph) + _bytes(8, _bytes(1, "") + _number(2, 13)))
    return path


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
