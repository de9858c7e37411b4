"""Files of every bad kind in one dataset: a record for each, the rest goes on, and the counts add up."""

from __future__ import annotations

import mimetypes
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmarks.faults import hostile

pytestmark = [pytest.mark.database, pytest.mark.slow]

CHECKS = ["file", "exposure", "sharpness", "size", "seam"]


def picture(seed: int = 0) -> Image.Image:
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (60, 80, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((160, 120), Image.Resampling.BICUBIC)


def huge_png() -> bytes:
    """30,000 x 30,000 gray pixels in a few hundred kilobytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    squeeze = zlib.compressobj(9)
    row = b"\0" * 3751  # one bit a pixel, and the filter's byte
    body = b"".join([*(squeeze.compress(row * 100) for _ in range(300)), squeeze.flush()])
    head = struct.pack(">IIBBBBB", 30_000, 30_000, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def good_files(folder: Path) -> list[Path]:
    """Pictures that look odd and are none: animations, palettes, alpha, 16 bits, CMYK."""
    frames = [picture(1), picture(2)]
    files: dict[str, tuple[Image.Image, dict[str, Any]]] = {
        "animated.gif": (frames[0], {"save_all": True, "append_images": frames[1:]}),
        "animated.webp": (frames[0], {"save_all": True, "append_images": frames[1:]}),
        "palette.png": (picture().quantize(64), {}),
        "alpha.png": (picture().convert("RGBA"), {}),
        "grey_alpha.png": (picture().convert("LA"), {}),
        "sixteen.png": (Image.fromarray(np.asarray(picture().convert("L")).astype(np.uint16) * 257), {}),
        "cmyk.jpg": (picture().convert("CMYK"), {}),
        "plain.jpg": (picture(), {}),
    }
    for name, (image, options) in files.items():
        image.save(folder / name, **options)
    return [folder / name for name in files]


def bad_files(folder: Path) -> list[Path]:
    paths = []
    for suffix in ("jpg", "png", "webp", "gif", "tif", "bmp"):
        whole = folder / f"whole.{suffix}"
        picture().save(whole)
        data = whole.read_bytes()
        whole.unlink()
        paths.append(folder / f"truncated.{suffix}")
        paths[-1].write_bytes(data[: len(data) // 2])
    broken = bytearray(data)
    for name, content in {
        "empty.jpg": b"",
        "text.png": b"no picture at all",
        "drawing.png": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        "huge.png": huge_png(),
        "noise.jpg": b"\xff\xd8\xff" + bytes(np.random.default_rng(0).integers(0, 256, 4000, dtype=np.uint8)),
        "cut.bmp": bytes(broken[:20]),
    }.items():
        (folder / name).write_bytes(content)
        paths.append(folder / name)
    (folder / "folder.png").mkdir()
    return [*paths, folder / "folder.png", folder / "was_never_there.png"]


@pytest.fixture
def ragged(dataset: Any, tmp_path: Path) -> tuple[Any, int, int]:
    """Good and bad files in turn; a good one is deleted after the dataset has been made."""
    import fiftyone as fo

    good, bad = good_files(tmp_path), bad_files(tmp_path)
    gone = tmp_path / "gone.png"
    picture().save(gone)
    order = sorted([*good, *bad, gone], key=lambda path: zlib.crc32(path.name.encode()))
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in order], progress=False)
    gone.unlink()
    return dataset, len(good), len(bad) + 1


def test_each_bad_file_is_a_record_and_the_rest_is_judged(ragged: tuple[Any, int, int]) -> None:
    import loupe

    dataset, good, bad = ragged
    run = loupe.check(dataset, CHECKS)
    assert (run.n, run.skipped, run.errors) == (good + bad, 0, 0)
    unreadable = dataset.values("quality.unreadable")
    assert sorted(unreadable) == [0.0] * good + [1.0] * bad
    assert run.unknown["exposure"] == bad
    assert run.unknown["size"] == bad
    contrast = dataset.values("quality.contrast")
    assert [score is None for score in contrast] == [bool(value) for value in unreadable]
    for labels, reasons, value in zip(
        *dataset.values(["unknown.classifications.label", "unknown.classifications.reason"]), unreadable, strict=True
    ):
        if value:
            assert "exposure" in labels
            assert all(reason.strip() for reason in reasons)
    assert loupe.flag(dataset).counts["unreadable"] == bad
    again = loupe.check(dataset, CHECKS)
    assert (again.n, again.skipped) == (0, good + bad)


@pytest.mark.timeout(300)
def test_hostile_files_end_and_stall_nothing(dataset: Any, tmp_path: Path) -> None:
    """Pipes, devices, bombs and files that break decoders are records; odd files that are whole are judged."""
    import fiftyone as fo

    import loupe

    # FiftyOne tells pictures by their names, and its database takes only what is Unicode
    made = [case for case in hostile.files(tmp_path) if case.path.isascii()]
    cases = [case for case in made if str(mimetypes.guess_type(case.path)[0]).startswith("image/")]
    dataset.add_samples([fo.Sample(filepath=case.path) for case in cases], progress=False)
    run = loupe.check(dataset, ["file", "exposure"])
    assert run.n == len(cases) > 50
    assert run.errors == 0
    by_path = dict(zip(*dataset.values(["filepath", "quality.unreadable"]), strict=True))
    assert by_path == {case.path: float(not case.readable) for case in cases}
    assert dataset.count("quality.brightness_p99") == sum(case.readable for case in cases)
    assert loupe.check(dataset, ["file", "exposure"]).n == 0


def test_a_person_sees_the_same_so_that_the_scores_are_the_same(dataset: Any, tmp_path: Path) -> None:
    """Turned, and in another color space: the scores are those of the plain twin."""
    import fiftyone as fo

    import loupe

    turned = Image.Exif()
    turned[0x0112] = 6
    picture().save(tmp_path / "plain.png")
    for suffix, options in (("png", {}), ("webp", {"lossless": True}), ("tif", {}), ("tiff", {"compression": None})):
        picture().rotate(90, expand=True).save(tmp_path / f"turned.{suffix}", exif=turned, **options)
    paths = sorted(str(path) for path in tmp_path.iterdir())
    dataset.add_samples([fo.Sample(filepath=path) for path in paths], progress=False)
    loupe.check(dataset, ["exposure", "sharpness", "size"])
    rows = zip(*dataset.values(["quality.brightness_p95", "quality.sharpness", "quality.odd_aspect"]), strict=True)
    first, *others = rows
    for other in others:
        assert other == pytest.approx(first, abs=1e-6)


def test_duplicates_go_on_too(ragged: tuple[Any, int, int]) -> None:
    import loupe

    dataset, good, bad = ragged
    loupe.find_duplicates(dataset)
    near = dataset.values("quality.near_duplicate")
    assert sum(score is None for score in near) == bad
    assert sum(score is not None for score in near) == good


@pytest.mark.parametrize("mode", ["RGBA", "P", "CMYK", "LA", "L", "I;16"])
def test_every_mode_is_judged_like_its_twin(dataset: Any, tmp_path: Path, mode: str) -> None:
    import fiftyone as fo

    import loupe

    gray = mode in ("LA", "L", "I;16")
    twin = picture().convert("L").convert("RGB") if gray else picture()
    made = {
        "I;16": lambda: Image.fromarray(np.asarray(twin.convert("L")).astype(np.uint16) * 257),
        "P": lambda: twin.quantize(256),
    }.get(mode, lambda: twin.convert(mode))()
    paths = [tmp_path / "twin.png", tmp_path / ("other.tif" if mode == "CMYK" else "other.png")]
    twin.save(paths[0])
    made.save(paths[1])
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in paths], progress=False)
    loupe.check(dataset, ["exposure", "sharpness", "grayscale", "information", "motion_blur"])
    first, second = dataset.values("failures.classifications.label")
    assert first == second
    first, second = dataset.values("quality.sharpness")
    assert first == pytest.approx(second, abs=0.05)
