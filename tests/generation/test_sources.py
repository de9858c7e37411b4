"""What is drawn from: regions against an independent drawing, controls over a crop, hashes, damaged arrays."""

from __future__ import annotations

import io
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from loupe.brain.core.errors import InputError, ReadError
from loupe.brain.core.records import Points, Request
from loupe.brain.core.specs import GeneratorSession
from loupe.brain.generation import passes, sources
from loupe.brain.generation.region import Frame
from loupe.brain.generation.sources import Control, Region, Source


def packed(values: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, values)
    return zlib.compress(file.getvalue())


def saved(path: Path, values: np.ndarray) -> str:
    Image.fromarray(values).save(path)
    return str(path)


def test_a_polygon_is_what_pillow_fills() -> None:
    points = ((0.1, 0.2), (0.8, 0.1), (0.9, 0.9), (0.3, 0.7))
    drawn = Image.new("1", (200, 100))
    ImageDraw.Draw(drawn).polygon([(x * 200, y * 100) for x, y in points], fill=1)
    mine, other = Region(polygons=(points,)).mask((200, 100)), np.asarray(drawn)
    assert (mine != other).mean() < 0.01
    xs, ys = np.array(points).T * [[200], [100]]
    area = abs(xs @ np.roll(ys, 1) - ys @ np.roll(xs, 1)) / 2
    assert mine.sum() == pytest.approx(area, rel=0.05)


def test_a_mask_over_a_box_is_scaled_into_it() -> None:
    left = np.array([[1, 0], [1, 0]], np.uint8)
    mask = Region(masks=(((0.5, 0.0, 0.5, 1.0), packed(left)),)).mask((40, 10))
    assert mask[:, 20:30].all()
    assert mask.sum() == 100
    whole = Region(masks=((None, packed(left)),)).mask((40, 10))
    assert whole[:, :20].all()
    assert whole.sum() == 200


@pytest.mark.parametrize(
    "region",
    [
        Region(),
        Region(boxes=((1.0, 0, 0.5, 0.5),)),
        Region(boxes=((float("nan"), 0, 1, 1), (0.2, 0.2, 0, 1), (0.2, 0.2, float("inf"), 1))),
        Region(polygons=(((0.1, 0.1), (0.9, 0.9)),)),
        Region(polygons=(((float("nan"), 0.1), (0.9, 0.9), (0.5, 0.1)),)),
        Region(masks=(((1.5, 0, 0.5, 1), packed(np.ones((2, 2)))),)),
        Region(masks=((None, packed(np.zeros((4, 4)))),)),
    ],
)
def test_what_marks_nothing_of_the_picture_is_empty(region: Region) -> None:
    assert not region.mask((20, 10)).any()
    with pytest.raises(InputError, match="the mask is empty, or lies outside of the picture"):
        sources.mask_of(region, (20, 10))


@pytest.mark.parametrize("stored", [b"", b"nothing", zlib.compress(b"nothing"), packed(np.ones(3))[:-9]])
def test_a_damaged_array_is_said(stored: bytes) -> None:
    with pytest.raises(ReadError, match="expected a stored mask or map"):
        sources.array_of(stored)


def test_no_code_is_run_by_a_stored_array() -> None:
    file = io.BytesIO()
    np.save(file, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ReadError):
        sources.array_of(zlib.compress(file.getvalue()))


def test_hashes_tell_apart_and_know_again(tmp_path: Path) -> None:
    black = saved(tmp_path / "a.png", np.zeros((4, 4, 3), np.uint8))
    same = saved(tmp_path / "b.png", np.zeros((4, 4, 3), np.uint8))
    other = saved(tmp_path / "c.png", np.ones((4, 4, 3), np.uint8))
    box = Region(boxes=((0, 0, 1, 1),))
    made = [
        Source("x", image=black, mask=box, strength=0.5),
        Source("y", image=same, mask=Region(boxes=((0, 0, 1, 1),)), strength=0.5),
        Source("x", image=other, mask=box, strength=0.5),
        Source("x", image=black, mask=Region(boxes=((0, 0, 1, 0.9),)), strength=0.5),
        Source("x", image=black, mask=black, strength=0.5),
        Source("x", image=black, mask=box, strength=0.6),
        Source("x", image=black, strength=0.5),
        Source("x", control=Control(black)),
        Source("x", control=Control(black, "edges")),
        Source("x", control=Control(map=black)),
        Source("x", control=Control(points=(Points("hand", ((0.1, 0.2),)),))),
        Source("x", control=Control(points=(Points("hand", ((0.1, 0.3),)),))),
        Source("x", reference=black),
    ]
    hashes = [str(each.hashed()) for each in made]
    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == len(made) - 1
    with pytest.raises(ReadError, match=r"no file at gone.png"):
        Source("x", image=str(tmp_path / "gone.png")).hashed()


