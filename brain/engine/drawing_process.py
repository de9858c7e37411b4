"""A process that draws for another one: it loads the generator once, and then draws what comes.

What it draws it writes by itself; the database it never sees.
"""

from __future__ import annotations

import pickle
import threading
import traceback
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from loupe.brain.core.errors import InputError, LoupeError
from loupe.brain.core.specs import Generator, GeneratorSession
from loupe.brain.engine import own_process
from loupe.brain.engine.drawing import Finished, finish


@dataclass(frozen=True)
class Order:
    """What a process is started for.

    Attributes:
        spec: the generator
        folder: where images go
        device: where it draws
        torch: ``torch_settings`` of the process that started it: they decide bits of the pixels
    """

    spec: Generator
    folder: Path
    device: str
    torch: Mapping[str, Any]


@dataclass(frozen=True)
class Failed:
    """It could not be loaded."""

    error: Exception


def main() -> None:
    """Draws until nothing more comes; called in a process of its own."""
    link = own_process.Link()
    try:
        order = _understood(link)
        set_torch(order.torch, order.device)
        session = order.spec.load(order.device)
        if session.remote is not None:
            raise InputError(f"expected one device, got several: {order.spec.name} draws elsewhere")
    except Exception as error:
        link.answer(Failed(portable(error)))
        # its end is for the other process to tell
        threading.Event().wait()
    link.answer(replace(session, draw=elsewhere))
    while True:
        link.answer(_finished(order, session, link))


def _understood(link: own_process.Link) -> Order:
    try:
        order: Order = link.next()
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"expected a generator that other processes can import, and that goes wrong: {error}. Put it into a module "
            "of its own, or name one device"
        ) from error
    return order


def _finished(order: Order, session: GeneratorSession, link: own_process.Link) -> Finished:
    with warnings.catch_warnings(record=True) as caught:
        try:
            batch = link.next()
            done = finish(order.folder, order.spec, session, batch)
        except Exception as error:
            done = Finished((), error)
    texts = tuple((str(warning.message), warning.category) for warning in caught)
    return replace(done, error=None if done.error is None else portable(done.error), warnings=texts)


def elsewhere(requests: object) -> NoReturn:
    """Stands where a session drew that was sent here."""
    raise AssertionError("this session draws in other processes")


def portable(error: Exception) -> Exception:
    """Returns an error that another process can read: itself, or where that is not possible one of the same words."""
    if not isinstance(error, (LoupeError, OSError)):
        error.add_note("".join(traceback.format_exception(error)))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        kind: Callable[[str], Exception] = InputError if isinstance(error, InputError) else RuntimeError
        made = kind(str(error) if isinstance(error, LoupeError) else f"{type(error).__name__}: {error}")
        for note in getattr(error, "__notes__", ()):
            made.add_note(note)
        return made
    return error


def torch_settings() -> dict[str, Any]:
    """Returns the settings of torch in this process that decide bits of what is calculated."""
    import torch

    return {
        "threads": torch.get_num_threads(),
        "precision": torch.get_float32_matmul_precision(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "cudnn": {name: getattr(torch.backends.cudnn, name) for name in ("allow_tf32", "benchmark", "deterministic")},
    }


def set_torch(settings: Mapping[str, Any], device: str) -> None:
    """Takes over the settings of another process, and makes the device the one that is meant by "cuda"."""
    import torch

    torch.set_num_threads(settings["threads"])
    torch.set_float32_matmul_precision(settings["precision"])
    # only where it changes: it imports torch's compiler, which takes a second
    if torch.are_deterministic_algorithms_enabled() != settings["deterministic"]:
        torch.use_deterministic_algorithms(settings["deterministic"])
    for name, value in settings["cudnn"].items():
        setattr(torch.backends.cudnn, name, value)
    if device.startswith("cuda:"):
        torch.cuda.set_device(device)
