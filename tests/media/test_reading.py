"""The reader on pictures that lie elsewhere: the same pixels, fetched ahead; what cannot be had is no bad picture."""

from __future__ import annotations

import io
import threading
from pathlib import Path

import numpy as np
import pytest
from object_server import Objects
from PIL import Image

import loupe
from loupe.brain.core.errors import Stopped
from loupe.brain.core.progress import telling
from loupe.brain.core.records import Progress
from loupe.brain.engine.map import Task, map_rows
from loupe.brain.engine.reader import Row, read_chunks
from loupe.brain.media import asking, fetching


def _picture(seed: int) -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def rows(web: Objects, tmp_path: Path) -> list[Row]:
    """20 pictures, each second one on the server; the files of the others lie here."""
    rows = []
    for at in range(20):
        data, place = _picture(at), tmp_path / f"{at}.png"
        place.write_bytes(data)
        if at % 2:
            web.held[f"/{at}.png"] = data
        path = f"{web.url}/{at}.png" if at % 2 else str(place)
        rows.append(Row(str(at), path, pending=frozenset({"mean"})))
    return rows


def test_pictures_are_the_same_wherever_they_lie(rows: list[Row], tmp_path: Path) -> None:
    chunks = list(read_chunks(rows, workers=2))
    assert [row.id for chunk in chunks for row in chunk.rows] == [row.id for row in rows]
    pixels = {row.id: picture.pixels for chunk in chunks for bucket in chunk.buckets
              for row, picture in zip(bucket.rows, bucket.pictures, strict=True)}  # fmt: skip
    for at in range(20):
        np.testing.assert_array_equal(pixels[str(at)], np.asarray(Image.open(tmp_path / f"{at}.png")))


def test_files_are_fetched_many_at_a_time(rows: list[Row], web: Objects) -> None:
    at_once, highest, lock = 0, 0, threading.Lock()
    fault = web.fault

    def counted(path: str) -> object:
        nonlocal at_once, highest
        with lock:
            at_once += 1
            highest = max(highest, at_once)
        threading.Event().wait(0.05)
        with lock:
            at_once -= 1
        return fault(path)

    web.fault = counted  # type: ignore[method-assign]
    list(read_chunks(rows, workers=1))
    assert highest >= 5
    assert set(web.asked.values()) == {1}


def test_what_cannot_be_had_is_an_error_of_each_task_and_no_bad_picture(rows: list[Row], web: Objects) -> None:
    web.faults["/3.png"] = 403
    del web.held["/5.png"]
    web.held["/7.png"] = b"no picture"
    task = Task(
        "mean", lambda device: lambda batch: batch.pixels.float().mean((1, 2, 3)).tolist(), lambda all_, n: all_
    )
    mapped = {each.row.id: each for chunk in map_rows(rows, [task], workers=2) for each in chunk}
    assert mapped["3"].not_now
    assert mapped["3"].unreadable is None
    assert "no right to read it" in mapped["3"].errors["mean"]
    assert not mapped["5"].not_now
    assert "got no object" in str(mapped["5"].unreadable)
    assert "expected an image file, got another format" in str(mapped["7"].unreadable)
    assert sum("mean" in each.values for each in mapped.values()) == 17
    # who opened it did not ask again for what was fetched ahead in vain
    assert web.asked["HEAD /3.png"] + web.asked["GET /3.png"] == 2


def test_versions_are_asked_for_many_at_a_time_and_then_known(rows: list[Row], web: Objects) -> None:
    fetching.ask(row.path for row in rows)
    assert web.asked == {f"HEAD /{at}.png": 1 for at in range(1, 20, 2)}
    assert fetching.version(rows[1].path) == fetching.version(rows[1].path) != []
    assert fetching.version(rows[0].path) is None
    assert sum(web.asked.values()) == 10


def test_asking_tells_how_far_it_has_come_and_heeds_stop(web: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_REPORTED", 0.001)
    addresses = [f"{web.url}/{at}.png" for at in range(200)]
    web.held.update({f"/{at}.png": b"x" for at in range(200)})
    steps: list[Progress] = []
    with telling(steps.append):
        fetching.ask(addresses)
    assert {(step.total, step.message) for step in steps} == {(200, "asking which versions there are")}
    assert steps[0].done < steps[-1].done < 200, "who shows a bar ends it with the last step"
    fetching.forget()
    web.asked.clear()
    # a server that does not answer holds nobody who wants to stop
    answered = threading.Event()
    web.fault = lambda path: answered.wait(60) and None  # type: ignore[method-assign]
    try:
        with telling(_stop), pytest.raises(Stopped):
            fetching.ask(addresses)
    finally:
        answered.set()
    assert web.asked.total() <= asking.THREADS


def _stop(step: Progress) -> None:
    raise Stopped("stopped")


def test_a_reader_that_is_left_stops_fetching(rows: list[Row], web: Objects) -> None:
    web.delay = 0.02
    chunks = read_chunks((row for _ in range(50) for row in rows[1::2]), workers=1, batch_size=1)
    next(chunks)
    chunks.close()  # type: ignore[attr-defined]
    threading.Event().wait(0.2)
    before = web.asked.total()
    threading.Event().wait(0.2)
    assert web.asked.total() == before


def test_what_can_be_read_without_asking(rows: list[Row], web: Objects) -> None:
    assert fetching.here(rows[0].path) == rows[0].path
    assert fetching.here(rows[1].path) is None
    list(read_chunks(rows[:2]))
    kept = fetching.here(rows[1].path)
    assert kept is not None
    assert kept.endswith(".png")
    fetching.forget()
    web.asked.clear()
    assert fetching.here(rows[1].path) == kept
    loupe.remote_media(False)
    assert fetching.here(rows[1].path) is None
    assert not web.asked
