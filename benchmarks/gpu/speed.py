"""Pictures of 1024 x 1024 from file to verdict, and where the time goes."""

from __future__ import annotations

import importlib
import inspect
import os
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.gpu.parity import one_batch
from benchmarks.gpu.pictures import leaves, write_files
from benchmarks.gpu.report import Report, Settings, rate
from loupe.brain.core import registry
from loupe.brain.core.specs import Check
from loupe.brain.engine import runner
from loupe.brain.engine.reader import Row

SIDE, AIM = 1024, 5000.0
#: they run a model on the CPU, or read a prompt
_OTHERS = ("text", "overlay", "composition", "personal_data")


def pixel_checks(default: bool) -> list[str]:
    """Returns the names of the checks that need no model: those of a run that names none, or all."""
    return [
        name
        for name, check in registry.checks().items()
        if name not in _OTHERS and not check().weights() and not check().absent() and (check.default or not default)
    ]


def run(report: Report, settings: Settings) -> None:
    """Prints the rate end to end, and of each stage."""
    side, default = settings.size(SIDE, 96), pixel_checks(True)
    with tempfile.TemporaryDirectory() as folder:
        paths = write_files(Path(folder), settings.size(512, 8), side, settings.size(32, 2))
        for count in (16, 64):
            title = f"end to end, default checks, batches of {count}"
            report.attempt(
                title, lambda title=title, count=count: _print_run(report, settings, title, default, paths, count)
            )
        report.attempt("where the time goes", lambda: _print_where(report, settings, default, paths))
        title = "end to end, all pixel checks"
        few = paths[: settings.size(128, 4)]
        report.attempt(title, lambda: _print_run(report, settings, title, pixel_checks(False), few, 16))
        title = "end to end, default checks, files of many shapes"
        report.attempt(title, lambda: _print_shapes(report, settings, title, default, Path(folder) / "shapes"))
    images = [np.asarray(leaves(side, side, seed)) for seed in range(settings.size(16, 2))]
    report.attempt("to the device", lambda: _print_transfer(report, settings, images))
    spent: dict[str, float] = {}
    for name in pixel_checks(False):
        report.attempt(name, lambda name=name: _print_check(report, settings, name, images, spent))
    whole = sum(spent.get(name, 0.0) for name in default)
    if whole:
        report.row("the default checks, one after the other", 1000 / whole, "images/s", f"{whole:.3f} ms an image")
    report.attempt("the default checks together", lambda: _print_together(report, settings, default, images))
    report.attempt("kernels", lambda: _print_kernels(report, settings, default, images))


def _print_run(
    report: Report, settings: Settings, title: str, names: Sequence[str], paths: Sequence[str], batch_size: int
) -> None:
    checks = [registry.checks()[name]() for name in names]

    def through(count: int) -> float:
        rows = [Row(str(at), paths[at % len(paths)], {}, frozenset(names)) for at in range(count)]
        started = time.perf_counter()
        problems = [
            problem
            for chunk in runner.run(rows, checks, device=settings.device, batch_size=batch_size)
            for verdict in chunk
            for problem in verdict.errors.items()
        ]
        if problems:
            raise RuntimeError(f"{len(problems)} errors, the first of {problems[0][0]}: {problems[0][1]}")
        return time.perf_counter() - started

    # the first run loads what is loaded once; then for about four figures' time, judged by a short one
    through(min(len(paths), 64))
    short = through(len(paths))
    count = max(len(paths), int(len(paths) * 4 * settings.seconds / short))
    each = count / through(count)
    aim = f"aim {AIM:.0f}" if "default" in title else f"{len(names)} checks"
    report.row(title, each, "images/s", f"{aim}; {count} files, {os.cpu_count()} cores")


#: what is watched while a run goes on: module, function, and what it does
_WATCHED = (
    (
        "loupe.brain.imaging.decode",
        "decode",
        "files",
        "read, their headers, whether they are whole, or decoded; all threads",
    ),
    ("loupe.brain.engine.reader", "decode", "decoding on the device", "one thread"),
    ("loupe.brain.engine.threads", "_batches", "batches", "put together and moved to the device; one thread on a GPU"),
    ("loupe.brain.engine.threads", "attempt", "checks", "with their waits for the device; one thread on a GPU"),
    ("loupe.brain.core.records", "Scores.by_sample", "scores", "fetched from the device and taken apart"),
    ("loupe.brain.engine.runner", "_verdict", "verdicts", "put together"),
)


def _print_where(report: Report, settings: Settings, names: Sequence[str], paths: Sequence[str]) -> None:
    """Prints how long each stage of a run takes of the clock; they overlap, as they run on several threads."""
    checks = [registry.checks()[name]() for name in names]
    rows = [Row(str(at), path, {}, frozenset(names)) for at, path in enumerate(paths)]
    with ExitStack() as stack:
        spent = {
            (stage, what): stack.enter_context(watched(module, name))
            for module, name, stage, what in _WATCHED
            if _has(module, name)
        }
        started = time.perf_counter()
        for _ in runner.run(rows, checks, device=settings.device, batch_size=64):
            pass
        whole = time.perf_counter() - started
    for (stage, what), seconds in spent.items():
        each = 1000 * sum(seconds) / len(paths)
        report.row(f"  {stage}", each, "ms an image", f"{what}: {sum(seconds) / whole:.2f} of the clock's time")
    report.row("where the time goes", 1000 * whole / len(paths), "ms an image", "the whole; the stages overlap")


