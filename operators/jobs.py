"""``@loupe/loupe/jobs``: what was scheduled, how far it has come, and a way to stop it."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from fiftyone.operators import types
from fiftyone.operators.message import GeneratedMessage

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import ProgressCallback
from loupe.operators import forms, summary
from loupe.operators.base import LoupeOperator

_LOOK = "look"
_CANCEL = "cancel"
_AGAIN = "again"


class BackgroundJobs(LoupeOperator):
    """Shows this dataset's scheduled operations; the open-source App has no page for them."""

    verb = "jobs"
    label = "background jobs"
    description = "What was scheduled on this dataset, how far it has come, and which workers are there"
    icon = "pending_actions"
    button = "Do it"
    background = False

    def form(self, ctx: Any, inputs: types.Object) -> None:
        from loupe.brain.store import jobs

        found = jobs.recent(ctx.dataset._doc.id)
        inputs.md(_report(found, jobs.workers()), name="report")
        if not found:
            return
        actions = {
            _LOOK: ("Look again", "Read the list anew"),
            _CANCEL: ("Cancel a job", "It stops after its current batch; what was done is kept"),
            _AGAIN: ("Run a job again", "It goes on from where it stopped"),
        }
        forms.one(inputs, "action", actions, label="Action", description="", default=_LOOK)
        action = ctx.params.get("action") or _LOOK
        states = {_CANCEL: ("queued", "running"), _AGAIN: ("failed", "completed")}.get(action, ())
        fitting = {str(job.id): (f"{job.label}: {job.state}", job.said) for job in found if job.state in states}
        if action != _LOOK and not fitting:
            forms.problem(inputs, "no_jobs", "There is no such job", f"None is {' or '.join(states)}.")
        elif action != _LOOK:
            forms.one(inputs, "job", fitting, label="Job", description="", default=next(iter(fitting)))

    def call(self, ctx: Any, progress: ProgressCallback) -> Mapping[str, Any]:
        from loupe.brain.store import jobs

        action = ctx.params.get("action") or _LOOK
        said = "Background jobs"
        if action != _LOOK:
            ours = {str(job.id): job for job in jobs.recent(ctx.dataset._doc.id)}
            job = ours.get(str(ctx.params.get("job")))
            if job is None:
                raise InputError("expected one of this dataset's jobs, got none")
            if action == _CANCEL:
                said = "Cancelled" if jobs.cancel(job.id) else "It has ended already"
            elif action == _AGAIN:
                jobs.again(job.id)
                said = "In the queue again"
        found = jobs.recent(ctx.dataset._doc.id)
        return {"said": said, "summary": _report(found, jobs.workers())}

    def after(self, ctx: Any, result: Mapping[str, Any]) -> Generator[GeneratedMessage, None, None]:
        yield ctx.ops.reload_samples()


def _report(found: list[Any], workers: list[Any]) -> str:
    if workers:
        there = ", ".join(f"{summary.escape(worker.name)} ({worker.device})" for worker in workers)
        text = f"Workers: {there}"
    else:
        text = (
            "No worker is there. Start one with `loupe worker`, where this database and the image files can be reached."
        )
    if not found:
        return f"{text}\n\nNothing has been scheduled on this dataset."
    rows = [
        [
            job.label,
            job.state,
            "" if job.progress is None else f"{job.progress:.0%}",
            job.said[:200],
            f"{job.queued_at:%Y-%m-%d %H:%M:%S} UTC" if job.queued_at else "",
        ]
        for job in found
    ]
    return f"{text}\n\n" + summary.table(["Job", "State", "Progress", "What it says", "Scheduled"], rows)
