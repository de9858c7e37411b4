"""Real worker processes: they take this plugin's jobs, stop cleanly, and take up what a killed one left behind."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from loupe.brain.cli import main

TIMEOUT = 600.0


class Worker:
    """A worker process whose lines are read as they come."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        command = [sys.executable, "-m", "loupe.brain.cli", "worker", "--device", "cpu", "--poll", "0.1", *arguments]
        self.process = subprocess.Popen(
            command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line.rstrip())

    def logged(self, text: str) -> bool:
        return any(text in line for line in self.lines)

    def wait(self) -> int:
        code = self.process.wait(TIMEOUT)
        self._reader.join(10)
        return code


@pytest.fixture
def start() -> Iterator[Callable[..., Worker]]:
    workers: list[Worker] = []

    def begin(*arguments: str, **environment: str) -> Worker:
        workers.append(Worker(*arguments, **environment))
        return workers[-1]

    yield begin
    for worker in workers:
        if worker.process.poll() is None:
            worker.process.kill()
            worker.process.wait(30)


@pytest.fixture
def empty(dataset: Any) -> Any:
    """A persistent dataset, and nothing scheduled."""
    from fiftyone.core import odm

    for name in ("delegated_ops", "loupe_workers"):
        odm.get_db_conn()[name].delete_many({})
    dataset.persistent = True
    return dataset


@pytest.fixture
def many(empty: Any, pictures: list[Path]) -> Any:
    """Enough samples for a check to be in the middle for a while."""
    import fiftyone as fo

    samples = [fo.Sample(filepath=str(pictures[index % len(pictures)])) for index in range(3200)]
    empty.add_samples(samples, progress=False)
    return empty


def _until(condition: Callable[[], Any], worker: Worker) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < deadline, worker.lines
        assert worker.process.poll() is None, worker.lines
        time.sleep(0.05)


def _schedule(name: str, samples: Any, params: dict[str, Any]) -> Any:
    import fiftyone.operators as foo

    context = {"view" if hasattr(samples, "_stages") else "dataset": samples, "params": params}
    result = foo.execute_operator(f"@loupe/loupe/{name}", context, request_delegation=True)
    return result.result["id"]


def _job(job: Any) -> Any:
    from fiftyone.operators.delegated import DelegatedOperationService

    return DelegatedOperationService().get(job)


@pytest.mark.slow
@pytest.mark.database
def test_jobs_are_completed_failures_are_told_and_others_are_left_alone(
    many: Any, start: Callable[..., Worker], tmp_path: Path
) -> None:
    from fiftyone.operators.delegated import DelegatedOperationService

    foreign = DelegatedOperationService().queue_operation(
        "@other/plugin/check", context={"request_params": {"params": {}}}
    )
    few = many.limit(40)
    folder = tmp_path / "gone"
    folder.mkdir()
    bad = _schedule("import_images", many, {"folder": str(folder)})
    folder.rmdir()
    good = _schedule("check", few, {"checks": ["exposure"], "batch_size": 1})
    assert _job(good).run_state == "queued"
    worker = start("--once", "--name", "tester")
    assert worker.wait() == 0, worker.lines
    done = _job(good)
    assert done.run_state == "completed", worker.lines
    assert done.status.progress == 1.0
    assert "40 of 40" in done.status.label
    assert done.result.result["run"]["n"] == 40
    assert done.result.result["run"]["device"] == "cpu"
    assert "| Failure |" in done.result.result["summary"]
    assert "summary" in done.metadata["outputs_schema"]["type"]["properties"]
    failed = _job(bad)
    assert failed.run_state == "failed"
    assert f"Folder of images: expected a folder, got {str(folder)!r}: there is none" in failed.result.error
    assert "Traceback" not in failed.result.error
    assert _job(foreign.id).run_state == "queued"
    many.reload()
    assert len(many.exists("quality.brightness_p99")) == 40
    from loupe.brain.store import jobs

    assert jobs.workers() == [], "it has signed off"


@pytest.mark.slow
@pytest.mark.database
def test_a_stopped_and_a_killed_worker_lose_nothing(many: Any, start: Callable[..., Worker]) -> None:
    def judged() -> int:
        many.reload()
        return len(many.match({"checked.exposure": {"$exists": True}})) if many.has_field("checked") else 0

    job = _schedule("check", many, {"checks": ["exposure"], "batch_size": 1})

    def moving() -> bool:
        operation = _job(job)
        return operation.run_state == "running" and bool(operation.status and operation.status.progress)

    stopped = start()
    _until(moving, stopped)
    stopped.process.send_signal(signal.SIGTERM)
    assert stopped.wait() == 0, stopped.lines
    assert _job(job).run_state == "queued", stopped.lines
    first = judged()
    assert 0 < first < len(many)

    killed = start("--dead-after", "6")
    _until(lambda: judged() > first, killed)
    killed.process.kill()
    killed.wait()
    assert _job(job).run_state == "running"
    second = judged()
    assert first < second < len(many)

    last = start("--dead-after", "6")
    _until(lambda: _job(job).run_state == "completed", last)
    last.process.send_signal(signal.SIGTERM)
    assert last.wait() == 0
    assert last.logged("left behind by a worker that died")
    assert judged() == len(many)
    run = _job(job).result.result["run"]
    assert run["skipped"] >= second - 4
    assert run["skipped"] + run["n"] == len(many)
    assert None not in many.values("quality.brightness_p99")


