"""The cluster engine on one node and on two: the local engine's values, bit for bit, whatever is killed on the way.

A process of the cluster takes seconds of CPU to start: the tests are few, and each starts as few as it can.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import own_cluster
import psutil
import pytest
import ray_nodes
from PIL import Image
from ray_nodes import Nodes

from benchmarks.cluster import engines
from benchmarks.faults import shim
from loupe.brain.core import presets, registry
from loupe.brain.core.errors import InputError, ModelError, ReadError
from loupe.brain.core.records import Scores
from loupe.brain.core.specs import Check
from loupe.brain.embedders.hog import Hog
from loupe.brain.engine import on_ray, portions, ray_cluster, ray_crew, ray_work
from loupe.brain.engine.map import Mapped, Task, map_rows, opened
from loupe.brain.engine.reader import Row
from loupe.brain.imaging.batches import ImageBatch

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'loupe-fiftyone[ray]'")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    with ray_nodes.running_or_skip() as made:
        ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
        yield made


@pytest.fixture(scope="module")
def two_nodes(nodes: Nodes, tmp_path_factory: pytest.TempPathFactory) -> Nodes:
    """The cluster with a second node, whose storage may be disturbed; the last test kills it."""
    library = shim.compiled(tmp_path_factory.mktemp("shim"))
    nodes.is_plain = library is None
    with pytest.MonkeyPatch.context() as patch:
        if library is not None:
            # what Ray lets stand before the C library, of a node and of the processes there
            patch.setenv("RAY_JEMALLOC_LIB_PATH", str(library))
            patch.setenv("RAY_LD_PRELOAD_ON_WORKERS", "1")
        nodes.second = nodes.add(LOUPE_TEST_NODE="second")
    return nodes


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


@pytest.fixture(scope="module")
def killed(files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a driver that started a cluster of its own saw of it, before it was killed."""
    facts = tmp_path_factory.mktemp("driver") / "facts.json"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    command = [sys.executable, own_cluster.__file__, str(files[0]), str(facts)]
    status = subprocess.run(command, env=environment, timeout=600, capture_output=True, text=True)
    if "timed out during startup" in status.stderr:
        pytest.skip(ray_nodes.TOO_BUSY)
    assert status.returncode == -signal.SIGKILL, status.stderr
    seen: dict[str, Any] = json.loads(facts.read_text())
    return seen


def rows_of(files: list[Path], *pending: str) -> list[Row]:
    return [Row(str(at), str(path), {}, frozenset(pending or {"ids"})) for at, path in enumerate(files)]


def task(load: Callable[[str], Callable[[ImageBatch], Any]]) -> Task[Any]:
    return Task("ids", load, lambda result, n: result)


def flat(chunks: Iterator[list[Mapped[Any]]]) -> list[Mapped[Any]]:
    return [mapped for chunk in chunks for mapped in chunk]


def ids(device: str) -> Callable[[ImageBatch], list[str]]:
    return lambda batch: list(batch.ids)


def test_a_cluster_of_ones_own_is_on_loopback_and_reports_to_nobody(killed: dict[str, Any]) -> None:
    assert killed["values"] == [str(at) for at in range(8)]
    assert {address.removeprefix("::ffff:") for address in killed["heard"]} == {"127.0.0.1"}
    assert killed["reports"] == ["0"]
    assert killed["kept"]


def test_what_a_killed_driver_left_of_its_cluster_goes_with_the_next_one(killed: dict[str, Any], nodes: Nodes) -> None:
    # its helpers may write there still
    until = time.monotonic() + ray_nodes.WAIT
    left = Path(killed["folder"])
    while left.exists() and time.monotonic() < until:
        with ray_cluster.folder() as own:
            assert own.parent == left.parent
            assert own.stat().st_mode & 0o077 == 0, "nobody else may enter it"
        time.sleep(0.1)
    assert not left.exists()
    assert nodes.folder.is_dir(), "that of a driver that lives"


