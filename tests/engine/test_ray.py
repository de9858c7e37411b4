"""The cluster engine on two nodes: the local engine's values, bit for bit, whatever is killed on the way."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import ray_nodes
from PIL import Image
from ray_nodes import Nodes

from loupe.brain.core import presets, registry
from loupe.brain.core.errors import InputError, ModelError, ReadError
from loupe.brain.core.specs import Check
from loupe.brain.embedders.hog import Hog
from loupe.brain.engine import on_ray, ray_portions, ray_work, runner
from loupe.brain.engine.map import Mapped, Task, map_rows, opened
from loupe.brain.engine.reader import Row
from loupe.brain.imaging.batches import ImageBatch

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'loupe-fiftyone[ray]'")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    with ray_nodes.running() as made:
        ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
        yield made


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Forty pictures of four shapes, one that is cut off, and one that is not there."""
    folder = tmp_path_factory.mktemp("cluster")
    rng = np.random.default_rng(3)
    paths = []
    for index in range(40):
        height, width = [(96, 128), (128, 96), (80, 80), (160, 240)][index % 4]
        small = rng.integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
        path = folder / f"{index}.{'png' if index % 3 else 'jpg'}"
        Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC).save(path)
        paths.append(path)
    cut = folder / "cut.png"
    cut.write_bytes(paths[1].read_bytes()[:100])
    return [*paths[:20], cut, folder / "gone.png", *paths[20:]]


def rows_of(files: list[Path], *pending: str) -> list[Row]:
    return [Row(str(at), str(path), {}, frozenset(pending or {"ids"})) for at, path in enumerate(files)]


def task(load: Callable[[str], Callable[[ImageBatch], Any]]) -> Task[Any]:
    return Task("ids", load, lambda result, n: result)


def flat(chunks: Iterator[list[Mapped[Any]]]) -> list[Mapped[Any]]:
    return [mapped for chunk in chunks for mapped in chunk]


def ids(device: str) -> Callable[[ImageBatch], list[str]]:
    return lambda batch: list(batch.ids)


def test_all_scores_and_vectors_are_the_local_ones_bit_for_bit(nodes: Nodes, files: list[Path]) -> None:
    known = registry.checkable()
    chosen = [registry.pick("check", known, name) for name in presets.expanded(["quick"], known)]
    checks = [each.resolved("cpu") for each in chosen if isinstance(each, Check) and not each.reads()]
    rows = rows_of(files, *(check.name for check in checks))

    def told(engine: str) -> list[tuple[str, Any]]:
        chunks = runner.run(rows, checks, engine=engine, batch_size=4)
        return [
            (v.row.id, {name: np.float64(score).tobytes() for name, score in v.scores.items()}, v.reasons, v.errors)
            for chunk in chunks
            for v in chunk
        ]

    assert len(checks) >= 6
    assert told("ray") == told("local")
    vectors = [Task("ids", Hog().load, lambda made, n: list(made.numpy()), Hog().long_side)]
    for one_engine, other in zip(
        flat(map_rows(rows_of(files), vectors, engine="ray", batch_size=4)),
        flat(map_rows(rows_of(files), vectors, batch_size=4)),
        strict=True,
    ):
        assert one_engine.row is not other.row
        assert one_engine.unreadable == other.unreadable
        values = one_engine.values.get("ids"), other.values.get("ids")
        assert (values[0] is None) == (values[1] is None)
        if values[0] is not None and values[1] is not None:
            assert values[0].tobytes() == values[1].tobytes()
            # its own memory, not Ray's
            assert values[0].flags.writeable


def test_what_breaks_is_told_in_the_same_words(nodes: Nodes, files: list[Path]) -> None:
    def load(device: str) -> Callable[[ImageBatch], list[str]]:
        def apply(batch: ImageBatch) -> list[str]:
            if "7" in batch.ids:
                raise ValueError("seven")
            return list(batch.ids)

        return apply

    def told(engine: str) -> list[tuple[str, Any, Any, Any]]:
        chunks = map_rows(rows_of(files), [task(load)], engine=engine, batch_size=4)
        return [(each.row.id, each.values, each.errors, each.unreadable) for each in flat(chunks)]

    assert told("ray") == told("local")
    assert told("ray")[7][2] == {"ids": "ValueError: seven"}

    def broken(device: str) -> Callable[[ImageBatch], list[str]]:
        raise ModelError("expected weights, got none")

    for engine in ("ray", "local"):
        with pytest.raises(ModelError, match="^expected weights, got none$"):
            flat(map_rows(rows_of(files), [task(broken)], engine=engine))
    with pytest.raises(InputError, match="wait for ids only, got hands"):
        flat(map_rows(rows_of(files, "ids", "hands"), [task(ids)], engine="ray"))