@pytest.mark.slow
@pytest.mark.database
@pytest.mark.timeout(400)
def test_a_busy_worker_takes_up_what_a_killed_one_left_and_sigterm_ends_a_stuck_one(
    many: Any, start: Callable[..., Worker], tmp_path: Path
) -> None:
    import fiftyone as fo

    from loupe.brain.store import jobs

    pipe = tmp_path / "stuck.png"
    os.mkfifo(pipe)
    stuck_on = fo.Dataset()
    stuck_on.add_sample(fo.Sample(filepath=str(many.first().filepath)))
    # as a plugin's operator that hangs: its process answers to nothing
    hook = tmp_path / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(
        "import sys\n"
        "def wait(*_, **__):\n"
        f"    open({str(pipe)!r}).read()\n"
        "import loupe.brain.engine.runner as runner\n"
        "runner.run = wait\n"
    )
    stuck = _schedule("check", stuck_on, {"checks": ["exposure"]})
    worker = start("--dead-after", "6", "--grace", "3", "--name", "stuck", PYTHONPATH=str(hook))
    _until(lambda: _job(stuck).run_state == "running", worker)

    orphan = _schedule("check", many, {"checks": ["exposure"], "batch_size": 1})
    dead = jobs.WorkerFacts("dead", "dead", "host", 1, "cpu", 1.0)
    jobs.beat(dead)
    assert jobs.claim(dead) == orphan
    _until(lambda: _job(orphan).run_state == "queued", worker)
    _until(lambda: worker.logged("left behind by a worker that died"), worker)
    assert _job(stuck).run_state == "running", "the other one is still busy"

    time.sleep(1)
    worker.process.send_signal(signal.SIGTERM)
    assert worker.wait() == 1, worker.lines
    assert worker.logged("has not ended within 3 s")
    assert _job(stuck).run_state == "queued"
    assert "stuck" not in [other.name for other in jobs.workers()]
    stuck_on.delete()