def test_what_breaks_is_told_in_the_same_words(nodes: Nodes, files: list[Path]) -> None:
    def load(device: str) -> Callable[[ImageBatch], list[str]]:
        def apply(batch: ImageBatch) -> list[str]:
            if "7" in batch.ids:
                raise ValueError("seven")
            return list(batch.ids)

        return apply

    def reported(engine: str) -> list[tuple[str, Any, Any, Any]]:
        chunks = map_rows(rows_of(files), [task(load)], engine=engine, batch_size=4)
        return [(each.row.id, each.values, each.errors, each.unreadable) for each in flat(chunks)]

    by_cluster = reported("ray")
    assert by_cluster == reported("local")
    assert by_cluster[7][2] == {"ids": "ValueError: seven"}

    def broken(device: str) -> Callable[[ImageBatch], list[str]]:
        raise ModelError("expected weights, got none")

    for engine in ("ray", "local"):
        with pytest.raises(ModelError, match=r"^expected weights, got none$"):
            flat(map_rows(rows_of(files), [task(broken)], engine=engine))


class Breaks:
    """A task's ``load`` that cannot be had on a node, as where its GPU does not answer."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        raise RuntimeError("no GPU answers")

    def __getstate__(self) -> dict[str, Any]:
        return {"a": 1}

    def __call__(self, device: str) -> Any:
        raise AssertionError


def test_a_node_where_no_process_can_begin_is_left_out_and_says_why(nodes: Nodes, files: list[Path]) -> None:
    with pytest.raises(InputError, match=r"got none: .*: processes cannot begin there: RuntimeError: no GPU answers"):
        flat(map_rows(rows_of(files[:1]), [task(Breaks())], engine="ray"))


def test_memory_stays_flat_and_leaving_ends_what_is_under_way(
    nodes: Nodes, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = ray_work.facts()
    monkeypatch.setattr(ray_work, "facts", lambda: {**facts, "packages": {**facts["packages"], "torch": "1.0"}})
    asked = 0

    def endless() -> Iterator[Row]:
        nonlocal asked
        while True:
            asked += 1
            yield Row(str(asked), str(files[0]), {}, frozenset({"ids"}))

    kept: list[Any] = []
    # a node with another torch is named, and used
    another = r"has torch .* \(here 1\.0\): the last digits of scores or pixels may differ"
    with pytest.warns(UserWarning, match=another), opened("ray"):  # noqa: PT031
        chunks = map_rows(endless(), [task(ids)], engine="ray", batch_size=1)
        first = [next(chunks) for _ in range(3)]
        kept.append(chunks)  # as the traceback of an error would keep it
    assert [mapped.values["ids"] for chunk in first for mapped in chunk] == [str(n) for n in range(1, 13)]
    # chunks of four: four portions for the process, and those that were given back
    assert asked <= 4 * (ray_crew.AHEAD + 4)
    until = time.monotonic() + ray_nodes.WAIT
    while ray.available_resources().get("CPU", 0) < 1 and time.monotonic() < until:
        time.sleep(0.1)
    assert ray.available_resources()["CPU"] == 1


def test_a_picture_that_kills_its_process_is_an_error_of_its_own(
    nodes: Nodes, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    # each process that ends takes seconds to be replaced: as few as show it
    monkeypatch.setattr(portions, "MAX_DEATHS", 1)
    monkeypatch.setattr(portions, "MAX_DEATHS_OF_ROW", 1)
    monkeypatch.setattr(on_ray, "chunk_size", lambda batch_size: 2)

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


@pytest.mark.database
def test_verbs_store_what_the_local_engine_stores(
    nodes: Nodes, new_dataset: Callable[[], Any], files: list[Path]
) -> None:
    import fiftyone as fo

    import loupe
    from loupe import errors

    local, cluster = new_dataset(), new_dataset()
    for dataset in (local, cluster):
        dataset.add_samples([fo.Sample(filepath=str(path)) for path in files], progress=False)

    def stop(step: Any) -> None:
        if step.done >= 9:
            raise errors.Stopped("enough")

    with pytest.raises(errors.Stopped):
        loupe.check(cluster, ["exposure"], engine="ray", batch_size=1, progress=stop)
    done = len(cluster.exists("checked.exposure"))
    assert 0 < done < len(files)
    for dataset, engine in ((local, "local"), (cluster, "ray")):
        run = loupe.check(dataset, ["exposure", "sharpness"], engine=engine)
        assert (run.n, run.errors) == (len(files), 0)
        loupe.find_duplicates(dataset, engine=engine)
    fields = ("quality", "failures.classifications.label", "fingerprint", "unknown.classifications.reason")
    for path in fields:
        values = [_plain(dataset.values(path)) for dataset in (local, cluster)]
        assert values[0] == values[1], path
    rates = [
        loupe.calibrate(dataset, ["dark"], limit=10, engine=engine).rows
        for dataset, engine in ((local, "local"), (cluster, "ray"))
    ]
    assert repr(rates[0]) == repr(rates[1])


def test_the_benchmark_of_engines_sees_the_same_bits_and_what_they_cost(nodes: Nodes, files: list[Path]) -> None:
    """Without Ray Data, which starts three more processes."""
    tasks: list[Task[Any]] = [Task("exposure", registry.checks()["exposure"]().load, Scores.by_sample)]
    rows = rows_of([files[at % 20] for at in range(3 * 64)], "exposure")
    local, cluster = (
        engines.lap(map_rows(rows, tasks, engine=engine, workers=1, torch_threads=1), len(rows))
        for engine in ("local", "ray")
    )
    assert local.bits == cluster.bits
    assert local.bits.count("'brightness_p99'") == len(rows)
    # the nodes of this cluster are this process's, too, and tick while it works alone
    assert all(lap.rate > 0 and lap.cpu >= lap.driver > 0 for lap in (local, cluster))


def test_devices_are_the_clusters(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOUPE_DEVICE", raising=False)
    for given in (None, "cpu"):
        with opened("ray", given) as device:
            assert device == "cpu"
    with pytest.raises(InputError, match="expected a node with a GPU, got none in the Ray"), opened("ray", "cuda"):
        pass
    with pytest.raises(InputError, match="'cpu', 'cuda' or left out"), opened("ray", "cuda:1"):
        pass
    several = [replace(node, gpus=2) for node in ray_cluster.nodes(ray)]
    monkeypatch.setattr("loupe.brain.engine.ray_cluster.nodes", lambda _: several)
    with opened("ray", None) as device:
        assert device == "cuda"


def test_all_scores_and_vectors_are_the_local_ones_bit_for_bit(two_nodes: Nodes, files: list[Path]) -> None:
    known = registry.checkable()
    chosen = [registry.pick("check", known, name) for name in presets.expanded(["quick"], known)]
    checks = [each.resolved("cpu") for each in chosen if isinstance(each, Check) and not each.reads()]
    tasks: list[Task[Any]] = [
        Task(check.name, check.load, Scores.by_sample, check.long_side, check.ragged) for check in checks
    ]
    tasks.append(Task("vectors", Hog().load, lambda made, n: list(made.numpy()), Hog().long_side))
    rows = rows_of(files, *(each.name for each in tasks))
    assert len(tasks) >= 7

    def reported(engine: str) -> list[Mapped[Any]]:
        return flat(map_rows(rows, tasks, engine=engine, batch_size=4, torch_threads=1))

    for ours, expected in zip(reported("ray"), reported("local"), strict=True):
        assert (ours.row, ours.unreadable, ours.errors) == (expected.row, expected.unreadable, expected.errors)
        assert set(ours.values) == set(expected.values)
        for name, value in expected.values.items():
            if isinstance(value, np.ndarray):
                assert ours.values[name].tobytes() == value.tobytes()
                # its own memory, not Ray's
                assert ours.values[name].flags.writeable
                continue
            assert ours.values[name].reason == value.reason
            assert _bits(ours.values[name].values) == _bits(value.values), name


def test_a_node_with_another_version_is_one_clear_error_of_the_one_process_that_is_started(
    two_nodes: Nodes, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    facts, start = ray_work.facts(), ray_crew.Crew._start
    started: list[ray_cluster.Node] = []

    def counted(crew: Any, node: ray_cluster.Node) -> Any:
        started.append(node)
        return start(crew, node)

    monkeypatch.setattr(ray_work, "facts", lambda: {**facts, "loupe": "99.0"})
    monkeypatch.setattr(ray_crew.Crew, "_start", counted)
    with pytest.raises(InputError, match=r"expected Loupe 99\.0 on every node of the Ray cluster, as here, got Loupe "):
        flat(map_rows(rows_of(files), [task(ids)], engine="ray"))
    # there are two nodes, but one portion
    assert len(started) == 1


def _bits(scores: Any) -> dict[str, bytes]:
    return {name: np.float64(score).tobytes() for name, score in scores.items()}


def _plain(values: list[Any]) -> bytes:
    return pickle.dumps([value.tobytes() if isinstance(value, np.ndarray) else repr(value) for value in values])


def is_left_out(warned: list[Any]) -> bool:
    """Returns whether it was said that a node is left out; a busy machine is warned of, too."""
    return any("is left out of this run" in str(each.message) for each in warned)


class Blinded:
    """A task's ``load`` that, as it comes to a node with the variable, keeps that process from seeing any file."""

    def __init__(self, variable: str) -> None:
        self.variable = variable

    def __setstate__(self, state: dict[str, str]) -> None:
        self.__dict__.update(state)
        if self.variable not in os.environ:
            return
        import torch  # noqa: F401  (looks for files of its own as it is imported)

        from loupe.brain.imaging import decode, files

        opened = files.opened

        def nothing(path: str, *_: Any, **__: Any) -> None:
            raise ReadError("expected an image file, got no file at it")

        decode.decode = nothing  # type: ignore[assignment]
        files.opened = lambda path: nothing(path) if str(path).endswith(".jpg") else opened(path)  # type: ignore[assignment]

    def __call__(self, device: str) -> Callable[[ImageBatch], list[str]]:
        return ids(device)


