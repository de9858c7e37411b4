"""``@loupe/loupe/jobs``: what was scheduled, how far it has come, and a way to stop it."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from fiftyone.operators import types
from fiftyone.operators.message import GeneratedMessage

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import ProgressCallback
from loupe.brain.core.shares import whole
from loupe.brain.core.shown import markdown as escape
from loupe.operators import forms, scheduling, summary
from loupe.operators.base import LoupeOperator
from loupe.operators.forms import Form
from loupe.operators.signature import Parameter
from loupe.operators.summary import Summary
from loupe.operators.widgets import Choice

_LOOK, _LOG, _CANCEL, _AGAIN = "look", "log", "cancel", "again"
_ACTIONS = {
    _LOOK: ("Look again", "Read the list anew"),
    _LOG: ("Read a job's log", "The last lines that Loupe logged as it ran"),
    _CANCEL: ("Cancel a job", "It stops within seconds; what was done is kept"),
    _AGAIN: ("Run a job again", "It goes on from where it stopped"),
}
_STATES = {
    _LOG: ("queued", "running", "failed", "completed"),
    _CANCEL: ("queued", "running"),
    _AGAIN: ("failed", "completed"),
}
_NO_LOG = "Nothing was logged: it has not run, or another kind of worker ran it."
_ACTION = Parameter("action", "str", _LOOK, "Of the jobs above, or none of it")
_ACTION_WIDGET = Choice(lambda _: _ACTIONS)


class BackgroundJobs(LoupeOperator):
    """Shows what was scheduled on this dataset, how far it has come, and which workers are there."""

    # the open-source App has no page for them
    verb = "jobs"
    label = "background jobs"
    icon = "pending_actions"
    button = "Do it"
    background = False

    def form(self, ctx: Any, inputs: types.Object) -> None:
        from loupe.brain.store import jobs

        listed = jobs.recent(ctx.dataset._doc.id)
        inputs.md(_report(listed, jobs.workers()), name="report")
        if not listed:
            return
        form = Form(ctx, ctx.dataset, inputs)
        _ACTION_WIDGET.ask(form, _ACTION)
        action = _ACTION_WIDGET.read(form, _ACTION)
        if action == _LOOK:
            return
        states = _STATES[action]
        fitting = {str(job.id): (f"{job.label}: {job.state}", job.message) for job in listed if job.state in states}
        if not fitting:
            forms.problem(inputs, "no_jobs", "There is no such job", f"None is {' or '.join(states)}.")
            return
        facts = {"label": "Which job", "description": "The latest stands first", "required": True}
        forms.dropdown(inputs, "job", fitting, default=next(iter(fitting)), **facts)

    def call(self, ctx: Any, progress: ProgressCallback) -> Summary:
        from loupe.brain.store import jobs

        action = _ACTION_WIDGET.read(Form(ctx, ctx.dataset), _ACTION)
        message = "Background jobs"
        if action != _LOOK:
            ours = {str(job.id): job for job in jobs.recent(ctx.dataset._doc.id)}
            job = ours.get(str(ctx.params.get("job")))
            if job is None:
                raise InputError(
                    "expected one of this dataset's jobs, got one that is not there any more: open the list again"
                )
            if action == _LOG:
                return Summary(f"Log of {job.label}", f"```\n{job.log.replace('```', '')}\n```" if job.log else _NO_LOG)
            if action == _CANCEL:
                message = "Canceled" if jobs.cancel(job.id) else "It has ended already"
            else:
                jobs.again(job.id, scheduling.needs({}))
                message = "In the queue again"
        return Summary(message, _report(jobs.recent(ctx.dataset._doc.id), jobs.workers()))

    def after(self, ctx: Any, done: Summary) -> Generator[GeneratedMessage, None, None]:
        yield ctx.ops.reload_samples()


def _report(listed: list[Any], workers: list[Any]) -> str:
    if workers:
        names = ", ".join(f"{escape(worker.name)} ({worker.device})" for worker in workers)
        text = f"Workers: {names}"
    else:
        text = (
            "No worker is there. Start one with `loupe worker`, where this database and the image files can be reached."
        )
    if not listed:
        return f"{text}\n\nNothing has been scheduled on this dataset."
    rows = [
        [
            job.label,
            job.state,
            "" if job.progress is None else f"{whole(job.progress)}",
            job.message[:200],
            f"{job.queued_at:%Y-%m-%d %H:%M:%S} UTC" if job.queued_at else "",
        ]
        for job in listed
    ]
    return f"{text}\n\n" + summary.table(["Job", "State", "Progress", "What it says", "Scheduled"], rows)
