"""The detector of COCO's classes, and the one that is asked for nouns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import tiny_yolox
from committed import picture
from PIL import Image

from loupe.brain.core.errors import ModelError
from loupe.brain.core.records import Box
from loupe.brain.imaging.boxes import iou
from loupe.brain.perception.detectors import open_vocabulary, yolox
from loupe.brain.perception.detectors.detection import MAX_BOXES, usable
from loupe.brain.perception.detectors.vocabulary import COCO_80


@pytest.fixture(scope="module")
def model(weights: Callable[[str], Path]) -> Path:
    return weights("yolox_nano")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that sees red and blue cells: no file that has to be had from anywhere."""
    return tiny_yolox.write(tmp_path_factory.mktemp("models") / "tiny.onnx")


def photo(shared_data: Path, name: str) -> np.ndarray:
    return np.array(Image.open(shared_data / "1_real_photos/coco_val2017_100" / f"{name}.jpg").convert("RGB"))


def test_the_picture_stands_in_the_top_left_corner() -> None:
    pixels = np.zeros((50, 100, 3), np.uint8)
    pixels[..., 0] = 200
    square, scale = yolox.letterbox(pixels, 416)
    assert (square.shape, square.dtype, scale) == ((1, 3, 416, 416), np.float32, 4.16)
    assert (square[0, :, :208].reshape(3, -1) == [[0], [0], [200]]).all(), "BGR, not scaled to 1"
    assert (square[0, :, 208:] == 114).all()


def test_decoding_a_cell_by_hand() -> None:
    raw = np.zeros((3549, 85), np.float32)
    place = 52 * 52 + 26 * 5 + 7  # the second grid, row 5, column 7, stride 16
    raw[place, :6] = (0.5, -0.25, np.log(2), np.log(4), 0.8, 0.5)
    boxes, scores = yolox.decode(raw, 416)
    assert boxes[place] == pytest.approx([7.5 * 16 - 16, 4.75 * 16 - 32, 7.5 * 16 + 16, 4.75 * 16 + 32])
    assert scores[place, 0] == pytest.approx(0.4)


def test_broken_sizes_do_not_overflow() -> None:
    raw = np.full((3549, 85), 1e9, np.float32)
    assert np.isfinite(yolox.decode(raw, 416)[0]).all()


def test_suppression_against_the_plain_loop() -> None:
    rng = np.random.default_rng(0)
    low = rng.uniform(0, 60, (80, 2))
    boxes = np.concatenate([low, low + rng.uniform(5, 40, (80, 2))], 1)
    scores = rng.uniform(0, 1, 80)
    kept: list[int] = []
    for place in np.argsort(-scores):
        if all(iou(tuple(boxes[place]), tuple(boxes[other])) <= 0.45 for other in kept):
            kept.append(int(place))
    assert yolox.suppress(boxes, scores) == kept
    assert yolox.suppress(np.zeros((0, 4)), np.zeros(0)) == []


@pytest.mark.parametrize("scale", [1, 3])
@pytest.mark.parametrize(("person", "dog"), [((0, 1), (2, 2)), ((3, 0), (0, 0)), ((1, 2), (3, 1))])
def test_a_model_is_asked_and_its_cells_become_boxes(
    tiny: Path, person: tuple[int, int], dog: tuple[int, int], scale: int
) -> None:
    boxes = yolox.load(tiny).find(tiny_yolox.picture(person, dog, scale), ())
    assert {box.label for box in boxes} == {"person", "dog"}
    assert len(boxes) == 2
    for box in boxes:
        column, row = person if box.label == "person" else dog
        assert box.bounds == pytest.approx((column / 4, row / 3, 1 / 4, 1 / 3), abs=1e-3)
        assert 0.99 < (box.confidence or 0) <= 1


def test_a_detector_says_what_it_is(tiny: Path) -> None:
    detector = yolox.load(tiny)
    assert (detector.name, detector.labels, detector.floor) == ("yolox:tiny", COCO_80, yolox.FLOOR)


@pytest.mark.parametrize(
    ("name", "label", "bounds"),
    [
        ("coffee", "cup", (0.27, 0.04, 0.43, 0.7)),
        ("man", "person", (0.22, 0.06, 0.78, 0.93)),
        ("cameraman", "person", (0.01, 0.13, 0.58, 0.85)),
        ("admiral", "tie", (0.43, 0.76, 0.14, 0.23)),
    ],
)
def test_what_is_in_the_committed_pictures(
    name: str, label: str, bounds: tuple[float, float, float, float], model: Path
) -> None:
    (box,) = (box for box in yolox.load(model).find(picture(name), ()) if box.label == label and box.confidence > 0.6)
    assert box.bounds == pytest.approx(bounds, abs=0.05)


