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
_MAX_TEXT = 100
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


@dataclass(frozen=True)
class Needs:
    """What a job needs of a worker; an empty text needs nothing.

    Attributes:
        target: a worker's name, ``ANY`` or ``ANY_GPU``
        device: the kind of device that its settings name, as "cuda"
        gpu: "wanted" where it is meant for a GPU, and is left to workers that have one while such are alive
        loupe: the version that scheduled it
        fiftyone: FiftyOne's version there
    """

    target: str = ""
    device: str = ""
    gpu: str = ""
    loupe: str = ""
    fiftyone: str = ""

    def to_dict(self) -> dict[str, str]:
        """Returns it as plain JSON."""
        return asdict(self)


def needs(kept: object, target: object) -> Needs:
    """Returns what a job needs, as it was kept with it; whatever is no text of ours counts for nothing.

    Args:
        kept: ``Needs.to_dict``, or anything
        target: the worker that it was scheduled for
    """
    known: Mapping[Any, Any] = kept if isinstance(kept, Mapping) else {}
    texts = {field.name: known.get(field.name) for field in fields(Needs)} | {"target": target}
    return Needs(**{name: text[:_MAX_TEXT] for name, text in texts.items() if isinstance(text, str)})


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
    if hard or wanted.gpu != "wanted" or has_gpu(worker) or wanted.target == worker.name:
        return hard
    better = any(has_gpu(other) and not _hard(wanted, other, alive) for other in alive)
    return "a worker with a GPU" if better else ""


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
    return ""


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
    versions = [f"Loupe {worker.loupe}"] if newer(wanted.loupe, worker.loupe) else []
    versions += [f"FiftyOne {worker.fiftyone}"] if newer(wanted.fiftyone, worker.fiftyone) else []
    return ", ".join([worker.device, *versions])