@pytest.mark.slow
@pytest.mark.database
def test_the_database_may_go_and_come_back(database: str, tmp_path: Path, start: Callable[..., Worker]) -> None:
    spec = importlib.util.spec_from_file_location("the_conftest", Path(__file__).parents[1] / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    conftest = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(conftest)
    start_mongod = conftest.start_mongod

    mongod, uri = start_mongod(tmp_path / "db")
    port = int(uri.rpartition(":")[2])
    try:
        worker = start(FIFTYONE_DATABASE_URI=f"{uri}/?serverSelectionTimeoutMS=1000")
        _until(lambda: worker.logged("takes the operations of @loupe/loupe on cpu"), worker)
        mongod.terminate()
        mongod.wait(30)
        _until(lambda: worker.logged("database does not answer"), worker)
        mongod, _ = start_mongod(tmp_path / "db", port)
        count = len(worker.lines)
        time.sleep(6)
        assert worker.process.poll() is None
        worker.process.send_signal(signal.SIGTERM)
        assert worker.wait() == 0
        assert not any("does not answer" in line for line in worker.lines[count + 1 :])
    finally:
        mongod.terminate()
        mongod.wait(30)


@pytest.mark.slow
@pytest.mark.database
def test_a_plugin_that_is_not_linked_is_said_clearly(
    database: str, tmp_path: Path, start: Callable[..., Worker]
) -> None:
    worker = start("--once", FIFTYONE_PLUGINS_DIR=str(tmp_path))
    assert worker.wait() == 1
    log = "\n".join(worker.lines)
    assert f"FiftyOne does not find the plugin @loupe/loupe in its plugins folder, {tmp_path}" in log
    assert "ln -s" in log
    assert "Traceback" not in log


def test_the_command_says_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    import loupe

    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"loupe {loupe.__version__}\n"
    assert main([]) == 2
    assert "worker" in capsys.readouterr().out


@pytest.mark.database
def test_a_device_that_is_not_there_is_refused(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["worker", "--device", "cuda:99"]) == 1
    assert "cuda:99" in capsys.readouterr().err
    assert main(["worker", "--poll", "0"]) == 1
    assert "positive" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.database
def test_a_worker_that_draws_in_several_processes_ends_as_others_do(
    empty: Any, start: Callable[..., Worker], tmp_path: Path
) -> None:
    """As systemd does, the signal goes to all processes; the job goes back, and no process is left."""
    import psutil

    prompts = "\n".join(f'a red sign that says "{number}", day, clear' for number in range(10, 34))
    params = {"prompts": prompts, "settings": True, "steps": 8, "batch_size": 3, "device": "cpu,cpu"}
    job = _schedule("generate", empty, {**params, "output_dir": str(tmp_path / "images")})

    def drawn() -> int:
        empty.reload()
        return len(empty)

    worker = start()
    _until(lambda: drawn() > 0, worker)
    several = psutil.Process(worker.process.pid).children(recursive=True)
    assert len(several) == 3, "one that runs jobs, and what that starts"
    for process in (*several, worker.process):
        process.send_signal(signal.SIGTERM)
    assert worker.wait() == 0, worker.lines
    assert _job(job).run_state == "queued", worker.lines
    assert not psutil.wait_procs(several, timeout=20)[1]
    first = drawn()
    assert 0 < first < 24
    assert start("--once").wait() == 0
    assert _job(job).run_state == "completed"
    run = _job(job).result.result["run"]
    assert (run["skipped"], run["n"], run["device"]) == (first, 24 - first, "cpu,cpu")
    assert len(list((tmp_path / "images").glob("*.png"))) == drawn() == 24


@pytest.mark.slow
@pytest.mark.database
@pytest.mark.timeout(1800)
def test_a_cancelled_job_leaves_no_drawing_process(empty: Any, start: Callable[..., Worker], tmp_path: Path) -> None:
    """What several processes draw for one worker ends with the job, within a batch; the next run goes on."""
    import psutil

    from loupe.brain.store import jobs

    prompts = "\n".join(f'a red sign that says "{number}", day, clear' for number in range(10, 18))
    params = {"prompts": prompts, "settings": True, "steps": 40, "batch_size": 2, "device": "cpu,cpu"}
    params["output_dir"] = str(tmp_path / "images")
    job = _schedule("generate", empty, params)

    def drawn() -> int:
        empty.reload()
        return len(empty)

    worker = start()
    _until(lambda: drawn() > 0, worker)
    (runner,) = psutil.Process(worker.process.pid).children()
    drawing = runner.children(recursive=True)
    assert len(drawing) == 2
    assert jobs.cancel(job)
    _until(lambda: worker.logged(f"operation {job}: stopped"), worker)
    assert not psutil.wait_procs(drawing, timeout=60)[1], "no process is left"
    first = drawn()
    assert 0 < first < 8
    pictures = list((tmp_path / "images").iterdir())
    assert len([path for path in pictures if path.suffix == ".png"]) >= first
    assert not [path for path in pictures if "part" in path.name or "tmp" in path.name], "nothing half"
    again = _schedule("generate", empty, params)
    _until(lambda: _job(again).run_state == "completed", worker)
    run = _job(again).result.result["run"]
    assert (run["skipped"], run["n"]) == (first, 8 - first)
    assert drawn() == 8


@pytest.mark.slow
@pytest.mark.database
@pytest.mark.timeout(1800)
def test_what_was_paid_when_a_job_is_cancelled_is_kept_and_not_paid_again(
    many: Any, start: Callable[..., Worker], tmp_path: Path
) -> None:
    """Requests that are under way are waited for: they are paid. The next run asks for the others only."""
    pytest.importorskip("openai")
    import fiftyone as fo
    from hosted_server import KEY, HostedServer, Plan

    from loupe.brain.store import jobs

    # a request with a key that came before is paid again here
    server = HostedServer(Plan(work=0.3, idempotent=False)).start()
    dataset = fo.Dataset(persistent=True)
    params = {
        "prompts": "a cup",
        "per_prompt": 40,
        "output_dir": str(tmp_path / "images"),
        "model__drawn_by": "compatible",
        "model__compatible__base_url": f"{server.url}/v1",
        "model__compatible__model": "mine",
        "model__compatible__price_per_image": 0.1,
        "budget": 100.0,
        "settings": True,
    }
    job = _schedule("generate", dataset, params)
    try:
        worker = start("--grace", "120", LOUPE_HOSTED_API_KEY=KEY)
        # some are there, and one is under way
        _until(lambda: len(server.paid) >= 3 and server.running, worker)
        assert jobs.cancel(job)
        _until(lambda: worker.logged(f"operation {job}: stopped"), worker)
        report = server.report()
        dataset.reload()
        assert 3 <= report["paid"] < 40
        assert (len(dataset), report["twice"]) == (report["paid"], 0), "what was paid is there"
        again = _schedule("generate", dataset, params)
        _until(lambda: _job(again).run_state == "completed", worker)
        dataset.reload()
        report = server.report()
        assert (len(dataset), report["paid"], report["twice"]) == (40, 40, 0)
        assert _job(again).result.result["run"]["skipped"] > 0
    finally:
        server.stop()
        dataset.delete()
