"""Small ONNX files, written byte by byte, as the package onnx is not among the requirements."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np


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


def tensor(name: str, values: np.ndarray) -> bytes:
    """Returns weights: float32 or int64."""
    kind = 7 if values.dtype == np.int64 else 1
    shape = b"".join(_number(1, size) for size in values.shape)
    return shape + _number(2, kind) + _bytes(8, name) + _bytes(9, values.tobytes())


def node(kind: str, inputs: list[str], output: str, **attributes: int | list[int]) -> bytes:
    """Returns a step of the model: an operator of ONNX's opset 13."""
    made = b"".join(_bytes(1, name) for name in inputs) + _bytes(2, output) + _bytes(4, kind)
    for name, value in attributes.items():
        if isinstance(value, int):
            made += _bytes(5, _bytes(1, name) + _number(3, value) + _number(20, 2))
        else:
            made += _bytes(5, _bytes(1, name) + b"".join(_number(8, item) for item in value) + _number(20, 7))
    return made


def value(name: str, shape: tuple[int, ...]) -> bytes:
    """Returns the name and the shape of a float32 input or output."""
    dims = b"".join(_bytes(1, _number(1, size)) for size in shape)
    return _bytes(1, name) + _bytes(2, _bytes(1, _number(1, 1) + _bytes(2, dims)))


def write(path: Path, nodes: Sequence[bytes], tensors: Sequence[bytes], given: bytes, made: bytes) -> Path:
    """Writes a model and returns its path.

    Args:
        path: of the file
        nodes: of ``node``, in their order
        tensors: the weights, of ``tensor``
        given, made: its input and its output, of ``value``
    """
    graph = b"".join(_bytes(1, node) for node in nodes) + _bytes(2, "tiny")
    graph += b"".join(_bytes(5, tensor) for tensor in tensors) + _bytes(11, given) + _bytes(12, made)
    path.write_bytes(_number(1, 8) + _bytes(7, graph) + _bytes(8, _bytes(1, "") + _number(2, 13)))
    return path
