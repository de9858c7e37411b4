"""Which worker may run a job, and what is said where none may."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import pytest

from loupe.brain.core import routing
from loupe.brain.core.routing import Needs, obstacle, waits_for


@dataclass(frozen=True)
class Worker:
    name: str
    device: str = "cpu"
    loupe: str = "0.2.3"
    fiftyone: str = "1.22.1"
    free: int = 8 * 10**9
    weights: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return self.name


LAPTOP, BOX, OTHER = Worker("laptop"), Worker("gpubox", "cuda:1"), Worker("mac", "mps")
ALL = [LAPTOP, BOX, OTHER]


@pytest.mark.parametrize(
    ("wanted", "may"),
    [
        (Needs(), {"laptop", "gpubox", "mac"}),
        (Needs(target=routing.ANY), {"laptop", "gpubox", "mac"}),
        (Needs(target=routing.ANY_GPU), {"gpubox", "mac"}),
        (Needs(target="laptop"), {"laptop"}),
        (Needs(target="gone"), {"laptop", "gpubox", "mac"}),  # nobody of that name lives: anybody
        (Needs(device="cuda"), {"gpubox"}),
        (Needs(device="cpu"), {"laptop", "gpubox", "mac"}),
        (Needs(device="xpu"), set()),
        (Needs(gpu="wanted"), {"gpubox", "mac"}),
        (Needs(gpu="wanted", target="laptop"), {"laptop"}),  # somebody chose it
        (Needs(gpu="wanted", device="cuda"), {"gpubox"}),
        (Needs(loupe="0.2.9"), {"laptop", "gpubox", "mac"}),  # the same series
        (Needs(loupe="0.1.0"), {"laptop", "gpubox", "mac"}),
        (Needs(loupe="0.3.0"), set()),
        (Needs(fiftyone="1.23.0"), set()),
        (Needs(target="laptop", device="cuda"), set()),
    ],
)
def test_who_may_take_what(wanted: Needs, may: set[str]) -> None:
    assert {worker.name for worker in ALL if not obstacle(wanted, worker, ALL)} == may
    assert bool(waits_for(wanted, ALL)) == (not may)


def test_what_is_meant_for_a_gpu_goes_to_a_cpu_only_where_no_gpu_lives() -> None:
    wanted = Needs(gpu="wanted")
    assert obstacle(wanted, LAPTOP, ALL) == "a worker with a GPU"
    assert obstacle(wanted, LAPTOP, [LAPTOP]) == ""
    # a GPU that may not take it keeps nobody waiting
    old = Worker("old", "cuda:0", loupe="0.1.0")
    assert obstacle(Needs(gpu="wanted", loupe="0.2.0"), LAPTOP, [LAPTOP, old]) == ""


_STOCKED = Worker("stocked", weights=("palm", "face"), folders=("/models/x",), free=24 * 10**9)


@pytest.mark.parametrize(
    ("wanted", "may"),
    [
        (Needs(memory=20 * 10**9), {"stocked"}),
        (Needs(memory=24 * 10**9), {"stocked"}),
        (Needs(memory=4 * 10**9), {"laptop", "stocked"}),
        (Needs(memory=25 * 10**9), set()),
        (Needs(weights=("palm",)), {"stocked"}),
        (Needs(weights=("palm", "pose")), set()),
        (Needs(model="/models/x"), {"stocked"}),
        (Needs(model="/models/y"), set()),
        (Needs(useful=("palm", "face", "pose")), {"stocked"}),  # who has most of them
        (Needs(useful=("pose",)), {"laptop", "stocked"}),  # nobody has it: the run says what is missing
        (Needs(useful=("palm",), target="laptop"), {"laptop"}),  # somebody chose it
        (Needs(model="/models/x", target="laptop"), set()),  # it would fail there
    ],
)
def test_memory_and_files_decide(wanted: Needs, may: set[str]) -> None:
    alive = [LAPTOP, _STOCKED]
    assert {worker.name for worker in alive if not obstacle(wanted, worker, alive)} == may
    assert bool(waits_for(wanted, alive)) == (not may)


def test_files_of_checks_count_among_workers_with_a_gpu_where_it_is_for_one() -> None:
    wanted = Needs(gpu="wanted", useful=("palm",))
    # the one with the file is no GPU, and does not keep the GPU from it
    assert obstacle(wanted, BOX, [BOX, _STOCKED]) == ""
    assert obstacle(wanted, _STOCKED, [BOX, _STOCKED]) == "a worker with a GPU"


def test_a_job_for_one_of_several_gpus_goes_to_the_worker_on_it_while_that_lives() -> None:
    first, second, whole = Worker("first", "cuda:0"), Worker("second", "cuda:1"), Worker("whole", "cuda")
    wanted = Needs(device="cuda", exact_device="cuda:1")
    assert obstacle(wanted, first, [first, second]) == "a worker with the device cuda:1"
    assert obstacle(wanted, second, [first, second]) == ""
    assert obstacle(wanted, first, [first]) == "", "its machine may have that one, too"
    assert obstacle(wanted, whole, [first, whole]) == ""
    assert (
        obstacle(Needs(device="cuda", exact_device="cuda:0"), second, [second, whole])
        == "a worker with the device cuda:0"
    )
    assert obstacle(Needs(device="cuda", exact_device="cuda:0"), whole, [second, whole]) == ""


@pytest.mark.parametrize("seed", range(300))
def test_a_job_that_somebody_may_run_is_taken_by_somebody(seed: int) -> None:
    """Wishes are for the best of those who are fit: two of them must not send it from one to the other for ever."""
    rng = random.Random(seed)
    some = lambda *of: rng.choice(of)  # noqa: E731
    alive = [
        Worker(
            f"w{at}",
            some("cpu", "cuda", "cuda:0", "cuda:1", "mps"),
            some("0.2.3", "0.3.0"),
            free=some(4, 24, 80) * 10**9,
            weights=some((), ("palm",), ("palm", "pose")),
            folders=some((), ("/models/x",)),
        )
        for at in range(rng.randint(1, 4))
    ]
    wanted = Needs(
        target=some("", "", "w0", "gone", routing.ANY, routing.ANY_GPU),
        device=some("", "", "cuda"),
        gpu=some("", "wanted"),
        loupe=some("", "0.3.0"),
        model=some("", "", "/models/x"),
        memory=some(0, 0, 20 * 10**9),
        weights=some((), (), ("palm",)),
        useful=some((), ("palm",), ("palm", "pose")),
        exact_device=some("", "cuda:0", "cuda:1"),
    )
    fit = [worker for worker in alive if not routing._hard(wanted, worker, alive)]
    takers = [worker for worker in alive if not obstacle(wanted, worker, alive)]
    assert bool(takers) == bool(fit)
    assert all(worker in fit for worker in takers)


def test_why_a_job_waits_for_memory_and_files() -> None:
    assert (
        waits_for(Needs(memory=25 * 10**9), [LAPTOP, _STOCKED])
        == "waits for a worker with 25 GB of memory free; alive: laptop (cpu, 8 GB free), stocked (cpu, 24 GB free)"
    )
    assert (
        waits_for(Needs(weights=("palm", "pose")), [_STOCKED])
        == "waits for a worker with the model files pose (there: loupe weights get pose); alive: stocked (cpu)"
    )
    assert waits_for(Needs(model="/m"), [LAPTOP]) == "waits for a worker with the model folder /m; alive: laptop (cpu)"


def test_why_a_job_waits() -> None:
    assert waits_for(Needs(target=routing.ANY_GPU), [LAPTOP]) == "waits for a worker with a GPU; alive: laptop (cpu)"
    assert (
        waits_for(Needs(loupe="0.3.0"), [BOX])
        == "waits for a worker with Loupe 0.3.0 or newer; alive: gpubox (cuda:1, Loupe 0.2.3)"
    )
    assert "FiftyOne 1.22.1" in waits_for(Needs(fiftyone="2.0"), [LAPTOP])
    both = waits_for(Needs(device="cuda", target=routing.ANY_GPU), [LAPTOP, OTHER])
    assert both == "waits for a worker with a GPU or a worker with the device cuda; alive: laptop (cpu), mac (mps)"
    assert waits_for(Needs(loupe="9.0"), []) == "", "that no worker is there is said elsewhere"
    many = [Worker(f"w{at}") for at in range(9)]
    assert waits_for(Needs(device="cuda"), many).endswith("w4 (cpu) and 4 more")


_ODD = {"loupe": 3, "device": {"$ne": 1}, "gpu": None, "more": "x", "memory": "much", "weights": "palm", "useful": [3]}


@pytest.mark.parametrize("kept", [None, 3, "x", [], _ODD])
def test_what_others_left_there_needs_nothing(kept: Any) -> None:
    assert routing.needs(kept, None) == Needs()
    assert routing.needs(kept, "box") == Needs(target="box")
    assert routing.needs(kept, {"$gt": ""}) == Needs()


def test_needs_are_read_as_they_were_written() -> None:
    wanted = Needs("box", "cuda", "wanted", "0.2.0", "1.22.1", "/models/x", 24 * 10**9, ("palm",), ("pose",), "cuda:1")
    assert routing.needs(wanted.to_dict(), "box") == wanted
    assert len(routing.needs({"loupe": "9" * 10_000}, None).loupe) <= 100
    assert not routing.newer("no version", "0.1.0")
