"""``map_rows``: values and errors come back on their own rows, chunk by chunk, whatever breaks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.engine import reader
from loupe.brain.engine.map import Mapped, Task, map_rows, needed_long_side
from loupe.brain.engine.reader import Row
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.imaging.ragged import RaggedBatch


def rows_of(pictures: list[Path], *pending: str) -> list[Row]:
    return [Row(str(index), str(path), {}, frozenset(pending or {"ids"})) for index, path in enumerate(pictures)]


def task(apply: Callable[[ImageBatch], Any], name: str = "ids", **facts: Any) -> Task[Any]:
    return Task(name, lambda _: apply, lambda result, _: result, **facts)


def flat(chunks: Iterator[list[Mapped[Any]]]) -> list[Mapped[Any]]:
    return [mapped for chunk in chunks for mapped in chunk]


def test_each_row_gets_the_value_of_its_own_picture_in_order(pictures: list[Path]) -> None:
    mapped = flat(map_rows(rows_of(pictures * 3), [task(lambda batch: [f"<{name}>" for name in batch.ids])]))
    assert [item.row.id for item in mapped] == [str(index) for index in range(24)]
    assert [item.values for item in mapped] == [{"ids": f"<{index}>"} for index in range(24)]
    assert not any(item.errors or item.unreadable for item in mapped)


def test_one_bad_picture_costs_itself_alone(pictures: list[Path], tmp_path: Path) -> None:
    def apply(batch: ImageBatch) -> list[str]:
        if "4" in batch.ids:
            raise RuntimeError("not this one")
        return list(batch.ids)

    rows = [*rows_of(pictures), Row("gone", str(tmp_path / "gone.png"), {}, frozenset({"ids"}))]
    mapped = {item.row.id: item for item in flat(map_rows(rows, [task(apply)]))}
    assert mapped["4"].errors == {"ids": "RuntimeError: not this one"}
    assert mapped["4"].values == {}
    assert mapped["gone"].values == {}
    assert "no file at gone.png" in (mapped["gone"].unreadable or "")
    for name in ("0", "1", "2", "3", "5", "6", "7"):
        assert mapped[name] == Mapped(mapped[name].row, {"ids": name})


def test_a_batch_that_does_not_fit_is_halved_until_it_does(pictures: list[Path]) -> None:
    sizes: list[int] = []

    def apply(batch: ImageBatch) -> list[str]:
        sizes.append(len(batch))
        if len(batch) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return list(batch.ids)

    mapped = flat(map_rows(rows_of(pictures), [task(apply)], batch_size=4))
    assert [item.values["ids"] for item in mapped] == [str(index) for index in range(8)]
    assert max(sizes) == 4
    assert sizes.count(1) == 8


def test_a_task_gets_no_more_than_the_batch_size_and_the_rows_that_wait_for_it(pictures: list[Path]) -> None:
    calls: dict[str, list[int]] = {"a": [], "b": []}

    def counting(name: str) -> Callable[[ImageBatch], list[str]]:
        def apply(batch: ImageBatch) -> list[str]:
            calls[name].append(len(batch))
            return list(batch.ids)

        return apply

    pending = [frozenset("ab" if index % 2 else "a") for index in range(8)]
    rows = [Row(str(index), str(pictures[index]), {}, pending[index]) for index in range(8)]
    mapped = flat(map_rows(rows, [task(counting("a"), "a"), task(counting("b"), "b")], batch_size=3))
    assert [set(item.values) for item in mapped] == pending
    assert max(calls["a"] + calls["b"]) <= 3
    assert (sum(calls["a"]), sum(calls["b"])) == (8, 4)


def test_a_task_is_used_by_one_thread_at_a_time(pictures: list[Path]) -> None:
    lock, entered = threading.Lock(), []

    def apply(batch: ImageBatch) -> list[str]:
        entered.append(lock.acquire(blocking=False))
        lock.release()
        return list(batch.ids)

    flat(map_rows(rows_of(pictures * 8), [task(apply)], batch_size=1, workers=4))
    assert entered == [True] * 64


def test_on_the_cpu_two_tasks_run_at_a_time(pictures: list[Path]) -> None:
    both = threading.Barrier(2, timeout=60)

    def meet(batch: ImageBatch) -> list[str]:
        both.wait()
        return list(batch.ids)

    rows = [Row(name, str(pictures[0]), {}, frozenset({name})) for name in "ab"]
    mapped = flat(map_rows(rows, [task(meet, "a"), task(meet, "b")], workers=2))
    assert [item.values for item in mapped] == [{"a": "a"}, {"b": "b"}]


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize("ragged", [False, True])
def test_a_task_gets_its_batches_on_its_device(pictures: list[Path], device: str, ragged: bool) -> None:
    kinds: set[tuple[str, str]] = set()

    def apply(batch: Any) -> list[str]:
        kinds.update((type(part).__name__, part.device.type) for part in (batch.parts if ragged else [batch]))
        return list(batch.ids)

    rows = rows_of(pictures)
    mapped = flat(map_rows(rows, [task(apply, ragged=ragged)], device=device))
    assert [item.values for item in mapped] == [{"ids": row.id} for row in rows]
    assert kinds == {("PreviewBatch" if ragged and device == "cpu" else "ImageBatch", device)}


def test_pictures_are_not_put_together_for_tasks_that_take_previews(
    pictures: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader.Bucket, "batch", lambda _: pytest.fail("put together"))
    mapped = flat(map_rows(rows_of(pictures), [task(lambda batch: list(batch.ids), ragged=True)]))
    assert [item.values["ids"] for item in mapped] == [str(index) for index in range(8)]


def test_rows_are_asked_for_as_they_are_needed(pictures: list[Path]) -> None:
    asked: list[str] = []

    def endless() -> Iterator[Row]:
        for index in range(10_000):
            asked.append(str(index))
            yield Row(str(index), str(pictures[index % 8]), {}, frozenset({"ids"}))

    chunks = map_rows(endless(), [task(lambda batch: list(batch.ids))], workers=2)
    first = next(chunks)
    chunks.close()
    assert [item.row.id for item in first] == [str(index) for index in range(len(first))]
    assert len(asked) < 4 * reader.CHUNK


def test_torch_has_its_own_number_of_threads_again_when_a_run_ends_or_is_left(pictures: list[Path]) -> None:
    usual = torch.get_num_threads()
    during: list[int] = []

    def apply(batch: ImageBatch) -> list[str]:
        during.append(torch.get_num_threads())
        return list(batch.ids)

    for leave in (False, True):
        chunks = map_rows(rows_of(pictures), [task(apply)], torch_threads=1)
        next(chunks)
        if leave:
            chunks.close()
        else:
            list(chunks)
        assert torch.get_num_threads() == usual
    assert set(during) == {1}


def test_what_a_row_waits_for_has_to_be_given(pictures: list[Path]) -> None:
    with pytest.raises(InputError, match="expected rows that wait for ids only, got hands"):
        flat(map_rows(rows_of(pictures, "ids", "hands"), [task(lambda batch: list(batch.ids))]))


def test_an_unknown_engine_is_named() -> None:
    with pytest.raises(UnknownName, match=r"unknown engine 'cluster'.*There are: local"):
        map_rows([], [], engine="cluster")


def test_the_resolution_is_that_of_the_most_demanding() -> None:
    assert needed_long_side([128, 640, 256]) == 640
    assert needed_long_side([128, None]) is None
    assert needed_long_side([]) is None


@pytest.mark.parametrize("reentrant", [True, False])
def test_two_threads_are_in_a_task_at_once_only_where_it_may_be_reentered(
    pictures: list[Path], reentrant: bool
) -> None:
    inside: list[str] = []
    counts: list[int] = []
    both = threading.Barrier(2)
    loads: list[str] = []

    def load(device: str) -> Callable[[ImageBatch], list[str]]:
        loads.append(device)

        def apply(batch: ImageBatch) -> list[str]:
            inside.append(batch.ids[0])
            counts.append(len(inside))
            if reentrant:
                both.wait(60)  # breaks where the other thread is kept out
            inside.pop()
            return list(batch.ids)

        return apply

    slow: Task[Any] = Task("ids", load, lambda result, _: result, reentrant=reentrant)
    mapped = flat(map_rows(rows_of(pictures), [slow], batch_size=1, workers=2))
    assert [item.values for item in mapped] == [{"ids": str(index)} for index in range(8)]
    assert loads == ["cpu"], "it is loaded once"
    assert max(counts) == (2 if reentrant else 1)


def test_what_both_kinds_of_tasks_see_of_a_picture_is_made_once(pictures: list[Path]) -> None:
    """A task of previews and one of pixels get the very same luma, which holds what is made of it."""
    seen: dict[str, list[Any]] = {"previews": [], "pixels": []}

    def of_previews(batch: RaggedBatch) -> list[str]:
        seen["previews"] += [part.luma for part in batch.parts]
        return list(batch.ids)

    def of_pixels(batch: ImageBatch) -> list[str]:
        seen["pixels"].append(batch.luma)
        assert torch.equal(batch.luma.levels, ImageBatch(batch.ids, batch.pixels, batch.sizes).luma.levels)
        assert torch.equal(batch.samples.pixels, ImageBatch(batch.ids, batch.pixels, batch.sizes).samples.pixels)
        return list(batch.ids)

    tasks = [task(of_previews, "previews", ragged=True), task(of_pixels, "pixels")]
    mapped = flat(map_rows(rows_of(pictures, "previews", "pixels"), tasks, workers=1))
    assert all(not item.errors for item in mapped)
    assert len(seen["pixels"]) == len(seen["previews"]) > 0
    assert {id(luma) for luma in seen["pixels"]} == {id(luma) for luma in seen["previews"]}
