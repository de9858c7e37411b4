"""Reading: the text check as it runs here, and the networks of its larger backend on the device."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.batches import batch_of
from benchmarks.gpu.report import Report, Settings, rate

_WORDS = "OPEN GARDEN BAKERY"
#: blocks of the detector's backbone: side of the kernel, channels, stride; of its kind, if not of its very size
_STAGES = [
    [[3, 64, 64, 1, True]] * 2,
    [[3, 64, 128, 2, False], [3, 128, 128, 1, True]],
    [[3, 128, 256, 2, False], *[[3, 256, 256, 1, True]] * 4],
    [[3, 256, 512, 2, False], [3, 512, 512, 1, True]],
]
#: of the detector's neck, as released: side and padding of its kernels, along and across, long, middle and short
_NECK: dict[str, list[list[int]]] = {"reduce_channel": [[1], [1], [0]], "return_channel": [[1], [1], [0]]}
for _ratio, _side in (("long", 7), ("mid", 5), ("short", 3)):
    _half = _side // 2
    _NECK |= {
        f"vertical_long_to_small_conv_{_ratio}ratio": [[_side, 1], [1, 1], [_half, 0]],
        f"horizontal_small_to_long_conv_{_ratio}ratio": [[1, _side], [1, 1], [0, _half]],
        f"symmetric_conv_long_{_ratio}ratio": [[_side, _side], [1, 1], [_half, _half]],
    }


def run(report: Report, settings: Settings) -> None:
    """Prints pictures a second of the check, and of networks of the kind of "ocr_large" on the device."""
    report.attempt("text check", lambda: _print_check(report, settings))
    report.attempt("detector of its kind", lambda: _print_detector(report, settings))
    report.attempt("recognizer of its kind", lambda: _print_recognizer(report, settings))


def _sign(side: int) -> np.ndarray:
    image = Image.new("RGB", (side, side), (235, 230, 220))
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(side / 10)
    for line, word in enumerate(_WORDS.split()):
        draw.text((side / 8, side * (0.2 + 0.2 * line)), word, (40, 40, 60), font)
    return np.asarray(image)


def _print_check(report: Report, settings: Settings) -> None:
    # each is named where it is not installed
    import cv2  # noqa: F401
    import onnxruntime  # noqa: F401
    import rapidocr  # noqa: F401

    from loupe.brain.checks.text import Text

    check = Text().resolved(settings.device)
    score = check.load(settings.device)
    given = batch_of(_sign(settings.size(512, 128)), prompt=[f'a sign that says "{_WORDS}"'])
    each = rate(lambda: score(given), settings)
    report.row("text check", each, "images/s", f"backend {check.backend}, onnxruntime, whose wheel runs on the CPU")


def _print_detector(report: Report, settings: Settings) -> None:
    import torch
    from transformers import PPLCNetV4Config, PPOCRV6MediumDetConfig, PPOCRV6MediumDetForObjectDetection

    torch.manual_seed(0)
    side = settings.size(960, 64)
    neck = {name: [row[0] for row in rows] if len(rows[0]) == 1 else rows for name, rows in _NECK.items()}
    backbone = PPLCNetV4Config(
        block_configs=_STAGES,
        stem_channels=[3, 32, 64],
        stem_type="large",
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )
    config = PPOCRV6MediumDetConfig(
        backbone_config=backbone,
        intraclass_block_config=neck,
        scale_factor_list=[1, 2, 4, 8],
        kernel_list=[3, 2, 2],
    )
    model = PPOCRV6MediumDetForObjectDetection(config)
    _print_network(report, settings, "detector of its kind", model, (4, 3, side, side), "images/s")


def _print_recognizer(report: Report, settings: Settings) -> None:
    import torch
    from transformers import PPOCRV6SmallRecConfig, PPOCRV6SmallRecForTextRecognition

    torch.manual_seed(0)
    model = PPOCRV6SmallRecForTextRecognition(PPOCRV6SmallRecConfig())
    shape = (settings.size(32, 2), 3, 48, 320)
    _print_network(report, settings, "recognizer of its kind", model, shape, "lines/s")


def _print_network(
    report: Report, settings: Settings, name: str, model: Any, shape: tuple[int, ...], unit: str
) -> None:
    import torch

    model, count = model.eval().to(settings.device), sum(weight.numel() for weight in model.parameters())
    given = torch.rand(shape, device=settings.device)
    with torch.inference_mode():
        each = rate(lambda: model(given), settings) * shape[0]
    note = f"random weights ({count / 1e6:.0f} million), float32, {shape[0]} of {shape[3]} x {shape[2]} at a time"
    report.row(name, each, unit, note)
