"""The Ray cluster that work is sent to: that of this process, that of ``$RAY_ADDRESS``, else one on this machine."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import math
import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loupe.brain.core import parts
from loupe.brain.core.errors import InputError, MissingDependency

#: bytes that results on their way may take in shared memory, in a cluster of our own
_STORE = 512 * 2**20
#: as Ray reads them where it is imported, and in each process that it starts: a cluster of our own listens on loopback
#: alone, and its helpers look by themselves whether it is still alive
_LOCAL = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_enable_pipe_based_agent_to_parent_health_check": "0",
    "RAY_gcs_rpc_server_reconnect_timeout_s": "5",
    # as _START
    "RAY_gcs_server_port_wait_time_s": "180",
    "RAY_worker_register_timeout_seconds": "180",
    "RAY_agent_register_timeout_ms": "180000",
    # one process a core, most of which would have nothing to do
    "RAY_prestart_worker_first_driver": "0",
}
_LOOPBACK = "127.0.0.1"
#: how the name of the folder of a cluster of our own begins
_FOLDER = "loupe-ray-"
#: seconds that the processes of a cluster of our own have to start
_START = 180.0
#: the ports of a node's helpers, by Ray's names
_HELPERS = ("metrics_agent_port", "metrics_export_port", "dashboard_agent_listen_port", "runtime_env_agent_port")


@dataclass(frozen=True)
class Node:
    """A machine of the cluster.

    Attributes:
        id: Ray's own
        name: its host, and its address
        cpus, gpus: how many there are in all
    """

    id: str
    name: str
    cpus: int
    gpus: int


def require() -> None:
    """Raises an error unless Ray is installed.

    Raises:
        MissingDependency: it is not
    """
    if importlib.util.find_spec("ray") is None:
        raise MissingDependency(
            "engine='ray' needs the package ray: pip install 'loupe-fiftyone[ray]', here and on every node"
        )


@contextmanager
def connected() -> Iterator[Any]:
    """Yields the module ``ray``, connected to a cluster.

    That is the cluster to which this process is connected already, and which it keeps; else that of ``$RAY_ADDRESS``;
    else one on this machine, on loopback alone, which ends with the block, or with this process whatever ends it.

    Raises:
        MissingDependency: Ray is not installed
        InputError: there is no cluster at that address
    """
    require()
    address = os.environ.get("RAY_ADDRESS", "")
    with _environment({} if address else _LOCAL), ExitStack() as stack:
        ray = importlib.import_module("ray")
        if ray.is_initialized():
            yield ray
            return
        own = {} if address else _own(stack.enter_context(folder()))
        with _signals_kept(), _on_loopback(not address), nullcontext() if address else patient():
            for last in (False, True):
                try:
                    ray.init(address=address or "local", log_to_driver=False, logging_level="ERROR", **own)
                    break
                # Ray raises bare ones, too, where its processes are not up in time
                except Exception as error:
                    if not last and not address:
                        ray.shutdown()
                        continue
                    where = f"at RAY_ADDRESS={address!r}" if address else "on this machine"
                    raise InputError(f"expected a Ray cluster {where}, got: {error}") from error
        try:
            yield ray
        finally:
            ray.shutdown()


def _own(inside: Path) -> dict[str, Any]:
    return {
        "include_dashboard": False,
        "_node_ip_address": _LOOPBACK,
        # Ray lets everybody into the folder that it is given: it is one below that which nobody else may enter
        "_temp_dir": str(inside / "ray"),
        "object_store_memory": _STORE,
    }


@contextmanager
def folder() -> Iterator[Path]:
    """Gives a folder for a cluster of one's own, and removes those of drivers that were killed."""
    inside = Path(tempfile.gettempdir())
    parts.sweep(inside, _FOLDER, math.inf)
    with parts.part(inside, _FOLDER) as made:
        yield made


@contextmanager
def _environment(wanted: Mapping[str, str]) -> Iterator[None]:
    """Sets variables that nobody has set, for child processes that are started meanwhile."""
    new = {name: value for name, value in wanted.items() if name not in os.environ}
    os.environ.update(new)
    try:
        yield
    finally:
        for name in new:
            os.environ.pop(name, None)


