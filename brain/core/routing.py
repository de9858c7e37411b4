"""Which worker may run a job: what the job needs, what a worker is, and why a job waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Protocol

from packaging.version import InvalidVersion, Version

#: what stands for a worker's name where any will do, or any with a GPU
ANY, ANY_GPU = "any worker", "any GPU"
#: the parameter of a scheduled operation that says what it needs; written as it is scheduled
NEEDS = "loupe_needs"
#: the setting of a run by which whoever schedules it says what else it needs: memory, weights, model
SAID = "needs"
_MAX_TEXT, _MAX_PATH = 100, 1000
_MAX_NAMED = 5


class Worker(Protocol):
    """What of a worker decides which jobs it may run."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def device(self) -> str: ...
    @property
    def loupe(self) -> str: ...
    @property
    def fiftyone(self) -> str: ...
    @property
    def free(self) -> int: ...
    @property
    def weights(self) -> Sequence[str]: ...
    @property
    def folders(self) -> Sequence[str]: ...


@dataclass(frozen=True)
class Needs:
    """What a job needs of a worker; an empty text needs nothing.

    Attributes:
        target: a worker's name, ``ANY`` or ``ANY_GPU``
        device: the kind of device that its settings name, as "cuda"
        gpu: "wanted" where it is meant for a GPU, and is left to workers that have one while such are alive
        loupe: the version that scheduled it
        fiftyone: FiftyOne's version there
        model: the folder that its model lies in, which has to be there
        memory: bytes that have to be free on the device that runs it; 0: nobody has said
        weights: model files by their names that have to be there
        useful: such that its checks use: who has them comes before who has not; without any, anybody takes it
        exact_device: the one that its settings name, as "cuda:1": left to workers on it while such are alive
    """

    target: str = ""
    device: str = ""
    gpu: str = ""
    loupe: str = ""
    fiftyone: str = ""
    model: str = ""
    memory: int = 0
    weights: tuple[str, ...] = ()
    useful: tuple[str, ...] = ()
    exact_device: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Returns it as plain JSON."""
        return asdict(self)


def needs(kept: object, target: object) -> Needs:
    """Returns what a job needs, as it was kept with it; whatever is not as we write it counts for nothing.

    Args:
        kept: ``Needs.to_dict``, or anything
        target: the worker that it was scheduled for
    """
    known: Mapping[Any, Any] = kept if isinstance(kept, Mapping) else {}
    values: dict[str, Any] = {}
    for each in fields(Needs):
        value = target if each.name == "target" else known.get(each.name)
        if isinstance(each.default, str) and isinstance(value, str):
            values[each.name] = value[: _MAX_PATH if each.name == "model" else _MAX_TEXT]
        elif isinstance(each.default, int) and isinstance(value, int):
            values[each.name] = max(0, int(value))
        elif isinstance(each.default, tuple) and isinstance(value, Sequence) and not isinstance(value, str):
            values[each.name] = tuple(name[:_MAX_TEXT] for name in value if isinstance(name, str))
    return Needs(**values)


def has_gpu(worker: Worker) -> bool:
    """Returns whether a worker runs on something better than a CPU."""
    return bool(worker.device) and kind(worker.device) != "cpu"


def kind(device: str) -> str:
    """Returns the kind of a device.

    >>> kind("cuda:1"), kind("cuda:0,cuda:1"), kind("")
    ('cuda', 'cuda', '')
    """
    return device.split(",")[0].partition(":")[0].strip().lower()


def obstacle(wanted: Needs, worker: Worker, alive: Sequence[Worker]) -> str:
    """Returns what a job needs and this worker is not, in words; empty where it may take the job.

    A job for a worker by name waits for it while it lives; else anybody may take it.

    Args:
        wanted: what the job needs
        worker: who asks
        alive: all workers that are
    """
    hard = _hard(wanted, worker, alive)
    if hard or wanted.target == worker.name:
        return hard
    others = [other for other in alive if not _hard(wanted, other, alive)]
    if wanted.gpu == "wanted" and not has_gpu(worker) and any(map(has_gpu, others)):
        return "a worker with a GPU"
    if wanted.gpu == "wanted" and has_gpu(worker):
        others = [other for other in others if has_gpu(other)]
    on_it = [other for other in others if _is_on(other, wanted.exact_device)]
    if on_it and not _is_on(worker, wanted.exact_device):
        return f"a worker with the device {wanted.exact_device}"
    others = on_it or others
    lacking = _lacking(wanted.useful, worker)
    if lacking and any(len(_lacking(wanted.useful, other)) < len(lacking) for other in others):
        return f"a worker with the model files of its checks, {_listed(lacking)}"
    return ""


def _is_on(worker: Worker, device: str) -> bool:
    """Returns whether a worker runs on that device; the first of a kind needs no number."""
    return worker.device == device or f"{worker.device}:0" == device


def _lacking(names: Sequence[str], worker: Worker) -> list[str]:
    return [name for name in names if name not in worker.weights]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
    return f"{', '.join(names[:_MAX_NAMED])}{more}"


def _hard(wanted: Needs, worker: Worker, alive: Sequence[Worker]) -> str:
    if newer(wanted.loupe, worker.loupe):
        return f"a worker with Loupe {wanted.loupe} or newer"
    if newer(wanted.fiftyone, worker.fiftyone):
        return f"a worker with FiftyOne {wanted.fiftyone} or newer"
    if wanted.target == ANY_GPU and not has_gpu(worker):
        return "a worker with a GPU"
    if wanted.target not in ("", ANY, ANY_GPU, worker.name) and any(other.name == wanted.target for other in alive):
        return f"the worker {wanted.target}"
    if wanted.device not in ("", "cpu", "all", kind(worker.device)):
        return f"a worker with the device {wanted.device}"
    if wanted.memory > worker.free:
        return f"a worker with {gigabytes(wanted.memory)} of memory free"
    if lacking := _lacking(wanted.weights, worker):
        return f"a worker with the model files {_listed(lacking)} (there: loupe weights get {' '.join(lacking)})"
    if wanted.model and wanted.model not in worker.folders:
        return f"a worker with the model folder {wanted.model}"
    return ""


def gigabytes(size: int) -> str:
    """Returns a size in words.

    >>> gigabytes(24_000_000_000), gigabytes(1_500_000_000)
    ('24 GB', '1.5 GB')
    """
    return f"{round(size / 1e9, 1):g} GB"


def newer(wanted: str, here: str) -> bool:
    """Returns whether a version is of a later minor series than the one here; what is no version is of none.

    >>> newer("0.3.0", "0.2.9"), newer("0.2.9", "0.2.0"), newer("1.0", "0.9"), newer("", "0.1"), newer("1.0", "")
    (True, False, True, False, False)
    """
    try:
        return Version(wanted).release[:2] > Version(here).release[:2]
    except InvalidVersion:
        return False


def waits_for(wanted: Needs, alive: Sequence[Worker]) -> str:
    """Returns why no living worker takes a job, in words; empty where one of them may, or none lives at all."""
    obstacles = [obstacle(wanted, worker, alive) for worker in alive]
    if not alive or not all(obstacles):
        return ""
    lacking = " or ".join(dict.fromkeys(obstacles))
    named = [f"{worker.name} ({_facts(wanted, worker)})" for worker in alive[:_MAX_NAMED]]
    more = f" and {len(alive) - _MAX_NAMED} more" if len(alive) > _MAX_NAMED else ""
    return f"waits for {lacking}; alive: {', '.join(named)}{more}"


def _facts(wanted: Needs, worker: Worker) -> str:
    memory = [f"{gigabytes(worker.free)} free"] if wanted.memory > worker.free else []
    versions = [f"Loupe {worker.loupe}"] if newer(wanted.loupe, worker.loupe) else []
    versions += [f"FiftyOne {worker.fiftyone}"] if newer(wanted.fiftyone, worker.fiftyone) else []
    return ", ".join([worker.device, *memory, *versions])