def test_a_node_that_does_not_see_the_files_is_left_out(two_nodes: Nodes, files: list[Path]) -> None:
    expected = []

    def until_it_was_seen() -> Iterator[Row]:
        until = time.monotonic() + ray_nodes.WAIT
        while (not is_left_out(seen.list) or len(expected) <= 10) and time.monotonic() < until:
            path = files[21] if len(expected) == 10 else files[0]
            expected.append(Row(str(len(expected)), str(path), {}, frozenset({"ids"})))
            yield expected[-1]

    match = r"does not see .*0\.jpg, which is here: .* That node is left out of this run"
    with pytest.warns(UserWarning, match=match) as seen:
        mapped = flat(map_rows(until_it_was_seen(), [task(Blinded("LOUPE_TEST_NODE"))], engine="ray", batch_size=1))
    assert [each.row.id for each in mapped] == [row.id for row in expected]
    # the one that is nowhere is unreadable; nothing else is
    assert [each.row.id for each in mapped if each.unreadable] == ["10"]
    assert [each.values["ids"] for each in mapped if not each.unreadable] == [
        row.id for row in expected if row.id != "10"
    ]
    with pytest.raises(InputError, match=r"expected nodes that work on this run, got none: .* does not see "):
        flat(map_rows(rows_of(files), [task(Blinded("PATH"))], engine="ray", batch_size=1))


