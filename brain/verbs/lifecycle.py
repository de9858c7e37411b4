"""What every verb that writes goes through: its samples are looked at, its time is taken, its run is kept."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from loupe.brain.core.device import resolve_device, resolve_devices
from loupe.brain.core.errors import InputError
from loupe.brain.core.progress import reporter, telling
from loupe.brain.core.records import Progress, ProgressCallback
from loupe.brain.core.results import Run
from loupe.brain.engine.map import opened
from loupe.brain.imaging.files import PASSING, not_now, printable
from loupe.brain.store import datasets as store_datasets
from loupe.brain.store import migration
from loupe.brain.store import runs as store_runs
from loupe.brain.store.connection import database_errors, lost_writes

if TYPE_CHECKING:
    import fiftyone as fo

_MAX_MESSAGES = 100


@dataclass
class Lifecycle:
    """A verb that is running.

    Attributes:
        samples: what it works on
        verb: its name
        report: to be called between batches; raises ``Stopped`` where the caller asked for that
        device: where it runs; several with commas between them
        started: ``time.monotonic()`` of its start
        devices: where it runs, each
        engine: of ``map_rows``
    """

    samples: fo.Dataset | fo.DatasetView
    verb: str
    report: ProgressCallback
    device: str = "cpu"
    started: float = field(default_factory=time.monotonic)
    devices: tuple[str, ...] = ("cpu",)
    engine: str = "local"

    @property
    def seconds(self) -> float:
        """Wall time so far."""
        return time.monotonic() - self.started

    def step(self, done: int, total: int, message: str) -> None:
        """Tells the caller how far the verb has come."""
        self.report(Progress(done, total, message))

    def finish(
        self,
        n: int,
        *,
        params: Mapping[str, Any],
        skipped: int = 0,
        errors: Mapping[str, str] | None = None,
        unknown: Mapping[str, int] | None = None,
        messages: Mapping[str, str] | None = None,
        as_asked: Mapping[str, int] | None = None,
        inapplicable: Mapping[str, str] | None = None,
        left_out: Mapping[str, str] | None = None,
    ) -> Run:
        """Keeps what the verb did on the dataset and returns it.

        Args:
            n: how many samples it worked on
            params: the settings it ran with
            skipped: how many were done already
            errors: by sample id or file; up to 100 are kept
            unknown: for each check how many samples it could not judge
            messages: what else is to be said; kept before the errors
            as_asked: for each failure mode how many samples were asked for with it
            inapplicable: for each check that could not judge nearly all of the samples, that and why
            left_out: what of the prompts the generator does not understand, by kind
        """
        errors = errors or {}
        seconds = self.seconds

        def kept_as(key: str) -> Run:
            return Run(
                key=key,
                verb=self.verb,
                n=n,
                skipped=skipped,
                errors=len(errors),
                unknown=dict(unknown or {}),
                seconds=seconds,
                device=self.device,
                params=dict(params),
                messages={**(messages or {}), **dict(list(errors.items())[:_MAX_MESSAGES])},
                as_asked=dict(as_asked or {}),
                inapplicable=dict(inapplicable or {}),
                left_out=dict(left_out or {}),
            )

        return store_runs.keep(self.samples, self.verb, kept_as)


@contextmanager
def running(
    samples: fo.Dataset | fo.DatasetView,
    verb: str,
    progress: bool | ProgressCallback | None,
    *,
    label: str | None = None,
    device: str | Sequence[str] | None = "cpu",
    several: bool = False,
    needs: Literal["images", "dataset", "nothing"] = "images",
    engine: str = "local",
) -> Iterator[Lifecycle]:
    """Opens a verb: inside of it, a database that stops answering, or a dataset that is deleted, is one clear error.

    Nothing is kept of a verb that is left by an error, or by ``Stopped``; what it has stored so far stays.

    Args:
        samples: a dataset or view; ``Lifecycle.samples`` are the same samples, each once, with all of their fields
        verb: its name
        progress: as the caller gave it
        label: of the progress bar; the verb by default
        device: as the caller gave it, None for the best there is; ``"cpu"`` for a verb that knows no other
        several: whether the verb can run on several devices at once
        needs: what there has to be: images, a dataset that images can be added to, or nothing yet
        engine: where ``map_rows`` is going to run; it is kept open, and says which devices there are

    Raises:
        UnknownName: no engine of that name
        MissingDependency: what the engine needs is not installed
        InputError: the samples are no images of a dataset, the dataset was deleted, or the device is not there
        NoSamples: there are none
        NotReadNow: the storage of a file or folder that it needs fails
        DatabaseGone: the database stopped answering
    """
    started = time.monotonic()
    with database_errors():
        if needs == "images":
            store_datasets.require_images(samples)
        elif needs == "dataset":
            store_datasets.require_image_dataset(samples)
        else:
            store_datasets.require_collection(samples)
        lives = store_datasets.while_it_lives(store_datasets.root(samples))
        with storage_errors(), lost_writes(), opened(engine, device) as wanted, lives:
            devices = _devices(wanted, several) if engine == "local" else (str(wanted),)
            report = reporter(progress, label or verb)
            migration.bring_up_to_date(store_datasets.root(samples), report)
            own = samples if needs == "nothing" else store_datasets.whole(samples)
            with telling(report):
                yield Lifecycle(own, verb, report, ",".join(devices), started, devices, engine)


@contextmanager
def storage_errors() -> Iterator[None]:
    """Raises ``NotReadNow`` where the storage of a file or folder fails that a verb needs; of a picture it is a record.

    >>> with storage_errors():
    ...     pass
    """
    try:
        yield
    except OSError as error:
        if error.errno not in PASSING or error.filename is None:
            raise
        raise not_now(printable(os.fsdecode(error.filename)), error) from error


def _devices(device: str | Sequence[str] | None, several: bool) -> tuple[str, ...]:
    if several:
        return resolve_devices(device)
    if device is not None and not isinstance(device, str):
        raise InputError(f"expected a device such as 'cpu' or 'cuda:1', got {device!r}")
    # torch is not imported for a verb that knows no other device
    return ("cpu" if device == "cpu" else resolve_device(device),)
