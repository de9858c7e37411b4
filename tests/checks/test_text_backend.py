"""The text check's backends: the larger models have the same interface; a tiny one of their kind stands in for them."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from loupe.brain.checks import text
from loupe.brain.checks.text import Text
from loupe.brain.core.errors import InputError, ModelError
from loupe.brain.core.records import Box
from loupe.brain.measures.text.lettering_quality import LetteringQuality
from loupe.brain.measures.text.line_hypotheses import Line
from loupe.brain.measures.text.reading import Reader
from loupe.brain.perception.ocr import torch_ocr
from loupe.brain.perception.ocr.regions import whole


def test_auto_is_the_small_one_without_a_gpu_or_without_the_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_ocr, "is_here", lambda: False)
    assert Text().backend == "auto"
    assert Text().resolved("cuda").backend == "ocr"
    monkeypatch.setattr(torch_ocr, "is_here", lambda: True)
    assert Text(doubt=5).resolved("cuda:1") == Text(doubt=5, backend="ocr_large")
    assert Text().resolved("cpu").backend == "ocr"
    assert Text(backend="ocr_large").resolved("cpu").backend == "ocr_large"
    assert Text(backend="ocr").key != Text(backend="ocr_large").key


def test_a_backend_that_is_none() -> None:
    for backend, message in (("best", "auto, ocr, ocr_large, got 'best'$"), ("gpu", "'gpu' is called 'ocr_large'$")):
        with pytest.raises(InputError, match=message):
            Text(backend=backend).load("cpu")


def test_the_form_lets_a_single_thread_read() -> None:
    (threads,) = (field for field in fields(Text) if field.name == "threads")
    assert (threads.metadata["low"], threads.metadata["high"]) == (1, 64)


def test_a_line_that_says_what_it_should_is_labeled_by_its_gravest_flaw() -> None:
    box = Box("as wanted", (0.0, 0.0, 1.0, 1.0))
    wavy = LetteringQuality(distortion=9.0, mixed=0.1)
    assert text._with_quality(box, wavy).label == "distortion"
    assert text._with_quality(box, replace(wavy, illegible=0.9)).label == "illegible", "it is none of letters, then"
    assert text._with_quality(replace(box, label="omission"), wavy).label == "omission"
    assert text._with_quality(box, LetteringQuality(illegible=0.1)).label == "as wanted"


def test_a_box_says_what_else_may_stand_there() -> None:
    line = Line(whole(np.zeros((50, 100, 3), np.uint8)), ("stop",), "STOP", 0.9)
    plain = text._box(line, [], "stop", False, 100, 50)
    assert (plain.label, plain.attributes) == ("as wanted", {"read": "STOP", "wanted": "stop", "edit": ""})
    either = text._box(replace(line, others=(("shop",), ("st", "op"))), [], "stop", True, 100, 50)
    assert (either.label, either.attributes["or"]) == ("unknown", "shop | st op")


@pytest.mark.slow
def test_weights_that_are_not_here(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="hf download"):
        torch_ocr.TorchOcr("cpu", tmp_path / "none", tmp_path / "none")


BLOCKS = [[[3, 8, 8, 1, True]], [[3, 8, 16, 2, False]], [[3, 16, 16, 2, False]], [[3, 16, 32, 2, False]]]
#: as released: only numbers of channels are made small here
INNER = {
    "reduce_channel": [1, 1, 0],
    "return_channel": [1, 1, 0],
    "vertical_long_to_small_conv_longratio": [[7, 1], [1, 1], [3, 0]],
    "vertical_long_to_small_conv_midratio": [[5, 1], [1, 1], [2, 0]],
    "vertical_long_to_small_conv_shortratio": [[3, 1], [1, 1], [1, 0]],
    "horizontal_small_to_long_conv_longratio": [[1, 7], [1, 1], [0, 3]],
    "horizontal_small_to_long_conv_midratio": [[1, 5], [1, 1], [0, 2]],
    "horizontal_small_to_long_conv_shortratio": [[1, 3], [1, 1], [0, 1]],
    "symmetric_conv_long_longratio": [[7, 7], [1, 1], [3, 3]],
    "symmetric_conv_long_midratio": [[5, 5], [1, 1], [2, 2]],
    "symmetric_conv_long_shortratio": [[3, 3], [1, 1], [1, 1]],
}
CHARACTERS = ["blank", *"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", " "]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detector and a recognizer of the larger models' architecture, with few channels and random weights."""
    transformers = pytest.importorskip("transformers")
    import torch
    from transformers.models.pp_ocrv5_server_det import PPOCRV5ServerDetImageProcessor
    from transformers.models.pp_ocrv6_small_rec import PPOCRV6SmallRecImageProcessor

    torch.manual_seed(0)
    made = tmp_path_factory.mktemp("ocr")
    stages = ["stage1", "stage2", "stage3", "stage4"]
    backbone = transformers.PPLCNetV4Config(
        block_configs=BLOCKS, stem_channels=[3, 4, 8], stem_type="large", out_features=stages
    )
    detection = transformers.PPOCRV6MediumDetConfig(
        backbone_config=backbone,
        neck_out_channels=16,
        intraclass_block_config=INNER,
        scale_factor_list=[1, 2, 4, 8],
        kernel_list=[3, 2, 2],
    )
    transformers.PPOCRV6MediumDetForObjectDetection(detection).save_pretrained(made / "det")
    PPOCRV5ServerDetImageProcessor().save_pretrained(made / "det")
    recognition = transformers.PPOCRV6SmallRecConfig(head_out_channels=len(CHARACTERS), hidden_size=16)
    transformers.PPOCRV6SmallRecForTextRecognition(recognition).save_pretrained(made / "rec")
    PPOCRV6SmallRecImageProcessor(character_list=CHARACTERS).save_pretrained(made / "rec")
    return made


