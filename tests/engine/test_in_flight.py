"""A budget of bytes over many threads: kept to, in order, and nobody waits forever."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from loupe.brain.engine import reader
from loupe.brain.engine.in_flight import InFlight
from loupe.brain.engine.reader import Row, read_chunks
from loupe.brain.imaging import decode as decoding

pytestmark = pytest.mark.timeout(60)


def run(sizes: list[int], limit: int, workers: int) -> InFlight[int]:
    """Lets threads make results of these sizes in turn and takes them in order; returns what they went through."""
    flight: InFlight[int] = InFlight(limit)
    places = iter(range(len(sizes)))
    lock = threading.Lock()

    def work() -> None:
        with flight.guarded():
            while True:
                with lock:
                    place = next(places, None)
                if place is None:
                    return
                flight.reserve(place, sizes[place])
                flight.put(place, place, sizes[place])

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    assert [flight.take(place) for place in range(len(sizes))] == list(range(len(sizes)))
    for thread in threads:
        thread.join()
    return flight


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_at_most_the_limit_and_one_more_are_held(workers: int) -> None:
    sizes = [int(size) for size in np.random.default_rng(workers).integers(1, 60, 400)]
    assert run(sizes, 100, workers).peak <= 100 + max(sizes)


@pytest.mark.parametrize("workers", [1, 3])
def test_one_that_is_larger_than_the_budget_goes_through(workers: int) -> None:
    assert run([10, 500, 10, 500, 500], 100, workers).peak <= 100 + 500


def test_a_small_budget_is_a_queue_of_one() -> None:
    assert run([7] * 50, 0, 4).peak == 7


def test_what_breaks_a_thread_is_raised_where_it_is_waited_for() -> None:
    flight: InFlight[int] = InFlight(10)

    def work() -> None:
        with flight.guarded():
            raise RuntimeError("a fault of ours")

    threading.Thread(target=work).start()
    with pytest.raises(RuntimeError, match="a fault of ours"):
        flight.take(0)


def test_threads_that_wait_end_when_nobody_takes_the_rest() -> None:
    flight: InFlight[int] = InFlight(10)
    passed: list[int] = []

    def work(place: int) -> None:
        with flight.guarded():
            flight.reserve(place, 100)
            passed.append(place)

    threads = [threading.Thread(target=work, args=(place,)) for place in (1, 2)]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    flight.close()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    assert passed == []


@pytest.fixture
def costly(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Files that cost 1,000 bytes while they are decoded, and 300 then; returns the most that was held at once."""
    held: dict[str, int] = {}
    peaks: list[int] = []
    lock = threading.Lock()

    def note(path: str, size: int) -> None:
        with lock:
            held[path] = size
            peaks.append(sum(held.values()))

    def decode(path: str, long_side: int | None, *, for_device: bool, reserve: Callable[[int], None]) -> object:
        reserve(1000)
        note(path, 1000)
        time.sleep(0.001)
        note(path, 300)
        return np.zeros((10, 10, 3), np.uint8), (10, 10)

    real = InFlight.take

    def take(self: InFlight[object], place: int) -> object:
        result = real(self, place)
        with lock:
            held.pop(str(place), None)
        return result

    monkeypatch.setattr(decoding, "decode", decode)
    monkeypatch.setattr(InFlight, "take", take)
    return lambda: max(peaks)


@pytest.mark.parametrize("limit", [0, 2500, 10_000])
def test_all_reading_threads_together_keep_to_the_budget(
    costly: Callable[[], int], monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(reader, "IN_FLIGHT_BYTES", limit)
    rows = [Row(str(place), str(place)) for place in range(200)]
    read = [row.id for chunk in read_chunks(rows, workers=8) for row in chunk.rows]
    assert read == [row.id for row in rows]
    # one more is let through, and one was taken whose bytes are not yet struck off here
    assert costly() <= limit + 1000 + 300


def test_the_budget_is_used(costly: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "IN_FLIGHT_BYTES", 10_000)
    list(read_chunks([Row(str(place), str(place)) for place in range(200)], workers=8))
    assert costly() > 2000


def test_a_run_that_is_left_ends_its_threads(costly: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "IN_FLIGHT_BYTES", 0)
    chunks = read_chunks([Row(str(place), str(place)) for place in range(500)], workers=4)
    next(chunks)
    chunks.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("loupe-reader")]


def test_a_fault_of_the_reader_ends_the_run_and_does_not_stall_it(
    pictures: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object, **options: object) -> None:
        raise KeyError("a fault of ours")

    monkeypatch.setattr(decoding, "decode", broken)
    with pytest.raises(KeyError, match="a fault of ours"):
        list(read_chunks([Row("0", str(pictures[0]))]))


def test_memory_that_runs_out_is_a_record(pictures: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy(*args: object, **options: object) -> None:
        raise MemoryError

    monkeypatch.setattr(decoding, "decode", greedy)
    (chunk,) = read_chunks([Row("0", str(pictures[0]))])
    assert chunk.unreadable == {"0": "cannot decode 0.png: out of memory"}
