"""What a scheduled run needs of a worker, and whom the form offers to schedule it for."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import fiftyone as fo

import loupe
from loupe.brain.core import registry, routing
from loupe.brain.core.errors import InputError
from loupe.brain.core.shown import counted
from loupe.brain.perception import weights
from loupe.brain.worker import memory

if TYPE_CHECKING:
    from loupe.brain.store.workers import WorkerFacts

#: one device of several of its kind
_ONE = re.compile(r"[a-z]+:\d+")
#: draws on any CPU in no time
_SMALL = "tiny-signs"


def needs(params: Mapping[str, Any]) -> routing.Needs:
    """Returns what a run with these settings needs, as it is scheduled now.

    Whoever schedules a run from Python says more under ``needs``: ``{"memory": "24GB", "weights": [names of model
    files], "model": a folder}``.

    Args:
        params: as the form was filled

    Raises:
        InputError: what stands under ``needs`` is something else
    """
    stated = _stated(params)
    device = params.get("device")
    kind = routing.kind(device) if isinstance(device, str) else ""
    wanted = "wanted" if kind == "all" or wants_gpu(params) else ""
    return routing.Needs(
        device="" if kind in ("cpu", "all") else kind,
        gpu="" if kind == "cpu" else wanted,
        loupe=loupe.__version__,
        fiftyone=fo.__version__,
        useful=_useful(params),
        exact_device=device if isinstance(device, str) and _ONE.fullmatch(device) else "",
        **{"model": _folder(params), **stated},
    )


def _stated(params: Mapping[str, Any]) -> dict[str, Any]:
    given = params.get(routing.SAID) or {}
    names = ("memory", "weights", "model")
    if not isinstance(given, Mapping) or set(given) - set(names):
        raise InputError(f"expected needs= of a run to hold {', '.join(names)}, got {given!r}"[:300])
    made: dict[str, Any] = {}
    if "memory" in given:
        made["memory"] = memory.limit(str(given["memory"]))
    if "weights" in given:
        listed = [given["weights"]] if isinstance(given["weights"], str) else list(given["weights"])
        weights.absent(listed)  # an unknown name is refused at once
        made["weights"] = tuple(listed)
    if "model" in given:
        made["model"] = str(given["model"])
    return made


def _folder(params: Mapping[str, Any]) -> str:
    """Returns the folder that a model is to be read from; empty where it is named otherwise."""
    model = params.get("model")
    return model if isinstance(model, str) and os.path.isabs(os.path.expanduser(model)) else ""


def _useful(params: Mapping[str, Any]) -> tuple[str, ...]:
    """Returns the model files that checks use which are asked for by name."""
    named = params.get("checks")
    known = registry.checks()
    asked = [registry.pick("check", known, name) for name in named if name in known] if isinstance(named, list) else []
    return tuple(sorted({name for check in asked for name in check.weights()}))


def wants_gpu(params: Mapping[str, Any]) -> bool:
    """Returns whether settings name what takes minutes an image on a CPU: a model that draws, or a VLM.

    >>> wants_gpu({"model": "tiny-signs"}), wants_gpu({"model": "black-forest-labs/FLUX.1-schnell"})
    (False, True)
    """
    if any(name.endswith("backend") and value == "vlm" for name, value in params.items()):
        return True
    if params.get("model__drawn_by", "diffusion") not in ("", "diffusion", "local", None):
        return False
    given = params.get("models") or params.get("model") or ()
    named = given if isinstance(given, list) else [given]
    return any(isinstance(name, str) and name != _SMALL and registry.hosted(name) is None for name in named)


def offered(alive: Sequence[WorkerFacts]) -> list[Any]:
    """Returns whom the App offers to schedule a run for: the workers by name, any of several, any with a GPU.

    FiftyOne offers "Schedule" only for orchestrators that it knows, and the open-source edition knows none.
    """
    devices: dict[str, set[str]] = {}
    for worker in alive:
        devices.setdefault(worker.name, set()).add(worker.device)
    entries = {name: f"Loupe worker on {', '.join(sorted(own))}" for name, own in devices.items()}
    if len(alive) > 1:
        with_gpu = [worker for worker in alive if routing.has_gpu(worker)]
        anybody = {routing.ANY: f"The first that is free of {counted(len(alive), 'Loupe worker')}"}
        if 0 < len(with_gpu) < len(alive):
            anybody[routing.ANY_GPU] = f"The first that is free of {counted(len(with_gpu), 'Loupe worker')} with a GPU"
        entries = anybody | entries
    return [
        SimpleNamespace(id=name, instance_id=name, description=text, available_operators=[])
        for name, text in entries.items()
    ]