def test_what_is_in_three_photos(model: Path, shared_data: Path) -> None:
    find = yolox.load(model).find
    best = {}
    for name in ("000000001675", "000000007088", "000000007784"):
        for box in reversed(find(photo(shared_data, name), ())):
            best[name[-4:], box.label] = box
    assert best["1675", "cat"].confidence > 0.5
    assert best["7784", "kite"].confidence > 0.8
    assert best["7088", "person"].confidence > 0.8
    x, y, width, height = best["7088", "umbrella"].bounds
    assert 0.1 < x < 0.25
    assert 0.25 < y < 0.35
    assert 0.35 < width < 0.5
    assert 0.08 < height < 0.25


def test_boxes_are_lawful_and_the_same_again(model: Path, shared_data: Path) -> None:
    find = yolox.load(model).find
    pixels = photo(shared_data, "000000006954")
    boxes = find(pixels, ())
    assert boxes == find(pixels.copy(), ("dog",))
    require_lawful(boxes)


def test_boxes_of_a_faint_model_are_lawful_and_the_same_again(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yolox, "FLOOR", 1e-3)
    find = yolox.load(tiny).find
    # shades of red and of blue, in a shape that the cells do not divide
    shades = np.random.default_rng(0).integers((100, 0, 0), (256, 60, 60), (7, 9, 3), np.uint8)
    shades[:, 5:] = shades[:, 5:, ::-1]
    pixels = shades.repeat(13, 0).repeat(14, 1)
    boxes = find(pixels, ())
    assert {box.label for box in boxes} == {"person", "dog"}
    assert any((box.confidence or 0) < 0.5 for box in boxes)
    assert boxes == find(pixels.copy(), ("dog",))
    require_lawful(boxes)


def require_lawful(boxes: Sequence[Box]) -> None:
    assert [box.confidence for box in boxes] == sorted((box.confidence for box in boxes), reverse=True)
    for box in boxes:
        x, y, width, height = box.bounds
        assert box.label in COCO_80
        assert min(x, y) >= 0
        assert min(width, height) > 0
        assert max(x + width, y + height) <= 1 + 1e-6
        assert yolox.FLOOR <= box.confidence <= 1


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 900, 3), (900, 2, 3), (416, 416, 3)])
def test_odd_pictures(model: Path, shape: tuple) -> None:
    for value in (0, 255):
        assert isinstance(yolox.load(model).find(np.full(shape, value, np.uint8), ()), tuple)


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 900, 3), (900, 2, 3), (128, 128, 3)])
def test_odd_pictures_and_a_tiny_model(tiny: Path, shape: tuple) -> None:
    for value in (0, 255):
        assert yolox.load(tiny).find(np.full(shape, value, np.uint8), ()) == ()


def test_a_file_that_is_none_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="found nothing at"):
        yolox.load(tmp_path / "none.onnx")
    (tmp_path / "bad.onnx").write_bytes(b"not a model")
    with pytest.raises(ModelError, match="cannot be loaded as an ONNX model"):
        yolox.load(tmp_path / "bad.onnx")


def test_a_model_of_other_classes_or_another_side_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"YOLOX model of 80 classes, .* \[\[1, 3, 128, 128\], \[1, 336, 25\]\]"):
        yolox.load(tiny_yolox.write(tmp_path / "few.onnx", classes=20))
    with pytest.raises(ModelError, match="YOLOX model of 80 classes"):
        yolox.load(tiny_yolox.write(tmp_path / "odd.onnx", side=120))


def test_another_model_says_what_was_expected(shared_data: Path) -> None:
    for name in ("FastestDet.onnx", "yunet.onnx"):
        path = shared_data / "9_weights/onnx" / name
        with pytest.raises(ModelError):
            yolox.load(path)