class Networked:
    """A task's ``load`` that, as it comes to the second node, lets a page say what happens to files there."""

    def __init__(self, page: Path) -> None:
        self.page = page

    def __setstate__(self, state: dict[str, Path]) -> None:
        self.__dict__.update(state)
        if os.environ.get("LOUPE_TEST_NODE") == "second":
            shim.watch(str(self.page))

    def __call__(self, device: str) -> Callable[[ImageBatch], list[str]]:
        return ids(device)


def test_a_node_whose_storage_pauses_and_then_fails_costs_nothing(
    two_nodes: Nodes, files: list[Path], tmp_path: Path
) -> None:
    if two_nodes.is_plain:
        pytest.skip("needs Linux and a C compiler")
    page = shim.Page(tmp_path / "page")
    page.files(files[0].parent, "pause")
    expected: list[Row] = []

    def until_it_was_seen() -> Iterator[Row]:
        until = time.monotonic() + ray_nodes.WAIT
        while (not is_left_out(seen.list) or len(expected) < 40) and time.monotonic() < until:
            expected.append(Row(str(len(expected)), str(files[len(expected) % 20]), {}, frozenset({"ids"})))
            yield expected[-1]

    def fails_once_it_paused() -> None:
        until = time.monotonic() + ray_nodes.WAIT
        while not page.calls and time.monotonic() < until:
            time.sleep(0.02)
        page.files(files[0].parent, "fail", errno.ESTALE)

    threading.Thread(target=fails_once_it_paused, daemon=True).start()
    match = r"cannot read .*, which can be read here: its storage fails\. That node is left out of this run"
    with pytest.warns(UserWarning, match=match) as seen:
        mapped = flat(map_rows(until_it_was_seen(), [task(Networked(page.path))], engine="ray", batch_size=1))
    assert page.calls > 1, "it was disturbed"
    assert [each.row.id for each in mapped] == [row.id for row in expected]
    assert [each.values.get("ids") for each in mapped] == [row.id for row in expected], "none failed, none was lost"


