"""What a process of the Ray cluster does: it begins what it was ordered once, then answers whatever it is sent.

``worker_class`` is sent to the nodes as it stands, since a node may have no Loupe, or another one: it has to run there
before Loupe is imported.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import loupe

#: packages that decide bits of scores and pixels, beside Loupe
_DECIDE = ("torch", "numpy", "pillow", "opencv-python-headless", "simplejpeg", "diffusers", "transformers")
#: what says where model files lie, and holds for the nodes, too
_FORWARDED = ("LOUPE_WEIGHTS", "LOUPE_WEIGHTS_DIRS", "LOUPE_OFFLINE", "LOUPE_REMOTE_MEDIA")


class Begins(Protocol):
    """What a process is started for; it is sent there."""

    def begin(self, workers: int) -> tuple[Callable[[Any], Any], Any]:
        """Returns what answers whatever is sent, and what there is to tell at once; called on the node.

        Args:
            workers: cores of the process
        """


def facts() -> dict[str, Any]:
    """Returns what a node has to agree with: the versions, and how Loupe is found where it is not installed there."""
    return {
        "loupe": loupe.__version__,
        "packages": versions(),
        "path": [entry for entry in os.sys.path if entry],  # type: ignore[attr-defined]
        "package": str(Path(loupe.__file__).resolve()),
        "environment": {name: os.environ[name] for name in _FORWARDED if name in os.environ},
    }


def versions() -> dict[str, str]:
    """Returns the versions of the packages that decide bits of scores and pixels."""
    import importlib.metadata

    present = {}
    for name in _DECIDE:
        try:
            present[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return present


def begun(order: bytes, workers: int) -> tuple[Callable[[Any], Any], bytes]:
    """Returns what answers by an order that was sent, and what it tells."""
    work, known = pickle.loads(order).begin(workers)
    return work, pickle.dumps(known)


def answered(work: Callable[[Any], Any], sent: bytes) -> bytes:
    """Returns the answer to what was sent. Bytes: arrays of a reply would keep Ray's shared memory."""
    return pickle.dumps(work(pickle.loads(sent)))


def worker_class() -> type:
    """Returns the class of the processes; none of its methods may need what stands around it."""

    class Loupe:
        def start(self, expected: dict[str, Any], order: bytes, workers: int) -> dict[str, Any]:
            """Returns what this node has; under ``lacks`` what it should have, where that is not so; what was told."""
            import os
            import platform
            import runpy
            import sys

            os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
            for name, value in expected["environment"].items():
                os.environ.setdefault(name, value)
            sys.path.extend(entry for entry in expected["path"] if entry not in sys.path and os.path.exists(entry))
            has: dict[str, Any] = {"name": platform.node(), "pid": os.getpid(), "lacks": ""}
            try:
                try:
                    import loupe
                except ImportError:
                    if not os.path.exists(expected["package"]):
                        raise
                    runpy.run_path(expected["package"])
                    import loupe
                has["loupe"] = loupe.__version__
            except ImportError as error:
                return {**has, "loupe": None, "lacks": f"no Loupe ({error})"}
            if has["loupe"] != expected["loupe"]:
                return {**has, "lacks": f"Loupe {has['loupe']}"}
            from loupe.brain.engine import ray_work

            here = ray_work.versions()
            has["differs"] = {
                name: (version, here.get(name, "none"))
                for name, version in expected["packages"].items()
                if here.get(name) != version
            }
            try:
                self.works, has["told"] = ray_work.begun(order, workers)
            except (ImportError, AttributeError) as error:
                return {**has, "lacks": f"what a check, an embedder or a generator is made of ({error})"}
            return has

        def work(self, sent: bytes) -> bytes:
            from loupe.brain.engine import ray_work

            return ray_work.answered(self.works, sent)

    return Loupe
