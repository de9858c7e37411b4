"""Every mode is read like its RGB twin, every bad file is an error with a reason, memory and order are kept."""

from __future__ import annotations

import errno
import io
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from loupe.brain.core.errors import ReadError
from loupe.brain.engine import reader
from loupe.brain.engine.reader import Glance, Row, Wanted, read, read_chunks
from loupe.brain.imaging.jpeg import Encoded


@pytest.fixture(scope="module")
def rgb() -> np.ndarray:
    """(40, 60, 3) uint8: a smooth picture, so that JPEG and palettes stay close to it."""
    y, x = np.mgrid[0:40, 0:60]
    return np.stack([x * 4, y * 6, 128 + 60 * np.sin(x / 9)], axis=-1).astype(np.uint8)


def _save(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


def _gray(rgb: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(rgb).convert("L"))


def test_rgb_png_is_read_exactly(tmp_path: Path, rgb: np.ndarray) -> None:
    picture = read(_save(tmp_path / "a.png", Image.fromarray(rgb)))
    assert picture.size == (60, 40)
    np.testing.assert_array_equal(picture.pixels, rgb)


@pytest.mark.parametrize(
    ("mode", "ending", "tolerance"),
    [
        ("P", "png", 30),
        ("CMYK", "jpg", 40),
        ("RGBA", "png", 0),
        ("RGBA", "webp", 12),
        ("YCbCr", "jpg", 12),
        ("P", "gif", 30),
    ],
)
def test_color_modes_are_read_like_rgb(tmp_path: Path, rgb: np.ndarray, mode: str, ending: str, tolerance: int) -> None:
    image = Image.fromarray(rgb).convert(mode)
    options = {"lossless": True} if ending == "webp" else {"quality": 95} if ending == "jpg" else {}
    pixels = read(_save(tmp_path / f"a.{ending}", image, **options)).pixels
    assert pixels.shape == rgb.shape
    assert np.abs(pixels.astype(int) - rgb).mean() <= tolerance


@pytest.mark.parametrize("mode", ["L", "LA", "1", "I;16"])
def test_gray_modes_are_read_like_gray(tmp_path: Path, rgb: np.ndarray, mode: str) -> None:
    gray = _gray(rgb)
    if mode == "I;16":
        image = Image.fromarray(gray.astype(np.uint16) * 257)
    elif mode == "1":
        image, gray = Image.fromarray(gray > 127), np.where(gray > 127, 255, 0).astype(np.uint8)
    else:
        image = Image.fromarray(gray).convert(mode)
    pixels = read(_save(tmp_path / "a.png", image)).pixels
    np.testing.assert_array_equal(pixels, np.repeat(gray[..., None], 3, axis=2))


def test_alpha_is_composited_on_white(tmp_path: Path) -> None:
    rgba = np.zeros((4, 4, 4), np.uint8)
    rgba[..., 0], rgba[:2, :, 3] = 200, 255
    pixels = read(_save(tmp_path / "a.png", Image.fromarray(rgba))).pixels
    assert pixels[0, 0].tolist() == [200, 0, 0]
    assert pixels[3, 3].tolist() == [255, 255, 255]


def test_transparent_palette_is_composited_on_white(tmp_path: Path) -> None:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    pixels = read(_save(tmp_path / "a.png", image, transparency=1)).pixels
    assert pixels.min() == 255


def test_exif_rotation_is_applied(tmp_path: Path, rgb: np.ndarray) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera lay on its side: turn by 270 degrees
    picture = read(_save(tmp_path / "a.png", Image.fromarray(rgb), exif=exif))
    assert picture.size == (40, 60)
    np.testing.assert_array_equal(picture.pixels, np.rot90(rgb, -1))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_is_that_of_the_upright_picture(tmp_path: Path, rgb: np.ndarray, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = read(_save(tmp_path / "a.png", Image.fromarray(rgb), exif=exif))
    assert picture.size == ((60, 40) if orientation < 5 else (40, 60))
    assert picture.pixels.shape == (*reversed(picture.size), 3)


def test_jpeg_may_be_decoded_smaller_but_says_its_size(tmp_path: Path) -> None:
    path = _save(tmp_path / "a.jpg", Image.new("RGB", (1600, 800), "red"))
    picture = read(path, long_side=512)
    assert picture.size == (1600, 800)
    assert 512 <= max(picture.pixels.shape[:2]) < 1600
    assert read(path).pixels.shape == (800, 1600, 3)


def test_bad_files_are_errors_with_a_reason(tmp_path: Path, rgb: np.ndarray) -> None:
    bad = {"missing.png": None, "empty.png": b"", "text.png": b"<svg xmlns='http://www.w3.org/2000/svg'/>"}
    for ending in ("png", "jpg", "gif", "webp", "bmp", "tiff"):
        whole = _save(tmp_path / f"whole.{ending}", Image.fromarray(rgb).resize((300, 200))).read_bytes()
        bad[f"cut.{ending}"] = whole[: len(whole) // 2]
    for name, content in bad.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(ReadError, match=name if "cut" not in name else "."):
            read(tmp_path / name)


def test_float_pixels_are_refused(tmp_path: Path) -> None:
    path = _save(tmp_path / "a.tiff", Image.fromarray(np.ones((4, 4), np.float32)))
    with pytest.raises(ReadError, match="integer pixels"):
        read(path)


@pytest.mark.parametrize("value", [0, 65535, 65536, -1])
def test_integers_of_more_than_16_bits_are_refused(tmp_path: Path, value: int) -> None:
    path = _save(tmp_path / "a.tiff", Image.fromarray(np.full((4, 4), value, np.int32)))
    if 0 <= value <= 65535:
        assert (read(path).pixels == value // 257).all()
    else:
        with pytest.raises(ReadError, match=f"expected at most 16 bits a channel, got values from {value} to {value}"):
            read(path)


def test_a_decompression_bomb_is_an_error_not_a_crash(tmp_path: Path) -> None:
    path = _save(tmp_path / "a.png", Image.new("1", (30_000, 30_000)))
    with pytest.raises(ReadError, match="at most"):
        read(path)


def _rows(paths: list[Path]) -> list[Row]:
    return [Row(str(index), str(path), {"prompt": f"p{index}"}) for index, path in enumerate(paths)]


def test_chunks_keep_order_and_group_by_shape(pictures: list[Path], tmp_path: Path) -> None:
    rows = _rows([*pictures, tmp_path / "missing.png"])
    chunks = list(read_chunks(rows, batch_size=3))
    assert [row.id for chunk in chunks for row in chunk.rows] == [row.id for row in rows]
    assert list(chunks[0].unreadable) == ["8"]
    batches = [bucket.batch() for chunk in chunks for bucket in chunk.buckets]
    assert sorted(len(batch) for batch in batches) == [1, 1, 3, 3]
    for batch in batches:
        for index, sample_id in enumerate(batch.ids):
            expected = np.asarray(Image.open(pictures[int(sample_id)]))
            np.testing.assert_array_equal(batch.pixels[index].permute(1, 2, 0).numpy(), expected)
            assert batch.fields["prompt"][index] == f"p{sample_id}"


def test_what_cannot_be_read_may_come_first(pictures: list[Path], tmp_path: Path) -> None:
    (chunk,) = read_chunks(_rows([tmp_path / "missing.png", *pictures[:2]]), workers=1)
    assert list(chunk.unreadable) == ["0"]
    assert sorted(row.id for bucket in chunk.buckets for row in bucket.rows) == ["1", "2"]


@pytest.mark.parametrize(
    ("ahead_bytes", "hand_overs"),
    [
        (0, 2 + 15),
        (2 * 3 * (48 * 64 * 3), 2 + 5),  # three pictures for each of the thread's two tasks
        (reader.AHEAD_BYTES, 2 + 4),  # four of them at most
    ],
)
def test_small_pictures_are_read_some_in_one_go(
    pictures: list[Path], monkeypatch: pytest.MonkeyPatch, ahead_bytes: int, hand_overs: int
) -> None:
    calls = 0

    class Counting(ThreadPoolExecutor):
        def submit(self, *args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            calls += 1
            return super().submit(*args, **kwargs)

    monkeypatch.setattr(reader, "ThreadPoolExecutor", Counting)
    monkeypatch.setattr(reader, "AHEAD_BYTES", ahead_bytes)
    assert sum(len(chunk.rows) for chunk in read_chunks(_rows([*pictures, *pictures, pictures[0]]), workers=1)) == 17
    assert calls == hand_overs, "two while nothing is known of their size, then some at a time"


def test_threads_stay_ahead_of_what_is_taken_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = [threading.Event() for _ in range(41)]
    ahead = []

    def fetched(path: str, *_: object) -> ReadError:
        place = int(path)
        begun[place].set()
        if place in (9, 19, 29):  # the next one is read meanwhile by the other thread
            ahead.append(begun[place + 1].wait(5))
        return ReadError("no picture")

    monkeypatch.setattr(reader, "_fetched", fetched)
    monkeypatch.setattr(reader, "AT_ONCE", 1)
    rows = [Row(str(place), str(place)) for place in range(41)]
    assert sum(len(chunk.unreadable) for chunk in read_chunks(rows, batch_size=1, workers=2)) == 41
    assert ahead == [True] * 3


def test_only_a_cuda_device_gets_the_files_of_jpegs(tmp_path: Path, pictures: list[Path]) -> None:
    path = str(_save(tmp_path / "a.jpg", Image.new("RGB", (64, 48), "red")))
    assert isinstance(reader._fetched(path, Wanted(), "cuda:1"), Encoded)
    for other, device in ((path, "cpu"), (path, "mps"), (str(pictures[0]), "cuda")):
        assert isinstance(reader._fetched(other, Wanted(), device), reader.Picture)
    assert isinstance(reader._fetched(str(tmp_path / "missing.jpg"), Wanted(), "cuda"), ReadError)


def test_what_is_read_is_asked_for_each_row(tmp_path: Path) -> None:
    """One row's need of a large picture does not make the others slow."""
    for name in "ab":
        _save(tmp_path / f"{name}.jpg", Image.effect_noise((640, 480), 50).convert("RGB"))
    needs = {
        frozenset({"glance"}): Wanted(160, pixels=False, preview=True),
        frozenset({"whole"}): Wanted(None, preview=True),
    }
    rows = [
        Row("a", str(tmp_path / "a.jpg"), pending=frozenset({"glance"})),
        Row("b", str(tmp_path / "b.jpg"), pending=frozenset({"whole"})),
    ]
    (chunk,) = read_chunks(rows, wanted=needs.__getitem__)
    by_id = {bucket.rows[0].id: bucket.pictures[0] for bucket in chunk.buckets}
    assert isinstance(by_id["a"], Glance)
    assert by_id["a"].size == (640, 480)
    assert by_id["a"].preview.luma.shape == (120, 160)
    assert isinstance(by_id["b"], reader.Picture)
    assert by_id["b"].pixels.shape == (480, 640, 3)
    # what is held of a glance is what counts
    assert reader._bytes(by_id["a"]) == 120 * 160 * 4


def test_a_file_that_the_device_decodes_counts_as_its_pixels(pictures: list[Path]) -> None:
    assert reader._bytes(Encoded(np.zeros(99, np.uint8), (60, 40))) == 60 * 40 * 3
    assert reader._bytes(read(pictures[0])) == 48 * 64 * 3


@pytest.mark.parametrize("ahead_bytes", [0, reader.AHEAD_BYTES])
def test_memory_is_bounded_whatever_the_number_of_rows(
    pictures: list[Path], monkeypatch: pytest.MonkeyPatch, ahead_bytes: int
) -> None:
    alive, maximum, lock = 0, 0, threading.Lock()
    real = reader.read

    def counting(path: str, long_side: int | None = None) -> reader.Picture:
        nonlocal alive, maximum
        with lock:
            alive += 1
            maximum = max(maximum, alive)
        return real(path, long_side)

    monkeypatch.setattr(reader, "read", counting)
    monkeypatch.setattr(reader, "AHEAD_BYTES", ahead_bytes)
    for chunk in read_chunks(_rows(pictures * 50), workers=2):
        assert len(chunk.rows) <= reader.CHUNK
        with lock:
            alive -= len(chunk.rows)
    # two threads have two tasks each in hand: of one picture where pictures are large, else of some
    assert maximum <= reader.CHUNK + (5 * reader.AT_ONCE if ahead_bytes else 4)


@pytest.mark.parametrize("number", [errno.ESTALE, errno.EIO, errno.EMFILE, errno.ETIMEDOUT])
@pytest.mark.parametrize("call", ["stat", "open", "read"])
def test_a_disk_or_a_network_that_fails_says_nothing_of_the_file(
    pictures: list[Path], monkeypatch: pytest.MonkeyPatch, number: int, call: str
) -> None:
    """It is no unreadable file: no check has judged it, and the next run reads it."""
    from loupe.brain.checks.file import File
    from loupe.brain.engine import runner

    broken = str(pictures[1])
    failing = True

    def guarded(name: str) -> None:
        if failing and name == broken:
            raise OSError(number, os.strerror(number))

    class Read(io.FileIO):
        def readall(self) -> bytes:
            guarded(names[self.fileno()])
            return super().readall()

        def read(self, size: int = -1) -> bytes:
            guarded(names[self.fileno()])
            return super().read(size)

    names: dict[int, str] = {}
    real_open, real_stat = os.open, os.stat

    def opened(path: Any, *given: Any, **more: Any) -> int:
        if call == "open":
            guarded(str(path))
        descriptor = real_open(path, *given, **more)
        names[descriptor] = str(path)
        return descriptor

    def stated(path: Any, *given: Any, **more: Any) -> Any:
        if call == "stat" and not isinstance(path, int):
            guarded(str(path))
        return real_stat(path, *given, **more)

    monkeypatch.setattr(os, "open", opened)
    monkeypatch.setattr(os, "stat", stated)
    if call == "read":
        monkeypatch.setattr(io, "FileIO", Read)
    rows = [Row(str(at), str(path), pending=frozenset({"file"})) for at, path in enumerate(pictures[:3])]
    first = [verdict for some in runner.run(rows, [File()], device="cpu") for verdict in some]
    failing = False
    second = [verdict for some in runner.run(rows, [File()], device="cpu") for verdict in some]
    assert [verdict.scores.get("unreadable") for verdict in second] == [0, 0, 0]
    assert [verdict.scores.get("unreadable") for verdict in first] == [0, None, 0]
    assert [list(verdict.errors) for verdict in first] == [[], ["file"], []]
    assert "cannot be read now" in first[1].errors["file"]
