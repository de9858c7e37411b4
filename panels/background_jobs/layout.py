"""Lays out the panel "Background jobs": the workers, and a row for each job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from loupe.brain.core.shares import whole
from loupe.brain.core.shown import markdown as escape
from loupe.brain.core.shown import prose
from loupe.operators import forms
from loupe.operators.wording import in_app
from loupe.panels import theme, widgets

if TYPE_CHECKING:
    from loupe.brain.store.jobs import Job
    from loupe.panels.background_jobs.panel import Content

_COLORS = {"queued": "warning", "running": "info", "completed": "success", "failed": "error"}
_MAX_MESSAGE = 300
_BLOCKS = 20
_MAX_LINES = 60


def draw(panel: types.Object, handlers: Any, content: Content, log: str = "") -> None:
    """Draws the jobs.

    Args:
        panel: to draw on
        handlers: the panel whose methods are called
        content: the jobs and the workers
        log: whose log is open, by its id; empty: none is
    """
    from loupe.panels.background_jobs.panel import EVERY

    panel.view("timer", types.TimerView(interval=1000 * EVERY, on_interval=handlers.on_tick))
    if content.workers:
        names = ", ".join(f"{escape(worker.name)} ({escape(worker.device)})" for worker in content.workers)
        panel.md(f"Workers: **{names}**", name="workers", componentsProps=theme.TEXT)
    else:
        waiting = sum(job.state == "queued" for job in content.jobs)
        wait = f"{waiting} job{' waits' if waiting == 1 else 's wait'}: no" if waiting else "No"
        text = f"{wait} worker is there to run what is scheduled. Start one where this database and the images can be "
        forms.note(panel, "no_worker", f"{text}reached:", severity="warning" if waiting else "info")
        panel.md(f"```\n{forms.WORKER}\n```", name="worker_command")
    if not content.jobs:
        text = "Nothing has been scheduled on this dataset. Operators of Loupe offer **Schedule** beside their button."
        panel.md(text, name="nothing", componentsProps=theme.TEXT)
    for job in content.jobs:
        _job(panel, handlers, job, str(job.id) == log)


def _job(panel: types.Object, handlers: Any, job: Job, open_log: bool) -> None:
    part = widgets.column(panel, f"job_{job.id}", marginTop="8px")
    head = widgets.row(part, "head")
    head.view("state", types.PillBadgeView(text=job.state, color=_COLORS.get(job.state, "primary")))
    queued = f" · {job.queued_at:%Y-%m-%d %H:%M:%S} UTC" if job.queued_at else ""
    head.md(f"**{escape(job.label)}**{queued}", name="label", componentsProps=theme.TEXT)
    button = {"variant": "outlined", "params": {"job": str(job.id)}}
    if job.state in ("queued", "running"):
        head.btn("cancel", label="Cancel", on_click=handlers.on_cancel, **button)
    else:
        head.btn("again", label="Run again", on_click=handlers.on_again, **button)
    if job.log:
        head.btn("log", label="Hide the log" if open_log else "Log", on_click=handlers.on_log, **button)
    text = prose((in_app(job.message) if job.state == "failed" else job.message)[:_MAX_MESSAGE])
    if job.progress is not None:
        full = round(_BLOCKS * min(1.0, max(0.0, job.progress)))
        text = f"{'█' * full}{'░' * (_BLOCKS - full)} {whole(job.progress)} · {text}"
    if text:
        part.md(text, name="message", componentsProps=theme.SMALL)
    if job.log and open_log:
        part.md(f"```\n{_shown(job.log)}\n```", name="log_text", componentsProps=theme.LOG)


def _shown(log: str) -> str:
    lines = log.replace("```", "").splitlines()
    left_out = len(lines) - _MAX_LINES
    return "\n".join([*([f"… {left_out} earlier lines"] if left_out > 0 else []), *lines[-_MAX_LINES:]])
