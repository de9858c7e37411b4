"""What is missing is drawn, batch by batch, and becomes samples: files first, then the database."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from loupe.brain.core.errors import InputError, OutputError, Stopped
from loupe.brain.core.records import Progress, ProgressCallback
from loupe.brain.core.specs import Generator
from loupe.brain.engine import drawing, output_folder, processes, ray_drawing
from loupe.brain.engine.drawing import Drawers, Generated, Here, Item
from loupe.brain.hosted.spec import HostedGenerator
from loupe.brain.store import generated as store_generated
from loupe.brain.verbs.lifecycle import Lifecycle
from loupe.brain.verbs.steps.hosted import Hosted, Outcomes

if TYPE_CHECKING:
    import fiftyone as fo


@contextmanager
def loaded(spec: Generator, folder: Path, verb: Lifecycle, total: int) -> Iterator[Drawers]:
    """Yields what draws: this process, one for each device of the verb where it has several, or those of a cluster.

    Args:
        spec: the generator
        folder: where images go
        verb: that is running
        total: images that are wanted

    Raises:
        ModelError: the model cannot be loaded
        InputError: several devices for a generator that cannot use them
        ProcessLost: a process that loaded it was killed
        Stopped: the caller asked to stop while several loaded
    """
    if verb.engine == "ray":
        _require_here(spec, f"engine={verb.engine!r}")
        message = "loading the model on the cluster"
        with ray_drawing.opened(spec, folder, verb.device, total, lambda: verb.step(0, total, message)) as cluster:
            yield cluster
        return
    if len(verb.devices) == 1:
        yield Here(spec, folder, spec.load(verb.device))
        return
    _require_here(spec, verb.device)
    message = f"loading the model {len(verb.devices)} times"
    with processes.opened(spec, folder, verb.devices, lambda: verb.step(0, total, message)) as several:
        yield several


def _require_here(spec: Generator, given: str) -> None:
    if isinstance(spec, HostedGenerator):
        raise InputError(f"expected no device, got {given}: {spec.service_title} draws on its own machines")


def make(
    dataset: fo.Dataset,
    folder: Path,
    spec: Generator,
    drawers: Drawers,
    items: Sequence[Item],
    report: ProgressCallback,
) -> tuple[int, int, Outcomes]:
    """Draws what is missing; returns how many images it added and how many were there.

    Raises:
        OutputError: the folder cannot be written; what was drawn is stored
        ProcessLost: too few of several processes are left; what was drawn is stored
        Stopped: ``report`` asked for that; what was drawn is stored
    """
    session, total = drawers.session, len(items)
    pending = _pending(dataset, folder, items)
    skipped = total - len(pending)
    if session.remote is not None:
        hosted = Hosted(
            session.remote(folder),
            lambda item: drawing.adopt(folder, item),
            lambda item, image, seconds: drawing.write(folder, spec, session, item, image, seconds),
            lambda images, count: _add(dataset, folder, images, count, total),
            lambda error, count: _writing_error(folder, error, count, total),
        )
        made, outcomes = hosted.make(items, pending, report)
        return made, skipped, outcomes
    done, stopped = skipped, None
    if pending:
        report(Progress(done, total, "generating"))
    for finished in drawers.run(drawing.batches(pending, _batch_size(drawers, len(pending)))):
        if finished is not None:
            done += _add(dataset, folder, finished.images, done, total)
            if isinstance(finished.error, OSError):
                raise _writing_error(folder, finished.error, done, total) from finished.error
            if finished.error is not None:
                raise finished.error
        if stopped is None and done < total:
            stopped = _asked_to_stop(report, Progress(done, total, "generating"), drawers)
    if stopped is not None:
        raise stopped
    report(Progress(done, total, "generated"))
    account, messages = drawers.account()
    return done - skipped, skipped, Outcomes(account=account, messages=messages)


def _batch_size(drawers: Drawers, pending: int) -> int:
    """Returns how many images are a batch: fewer where several share what there is, but whole calls of the model."""
    at_once = int(drawers.session.facts.get("images_per_call") or 1)
    share = math.ceil(pending / drawers.count / at_once) * at_once
    return max(1, min(drawers.session.batch_size, share))


def _asked_to_stop(report: ProgressCallback, step: Progress, drawers: Drawers) -> Stopped | None:
    try:
        report(step)
    except Stopped as stopped:
        drawers.stop()
        return stopped
    return None


def _pending(dataset: fo.Dataset, folder: Path, items: Sequence[Item]) -> list[Item]:
    """Returns what is to be drawn: what has no sample, and what has one whose file, one of ours, was deleted."""
    store_generated.fill_sizes(dataset)
    files = store_generated.files_by_key(dataset)
    gone = {key for key, path in files.items() if Path(path) == output_folder.image_path(folder, key)}
    gone = {key for key in gone if not output_folder.image_path(folder, key).exists()}
    return [item for item in items if item.key not in files or item.key in gone]


def _add(dataset: fo.Dataset, folder: Path, images: Sequence[Generated], done: int, total: int) -> int:
    """Adds a sample for each image; returns how many images there were."""
    try:
        store_generated.add(dataset, images)
    except OSError as error:  # somebody took the folder away, with what was written to it a moment ago
        raise _writing_error(folder, error, done, total) from error
    return len(images)


def _writing_error(folder: Path, error: OSError, done: int, total: int) -> OutputError:
    return output_folder.writing_error(folder, error, f"{done} of {total} images are there, each with its sample. ")
