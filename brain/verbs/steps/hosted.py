"""Images that a hosted service draws, one by one as they come: files, samples, and what became of the others."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loupe.brain.core import interrupts
from loupe.brain.core.errors import OutputError, Stopped
from loupe.brain.core.records import Progress, ProgressCallback
from loupe.brain.core.remote import Drawn, RemoteJob
from loupe.brain.engine.drawing import Generated, Item

if TYPE_CHECKING:
    from PIL.Image import Image

# images that get their samples together, and seconds that one waits for others at most
_TOGETHER = 16
_WAIT = 2.0
_REASONS = 100


@dataclass
class Outcomes:
    """What became of the images that were not drawn, and what all of them cost.

    Attributes:
        unknown: how many were refused, unclear, unaffordable: no picture, and no verdict of the model either
        errors: for each that failed, by its key, why
        messages: for up to 100 of the others why
        refused: how many images of each prompt the moderation refused
        account: for the run's parameters: cost, refusals by prompt
    """

    unknown: Counter[str] = field(default_factory=Counter)
    errors: dict[str, str] = field(default_factory=dict)
    messages: dict[str, str] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    account: dict[str, object] = field(default_factory=dict)

    def note(self, item: Item, drawn: Drawn) -> None:
        """Takes up what is no picture."""
        message = f"{drawn.reason} | {item.request.prompt[:200]}"
        if drawn.outcome == "failed":
            self.errors[item.key] = message
            return
        self.unknown[drawn.outcome] += 1
        if drawn.outcome == "refused":
            self.refused[item.request.prompt] += 1
        if drawn.outcome == "unaffordable":
            self.messages["budget"] = f"{self.unknown['unaffordable']:,} images were not requested: {drawn.reason}"
        elif len(self.messages) < _REASONS:
            self.messages[item.key] = f"{drawn.outcome}: {message}"


@dataclass(frozen=True)
class Hosted:
    """How images become files and samples; given by ``generate``.

    Attributes:
        job: to be opened
        adopt: returns the file that an earlier call left without its sample, if there is one
        write: writes a file
        add: adds samples; it is told how many images there are already
        failed: the error of a folder that cannot be written
    """

    job: AbstractContextManager[RemoteJob]
    adopt: Callable[[Item], Generated | None]
    write: Callable[[Item, Image, float], Generated]
    add: Callable[[Sequence[Generated], int], int]
    failed: Callable[[OSError, int], OutputError]

    def make(self, items: Sequence[Item], pending: Sequence[Item], report: ProgressCallback) -> tuple[int, Outcomes]:
        """Draws what is pending; returns how many images it added, and what became of the others.

        Raises:
            Stopped: ``report`` asked for that; what was under way is stored, too: it is paid
        """
        skipped = len(items) - len(pending)
        outcomes = Outcomes()
        # what is under way is paid: it is worth waiting for
        with interrupts.held(), self.job as job:
            wanted = {item.key for item in pending}
            job.kept([item.key for item in items if item.key not in wanted])
            adopted = [(item, image) for item in pending if (image := self.adopt(item)) is not None]
            done = skipped + self.add([image for _, image in adopted], skipped)
            job.kept([item.key for item, _ in adopted])
            known = {item.key for item, _ in adopted}
            missing = {item.key: item for item in pending if item.key not in known}
            made = self._draw(job, missing, [item.key for item in items], done, report, outcomes)
            outcomes.account |= {**job.account(), "refusals": _refusals(outcomes, items)}
        return done - skipped + made, outcomes

    def _draw(
        self,
        job: RemoteJob,
        missing: Mapping[str, Item],
        keys: Sequence[str],
        done: int,
        report: ProgressCallback,
        outcomes: Outcomes,
    ) -> int:
        total, before = len(keys), done
        waiting: list[Generated] = []
        stopped: Stopped | None = None
        stored = started = time.monotonic()
        wanted = [(item.key, item.request) for item in missing.values()]
        try:
            for drawn in job.run(wanted, also=keys):
                if drawn is not None and drawn.image is None:
                    outcomes.note(missing[drawn.key], drawn)
                elif drawn is not None and drawn.image is not None:
                    seconds = (time.monotonic() - started) / (done - before + len(waiting) + 1)
                    waiting.append(self._written(missing[drawn.key], drawn.image, seconds, done))
                if len(waiting) >= _TOGETHER or (waiting and time.monotonic() - stored > _WAIT):
                    done += self._stored(job, waiting, done)
                    stored = time.monotonic()
                if stopped is None:
                    stopped = _asked_to_stop(report, Progress(done, total, _message(job)), job)
        finally:
            done += self._stored(job, waiting, done)
        if stopped is not None:
            raise stopped
        report(Progress(done, total, "generated"))
        return done - before

    def _written(self, item: Item, image: Image, seconds: float, done: int) -> Generated:
        try:
            return self.write(item, image, seconds)
        except OSError as error:
            raise self.failed(error, done) from error

    def _stored(self, job: RemoteJob, waiting: list[Generated], done: int) -> int:
        """Adds the samples of written files, and notes it."""
        images = list(waiting)
        waiting.clear()
        count = self.add(images, done) if images else 0
        job.kept([image.facts["key"] for image in images])
        return count


def _asked_to_stop(report: ProgressCallback, step: Progress, job: RemoteJob) -> Stopped | None:
    try:
        report(step)
    except Stopped as stopped:
        job.stop()
        return stopped
    return None


def _message(job: RemoteJob) -> str:
    return "generating" if job.spent is None else f"generating, ${job.spent:,.2f} so far"


def _refusals(outcomes: Outcomes, items: Sequence[Item]) -> list[dict[str, object]]:
    """Returns how many images of each prompt the moderation refused, and of how many; the most refused, 100 prompts."""
    asked = Counter(item.request.prompt for item in items)
    return [
        {"prompt": prompt, "refused": count, "requested": asked[prompt]}
        for prompt, count in outcomes.refused.most_common(_REASONS)
    ]