def test_memory_stays_flat_and_leaving_ends_what_is_under_way(nodes: Nodes, files: list[Path]) -> None:
    asked = 0

    def endless() -> Iterator[Row]:
        nonlocal asked
        while True:
            asked += 1
            yield Row(str(asked), str(files[0]), {}, frozenset({"ids"}))

    kept: list[Any] = []
    with opened("ray"):
        chunks = map_rows(endless(), [task(ids)], engine="ray", batch_size=1)
        first = [next(chunks) for _ in range(3)]
        kept.append(chunks)  # as the traceback of an error would keep it
    assert [mapped.values["ids"] for chunk in first for mapped in chunk] == [str(n) for n in range(1, 13)]
    # chunks of four: two processes, four portions each, and those that were given back
    assert asked <= 4 * (on_ray.AHEAD * 2 + 4)
    until = time.monotonic() + 20
    while ray.available_resources().get("CPU", 0) < 2 and time.monotonic() < until:
        time.sleep(0.1)
    assert ray.available_resources()["CPU"] == 2


def test_a_picture_that_kills_its_process_is_an_error_of_its_own(
    nodes: Nodes, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_portions, "MAX_DEATHS", 1)
    monkeypatch.setattr(ray_portions, "MAX_DEATHS_OF_ROW", 1)

    def load(device: str) -> Callable[[ImageBatch], list[str]]:
        def apply(batch: ImageBatch) -> list[str]:
            if "5" in batch.ids:
                os.kill(os.getpid(), signal.SIGKILL)
            return list(batch.ids)

        return apply

    mapped = flat(map_rows(rows_of(files[:12]), [task(load)], engine="ray", batch_size=1))
    assert [each.row.id for each in mapped] == [str(at) for at in range(12)]
    assert [each.row.id for each in mapped if each.errors] == ["5"]
    assert "processes ended while they worked on this picture" in mapped[5].errors["ids"]
    assert [each.values.get("ids") for each in mapped if not each.errors] == [str(at) for at in range(12) if at != 5]


def test_a_node_that_is_killed_in_the_middle_costs_nothing(nodes: Nodes, files: list[Path]) -> None:
    def slow(device: str) -> Callable[[ImageBatch], list[str]]:
        def apply(batch: ImageBatch) -> list[str]:
            time.sleep(0.1)
            return [f"{each} {os.environ.get('LOUPE_TEST_NODE', '')}" for each in batch.ids]

        return apply

    third = nodes.add(LOUPE_TEST_NODE="third")
    rows = rows_of([files[0]] * 160)
    mapped: list[Mapped[Any]] = []
    with contextlib.closing(map_rows(rows, [task(slow)], engine="ray", batch_size=1)) as chunks:
        for chunk in chunks:
            mapped += chunk
            if third is not None and any("third" in each.values["ids"] for each in mapped):
                nodes.kill(third)
                third = None
    assert third is None
    assert [each.row.id for each in mapped] == [str(at) for at in range(160)]
    assert [each.values["ids"].split()[0] for each in mapped] == [str(at) for at in range(160)]


