"""The queue: one worker takes a job, a dead worker's job goes back, and nobody else's operations are touched."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

pytestmark = pytest.mark.database


@pytest.fixture(autouse=True)
def empty_queue(database: str) -> Iterator[None]:
    from fiftyone.core import odm

    for name in ("delegated_ops", "loupe_workers"):
        odm.get_db_conn()[name].delete_many({})
    yield
    for name in ("delegated_ops", "loupe_workers"):
        odm.get_db_conn()[name].delete_many({})


def _queue(operator: str = "@loupe/loupe/check", **more: Any) -> Any:
    from fiftyone.operators.delegated import DelegatedOperationService

    context = {"request_params": {"params": {}}}
    return DelegatedOperationService().queue_operation(operator, context=context, **more).id


def _worker(name: str, dead_after: float = 60.0) -> Any:
    from loupe.brain.store import jobs

    worker = jobs.WorkerFacts(f"id-{name}", name, "host", 1, "cpu", dead_after)
    jobs.beat(worker)
    return worker


def _state(job: Any) -> str:
    from fiftyone.operators.delegated import DelegatedOperationService

    return str(DelegatedOperationService().get(job).run_state)


def test_the_oldest_job_of_this_plugin_is_taken_once() -> None:
    from loupe.brain.store import jobs

    foreign = _queue("@other/plugin/check")
    lookalike = _queue("@loupe/loupe-more/check")
    first, second = _queue(), _queue("@loupe/loupe/generate")
    a, b = _worker("a"), _worker("b")
    assert jobs.claim(a) == first
    assert jobs.claim(b) == second
    assert jobs.claim(a) is None
    assert (_state(first), _state(foreign), _state(lookalike)) == ("running", "queued", "queued")
    assert jobs.still_running(first, a.id)
    assert not jobs.still_running(first, b.id)
    assert not jobs.still_running(first, None)


def test_a_job_waits_for_the_worker_it_was_scheduled_for_while_that_lives() -> None:
    from loupe.brain.store import jobs

    here, elsewhere = _worker("here"), _worker("there")
    job = _queue(delegation_target="there")
    assert jobs.claim(here) is None
    assert jobs.claim(elsewhere) == job
    assert jobs.release(job, elsewhere.id)
    jobs.sign_off(elsewhere)
    assert jobs.claim(here) == job


def test_only_its_own_worker_ends_a_job() -> None:
    from loupe.brain.store import jobs

    a, b = _worker("a"), _worker("b")
    job = _queue()
    jobs.claim(a)
    assert not jobs.release(job, b.id)
    assert not jobs.fail(job, b.id, "no")
    assert not jobs.finish(job, b.id, {"result": None}, None)
    assert _state(job) == "running"
    assert jobs.finish(job, a.id, {"result": {"message": "done"}, "error": None}, {"name": "Object"})
    assert _state(job) == "completed"
    assert not jobs.release(job, a.id)


def test_a_cancelled_job_stays_cancelled_and_its_worker_notices() -> None:
    from fiftyone.operators.delegated import DelegatedOperationService

    from loupe.brain.store import jobs

    worker = _worker("a")
    job = _queue()
    jobs.claim(worker)
    assert jobs.cancel(job)
    assert not jobs.still_running(job, worker.id)
    assert not jobs.release(job, worker.id)
    assert not jobs.finish(job, worker.id, {"result": None}, None)
    assert _state(job) == "failed"
    assert not jobs.cancel(job)
    again = jobs.again(job)
    assert (again != job, _state(again)) == (True, "queued")
    DelegatedOperationService().set_running(again)
    assert jobs.still_running(again, None), "nothing of the first time clings to it"


def test_the_job_of_a_silent_worker_goes_back_and_that_of_a_live_one_does_not() -> None:
    from loupe.brain.store import jobs

    dead, alive = _worker("dead", 5), _worker("alive", 300)
    lost, kept = _queue(), _queue()
    assert (jobs.claim(dead), jobs.claim(alive)) == (lost, kept)
    assert jobs.workers() == [alive, dead]
    assert jobs.reap() == ([], [])
    deadline = time.monotonic() + 60
    while dead in jobs.workers() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert jobs.workers() == [alive]
    assert jobs.reap() == ([lost], [])
    assert (_state(lost), _state(kept)) == ("queued", "running")
    assert not jobs.still_running(lost, dead.id)


def test_operations_that_another_kind_of_worker_runs_are_left_alone() -> None:
    from fiftyone.operators.delegated import DelegatedOperationService

    from loupe.brain.store import jobs

    job = _queue()
    DelegatedOperationService().set_running(job)
    assert jobs.still_running(job, None)
    assert jobs.reap() == ([], [])
    assert _state(job) == "running"


def test_a_job_that_kills_its_workers_is_given_up() -> None:
    from loupe.brain.store import jobs

    job = _queue()
    for attempt in range(1, jobs.MAX_DEATHS + 1):
        worker = _worker(f"w{attempt}")
        assert jobs.claim(worker) == job
        jobs.sign_off(worker)
        back, given_up = jobs.reap()
        assert (back, given_up) == (([], [job]) if attempt == jobs.MAX_DEATHS else ([job], []))
    assert _state(job) == "failed"
    # but a worker that was asked to end has not died of it
    other = _queue()
    for attempt in range(jobs.MAX_DEATHS + 1):
        worker = _worker(f"v{attempt}")
        assert jobs.claim(worker) == other
        assert jobs.release(other, worker.id)
    assert _state(other) == "queued"


def test_progress_callback_of_a_job_stops_when_it_is_cancelled() -> None:
    from fiftyone.operators.delegated import DelegatedOperationService
    from fiftyone.operators.executor import ExecutionContext

    from loupe.brain.core.errors import Stopped
    from loupe.brain.core.records import Progress
    from loupe.brain.store import jobs
    from loupe.operators.run import reporter_of_job

    service = DelegatedOperationService()
    job = _queue()
    service.set_running(job)
    context = ExecutionContext(
        request_params={"run_doc": job}, set_progress=service.set_progress, delegated_operation_id=job
    )
    report = reporter_of_job(context)
    report(Progress(1, 4, "checking"))
    status = service.get(job).status
    assert (status.progress, status.label) == (0.25, "checking: 1 of 4")
    report(Progress(2, 4, "checking"))
    assert service.get(job).status.progress == 0.25, "not more than about twice a second"
    assert jobs.cancel(job)
    with pytest.raises(Stopped, match="canceled"):
        report(Progress(4, 4, "checking"))


def test_recent_jobs_say_how_far_they_are_while_they_run_and_how_they_ended_then(dataset: Any) -> None:
    from fiftyone.core import odm

    from loupe.brain.store import jobs

    operations = odm.get_db_conn()["delegated_ops"]
    status = {"progress": 0.5, "label": "checking"}
    states = {
        "queued": ({}, None, ""),
        "running": ({"status": status}, 0.5, "checking"),
        "completed": ({"status": status, "result": {"result": {"message": "5 done\n"}}}, None, "5 done"),
        "failed": ({"status": status, "result": {"error": "Traceback\n  ...\nOSError: disk"}}, None, "OSError: disk"),
    }
    for state, (facts, _, _) in states.items():
        operations.update_one(
            {"_id": _queue(label="Check")}, {"$set": {**facts, "run_state": state, "dataset_id": dataset._doc.id}}
        )
    _queue()  # of no dataset
    listed = {job.state: job for job in jobs.recent(dataset._doc.id)}
    assert {state: (job.progress, job.message) for state, job in listed.items()} == {
        state: (progress, message) for state, (_, progress, message) in states.items()
    }
    assert {(job.operator, job.label, job.dataset_id) for job in listed.values()} == {
        ("check", "Check", dataset._doc.id)
    }


def test_the_twenty_latest_jobs_are_recent(dataset: Any) -> None:
    from datetime import UTC, datetime, timedelta

    from fiftyone.core import odm

    from loupe.brain.store import jobs

    operations, first = odm.get_db_conn()["delegated_ops"], _queue()
    template = operations.find_one({"_id": first}, {"_id": 0})
    operations.delete_many({})
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    copies = [
        {**template, "dataset_id": dataset._doc.id, "queued_at": noon + timedelta(hours=hour)} for hour in range(21)
    ]
    ids = operations.insert_many(copies).inserted_ids
    assert [job.id for job in jobs.recent(dataset._doc.id)] == ids[:0:-1]
    assert [job.id for job in jobs.recent(dataset._doc.id, 2)] == ids[:-3:-1]


def test_two_reapers_requeue_a_job_once(database: str) -> None:
    import threading

    from fiftyone.core import odm

    from loupe.brain.store import jobs

    dead = _worker("reaped", 0.01)
    job = _queue()
    jobs.beat(dead)
    assert jobs.claim(dead) == job
    time.sleep(0.1)
    results: list[Any] = []
    both = [threading.Thread(target=lambda: results.append(jobs.reap())) for _ in range(4)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert [job for requeued, _ in results for job in requeued].count(job) == 1
    stored = odm.get_db_conn()["delegated_ops"].find_one({"_id": job})
    assert (stored["run_state"], stored["metadata"]["loupe"]["deaths"]) == ("queued", 1)


def test_a_worker_that_signs_on_meanwhile_is_not_taken_for_dead(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from loupe.brain.store import jobs

    new = jobs.WorkerFacts("id-new", "new", "host", 1, "cpu")
    job, listed = _queue(), jobs.workers

    def after_another_has_begun() -> Any:
        alive = listed()
        monkeypatch.setattr(jobs, "workers", listed)
        jobs.beat(new)
        assert jobs.claim(new) == job
        return alive

    monkeypatch.setattr(jobs, "workers", after_another_has_begun)
    assert job not in jobs.reap()[0]
    assert jobs.still_running(job, new.id)
    assert new.id in [worker.id for worker in jobs.workers()]


def test_what_a_worker_runs_is_released_at_once(database: str) -> None:
    from loupe.brain.store import jobs

    worker, job = _worker("leaving"), _queue()
    jobs.beat(worker)
    assert jobs.claim(worker) == job
    assert jobs.release_all(worker.id) == [job]
    assert jobs.release_all(worker.id) == []
    assert not jobs.still_running(job, worker.id)


def test_earlier_workers_can_read_what_later_ones_say_of_themselves() -> None:
    """A worker of 0.1.0 makes a record of all that stands there, and stops at more."""
    from loupe.brain.store import jobs
    from loupe.brain.store.workers import _statuses, _workers, workers_with_status

    worker = jobs.WorkerFacts("id-new", "new", "host", 1, "cuda:0", 60.0, "0.3.0", "1.22.1", "NVIDIA H200, 140 GB")
    status = jobs.WorkerStatus("a" * 24, "Loupe: check", 10**9, 4 * 10**9)
    jobs.beat(worker, status)
    document = _workers().find_one({"_id": worker.id})
    assert document.keys() == {"_id", "name", "host", "pid", "device", "dead_after", "beat"}
    ((known, last),) = workers_with_status()
    assert known == worker
    assert (last.job, last.memory, last.max_memory) == (status.job, status.memory, status.max_memory)
    assert 0 <= last.silent < 30
    # and a later version's facts are no error here
    _statuses().update_one({"_id": worker.id}, {"$set": {"more": 1}})
    _workers().update_one({"_id": worker.id}, {"$set": {"more": 1}})
    assert jobs.workers() == [worker]
    jobs.sign_off(worker)
    assert _statuses().find_one({"_id": worker.id}) is None


def test_a_job_of_a_worker_that_was_asked_to_end_keeps_its_place_and_that_of_a_dead_one_does_not() -> None:
    from loupe.brain.store import jobs

    first, second, third = _queue(), _queue(), _queue()
    worker = _worker("a")
    assert jobs.claim(worker) == first
    assert jobs.release(first, worker.id, keeps_place=True)
    assert jobs.claim(worker) == first
    assert jobs.lost(first, worker.id, "its process was ended by SIGSEGV") == "queued"
    assert jobs.claim(worker) == second, "one bad job keeps nobody waiting"
    assert jobs.release_all(worker.id) == [second]
    assert [jobs.claim(worker) for _ in range(3)] == [second, third, first]
    assert jobs.lost(first, worker.id, "again") == "queued"
    assert jobs.claim(worker) == first
    assert jobs.lost(first, "another", "not its own") == ""
    assert jobs.lost(first, worker.id, "its process was ended by SIGKILL; it took 3.1 GB") == "failed"
    document = jobs._operations().find_one({"_id": first})
    assert document["result"]["error"] == (
        "3 processes died while they ran this job: see their logs. The last one: its process was ended by SIGKILL; it "
        "took 3.1 GB"
    )


@pytest.mark.parametrize(
    ("taken", "says"), [(11_800_000_000, "took 11.8 of 12.0 GB"), (1_000_000_000, "see their logs")]
)
def test_a_job_that_costs_workers_says_where_memory_was_short(taken: int, says: str) -> None:
    from loupe.brain.store import jobs
    from loupe.brain.store.workers import _workers

    job = _queue()
    for attempt in range(jobs.MAX_DEATHS):
        worker = jobs.WorkerFacts(f"id-{attempt}", "w", "host", 1, "cpu", 60.0)
        jobs.beat(worker, jobs.WorkerStatus(memory=taken, max_memory=12_000_000_000))
        assert jobs.claim(worker) == job
        _workers().delete_one({"_id": worker.id})
        jobs.reap()
    error = jobs._operations().find_one({"_id": job})["result"]["error"]
    assert error.startswith("3 workers died while they ran this job")
    assert says in error
    assert ("batch_size" in error) == ("took" in says)


def test_many_workers_that_ask_at_once_get_each_job_once(database: str) -> None:
    import threading

    from loupe.brain.store import jobs

    queued = [_queue() for _ in range(30)]
    workers, taken = [_worker(f"w{at}") for at in range(6)], []
    start = threading.Barrier(len(workers))

    def take(worker: Any) -> None:
        start.wait(20)
        while (job := jobs.claim(worker)) is not None:
            taken.append(job)

    threads = [threading.Thread(target=take, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(taken) == sorted(queued)


def test_jobs_with_needs_go_once_to_whom_they_may_and_none_is_passed_over(database: str) -> None:
    """Four workers ask at once for jobs of random needs, while others are queued."""
    import random
    import threading

    from fiftyone.operators.delegated import DelegatedOperationService

    from loupe.brain.core import routing
    from loupe.brain.store import jobs

    rng = random.Random(5)
    some: list[dict[str, Any]] = [
        {},
        {"gpu": "wanted"},
        {"device": "cuda"},
        {"device": "cuda", "exact_device": "cuda:1"},
        {"memory": 40 * 10**9},
        {"gpu": "wanted", "useful": ("palm",)},
        {"target": "cpu"},
        {"target": routing.ANY_GPU},
    ]
    wanted: dict[Any, routing.Needs] = {}

    def queue() -> None:
        given = rng.choice(some)
        needs = routing.needs(given, given.get("target"))
        context = {"request_params": {"params": {}, routing.NEEDS: needs.to_dict()}}
        target = {"delegation_target": needs.target} if needs.target else {}
        made = DelegatedOperationService().queue_operation("@loupe/loupe/check", context=context, **target)
        wanted[made.id] = needs

    gpus = {"cuda:0": (24, ("palm",)), "cuda:1": (80, ()), "cuda": (24, ("palm",))}
    devices: dict[str, tuple[int, tuple[str, ...]]] = {"cpu": (2, ()), **gpus}
    workers = [
        jobs.WorkerFacts(f"id {device}", device, "host", 1, device, 60.0, free=free * 10**9, weights=weights)
        for device, (free, weights) in devices.items()
    ]
    for worker in workers:
        jobs.beat(worker)
    for _ in range(12):
        queue()
    alive = jobs.workers()
    start, ends = threading.Barrier(len(workers)), threading.Event()
    taken: dict[str, list[Any]] = {worker.id: [] for worker in workers}

    def take(worker: Any) -> None:
        start.wait(20)
        while True:
            last = ends.is_set()
            job = jobs.claim(worker)
            if job is not None:
                taken[worker.id].append(job)
            elif last:
                return

    threads = [threading.Thread(target=take, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for _ in range(28):
        queue()
    ends.set()
    for thread in threads:
        thread.join(60)
    assert sorted(job for own in taken.values() for job in own) == sorted(wanted)
    place = {job: at for at, job in enumerate(wanted)}
    for worker in workers:
        own = taken[worker.id]
        assert not [job for job in own if routing.obstacle(wanted[job], worker, alive)]
        assert own == sorted(own, key=place.__getitem__), "first in, first out, for whoever may run it"


def test_a_worker_leaves_alone_what_is_not_for_it_and_goes_on_with_the_next() -> None:
    from fiftyone.operators.delegated import DelegatedOperationService

    from loupe.brain.core import routing
    from loupe.brain.store import jobs

    def queue(**needs: str) -> Any:
        params = {"params": {}, routing.NEEDS: routing.Needs(**needs).to_dict()}
        return DelegatedOperationService().queue_operation("@loupe/loupe/check", context={"request_params": params}).id

    newer, cuda, odd, plain = queue(loupe="9.0"), queue(device="cuda"), queue(), queue(gpu="wanted")
    jobs._operations().update_one(
        {"_id": odd}, {"$set": {f"context.request_params.{routing.NEEDS}": ["no", {"needs": 1}]}}
    )
    cpu = jobs.WorkerFacts("id-cpu", "cpu", "host", 1, "cpu", 60.0, "0.2.0")
    jobs.beat(cpu)
    assert [jobs.claim(cpu), jobs.claim(cpu), jobs.claim(cpu)] == [odd, plain, None]
    gpu = jobs.WorkerFacts("id-gpu", "gpu", "host", 1, "cuda:1", 60.0, "0.2.0")
    jobs.beat(gpu)
    another = queue(gpu="wanted")
    assert jobs.claim(cpu) is None, "there is a GPU"
    assert [jobs.claim(gpu), jobs.claim(gpu)] == [cuda, another]
    assert _state(newer) == "queued"
    # run again by a newer App, it needs that
    again = jobs.again(another, routing.Needs(loupe="9.9"))
    assert jobs.claim(gpu) is None
    kept = jobs._operations().find_one({"_id": again})["context"]["request_params"][routing.NEEDS]
    assert (kept["loupe"], kept["gpu"]) == ("9.9", "wanted")


def test_workers_of_another_version_are_named_in_one_line_each() -> None:
    from loupe.brain.store.workers import WorkerFacts, WorkerStatus, as_text

    def lines(version: str) -> list[str]:
        worker = WorkerFacts("a", "box", "host", 1, "cpu", loupe=version)
        return as_text([(worker, WorkerStatus())], "0.3.0", ["check: waits for a GPU"]).splitlines()[2:]

    assert lines("0.3.1") == lines("") == ["check: waits for a GPU"]
    assert lines("0.2.9") == [
        "box has Loupe 0.2.9, which is older than 0.3.0 here: it takes no job that is scheduled here. Update it",
        "check: waits for a GPU",
    ]
    assert lines("0.4.0")[0].startswith("box has Loupe 0.4.0, which is newer than 0.3.0 here: it takes jobs of both")