@pytest.mark.slow
def test_the_larger_models_have_the_same_interface(folder: Path) -> None:
    ocr = torch_ocr.TorchOcr("cpu", folder / "det", folder / "rec")
    assert ocr.characters == ("", *CHARACTERS[1:])
    lines = [np.full((40, width, 3), 255, np.uint8) for width in (60, 400, 1200)]
    posteriors = ocr.posteriors(lines)
    for line, posterior in zip(lines, posteriors, strict=True):
        assert abs(len(posterior) - line.shape[1] * 48 / 40 / 8) <= 2
        assert posterior.shape[1] == len(CHARACTERS)
        np.testing.assert_allclose(posterior.sum(1), 1.0, atol=1e-4)
    where = ocr._where(np.zeros((96, 160, 3), np.uint8))
    assert where.shape == (1, 1, 96, 160)
    assert 0 <= where.min() <= where.max() <= 1
    picture = np.random.default_rng(0).integers(0, 256, (120, 200, 3), dtype=np.uint8)
    assert all(region.corners.shape == (4, 2) for region in ocr.regions(picture, 256))
    assert not isinstance(Reader(ocr, 4.0).read(picture, ["open"]), str)
    assert ocr.alphabet("latin").can_spell("open")
    assert len(whole(picture).corners) == 4


@pytest.mark.slow
def test_characters_that_do_not_fit_the_model(folder: Path, tmp_path: Path) -> None:
    import shutil

    from transformers.models.pp_ocrv6_small_rec import PPOCRV6SmallRecImageProcessor

    shutil.copytree(folder / "rec", tmp_path / "rec")
    PPOCRV6SmallRecImageProcessor(character_list=CHARACTERS[:-3]).save_pretrained(tmp_path / "rec")
    with pytest.raises(ModelError, match="characters"):
        torch_ocr.TorchOcr("cpu", folder / "det", tmp_path / "rec")
