"""The panel "Background jobs": what was scheduled on the dataset; it reads anew by itself while it is open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from loupe.operators import scheduling
from loupe.panels.base import Notice, Panel, Reading
from loupe.panels.latest import Shown

if TYPE_CHECKING:
    from loupe.brain.store.columns import Cell
    from loupe.brain.store.jobs import Job, WorkerFacts

#: seconds between two looks at the jobs
EVERY = 3.0
_ACTIVE = ("queued", "running")


@dataclass(frozen=True)
class Content:
    """What is drawn: the jobs of a dataset, the latest first, and the workers that are alive."""

    jobs: tuple[Job, ...]
    workers: tuple[WorkerFacts, ...]


class BackgroundJobs(Panel[Content]):
    """Reads two small collections of the database, and nothing of the samples."""

    name = "background_jobs"
    label = "Background jobs"
    icon = "pending_actions"
    subject = "jobs"
    # whose log is open
    defaults = {"log": ""}
    help_markdown = (
        "What was scheduled on this dataset, how far it has come, and which workers are there to run it. It is read "
        "anew every few seconds while the panel is open."
    )

    def narrowing(self) -> type[Cell]:
        # it narrows nothing
        from loupe.brain.store.columns import Cell

        return Cell

    def _read(self, ctx: Any, choices: Mapping[str, Any], kept: Any) -> Reading[Content] | Notice:
        # jobs are a dataset's, also of one without samples: they may be about to be generated
        return (
            Notice("Open a dataset to see its jobs.") if ctx.dataset is None else self.read(ctx.dataset, choices, kept)
        )

    def read(self, view: Any, choices: Mapping[str, Any], kept: Any) -> Reading[Content]:
        from loupe.brain.store import jobs

        return Reading(Content(tuple(jobs.recent(view._doc.id)), tuple(jobs.workers())))

    def seen(self, content: Content) -> dict[str, Any]:
        return {"states": {str(job.id): job.state for job in content.jobs}}

    def draw(self, panel: types.Object, content: Content, shown: Shown, narrowed: Any) -> None:
        from loupe.panels.background_jobs import layout

        layout.draw(panel, self, content, str(shown.choices.get("log") or ""))

    def on_tick(self, ctx: Any) -> None:
        """Draws what has changed since; where nothing has, nothing is sent."""
        known = self._open(ctx).shown
        if ctx.dataset is None or (known is not None and known.content == self.read(ctx.dataset, {}, None).content):
            return
        before = (ctx.panel.state.seen or {}).get("states", {})
        self.refresh(ctx)
        drawn = self._open(ctx).shown
        now = drawn.content.jobs if drawn is not None and drawn.content is not None else ()
        if any(job.state not in _ACTIVE and before.get(str(job.id)) in _ACTIVE for job in now):
            # what it wrote is there to see
            ctx.ops.reload_dataset()

    def on_cancel(self, ctx: Any) -> None:
        from loupe.brain.store import jobs

        job = self._job(ctx, _ACTIVE)
        if job is not None and not jobs.cancel(job.id):
            ctx.ops.notify("It has ended already", variant="info")
        self.refresh(ctx)

    def on_again(self, ctx: Any) -> None:
        from loupe.brain.store import jobs

        job = self._job(ctx, ("failed", "completed"))
        if job is not None:
            jobs.again(job.id, scheduling.needs({}))
        self.refresh(ctx)

    def on_log(self, ctx: Any) -> None:
        """Opens the log of a job, or closes it."""
        wanted = str(ctx.params.get("job"))
        self.choose(ctx, log="" if self.choices(ctx)["log"] == wanted else wanted)
        self.refresh(ctx)

    def _job(self, ctx: Any, states: tuple[str, ...]) -> Job | None:
        """Returns the job whose button was pressed, as it is now; None where it is not this dataset's, or has moved
        on."""
        from loupe.brain.store import jobs

        listed = jobs.recent(ctx.dataset._doc.id) if ctx.dataset is not None else []
        wanted = ctx.params.get("job")
        return next((job for job in listed if str(job.id) == wanted and job.state in states), None)
