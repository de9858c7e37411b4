"""Decoding JPEGs on the device, beside the CPU: how fast, and how far the pixels differ."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from benchmarks.gpu.pictures import write_files
from benchmarks.gpu.report import Report, Settings, rate
from loupe.brain.imaging import jpeg
from loupe.brain.imaging.decode import decode
from loupe.brain.imaging.jpeg import Encoded

SIDE = 1024


def run(report: Report, settings: Settings) -> None:
    """Prints rates of reading, of looking whether files are whole, and of decoding here and there."""
    side = settings.size(SIDE, 64)
    with tempfile.TemporaryDirectory() as folder:
        paths = write_files(Path(folder), settings.size(128, 4), side, settings.size(32, 2))
        files = [Encoded(np.frombuffer(Path(path).read_bytes(), np.uint8), (side, side)) for path in paths]
        size = sum(file.data.size for file in files) / len(files) / 1e3
        report.row("files", float(len(files)), "JPEGs", f"{side} x {side}, quality 90, 4:2:0, {size:.0f} kB each")
        threads = os.cpu_count() or 1
        stages: dict[str, Callable[[str], object]] = {
            "bytes read": lambda path: Path(path).read_bytes(),
            "read, and whether they are whole": lambda path: decode(path, for_device=True),
            "decoded on the CPU at full size": lambda path: decode(path),
            "decoded on the CPU for 320 pixels": lambda path: decode(path, 320),
        }
        for name, work in stages.items():
            report.attempt(
                name, lambda name=name, work=work: _print_threads(report, settings, name, work, paths, threads)
            )
        report.attempt("files for the device", lambda: _print_chosen(report, paths))
        for count in (1, 16, 64):
            report.attempt(
                f"decoded on the device, {count} at a time",
                lambda count=count: _print_device(report, settings, files, count),
            )
        report.attempt("pixels", lambda: _print_pixels(report, settings, files[: settings.size(32, 2)]))


def _print_threads(
    report: Report, settings: Settings, name: str, work: Callable[[str], object], paths: Sequence[str], threads: int
) -> None:
    with ThreadPoolExecutor(threads) as pool:
        many = rate(lambda: list(pool.map(work, paths)), settings, settings.seconds / 2) * len(paths)
    alone = rate(lambda: [work(path) for path in paths[:8]], settings, settings.seconds / 2) * len(paths[:8])
    report.row(name, many, "images/s", f"on {threads} threads; on one {alone:.0f}")


def _print_chosen(report: Report, paths: Sequence[str]) -> None:
    chosen = sum(isinstance(decode(path, for_device=True)[0], Encoded) for path in paths)
    note = "" if chosen else "the CPU decodes all: is simplejpeg installed?"
    report.row("files for the device", float(chosen), f"of {len(paths)}", note)


def _print_device(report: Report, settings: Settings, files: Sequence[Encoded], count: int) -> None:
    some = [files[at % len(files)] for at in range(count)]
    if jpeg.decode(some, settings.device) is None:
        _decode_again(some, settings.device)
    each = rate(lambda: jpeg.decode(some, settings.device), settings) * count
    report.row(f"decoded on the device, {count} at a time", each, "images/s")


def _decode_again(files: Sequence[Encoded], device: str) -> None:
    """Raises what the decoder says, which ``jpeg.decode`` keeps to itself."""
    import torch
    from torchvision.io import ImageReadMode, decode_jpeg

    decode_jpeg([torch.from_numpy(file.data.copy()) for file in files], mode=ImageReadMode.RGB, device=device)
    raise RuntimeError("it was refused once, and not again")


def _print_pixels(report: Report, settings: Settings, files: Sequence[Encoded]) -> None:
    from io import BytesIO

    import torch
    from PIL import Image

    made = jpeg.decode(files, settings.device)
    if made is None:
        raise RuntimeError("the device refused the files")
    largest, share, n = 0, 0.0, 0
    for file, pixels in zip(files, made, strict=True):
        known = torch.from_numpy(np.array(Image.open(BytesIO(file.data.tobytes())).convert("RGB"))).permute(2, 0, 1)
        apart = (pixels.cpu().int() - known.int()).abs()
        largest, share, n = max(largest, int(apart.max())), share + float((apart > 3).float().mean()), n + 1
    report.row(
        "pixels",
        float(largest),
        "levels at most",
        f"apart from the CPU's; more than 3 at {share / n:.2%} of the values",
    )