@contextmanager
def _on_loopback(wanted: bool) -> Iterator[None]:
    """Ray takes an address that other machines can reach for loopback, unless this was decided as it was imported."""
    constants = importlib.import_module("ray._private.ray_constants") if wanted else None
    before = getattr(constants, "ENABLE_RAY_CLUSTER", None)
    if before is None:
        yield
        return
    constants.ENABLE_RAY_CLUSTER = False  # type: ignore[union-attr]
    try:
        yield
    finally:
        constants.ENABLE_RAY_CLUSTER = before  # type: ignore[union-attr]


@contextmanager
def patient() -> Iterator[None]:
    """On a machine that is busy Ray's own processes may take longer to start than Ray gives them.

    It waits 30 seconds for a node; and that waits 15 seconds for the ports of its helpers, unless these are given.
    Helpers that are not needed are not started.
    """
    services = importlib.import_module("ray._private.services")
    parameter = importlib.import_module("ray._private.parameter")
    before, params, start = services.get_node, parameter.RayParams, services.start_raylet
    arguments = inspect.signature(start)

    def get_node(*given: Any, **named: Any) -> Any:
        until = time.monotonic() + _START
        while True:
            try:
                return before(*given, **named)
            except RuntimeError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)

    def with_ports(*given: Any, **named: Any) -> Any:
        made = params(*given, **named)
        for name, port in zip(_HELPERS, _free_ports(len(_HELPERS)), strict=True):
            setattr(made, name, getattr(made, name) or port)
        # nobody reads logs here, nor adds machines: each is a process that takes a second of CPU to start
        made.no_monitor, made.include_log_monitor = True, False
        return made

    def start_raylet(*given: Any, **named: Any) -> Any:
        known = arguments.bind(*given, **named).arguments
        # the one that it is not given: it waits for a file with it
        name = "dashboard_agent_listen_port"
        importlib.import_module("ray._raylet").persist_port(known["session_dir"], known["node_id"], name, known[name])
        return start(*given, **named)

    services.get_node, parameter.RayParams = get_node, with_ports  # type: ignore[attr-defined]
    services.start_raylet = start_raylet  # type: ignore[attr-defined]
    try:
        yield
    finally:
        services.get_node, parameter.RayParams = before, params  # type: ignore[attr-defined]
        services.start_raylet = start  # type: ignore[attr-defined]


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((_LOOPBACK, 0))
        return [int(each.getsockname()[1]) for each in sockets]


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Ray takes SIGTERM for itself: what this process does at one is not for Ray to say."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        with suppress(TypeError):  # None: it was not set by Python
            signal.signal(signal.SIGTERM, before)


def nodes(ray: Any) -> list[Node]:
    """Returns the machines of the cluster that are alive and have a core."""
    listed = []
    for each in ray.nodes():
        resources = each["Resources"]
        if each["Alive"] and resources.get("CPU", 0) >= 1:
            name = f"{each['NodeManagerHostname']} ({each['NodeManagerAddress']})"
            listed.append(Node(each["NodeID"], name, int(resources["CPU"]), int(resources.get("GPU", 0))))
    return listed


def device_of(wanted: str | None) -> str:
    """Returns the device that each process of the cluster runs on: ``"cpu"``, or the ``"cuda"`` that Ray gives it.

    Args:
        wanted: as the caller gave it; None for ``$LOUPE_DEVICE``, else GPUs where the cluster has any

    Raises:
        InputError: it names one GPU of a machine, another kind of device, or there is no GPU
    """
    wanted = wanted or os.environ.get("LOUPE_DEVICE") or None
    if wanted not in (None, "cpu", "cuda"):
        raise InputError(
            f"expected device to be 'cpu', 'cuda' or left out with engine='ray', got {wanted!r}: Ray chooses which GPU "
            "each process gets"
        )
    if wanted == "cpu":
        return wanted
    with connected() as ray:
        gpus = sum(node.gpus for node in nodes(ray))
    if wanted == "cuda" and not gpus:
        raise InputError("expected a node with a GPU, got none in the Ray cluster. Leave device out to run on CPUs")
    return "cuda" if gpus else "cpu"