def test_a_node_that_is_killed_in_the_middle_costs_nothing(two_nodes: Nodes, files: list[Path]) -> None:
    def slow(device: str) -> Callable[[ImageBatch], list[str]]:
        def apply(batch: ImageBatch) -> list[str]:
            time.sleep(0.02)
            return [f"{each} {os.environ.get('LOUPE_TEST_NODE', '')}" for each in batch.ids]

        return apply

    killed_at: list[int] = []
    asked: list[Row] = []

    def until_it_was_killed() -> Iterator[Row]:
        until = time.monotonic() + ray_nodes.WAIT
        while time.monotonic() < until and (not killed_at or len(asked) < killed_at[0] + 80):
            asked.append(Row(str(len(asked)), str(files[0]), {}, frozenset({"ids"})))
            yield asked[-1]

    mapped: list[Mapped[Any]] = []
    with contextlib.closing(map_rows(until_it_was_killed(), [task(slow)], engine="ray", batch_size=1)) as chunks:
        for chunk in chunks:
            mapped += chunk
            if not killed_at and any("second" in each.values["ids"] for each in chunk):
                killed_at.append(len(asked))
                two_nodes.kill(two_nodes.second)
    assert killed_at
    assert [each.row.id for each in mapped] == [row.id for row in asked]
    assert [each.values["ids"].split()[0] for each in mapped] == [row.id for row in asked]
    assert not any("second" in each.values["ids"] for each in mapped[-8:])


def test_a_cluster_of_ones_own_is_gone_with_its_driver(killed: dict[str, Any]) -> None:
    # the last helpers of Ray's try for a minute to say that their node has ended: this is the last test for that reason
    until = time.monotonic() + ray_nodes.WAIT
    while (left := [pid for pid in killed["pids"] if _runs(pid)]) and time.monotonic() < until:
        time.sleep(0.5)
    assert not left


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