def test_only_usable_detections_are_used() -> None:
    nan, inf = float("nan"), float("inf")
    bad = [
        Box("dog", (nan, 0, 0.1, 0.1), 0.9), Box("dog", (0, 0, inf, 0.1), 0.9), Box("dog", (0.2, 0.2, -0.1, 0.1), 0.9),
        Box("dog", (0.2, 0.2, 0, 0), 0.9), Box("dog", (2, 2, 0.1, 0.1), 0.9), Box("dog", (0, 0, 0.1, 0.1), nan),
        Box("", (0, 0, 0.1, 0.1), 0.9), Box("dog", (0, 0, 0.1, 0.1), inf),
    ]  # fmt: skip
    assert usable(bad, 100, 100) == ()
    good = [Box("dog", (0, 0, 0.5, 0.5), 0.2), Box("cat", (0, 0, 0.5, 0.5), None), Box("cow", (-0.5, 0, 1, 1), 7.0)]
    detections = usable([*bad, *good], 100, 100)
    assert [(detection.label, detection.score) for detection in detections] == [
        ("cat", 1.0),
        ("cow", 1.0),
        ("dog", 0.2),
    ]
    assert detections[1].bounds == (0, 0, 0.5, 1)
    assert len(usable(good * 500, 100, 100)) == MAX_BOXES


# the open-vocabulary detector


def test_a_query_belongs_to_the_noun_whose_words_it_fits_best() -> None:
    import torch

    text, spans = open_vocabulary.text_of(["Fire hydrants", "dog"])
    assert text == "fire hydrant. dog."
    offsets = [(0, 0), (0, 4), (5, 8), (8, 12), (12, 13), (14, 17), (17, 18), (0, 0)]
    logits = torch.full((2, 8), -9.0)
    logits[0, 3], logits[1, 5], logits[:, 4] = 2.0, 1.0, 9.0
    scores = open_vocabulary.scores_of(logits, offsets, spans)
    assert scores.argmax(1).tolist() == [0, 1], "the full stop belongs to no noun"
    assert scores.amax(1).tolist() == pytest.approx([0.8808, 0.7311], abs=1e-4)
    assert open_vocabulary.scores_of(logits, offsets, [(50, 60)]).tolist() == [[0.0], [0.0]]


@pytest.fixture(scope="module")
def tiny_grounding_dino(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Grounding DINO with random weights, as ``save_pretrained`` writes it."""
    import torch
    from transformers import (
        BertConfig,
        BertTokenizerFast,
        GroundingDinoConfig,
        GroundingDinoForObjectDetection,
        GroundingDinoImageProcessor,
        GroundingDinoProcessor,
        SwinConfig,
    )

    folder = tmp_path_factory.mktemp("models") / "tiny-grounding-dino"
    folder.mkdir()
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "?", "dog", "fire", "hydrant", "person", "cat"]
    (folder / "vocab.txt").write_text("\n".join(words))
    tokenizer = BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=64)
    torch.manual_seed(0)
    config = GroundingDinoConfig(
        backbone_config=SwinConfig(
            image_size=64, patch_size=4, embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2], window_size=2,
            out_features=["stage2", "stage3", "stage4"], out_indices=[2, 3, 4],
        ),
        text_config=BertConfig(
            vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
            max_position_embeddings=64,
        ),
        d_model=32, encoder_layers=1, encoder_ffn_dim=16, encoder_attention_heads=2, decoder_layers=2,
        decoder_ffn_dim=16, decoder_attention_heads=2,
        num_queries=12, max_text_len=64, num_feature_levels=4, disable_custom_kernels=True,
    )  # fmt: skip
    GroundingDinoForObjectDetection(config).save_pretrained(folder)
    size = {"shortest_edge": 64, "longest_edge": 96}
    GroundingDinoProcessor(GroundingDinoImageProcessor(size=size), tokenizer).save_pretrained(folder)
    return folder


@pytest.mark.slow
def test_a_tiny_model_of_its_kind_gives_lawful_boxes(
    tiny_grounding_dino: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_vocabulary, "FLOOR", 0.0)
    detector = open_vocabulary.load("cpu", str(tiny_grounding_dino))
    assert detector.labels is None
    pixels = np.random.default_rng(0).integers(0, 256, (48, 80, 3), dtype=np.uint8)
    boxes = detector.find(pixels, ["dogs", "fire hydrant"])
    assert boxes
    assert {box.label for box in boxes} <= {"dog", "fire hydrant"}
    assert all(min(box.bounds) >= 0 and box.bounds[0] + box.bounds[2] <= 1 + 1e-6 for box in boxes)
    assert detector.find(pixels, []) == ()
    assert len(detector.find(pixels, [f"noun {at}" for at in range(40)])) > 0


def test_a_model_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be loaded as an open-vocabulary detector"):
        open_vocabulary.load("cpu", str(tmp_path))
    assert open_vocabulary.available("nobody/nothing") is False
