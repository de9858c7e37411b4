"""Two real workers on one queue and one database, one of them with a clock that is an hour ahead.

What a check does is said in a file that the workers' processes read: it naps, takes memory, or breaks.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.database, pytest.mark.timeout(900)]

TIMEOUT = 300.0
#: seconds that a worker gives a process, longer than which no machine is busy
GRACE = 120.0
_HOOK = """
import os, time
MODE = os.environ["LOUPE_TEST_MODE"]
ahead = float(os.environ.get("LOUPE_TEST_AHEAD", "0"))
if ahead:
    really = time.time
    time.time = lambda: really() + ahead

def mode():
    try:
        with open(MODE) as file:
            return file.read()
    except OSError:
        return ""

def acts():
    from loupe.brain.core import interrupts
    held, now = [], mode()
    for _ in range(1200 if now else 0):
        if now == "crash":
            os.remove(MODE)
            os.kill(os.getpid(), 11)
        if now == "deaf":
            open(MODE + ".begun", "w").close()
            time.sleep(300)  # one long call of a library
        if now == "naps":
            interrupts.point()
        if now == "hungry":
            held.append(b"x" * 40_000_000)
            interrupts.point()
        time.sleep(0.05)

import loupe.brain.checks.exposure as exposure
real = exposure.Exposure.load

def load(self, device):
    score = real(self, device)
    def apply(batch):
        acts()
        return score(batch)
    return apply