def _place(module: str, name: str) -> tuple[Any, str]:
    """Returns the module or the class that a function stands in, and its own name."""
    *classes, last = name.split(".")
    place: Any = importlib.import_module(module)
    for part in classes:
        place = getattr(place, part)
    return place, last


def _has(module: str, name: str) -> bool:
    place, last = _place(module, name)
    return hasattr(place, last)


@contextmanager
def watched(module: str, name: str) -> Iterator[list[float]]:
    """Yields a list that gets the seconds of each call of a function, of a generator without what its user does."""
    place, last = _place(module, name)
    function, spent = getattr(place, last), []

    def steps(generator: Any) -> Iterator[Any]:
        while True:
            started = time.perf_counter()
            try:
                item = next(generator)
            except StopIteration:
                return
            finally:
                spent.append(time.perf_counter() - started)
            yield item

    def timed(*arguments: Any, **more: Any) -> Any:
        started = time.perf_counter()
        made = function(*arguments, **more)
        if inspect.isgenerator(made):
            return steps(made)
        spent.append(time.perf_counter() - started)
        return made

    setattr(place, last, timed)
    try:
        yield spent
    finally:
        setattr(place, last, function)


def _print_shapes(report: Report, settings: Settings, title: str, names: Sequence[str], folder: Path) -> None:
    """Real photos rarely share a shape: each of these has one of its own."""
    folder.mkdir()
    whole = leaves(settings.size(SIDE, 96), settings.size(SIDE, 96), 0)
    paths = []
    for index in range(settings.size(128, 4)):
        part = whole.crop((0, 0, whole.width - index, whole.height - 2 * index))
        paths.append(str(folder / f"{index}.jpg"))
        part.save(paths[-1], quality=90)
    _print_run(report, settings, title, names, paths, 16)


def _print_transfer(report: Report, settings: Settings, images: Sequence[np.ndarray]) -> None:
    batch = one_batch(images, "cpu").pixels
    size = batch.nbytes / len(images)
    pinned = batch.pin_memory() if settings.device.startswith("cuda") else batch
    for name, held in (("to the device", batch), ("to the device, from pinned memory", pinned)):
        each = rate(lambda held=held: held.to(settings.device, copy=True), settings, settings.seconds / 2) * len(images)
        report.row(name, each, "images/s", f"{each * size / 1e9:.1f} GB/s; only what the CPU has decoded goes this way")


def _print_check(
    report: Report, settings: Settings, name: str, images: Sequence[np.ndarray], spent: dict[str, float]
) -> None:
    check: Check = registry.checks()[name]()
    score = check.load(settings.device)
    pixels = one_batch(images, settings.device)

    def once() -> object:
        # a batch of its own: nothing is left of what others have computed
        return score(type(pixels)(pixels.ids, pixels.pixels, pixels.sizes, pixels.fields)).by_sample(len(pixels))

    each = 1000 / rate(once, settings, settings.seconds / 2) / len(images)
    spent[name] = each
    waits = count_waits(once, settings.device)
    note = f"among {len(images)}, decoded, what is shared computed anew; "
    known = "waits are counted on a GPU alone" if waits is None else f"{waits} waits for the device in the batch"
    report.row(name, each, "ms an image", note + known)


def count_waits(work: Callable[[], object], device: str) -> int | None:
    """Returns how often the device is waited for; None where that is not known."""
    import torch

    if not device.startswith("cuda"):
        return None
    work()
    torch.cuda.synchronize(device)
    try:
        torch.cuda.set_sync_debug_mode("warn")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            work()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return sum("synchroniz" in str(warning.message) for warning in caught)


def _together(names: Sequence[str], images: Sequence[np.ndarray], device: str) -> Callable[[], None]:
    """Returns what runs checks over a decoded batch, which share what they compute of it."""
    pixels = one_batch(images, device)
    loaded = [registry.checks()[name]().load(device) for name in names]

    def once() -> None:
        batch = type(pixels)(pixels.ids, pixels.pixels, pixels.sizes, pixels.fields)
        for score in loaded:
            score(batch).by_sample(len(batch))

    return once


def _print_together(report: Report, settings: Settings, names: Sequence[str], images: Sequence[np.ndarray]) -> None:
    once = _together(names, images, settings.device)
    each = rate(once, settings, settings.seconds / 2) * len(images)
    waits = count_waits(once, settings.device)
    known = "" if waits is None else f"{waits} waits for the device in the batch"
    report.row(
        "the default checks together", each, "images/s", f"decoded, {len(images)} at a time; {known}".rstrip("; ")
    )


def _print_kernels(report: Report, settings: Settings, names: Sequence[str], images: Sequence[np.ndarray]) -> None:
    if not settings.device.startswith("cuda"):
        report.row("kernels", None, note="left out: there is no GPU, and nothing to profile on it")
        return
    from torch.profiler import ProfilerActivity, profile

    once = _together(names, images, settings.device)
    each = 1000 / rate(once, settings, settings.seconds / 2)
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as watched:
        once()
    events = watched.key_averages()
    times = {event.key: (event.self_device_time_total / 1000, event.count) for event in events}
    busy = sum(spent for spent, _ in times.values())
    launches = sum(count for key, (_, count) in times.items() if "LaunchKernel" in key)
    top = sorted(times, key=lambda key: -times[key][0])[:5]
    report.row("kernels", float(launches), "a batch", f"of {len(images)} pictures through the default checks")
    report.row(
        "busy", busy / each, "share of the time", f"{busy:.2f} of {each:.2f} ms a batch; the rest is Python and waiting"
    )
    for key in top:
        report.row(f"  {key[:40]}", times[key][0], "ms a batch", f"{times[key][1]} times")
