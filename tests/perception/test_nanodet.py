"""The graph model against numpy, NanoDet's boxes by hand, and the real weights on real photos where both are here."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from loupe.brain.core.errors import ModelError
from loupe.brain.perception import weights as room
from loupe.brain.perception.detectors import nanodet, small
from loupe.brain.perception.detectors.graph_model import GraphModel


def node(name: str, operation: str, *inputs: str, **attributes: object) -> dict[str, object]:
    return {"name": name, "op": operation, "input": list(inputs), "attr": attributes}


def write(folder: Path, nodes: list[dict[str, object]], constants: dict[str, np.ndarray]) -> tuple[Path, Path]:
    """Writes a graph model; float constants as float16, as converters do."""
    entries, data = [], b""
    for name, values in constants.items():
        entry: dict[str, object] = {"name": name, "shape": list(values.shape), "dtype": str(values.dtype)}
        if values.dtype == np.float32:
            entry["quantization"] = {"dtype": "float16", "original_dtype": "float32"}
            values = values.astype(np.float16)
        entries.append(entry)
        data += values.tobytes()
    nodes = [*nodes, *(node(name, "Const") for name in constants)]
    graph = {"modelTopology": {"node": nodes}, "weightsManifest": [{"paths": ["m.bin"], "weights": entries}]}
    (folder / "m.json").write_text(json.dumps(graph))
    (folder / "m.bin").write_bytes(data)
    return folder / "m.json", folder / "m.bin"


def strided(by: int) -> dict[str, object]:
    return {"list": {"i": ["1", str(by), str(by), "1"]}}


def test_a_graph_is_what_numpy_makes_of_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    kernel = rng.integers(-4, 5, (3, 3, 2, 4)).astype(np.float32)
    bias = rng.integers(-4, 5, 4).astype(np.float32)
    nodes = [
        node("x", "Placeholder"),
        node("padded", "Pad", "x", "around"),
        node("convolved", "Conv2D", "padded", "kernel", strides=strided(2)),
        node("added", "AddV2", "convolved", "bias"),
        node("active", "LeakyRelu", "added", alpha={"f": 0.1}),
        node("moved", "Transpose", "active", "order"),
        node("parts", "SplitV", "moved", "sizes", "axis"),
        node("sure", "Sigmoid", "parts"),
        node("joined", "ConcatV2", "parts:1", "parts", "axis"),
        node("pooled", "MaxPool", "x", strides=strided(2), ksize=strided(3)),
        node("larger", "ResizeBilinear", "x", "size"),
    ]
    whole = {"around": [[0, 0], [1, 1], [1, 1], [0, 0]], "order": [0, 3, 1, 2], "sizes": [1, 3], "size": [14, 14]}
    constants = {name: np.array(value, np.int32) for name, value in {**whole, "axis": 1}.items()}
    graph, data = write(tmp_path, nodes, {"kernel": kernel, "bias": bias, **constants})
    model = GraphModel(graph, data, ["sure", "joined", "pooled", "larger"])
    x = rng.normal(size=(1, 7, 7, 2)).astype(np.float32)
    sure, joined, pooled, larger = (value.numpy() for value in model(x=torch.from_numpy(x)))

    padded = np.pad(x[0], ((1, 1), (1, 1), (0, 0)))
    expected = np.array(
        [
            [(padded[2 * i : 2 * i + 3, 2 * j : 2 * j + 3, :, None] * kernel).sum((0, 1, 2)) + bias for j in range(4)]
            for i in range(4)
        ]
    )
    expected = np.where(expected > 0, expected, 0.1 * expected).transpose(2, 0, 1)
    assert joined[0] == pytest.approx(np.concatenate([expected[1:], expected[:1]]), abs=1e-3)
    assert sure[0] == pytest.approx(1 / (1 + np.exp(-expected[:1])), abs=1e-4)
    assert pooled[0, 1, 2] == pytest.approx(x[0, 2:5, 4:7].max((0, 1)))
    assert larger[0, 0, 0] == pytest.approx(x[0, 0, 0], abs=1e-6)
    assert larger[0, 1, 0] == pytest.approx(0.75 * x[0, 0, 0] + 0.25 * x[0, 1, 0], abs=1e-5)


def test_what_is_no_graph_model_is_refused_when_it_is_loaded(tmp_path: Path) -> None:
    nodes = [node("x", "Placeholder"), node("y", "MatMul", "x", "w")]
    graph, data = write(tmp_path, nodes, {"w": np.ones((2, 2), np.float32)})
    with pytest.raises(ModelError, match="MatMul"):
        GraphModel(graph, data, ["y"])
    nodes[1]["op"] = "Add"
    graph, data = write(tmp_path, nodes, {"w": np.ones((2, 2), np.float32)})
    assert GraphModel(graph, data, ["y"])(x=torch.ones(2, 2))[0].tolist() == [[2, 2], [2, 2]]
    for broken in (data.read_bytes()[:-1], data.read_bytes() + b"x"):
        data.write_bytes(broken)
        with pytest.raises(ModelError, match="bytes of weights"):
            GraphModel(graph, data, ["y"])
    with pytest.raises(ModelError, match="KeyError"):
        GraphModel(*write(tmp_path, nodes, {"w": np.ones((2, 2), np.float32)}), ["z"])
    for text in ("", "[]", "{}", "[" * 100_000):
        graph.write_text(text)
        with pytest.raises(ModelError, match="expected a graph model"):
            GraphModel(graph, data, ["y"])
    with pytest.raises(ModelError, match="FileNotFoundError"):
        GraphModel(tmp_path / "none", data, ["y"])


@pytest.mark.parametrize("stride", [8, 16, 32])
def test_decode(stride: int) -> None:
    count = nanodet.SIDE // stride
    sides = np.zeros((4, 11, count * count), np.float32)
    cell = 2 * count + 5  # the third row, the sixth column
    for side, distance in enumerate((1, 0, 3, 10)):
        sides[side, distance, cell] = 50
    sides[0, 2, cell] = 50  # as sure of 1 as of 2
    box = nanodet.decode(sides.reshape(44, -1), stride)[cell]
    x, y = 5 * stride + (stride - 1) / 2, 2 * stride + (stride - 1) / 2
    assert box == pytest.approx([x - 1.5 * stride, y, x + 3 * stride, y + 10 * stride], abs=1e-3)


def test_confidences_are_put_on_the_other_ones_scale() -> None:
    given = np.array([0.0, 0.05, 0.3, 0.6, 0.99, 1.0])
    scaled = nanodet.rescaled(given)
    assert np.all(np.diff(scaled) > 0)
    assert np.all((scaled > 0) & (scaled < 1))
    # where NanoDet's own regression says even odds, YOLOX-nano's says so of what comes out
    even = 1 / (1 + np.exp(5.52 / 4.05))
    assert nanodet.rescaled(np.array([even]))[0] == pytest.approx(1 / (1 + np.exp(7.36 / 3.28)))


@pytest.mark.parametrize("here", ["both", "first", "second", "none"])
def test_which_one_is_used(here: str, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"both": {*small.YOLOX, *small.NANODET}, "first": {*small.YOLOX}, "second": {*small.NANODET}, "none": set()}
    monkeypatch.setattr(room, "lacking", lambda names: "" if set(names) <= files[here] else "not here")
    assert small.names() == (small.NANODET if here == "second" else small.YOLOX)


def test_the_composition_check_says_which_one_it_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    from loupe.brain.checks.body import Body
    from loupe.brain.checks.composition import Composition

    monkeypatch.setattr(room, "path", lambda name: Path(name))
    for names, expected in ((small.YOLOX, "auto"), (small.NANODET, "nanodet")):
        monkeypatch.setattr(small, "names", lambda names=names: names)
        assert Composition(backend="detector").resolved("cpu").detector == expected
        assert Body().weights()[2:] == names
    monkeypatch.setattr(small, "names", lambda: small.YOLOX)
    assert Composition(backend="detector", detector="nanodet").resolved("cpu").detector == "nanodet"


@pytest.mark.slow
def test_it_finds_what_a_photo_shows(weights: Callable[[str], Path], shared_data: Path) -> None:
    find = small.load([weights(name) for name in small.NANODET]).find
    folder = shared_data / "1_real_photos" / "coco_val2017_100"
    for name, label in (("000000007088", "umbrella"), ("000000001675", "cat"), ("000000007784", "kite")):
        picture = np.array(Image.open(folder / f"{name}.jpg").convert("RGB"))
        boxes = find(picture, ())
        best = next(box for box in boxes if box.label == label)
        assert (best.confidence or 0) > 0.25
        wide = find(np.pad(picture, ((0, 0), (0, picture.shape[1]), (0, 0)), constant_values=114), ())
        again = next(box for box in wide if box.label == label)
        assert again.bounds[0] * 2 == pytest.approx(best.bounds[0], abs=0.15)
    for shape in ((1, 1, 3), (3, 900, 3), (900, 2, 3)):
        assert all(0 <= value <= 1 for box in find(np.zeros(shape, np.uint8), ()) for value in box.bounds)