def test_a_node_with_another_version_is_one_clear_error(
    nodes: Nodes, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = ray_work.facts()
    monkeypatch.setattr(ray_work, "facts", lambda: {**facts, "loupe": "99.0"})
    with pytest.raises(InputError, match=r"expected Loupe 99\.0 on every node of the Ray cluster, as here, got Loupe "):
        flat(map_rows(rows_of(files), [task(ids)], engine="ray"))
    packages = {**facts["packages"], "torch": "1.0"}
    monkeypatch.setattr(ray_work, "facts", lambda: {**facts, "packages": packages})
    with pytest.warns(UserWarning, match=r"has torch .* \(here 1\.0\): the last digits of scores may differ"):
        flat(map_rows(rows_of(files[:2]), [task(ids)], engine="ray"))


class Blinded:
    """A task's ``load`` that, as it comes to a node with the variable, keeps that process from seeing any file."""

    def __init__(self, variable: str) -> None:
        self.variable = variable

    def __setstate__(self, state: dict[str, str]) -> None:
        self.__dict__.update(state)
        if self.variable not in os.environ:
            return
        from loupe.brain.imaging import decode

        def nothing(path: str, *_: Any, **__: Any) -> None:
            raise ReadError("expected an image file, got no file at it")

        decode.decode = nothing  # type: ignore[assignment]
        os.path.exists = lambda path: False  # type: ignore[assignment]

    def __call__(self, device: str) -> Callable[[ImageBatch], list[str]]:
        return ids(device)


def test_a_node_that_does_not_see_the_files_is_left_out(nodes: Nodes, files: list[Path]) -> None:
    blind = nodes.add(LOUPE_TEST_BLIND="1")
    rows = rows_of([files[0]] * 60 + [files[21]])
    with pytest.warns(UserWarning, match=r"does not see .*0\.jpg, which is here: .* That node is left out of this run"):
        mapped = flat(map_rows(rows, [task(Blinded("LOUPE_TEST_BLIND"))], engine="ray", batch_size=1))
    assert [each.row.id for each in mapped] == [row.id for row in rows]
    # the one that is nowhere is unreadable; nothing else is
    assert [each.row.id for each in mapped if each.unreadable] == ["60"]
    nodes.kill(blind)
    with pytest.raises(InputError, match=r"expected nodes that work on this run, got none: .* does not see "):
        flat(map_rows(rows, [task(Blinded("PATH"))], engine="ray", batch_size=1))


def test_devices_are_the_clusters(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    for given in (None, "cpu"):
        with opened("ray", given) as device:
            assert device == "cpu"
    with pytest.raises(InputError, match="expected a node with a GPU, got none in the Ray cluster"), opened("ray", "cuda"):
        pass
    with pytest.raises(InputError, match="'cpu', 'cuda' or left out"), opened("ray", "cuda:1"):
        pass
    several = [replace(node, gpus=2) for node in on_ray.nodes(ray)]
    monkeypatch.setattr("loupe.brain.engine.ray_cluster.nodes", lambda _: several)
    with opened("ray") as device:
        assert device == "cuda"


@pytest.mark.database
def test_verbs_store_what_the_local_engine_stores(nodes: Nodes, new_dataset: Callable[[], Any], files: list[Path]) -> None:
    import fiftyone as fo

    import loupe
    from loupe import errors

    local, cluster = new_dataset(), new_dataset()
    for dataset in (local, cluster):
        dataset.add_samples([fo.Sample(filepath=str(path)) for path in files], progress=False)
    with pytest.raises(errors.Stopped):
        loupe.check(cluster, ["exposure"], engine="ray", batch_size=1, progress=_stop_after(9))
    done = len(cluster.exists("checked.exposure"))
    assert 0 < done < len(files)
    for dataset, engine in ((local, "local"), (cluster, "ray")):
        run = loupe.check(dataset, ["exposure", "sharpness"], engine=engine)
        assert (run.n, run.errors) == (len(files), 0)
        loupe.embed(dataset, embedder="hog", visualize=None, similarity=False, engine=engine)
        loupe.find_duplicates(dataset, engine=engine)
        assert loupe.calibrate(dataset, ["dark"], limit=10, engine=engine).n == 10
    for path in ("quality", "failures.classifications.label", "embeddings", "fingerprint", "unknown.classifications.reason"):
        values = [_plain(dataset.values(path)) for dataset in (local, cluster)]
        assert values[0] == values[1], path
    assert loupe.check(cluster, ["exposure"], engine="ray").n == 0


def _stop_after(n: int) -> Callable[[Any], None]:
    from loupe.brain.core.errors import Stopped

    def report(step: Any) -> None:
        if step.done >= n:
            raise Stopped("enough")

    return report


def _plain(values: list[Any]) -> bytes:
    return pickle.dumps([value.tobytes() if isinstance(value, np.ndarray) else repr(value) for value in values])