def session(width: int = 64, height: int = 64) -> GeneratorSession:
    return GeneratorSession(
        {"device": "cpu"}, list, 1, takes=("image", "mask", "control"), size=(width, height), multiple=8
    )


def test_a_control_lies_where_its_crop_lies(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (240, 320, 3), dtype=np.uint8)
    path = saved(tmp_path / "photo.png", picture)
    marks = np.zeros((240, 320, 3), np.uint8)
    marks[100:140, 200:240] = 255
    control = saved(tmp_path / "control.png", marks)
    box = Region(boxes=((200 / 320, 100 / 240, 40 / 320, 40 / 240),))
    made = passes.prepared(Request("a cup", 1), Source("x", image=path, mask=box, control=Control(control)), session())
    assert made.plan is not None
    frame = made.plan.frame
    assert isinstance(frame, Frame)
    assert frame.right - frame.left < 320
    assert made.request.mask is not None
    assert made.request.control is not None
    # the white square of the control is where the mask is
    white = np.asarray(made.request.control)[..., 0] > 127
    drawn = np.asarray(made.request.mask) > 127
    assert (white & drawn).sum() / (white | drawn).sum() > 0.8
    points = Control(points=(Points("hand", tuple((0.65 + 0.004 * at, 0.5) for at in range(21))),))
    posed = passes.prepared(Request("a cup", 1), Source("x", image=path, mask=box, control=points), session())
    assert posed.request.control is not None
    ys, xs = np.nonzero(np.asarray(posed.request.control).any(-1))
    inside = drawn[ys, xs]
    assert inside.mean() > 0.8
    tiny = saved(tmp_path / "tiny.png", np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(InputError, match="expected a control of the picture's shape, 320 x 240, got 4 x 4"):
        passes.prepared(Request("a", 1), Source("x", image=path, control=Control(tiny)), session())


def test_edges_of_the_picture_are_made_at_the_size_that_is_drawn(tmp_path: Path) -> None:
    halves = np.zeros((60, 80, 3), np.uint8)
    halves[:, 40:] = 255
    path = saved(tmp_path / "halves.png", halves)
    made = passes.prepared(Request("a", 1), Source("x", control=Control(path, "edges")), session())
    assert made.request.control is not None
    assert made.request.size == made.request.control.size == (72, 56)
    columns = np.nonzero(np.asarray(made.request.control)[..., 0].mean(0) > 100)[0]
    assert len(columns)
    assert abs(columns.mean() - 36) < 2


def test_a_picture_is_drawn_at_the_models_pixels_in_its_own_shape(tmp_path: Path) -> None:
    for size, expected in (
        ((4000, 1000), (128, 32)),
        ((64, 64), (64, 64)),
        ((10, 10), (64, 64)),
        ((30, 90), (40, 112)),
    ):
        path = saved(tmp_path / "photo.png", np.zeros((size[1], size[0], 3), np.uint8))
        made = passes.prepared(Request("a", 1, size=(8, 8)), Source("x", image=path), session())
        assert made.request.image is not None
        assert made.request.image.size == expected
        assert made.request.size is None


def test_folders_are_read_by_name(tmp_path: Path) -> None:
    for name in ("b.png", "a.JPG", ".hidden.png", "notes.txt"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "c.png").mkdir()
    assert [Path(path).name for path in sources.stems(tmp_path).values()] == ["a.JPG", "b.png"]
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"got a\.JPG and a\.png"):
        sources.stems(tmp_path)
