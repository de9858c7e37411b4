"""A Ray cluster of one node, or of more, on this machine, on loopback, for the tests of the cluster engine."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from loupe.brain.core.errors import InputError
from loupe.brain.engine import ray_cluster

TOO_BUSY = "this machine is too busy: Ray's own processes did not start in time"
#: seconds that something may take on a machine that is very busy; nothing waits so long that is not waited for
WAIT = 600.0
#: a node that is killed refuses at once, which is noticed soon; on a busy machine one that is not may answer late
_HEALTH = {
    "health_check_initial_delay_ms": 5_000,
    "health_check_period_ms": 300,
    "health_check_timeout_ms": 60_000,
    "health_check_failure_threshold": 5,
}


@dataclass
class Nodes:
    """The cluster, its folder, what a node is added with, and whether nothing can disturb the files of the second."""

    ray: Any
    cluster: Any
    folder: Path
    second: Any = None
    is_plain: bool = True

    def add(self, cpus: int = 1, gpus: int = 0, **environment: str) -> Any:
        """Adds a node whose processes have these variables, and returns it; nobody looks whether there are the GPUs."""
        return self.cluster.add_node(num_cpus=cpus, num_gpus=gpus, env_vars=environment, include_dashboard=False)

    def kill(self, node: Any) -> None:
        """Kills a node with all of its processes, by SIGKILL."""
        self.cluster.remove_node(node, allow_graceful=False)

    def alone(self, *others: Any) -> None:
        """Kills those of the nodes that are not killed yet, and waits until the cluster knows that the first is left.

        How many nodes there are decides how many images are a batch.
        """
        for node in others:
            if node in self.cluster.worker_nodes:
                self.kill(node)
        until = time.monotonic() + WAIT
        while len(ray_cluster.nodes(self.ray)) > 1 and time.monotonic() < until:
            time.sleep(0.1)


@contextmanager
def running_or_skip(cpus: int = 1) -> Iterator[Nodes]:
    """As ``running``; on a machine that is too busy to start a cluster, the tests that want one are skipped."""
    with ExitStack() as stack:
        try:
            made = stack.enter_context(running(cpus))
        except Exception as error:
            if "timed out during startup" in str(error):
                pytest.skip(TOO_BUSY)
            raise
        yield made


@contextmanager
def running(cpus: int = 1) -> Iterator[Nodes]:
    """Yields a cluster of one node, to which this process is connected."""
    with ray_cluster.folder() as folder:
        yield from _running(cpus, folder)


def _running(cpus: int, folder: Path) -> Iterator[Nodes]:
    own = {**ray_cluster._LOCAL, "RAY_ADDRESS": "", "RAY_TMPDIR": str(folder)}
    (folder / "ray").mkdir()
    before = {name: os.environ.get(name) for name in own}
    os.environ.update(own)
    import ray
    from ray.cluster_utils import Cluster

    if ray.is_initialized():
        raise InputError("expected no cluster yet, got one")
    with ray_cluster._on_loopback(True), ray_cluster.patient():
        facts = {
            "num_cpus": cpus,
            "include_dashboard": False,
            "temp_dir": str(folder / "ray"),
            "_system_config": _HEALTH,
        }
        cluster = Cluster(initialize_head=True, head_node_args=facts)
        try:
            with ray_cluster._signals_kept():
                ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
            yield Nodes(ray, cluster, folder)
        finally:
            ray.shutdown()
            cluster.shutdown()
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