exposure.Exposure.load = load
"""


class Fleet:
    """The workers, a dataset, and what a check does."""

    def __init__(self, folder: Path, dataset: Any) -> None:
        self.dataset, self._mode, self.begun = dataset, folder / "mode", folder / "mode.begun"
        hook = folder / "hook"
        hook.mkdir()
        (hook / "sitecustomize.py").write_text(_HOOK)
        self._hook = str(hook)
        self.processes = [self._start("steady", 0, folder), self._start("ahead", 3600, folder)]
        self.logs = [folder / "steady.log", folder / "ahead.log"]

    def _start(self, name: str, ahead: int, folder: Path) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "loupe.brain.cli", "worker", "--device", "cpu", "--poll", "0.05"]
        # one that its limit ends
        command += ["--name", name, "--dead-after", "20", "--max-memory", "1.5GB", "--grace", f"{GRACE:g}"]
        path = os.pathsep.join([self._hook, os.environ.get("PYTHONPATH", "")])
        environment = {"PYTHONPATH": path, "LOUPE_TEST_MODE": str(self._mode), "LOUPE_TEST_AHEAD": str(ahead)}
        with open(folder / f"{name}.log", "wb") as log:
            return subprocess.Popen(command, env={**os.environ, **environment}, stderr=log, stdout=log)

    def log(self) -> str:
        return "\n".join(log.read_text() for log in self.logs)

    def until(self, condition: Callable[[], Any], what: str) -> None:
        deadline = time.monotonic() + TIMEOUT
        while not condition():
            assert time.monotonic() < deadline, f"{what}: {self.log()}"
            assert all(process.poll() is None for process in self.processes), self.log()
            time.sleep(0.02)

    def act(self, mode: str) -> None:
        self._mode.write_text(mode)
        if not mode:
            self._mode.unlink()

    def schedule(self, operator: str = "check", at: int = 0, target: str = "", **params: Any) -> Any:
        import fiftyone.operators as foo

        view = self.dataset.skip(at).limit(1)
        given = params or {"checks": ["exposure"]}
        context = {"dataset": self.dataset} if operator != "check" else {"view": view}
        made = foo.execute_operator(
            f"@loupe/loupe/{operator}",
            {**context, "params": given, **({"delegation_target": target} if target else {})},
            request_delegation=True,
        )
        return made.result["id"]

    def job(self, job: Any) -> Any:
        from loupe.brain.store import jobs

        return next(each for each in jobs.recent(self.dataset._doc.id, 100) if each.id == job)

    def ended(self, job: Any) -> Any:
        self.until(lambda: self.job(job).state in ("completed", "failed"), "a job does not end")
        return self.job(job)

    def log_of(self, job: Any) -> str:
        """Returns the log of a job that has ended; its last lines come right after."""
        self.ended(job)
        ends = re.compile(r"INFO .*\(\d+\.\d s\)$")
        self.until(lambda: ends.search(self.job(job).log), "its log does not end")
        return str(self.job(job).log)

    def stops_within(self, job: Any) -> float:
        """Cancels a job that runs; returns the seconds until its worker is free."""
        from loupe.brain.store import jobs
        from loupe.brain.store.workers import workers_with_status

        self.until(lambda: self.job(job).state == "running", "it does not begin")
        time.sleep(1)
        started = time.monotonic()
        assert jobs.cancel(job)
        line = f"operation {job}: stopped"
        self.until(lambda: line in self.log(), "it does not stop")
        seconds = time.monotonic() - started
        assert len(workers_with_status()) == 2
        return seconds


@pytest.fixture(scope="module")
def fleet(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    import fiftyone as fo
    from fiftyone.core import odm
    from PIL import Image

    from loupe.brain.store import jobs

    for name in ("delegated_ops", "loupe_workers", "loupe_worker_status"):
        odm.get_db_conn()[name].delete_many({})
    folder = tmp_path_factory.mktemp("fleet")
    Image.new("RGB", (64, 48), "gray").save(folder / "a.png")
    dataset = fo.Dataset(persistent=True)
    dataset.add_samples([fo.Sample(filepath=str(folder / "a.png")) for _ in range(60)], progress=False)
    made = Fleet(folder, dataset)
    try:
        made.until(lambda: len(jobs.workers()) == 2, "they do not begin")
        yield made
    finally:
        for process in made.processes:
            process.send_signal(signal.SIGTERM)
        for process in made.processes:
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        dataset.delete()


def test_each_job_runs_once_in_order_whoever_takes_it(fleet: Fleet) -> None:
    """Also with an hour between their clocks, and with jobs among them that fail."""
    from loupe.brain.store import jobs

    folder = Path(fleet.dataset.first().filepath).parent / "gone"
    folder.mkdir()
    bad = [fleet.schedule("import_images", folder=str(folder)) for _ in range(2)]
    folder.rmdir()
    made = [fleet.schedule(at=at) for at in range(10)]
    for job in made:
        assert fleet.ended(job).state == "completed", fleet.log()
    assert [fleet.ended(job).state for job in bad] == ["failed"] * 2
    fleet.dataset.reload()
    assert len(fleet.dataset.list_runs()) == len(made), "a run is kept for each time that a job ran"
    assert len(fleet.dataset.exists("quality.brightness_p99")) == len(made)
    for job in made:
        fleet.log_of(job)
    documents = list(jobs._operations().find({"_id": {"$in": made}}).sort("queued_at", 1))
    begun = [document["started_at"] for document in documents]
    assert begun == sorted(begun), "first in, first out"
    assert len({re.search("steady|ahead", document["log_tail"])[0] for document in documents}) == 2, "both took some"  # type: ignore[index]
    assert len({document["_id"] for document in documents}) == len(made)


def test_the_log_stands_on_the_operation(fleet: Fleet) -> None:
    log = fleet.log_of(fleet.schedule(at=20))
    assert re.search(r"INFO Loupe: check images: (steady|ahead), Loupe \d", log)
    assert "checking: 0 of 1" in log or "loading: 0 of 1" in log
    assert re.search(r"INFO completed \(\d+\.\d s\)$", log)
    folder = Path(fleet.dataset.first().filepath).parent / "gone again"
    folder.mkdir()
    bad = fleet.schedule("import_images", folder=str(folder))
    folder.rmdir()
    assert re.search("ERROR .*Folder of images: expected a folder", fleet.log_of(bad), re.DOTALL)


def test_what_no_worker_may_run_says_so_and_keeps_nobody_waiting(fleet: Fleet) -> None:
    from loupe.brain.core import routing
    from loupe.brain.store import jobs

    gpu = fleet.schedule(at=21, target=routing.ANY_GPU)
    cuda = fleet.schedule(at=21, checks=["exposure"], device="cuda:1")
    newer = fleet.schedule(at=21)
    jobs._operations().update_one({"_id": newer}, {"$set": {f"context.request_params.{routing.NEEDS}.loupe": "99.1.0"}})
    after = fleet.schedule(at=22)
    assert fleet.ended(after).state == "completed"
    alive = "alive: ahead (cpu), steady (cpu)"
    assert fleet.job(gpu).message == f"waits for a worker with a GPU; {alive}"
    assert fleet.job(cuda).message == f"waits for a worker with the device cuda; {alive}"
    if fleet.job(newer).state == "queued":  # else a worker was faster than this test
        assert fleet.job(newer).message.startswith("waits for a worker with Loupe 99.1.0 or newer; alive: ahead (cpu, ")
    assert {fleet.job(job).state for job in (gpu, cuda)} == {"queued"}
    for job in (gpu, cuda, newer):
        jobs.cancel(job)
    for name in ("steady", "ahead"):
        assert f"{name}, Loupe" in fleet.log_of(fleet.schedule(at=23, target=name))


def test_a_job_waits_for_memory_and_files_until_a_worker_has_them(
    fleet: Fleet, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from loupe.brain.cli import main
    from loupe.brain.store import jobs

    folder = tmp_path / "model"
    much = fleet.schedule(at=24, checks=["exposure"], needs={"memory": "900TB"})
    files = fleet.schedule(at=24, checks=["exposure"], needs={"model": str(folder)})
    little = fleet.schedule(at=24, checks=["exposure"], needs={"memory": "200MB"})
    assert fleet.ended(little).state == "completed", "what fits is taken"
    assert re.fullmatch(
        r"waits for a worker with 900000 GB of memory free; alive: ahead \(cpu, [\d.]+ GB free\), steady .*",
        fleet.job(much).message,
    )
    assert fleet.job(files).message.startswith(f"waits for a worker with the model folder {folder}; alive: ahead")
    assert {fleet.job(job).state for job in (much, files)} == {"queued"}
    assert main(["workers"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert [line.partition(";")[0] for line in listed[-2:]] == [
        "Loupe: check images: waits for a worker with 900000 GB of memory free",
        f"Loupe: check images: waits for a worker with the model folder {folder}",
    ]
    folder.mkdir()
    assert fleet.ended(files).state == "completed"
    jobs.cancel(much)


def test_a_cancelled_job_stops_in_the_middle_of_its_batch(fleet: Fleet) -> None:
    fleet.act("naps")
    job = fleet.schedule(at=30)
    seconds = fleet.stops_within(job)
    fleet.act("")
    fleet.dataset.reload()
    assert not fleet.dataset.skip(30).limit(1).exists("quality.brightness_p99"), "nothing half"
    # 60 s of naps: that it stopped at all is what counts here
    assert seconds < 30
    assert fleet.job(job).message.startswith("canceled")
    assert "INFO stopped: somebody canceled this job" in fleet.log_of(job)


def test_a_cancelled_job_in_one_long_step_costs_its_process_and_not_its_worker(fleet: Fleet) -> None:
    fleet.act("deaf")
    job = fleet.schedule(at=31)
    fleet.until(fleet.begun.exists, "it does not begin")
    fleet.stops_within(job)
    fleet.act("")
    fleet.dataset.reload()
    assert not fleet.dataset.skip(31).limit(1).exists("quality.brightness_p99"), "nothing half"
    assert fleet.job(job).message.startswith("canceled")
    assert f"operation {job} did not stop" not in fleet.log(), "it ended itself, long before its worker gives it up"
    for name in ("steady", "ahead"):
        assert fleet.ended(fleet.schedule(at=31, target=name)).state == "completed", "its worker goes on"


def test_a_job_that_breaks_its_process_runs_again(fleet: Fleet) -> None:
    fleet.act("crash")
    job = fleet.schedule(at=32)
    assert fleet.ended(job).state == "completed"
    assert "its process was ended by SIGSEGV; it took" in fleet.log()
    assert re.search("ERROR its process was ended by SIGSEGV; it took .*\\n.*INFO Loupe: check", fleet.log_of(job))


def test_a_job_that_takes_too_much_memory_fails_with_what_to_do(fleet: Fleet) -> None:
    fleet.act("hungry")
    failed = fleet.ended(fleet.schedule(at=33))
    fleet.act("")
    assert re.search(r"the job took \d\.\d GB, and on this worker a job may take 1\.5 GB", failed.message), failed
    assert "smaller batch_size" in failed.message
    assert fleet.ended(fleet.schedule(at=33)).state == "completed"


def test_a_job_whose_dataset_is_deleted_stops(fleet: Fleet) -> None:
    import fiftyone as fo
    import fiftyone.operators as foo

    other = fo.Dataset(persistent=True)
    other.add_sample(fo.Sample(filepath=fleet.dataset.first().filepath))
    fleet.act("naps")
    context = {"dataset": other, "params": {"checks": ["exposure"]}}
    job = foo.execute_operator("@loupe/loupe/check", context, request_delegation=True).result["id"]
    line = f"operation {job}: started"
    fleet.until(lambda: line in fleet.log(), "it does not begin")
    time.sleep(1)
    other.delete()
    # FiftyOne deletes its operations with it: nobody can be told, but the worker is free
    line = f"operation {job}: its state was changed by somebody else"
    fleet.until(lambda: line in fleet.log(), "it does not stop")
    fleet.act("")


def test_workers_are_listed(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    import json

    from loupe.brain.cli import main

    assert main(["workers"]) == 0
    text = capsys.readouterr().out
    assert [line.split()[0] for line in text.splitlines()] == ["worker", "ahead", "steady"]
    assert "of 1.5 GB" in text

    def listed() -> list[dict[str, Any]]:
        assert main(["workers", "--json"]) == 0
        return list(json.loads(capsys.readouterr().out))

    # silent by the database's clock, whatever the worker's own says
    assert all(0 <= worker["silent"] < 20 for worker in listed())
    # none where the process for jobs was ended a moment ago
    fleet.until(lambda: all(0 < worker["memory"] < worker["max_memory"] for worker in listed()), "no memory is told")
